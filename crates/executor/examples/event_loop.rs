//! Tasks in a callback event loop of the kind that window libraries have: the loop owns the thread and
//! calls a handler, and everything is done in its callbacks.
//!
//! The names are those of `winit` 0.30, and so is what they promise; `support/winit_model.rs` is that loop without
//! windows, so that this runs anywhere. What the executor needs of such a loop:
//!
//! | need | `winit` 0.30 | `winit` 0.31 |
//! |---|---|---|
//! | a bell that ends the loop's wait, from any thread | `EventLoopProxy::send_event` | `EventLoopProxy::wake_up` |
//! | where the bell is heard; nothing is to be done there | `user_event` | `proxy_wake_up` |
//! | a turn in each iteration, after its events | `about_to_wait` | the same |
//! | "there is more: come back at once" | `ControlFlow::Poll` | the same |
//! | "come back at the next deadline" | `ControlFlow::WaitUntil` | the same |
//! | "come back when something happens" | `ControlFlow::Wait` | the same |

mod support;
#[path = "support/winit_model.rs"]
mod winit;

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use kippu_executor::Executor;
use winit::{
    ActiveEventLoop, ApplicationHandler, ControlFlow, EventLoop, EventLoopProxy, StartCause,
};

/// Polls before the loop looks at its events again.
const BUDGET: usize = 64;
const BLINK: Duration = Duration::from_millis(5);
/// How often the program lets others go first while it counts.
pub(crate) const YIELDS: u32 = 1_000;

/// Ends the loop's wait.
struct Bell(EventLoopProxy<()>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // An error says that the loop is gone, and then nobody waits.
        let _gone = self.0.send_event(());
    }
}

/// What ties the executor to the loop.
struct App {
    executor: Rc<Executor>,
    start: Instant,
    /// Keys go to whichever task awaits them.
    keys: Sender<char>,
    outcome: Rc<RefCell<Option<Outcome>>>,
    seen: Seen,
}

/// Why iterations of the loop began, and how often it was called by the bell.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) polls: u32,
    pub(crate) deadlines: u32,
    pub(crate) bells: u32,
}

impl ApplicationHandler<()> for App {
    fn new_events(&mut self, _: &ActiveEventLoop, cause: StartCause) {
        // `about_to_wait` will come in any case: what is woken before it need not ring.
        self.executor.stay_awake();
        match cause {
            StartCause::Poll => self.seen.polls += 1,
            StartCause::ResumeTimeReached => self.seen.deadlines += 1,
            StartCause::Init | StartCause::WaitCancelled => {}
        }
    }

    fn user_event(&mut self, _: &ActiveEventLoop, (): ()) {
        self.seen.bells += 1;
    }

    fn key_event(&mut self, _: &ActiveEventLoop, key: char) {
        // The channel has no bound. It is closed when the program wants no more keys.
        let _closed = self.keys.try_send(key);
    }

    // ANCHOR: turn
    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        self.executor.fire_timers(self.start.elapsed().as_nanos() as u64);
        let flow = if self.executor.run_ready(BUDGET) {
            ControlFlow::Poll
        } else if let Some(deadline) = self.executor.next_deadline() {
            ControlFlow::WaitUntil(self.start + Duration::from_nanos(deadline))
        } else {
            ControlFlow::Wait
        };
        event_loop.set_control_flow(flow);
        if self.outcome.borrow().is_some() {
            event_loop.exit();
        }
    }
    // ANCHOR_END: turn
}

/// What the program found.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) word: String,
    pub(crate) blinks: u32,
    pub(crate) sum: u32,
}

/// Blinks a cursor until it is aborted, and says so through `blinked`.
async fn cursor(executor: Weak<Executor>, start: Instant, blinked: mpsc::Sender<()>) {
    loop {
        let next = start.elapsed() + BLINK;
        support::sleep_until(&executor, next.as_nanos() as u64).await;
        // The typist may have typed its last key.
        let _gone = blinked.send(());
    }
}

/// Waits for a word and a line feed, sums up its letters on another thread, and then works for long.
async fn program(keys: Receiver<char>) -> (String, u32) {
    let mut word = String::new();
    while let Ok(key) = keys.recv().await {
        if key == '\n' {
            break;
        }
        word.push(key);
    }
    let (answer, sum) = async_channel::bounded(1);
    let letters = word.clone();
    thread::spawn(move || {
        // The task may be gone by now, and its receiver with it.
        let _gone = answer.try_send(letters.chars().map(u32::from).sum());
    });
    let sum = sum.recv().await.expect("the thread answers");
    let mut yields = 0;
    poll_fn(|cx| {
        if yields == YIELDS {
            return Poll::Ready(());
        }
        yields += 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    (word, sum)
}

/// Runs the loop while another thread types `word` and a line feed, a key at every second blink.
pub(crate) fn run(word: &'static str) -> (Outcome, Seen) {
    let event_loop = EventLoop::new();
    let bell = Arc::new(Bell(event_loop.create_proxy()));
    let executor = Rc::new(Executor::new(Waker::from(bell)));
    let start = Instant::now();

    let (blinked, blinks) = mpsc::channel();
    let keyboard = event_loop.keyboard();
    let typist = thread::spawn(move || {
        let mut seen = 0;
        for key in word.chars().chain(['\n']) {
            for _ in 0..2 {
                blinks.recv().expect("the cursor blinks until the last key");
                seen += 1;
            }
            keyboard.press(key).expect("the loop runs until the last key");
        }
        seen
    });

    let (keys, typed) = async_channel::unbounded();
    let outcome: Rc<RefCell<Option<Outcome>>> = Rc::default();
    let place = outcome.clone();
    let cursor = executor.spawn(cursor(Rc::downgrade(&executor), start, blinked));
    executor
        .spawn(async move {
            let (word, sum) = program(typed).await;
            cursor.abort();
            let blinks = typist.join().expect("the typist does not panic");
            *place.borrow_mut() = Some(Outcome { word, blinks, sum });
        })
        .detach();
    let mut app = App { executor, start, keys, outcome: outcome.clone(), seen: Seen::default() };
    event_loop.run_app(&mut app);
    let outcome = outcome.take().expect("the loop runs until there is an outcome");
    (outcome, app.seen)
}

fn main() {
    let (outcome, seen) = run("kippu");
    let Outcome { word, blinks, sum } = outcome;
    println!("typed {word} within {blinks} blinks; its letters' sum is {sum}");
    let Seen { polls, deadlines, bells } = seen;
    println!("iterations: {polls} for more work, {deadlines} for deadlines; bells: {bells}");
}
