//! Waiting for a task, and cancelling it.

use alloc::boxed::Box;
use core::any::Any;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::catch::discard;
use crate::raw::{AbortRef, TaskRef};

/// The owner's end of a task: await it for the task's output.
///
/// Dropping it *detaches* the task, which goes on running. The handle belongs to the thread of
/// its executor (it is neither `Send` nor `Sync`).
///
/// Awaiting yields `Ok(output)`, or a [`JoinError`] when the task was aborted, panicked, or
/// lost its executor. It may be dropped while waiting without harm.
///
/// # Panics
/// Polling panics after the output has been given.
#[must_use = "dropping a JoinHandle detaches the task; use `drop` to say that this is meant"]
pub struct JoinHandle<T> {
    task: TaskRef,
    _output: PhantomData<T>,
}

impl<T> JoinHandle<T> {
    /// `task` must have been spawned with a future whose output is `T`.
    pub(crate) fn new(task: TaskRef) -> Self {
        JoinHandle { task, _output: PhantomData }
    }

    pub(crate) fn task(&self) -> &TaskRef {
        &self.task
    }

    /// Cancels the task: its future is dropped when its turn in the run queue comes, without
    /// being polled again, and joining it yields a [`JoinError`] that
    /// [is cancelled](JoinError::is_cancelled).
    ///
    /// | the task is | what happens |
    /// |---|---|
    /// | waiting, or in the run queue | cancelled at its next turn |
    /// | being polled (it aborts itself) | the poll goes on; if it is pending after it, cancelled at its next turn, else complete |
    /// | complete | nothing |
    pub fn abort(&self) {
        self.task.abort();
    }

    /// A handle that can only abort, for somebody else to keep.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle { task: AbortRef::new(&self.task) }
    }

    /// Whether the task has completed, been cancelled or panicked.
    pub fn is_finished(&self) -> bool {
        self.task.is_done()
    }

    /// Lets the task go on by itself; the same as dropping the handle.
    pub fn detach(self) {}
}

// It holds a pointer to the output, never the output itself.
impl<T> Unpin for JoinHandle<T> {}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `new` is called only by `Executor`, with a task of this output type.
        unsafe { self.task.poll_join(cx) }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        self.task.detach();
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "JoinHandle", &self.task)
    }
}

/// Aborts a task; see [`JoinHandle::abort`]. Made by [`JoinHandle::abort_handle`].
#[derive(Clone)]
pub struct AbortHandle {
    task: AbortRef,
}

impl AbortHandle {
    /// See [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.task.task().abort();
    }

    /// See [`JoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        self.task.task().is_done()
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "AbortHandle", self.task.task())
    }
}

fn debug(f: &mut fmt::Formatter<'_>, name: &str, task: &TaskRef) -> fmt::Result {
    let location: &'static Location<'static> = task.location();
    f.debug_struct(name)
        .field("spawned_at", &format_args!("{location}"))
        .field("finished", &task.is_done())
        .finish()
}

/// Why a task gave no output.
pub struct JoinError(Reason);

enum Reason {
    Cancelled,
    Panicked(Box<dyn Any + Send>),
}

impl JoinError {
    pub(crate) fn cancelled() -> Self {
        JoinError(Reason::Cancelled)
    }

    pub(crate) fn panicked(payload: Box<dyn Any + Send>) -> Self {
        JoinError(Reason::Panicked(payload))
    }

    /// The first panic is the one that tells.
    pub(crate) fn or_panicked(self, payload: Box<dyn Any + Send>) -> Self {
        match self.0 {
            Reason::Cancelled => JoinError::panicked(payload),
            Reason::Panicked(_) => {
                discard(payload);
                self
            }
        }
    }

    /// The task was aborted, or its executor was dropped.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0, Reason::Cancelled)
    }

    /// The task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.0, Reason::Panicked(_))
    }

    /// What the task panicked with, to be handed to `std::panic::resume_unwind`.
    ///
    /// # Errors
    /// Gives the error back when the task was cancelled.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, JoinError> {
        match self.0 {
            Reason::Panicked(payload) => Ok(payload),
            Reason::Cancelled => Err(self),
        }
    }

    /// The panic's message, if it was a string.
    pub fn panic_message(&self) -> Option<&str> {
        let Reason::Panicked(payload) = &self.0 else {
            return None;
        };
        payload
            .downcast_ref::<&'static str>()
            .copied()
            .or_else(|| payload.downcast_ref::<alloc::string::String>().map(|s| &**s))
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, self.panic_message()) {
            (Reason::Cancelled, _) => f.write_str("task was cancelled"),
            (Reason::Panicked(_), Some(message)) => write!(f, "task panicked: {message}"),
            (Reason::Panicked(_), None) => f.write_str("task panicked"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl core::error::Error for JoinError {}
