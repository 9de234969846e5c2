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
///
/// # Examples
/// ```
/// use futures_util::FutureExt;
/// use kippu_executor::Executor;
///
/// let executor = Executor::new(std::task::Waker::noop().clone());
/// let child = executor.spawn(async { 6 * 7 });
/// let parent = executor.spawn(async move { child.await.unwrap() + 1 });
/// executor.run_ready(usize::MAX);
/// assert!(matches!(parent.now_or_never(), Some(Ok(43))));
/// ```
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
    /// [is cancelled](JoinError::is_cancelled). Nothing is dropped inside this call, so it may be made anywhere,
    /// also in the task itself and in the drop of any future. A second call does nothing more.
    ///
    /// | the task is | what happens |
    /// |---|---|
    /// | in the run queue, new or woken | it keeps its place; when its turn comes it is dropped, unpolled |
    /// | waiting | it goes to the end of the run queue, with a ring of `unpark` if that was empty, and is dropped at its turn |
    /// | being polled, and aborts itself | the poll goes on; if it ends pending, the task is dropped at its next turn |
    /// | the same, and the poll is its last | nothing: it completes, or panics |
    /// | being polled, and a task that [`spawn_polled`](crate::Executor::spawn_polled) polls inside that poll aborts it | as if it aborted itself |
    /// | complete | nothing: the output stays for the joiner |
    /// | panicked | nothing: the panic stays for the joiner |
    /// | cancelled, or its executor is dropped | nothing |
    ///
    /// Nobody else can abort a task while it is being polled: poll and handle belong to one thread.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let task = executor.spawn(std::future::pending::<()>());
    /// task.abort();
    /// assert!(!task.is_finished()); // its turn has not come yet
    /// executor.run_ready(usize::MAX);
    /// assert!(task.is_finished());
    /// ```
    pub fn abort(&self) {
        self.task.abort();
    }

    /// A handle that can only abort, for somebody else to keep.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let task = executor.spawn(std::future::pending::<()>());
    /// let abort = task.abort_handle();
    /// executor.spawn(async move { assert!(task.await.is_err()) }).detach();
    /// executor.run_ready(usize::MAX);
    /// assert_eq!(executor.live_tasks(), 2);
    /// abort.abort();
    /// executor.run_ready(usize::MAX);
    /// assert_eq!(executor.live_tasks(), 0);
    /// ```
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle { task: AbortRef::new(&self.task) }
    }

    /// Whether the task has completed, been cancelled or panicked.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let task = executor.spawn(async {});
    /// assert!(!task.is_finished());
    /// executor.run_ready(1);
    /// assert!(task.is_finished());
    /// ```
    pub fn is_finished(&self) -> bool {
        self.task.is_done()
    }

    /// Lets the task go on by itself; the same as dropping the handle. Its output is dropped when it completes, as is
    /// the payload of its panic.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let done = std::rc::Rc::new(std::cell::Cell::new(false));
    /// let there = done.clone();
    /// executor.spawn(async move { there.set(true) }).detach();
    /// executor.run_ready(usize::MAX);
    /// assert!(done.get());
    /// ```
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
///
/// Dropping it does nothing to the task. While it is kept, so is the task's memory, without future and output.
///
/// # Examples
/// A guard that ends a task with its own life:
/// ```
/// # use kippu_executor::{AbortHandle, Executor};
/// struct Owned(AbortHandle);
/// impl Drop for Owned {
///     fn drop(&mut self) {
///         self.0.abort();
///     }
/// }
///
/// # let executor = Executor::new(std::task::Waker::noop().clone());
/// let task = executor.spawn(std::future::pending::<()>());
/// drop(Owned(task.abort_handle()));
/// executor.run_ready(usize::MAX);
/// assert!(task.is_finished());
/// ```
#[derive(Clone)]
pub struct AbortHandle {
    task: AbortRef,
}

impl AbortHandle {
    /// See [`JoinHandle::abort`].
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let task = executor.spawn(std::future::pending::<()>());
    /// let abort = task.abort_handle();
    /// task.detach();
    /// abort.abort();
    /// executor.run_ready(usize::MAX);
    /// assert_eq!(executor.live_tasks(), 0);
    /// ```
    pub fn abort(&self) {
        self.task.task().abort();
    }

    /// See [`JoinHandle::is_finished`].
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let watched = executor.spawn(async {}).abort_handle();
    /// assert!(!watched.is_finished());
    /// executor.run_ready(usize::MAX);
    /// assert!(watched.is_finished());
    /// ```
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
///
/// # Examples
/// ```
/// # use futures_util::FutureExt;
/// # use kippu_executor::Executor;
/// # let executor = Executor::new(std::task::Waker::noop().clone());
/// let task = executor.spawn(std::future::pending::<()>());
/// task.abort();
/// executor.run_ready(usize::MAX);
/// let error = task.now_or_never().unwrap().unwrap_err();
/// assert_eq!(error.to_string(), "task was cancelled");
/// ```
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
    ///
    /// # Examples
    /// ```
    /// # use futures_util::FutureExt;
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let task = executor.spawn(async { 1 });
    /// drop(executor);
    /// assert!(task.now_or_never().unwrap().unwrap_err().is_cancelled());
    /// ```
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0, Reason::Cancelled)
    }

    /// The task panicked, in a poll or in the drop of its future.
    ///
    /// # Examples
    /// ```
    /// # use futures_util::FutureExt;
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// # if cfg!(not(feature = "std")) { return; } // the panic would leave `run_ready`
    /// let task = executor.spawn(async { assert_eq!(1 + 1, 3) });
    /// executor.run_ready(usize::MAX);
    /// assert!(task.now_or_never().unwrap().unwrap_err().is_panic());
    /// ```
    pub fn is_panic(&self) -> bool {
        matches!(self.0, Reason::Panicked(_))
    }

    /// What the task panicked with, to be handed to `std::panic::resume_unwind`.
    ///
    /// # Errors
    /// Gives the error back when the task was cancelled.
    ///
    /// # Examples
    /// ```
    /// # use futures_util::FutureExt;
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// # if cfg!(not(feature = "std")) { return; } // the panic would leave `run_ready`
    /// let task = executor.spawn(async { if true { std::panic::panic_any(5_u8) } });
    /// executor.run_ready(usize::MAX);
    /// let error = task.now_or_never().unwrap().unwrap_err();
    /// assert_eq!(error.try_into_panic().unwrap().downcast_ref(), Some(&5_u8));
    /// ```
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, JoinError> {
        match self.0 {
            Reason::Panicked(payload) => Ok(payload),
            Reason::Cancelled => Err(self),
        }
    }

    /// The panic's message. `None` when the task was cancelled, or panicked with something else than a string.
    ///
    /// # Examples
    /// ```
    /// # use futures_util::FutureExt;
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// # if cfg!(not(feature = "std")) { return; } // the panic would leave `run_ready`
    /// let task = executor.spawn(async { if true { panic!("no route") } });
    /// executor.run_ready(usize::MAX);
    /// let error = task.now_or_never().unwrap().unwrap_err();
    /// assert_eq!(error.panic_message(), Some("no route"));
    /// assert_eq!(error.to_string(), "task panicked: no route");
    /// ```
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
