//! The event loop of `winit` 0.30 without windows: the same names, and the same promises about order and waiting.
//!
//! Each iteration is `new_events`, the events that are there, `about_to_wait`, and a wait as the
//! handler has asked. The only window event is a key.

use std::cell::Cell;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

/// How the loop goes on after `about_to_wait`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ControlFlow {
    /// Begins the next iteration at once.
    Poll,
    /// Waits for an event.
    Wait,
    /// Waits for an event or a time.
    WaitUntil(Instant),
}

/// Why an iteration begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartCause {
    /// It is the first.
    Init,
    /// `ControlFlow::Poll` was set.
    Poll,
    /// The time of `ControlFlow::WaitUntil` has come.
    ResumeTimeReached,
    /// An event has ended the wait.
    WaitCancelled,
}

/// What the loop calls.
pub(crate) trait ApplicationHandler<T> {
    fn new_events(&mut self, event_loop: &ActiveEventLoop, cause: StartCause);
    fn user_event(&mut self, event_loop: &ActiveEventLoop, event: T);
    /// Stands for `window_event` with a `KeyboardInput`.
    fn key_event(&mut self, event_loop: &ActiveEventLoop, key: char);
    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop);
}

/// The running loop, as its callbacks see it.
pub(crate) struct ActiveEventLoop {
    flow: Cell<ControlFlow>,
    exiting: Cell<bool>,
}

impl ActiveEventLoop {
    pub(crate) fn set_control_flow(&self, flow: ControlFlow) {
        self.flow.set(flow);
    }

    pub(crate) fn exit(&self) {
        self.exiting.set(true);
    }
}

enum Event<T> {
    User(T),
    Key(char),
}

/// The loop before it runs.
pub(crate) struct EventLoop<T> {
    sender: Sender<Event<T>>,
    events: Receiver<Event<T>>,
}

impl<T> EventLoop<T> {
    pub(crate) fn new() -> Self {
        let (sender, events) = mpsc::channel();
        EventLoop { sender, events }
    }

    pub(crate) fn create_proxy(&self) -> EventLoopProxy<T> {
        EventLoopProxy { sender: self.sender.clone() }
    }

    /// Where the keys come from; a window has it built in.
    pub(crate) fn keyboard(&self) -> Keyboard<T> {
        Keyboard { sender: self.sender.clone() }
    }

    pub(crate) fn run_app(self, app: &mut impl ApplicationHandler<T>) {
        let active =
            ActiveEventLoop { flow: Cell::new(ControlFlow::Wait), exiting: Cell::new(false) };
        let (mut cause, mut first) = (StartCause::Init, None);
        while !active.exiting.get() {
            app.new_events(&active, cause);
            for event in first.into_iter().chain(self.events.try_iter()) {
                match event {
                    Event::User(event) => app.user_event(&active, event),
                    Event::Key(key) => app.key_event(&active, key),
                }
            }
            app.about_to_wait(&active);
            (cause, first) = if active.exiting.get() {
                (StartCause::Poll, None)
            } else {
                self.wait(active.flow.get())
            };
        }
    }

    fn wait(&self, flow: ControlFlow) -> (StartCause, Option<Event<T>>) {
        match flow {
            ControlFlow::Poll => (StartCause::Poll, None),
            ControlFlow::Wait => {
                let event = self.events.recv().expect("the loop has a sender itself");
                (StartCause::WaitCancelled, Some(event))
            }
            ControlFlow::WaitUntil(time) => {
                let left = time.saturating_duration_since(Instant::now());
                match self.events.recv_timeout(left) {
                    Ok(event) => (StartCause::WaitCancelled, Some(event)),
                    Err(_) => (StartCause::ResumeTimeReached, None),
                }
            }
        }
    }
}

/// Sends events to the loop from any thread.
pub(crate) struct EventLoopProxy<T> {
    sender: Sender<Event<T>>,
}

/// The loop is gone.
#[derive(Debug)]
pub(crate) struct EventLoopClosed;

impl<T> EventLoopProxy<T> {
    pub(crate) fn send_event(&self, event: T) -> Result<(), EventLoopClosed> {
        self.sender.send(Event::User(event)).map_err(|_| EventLoopClosed)
    }
}

/// Presses keys from any thread.
pub(crate) struct Keyboard<T> {
    sender: Sender<Event<T>>,
}

impl<T> Keyboard<T> {
    pub(crate) fn press(&self, key: char) -> Result<(), EventLoopClosed> {
        self.sender.send(Event::Key(key)).map_err(|_| EventLoopClosed)
    }
}
