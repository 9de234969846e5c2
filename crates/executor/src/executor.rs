//! The executor: what a driver turns.

mod inspect;
mod spawn;
mod timers;

pub use spawn::TaskOptions;
#[cfg(feature = "std")]
pub use spawn::spawn_local;

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::task::{Poll, Waker};

use crate::raw::{Ran, Tasks};
#[cfg(feature = "std")]
use crate::task_local::Hidden;
use crate::wheel::TimerWheel;

/// The message of a panic. Put together here, as formatting it would bring std's formatter into small guests.
macro_rules! nested {
    ($function:literal) => {
        concat!(
            "nested run of an executor: ",
            $function,
            " was called from inside one of its own tasks; await instead of blocking"
        )
    };
}

/// How many tasks `block_on` polls before it lets the driver look after other things. Small enough that I/O and
/// timers do not wait long behind busy tasks, large enough that the look, which may be a system call, is paid for.
const BLOCK_ON_BUDGET: usize = 256;

/// A single-threaded executor of local tasks.
///
/// It belongs to the thread that made it. Wakers of its tasks are `Send + Sync` and may be used, kept and
/// dropped anywhere, also after the executor's death.
///
/// Dropping it cancels every live task: their futures are dropped, newest task first, and
/// their joiners get an error.
///
/// # Examples
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use kippu_executor::Executor;
///
/// let executor = Executor::new(std::task::Waker::noop().clone());
/// // Neither future nor output need be `Send`.
/// let shared = Rc::new(Cell::new(1));
/// let there = shared.clone();
/// let task = executor.spawn(async move { there.set(there.get() + 1) });
/// while executor.run_ready(64) {}
/// assert!(task.is_finished());
/// assert_eq!(shared.get(), 2);
/// ```
pub struct Executor {
    tasks: Tasks,
    /// Made by the first timer: it is large, and many short-lived executors have none.
    timers: RefCell<Option<TimerWheel>>,
    /// Kept between calls of `fire_timers`, so that firing allocates nothing.
    due: Cell<Vec<Waker>>,
    running: Cell<bool>,
}

impl Executor {
    /// Makes an executor without tasks.
    ///
    /// `unpark` is woken whenever the run queue becomes non-empty while nobody runs it: not while
    /// [`run_ready`](Self::run_ready) runs, nor after it has said that there is more. Wakes by the thread of the executor
    /// ring once; one from another thread may ring once more, also while the executor runs (unless
    /// the driver has said [`stay_awake`](Self::stay_awake)), and so may the drop of a waker there,
    /// as nobody might be left who can wake the task. It may be woken
    /// from any thread that holds a waker, and from inside any wake, so it should do no more than
    /// end the driver's sleep or ask for a turn. A ring must not get lost when the driver does not sleep yet.
    /// It should not panic: the panic passes through the wake, and until the next run nobody rings again.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use std::task::{Wake, Waker};
    /// use std::thread::{self, Thread};
    /// use kippu_executor::Executor;
    ///
    /// /// Ends the sleep of the driver's thread.
    /// struct Bell(Thread);
    /// impl Wake for Bell {
    ///     fn wake(self: Arc<Self>) {
    ///         self.0.unpark();
    ///     }
    /// }
    ///
    /// let executor = Executor::new(Waker::from(Arc::new(Bell(thread::current()))));
    /// executor.spawn(async {}).detach();
    /// thread::park(); // the spawn has rung: returns at once
    /// assert!(!executor.run_ready(64));
    /// ```
    pub fn new(unpark: Waker) -> Self {
        Executor {
            tasks: Tasks::new(unpark),
            timers: RefCell::new(None),
            due: Cell::new(Vec::new()),
            running: Cell::new(false),
        }
    }

    /// Polls woken tasks in the order of their wakes, at most `budget` of them. Returns whether more
    /// are runnable now; if so the driver must call again, as `unpark` will not be rung.
    ///
    /// What is woken goes to the end of the run queue, also a task that wakes itself, so no task can starve another;
    /// one that never returns from its poll can. Entries of tasks that are done cost no budget.
    ///
    /// # Panics
    /// When it is called from inside a poll of this executor. A panic of a waker that is not this
    /// executor's own (of a joiner in a foreign loop, say) passes through, as does, without the feature
    /// `std`, a task's. A call that ends so counts as one that returned `true`: call again.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// for _ in 0..3 {
    ///     executor.spawn(async {}).detach();
    /// }
    /// assert!(executor.run_ready(2)); // one is left
    /// assert_eq!(executor.live_tasks(), 1);
    /// assert!(!executor.run_ready(2));
    /// assert_eq!(executor.live_tasks(), 0);
    /// ```
    pub fn run_ready(&self, budget: usize) -> bool {
        assert!(!self.running.get(), nested!("run_ready"));
        let _running = Running::enter(&self.running);
        let _hidden = Hidden::new();
        self.tasks.run(&Cell::new(budget), None) == Ran::More
    }

    /// Runs tasks until `future` is complete, and returns its output. The future is not a task: it stays where it
    /// is and may borrow from the caller. It takes its place in the order of wakes like any task.
    ///
    /// `park` is how the driver takes part. It is called with `false` when nothing is runnable: it should wait until
    /// `unpark` is rung or [`next_deadline`](Self::next_deadline) comes, then call
    /// [`fire_timers`](Self::fire_timers). It is called with `true` when there is more to run but
    /// something else may be due: it should look after timers and I/O, and not wait.
    /// It may run the executor itself, also by another `block_on`, but must return then instead of waiting: the future's
    /// turn may have come. [`dump`](Self::dump) shows the future as a task with the name `block_on`.
    ///
    /// If something is runnable when this returns, `unpark` is rung.
    ///
    /// # Errors
    /// Those of `park`, for example that nothing is left that could wake the future. The future is dropped then.
    ///
    /// # Panics
    /// When the future does, and as [`run_ready`](Self::run_ready).
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let text = String::from("borrowed");
    /// let length = executor.spawn(async { 8 });
    /// let checked = async { text.len() == length.await.unwrap() };
    /// // Nothing is ever waited for here. A driver would sleep when `more` is false.
    /// let park = |more: bool| if more { Ok(()) } else { Err("deadlock") };
    /// assert_eq!(executor.block_on(checked, park), Ok(true));
    /// assert_eq!(executor.block_on(std::future::pending::<()>(), park), Err("deadlock"));
    /// ```
    #[track_caller]
    pub fn block_on<F, E>(
        &self,
        future: F,
        mut park: impl FnMut(bool) -> Result<(), E>,
    ) -> Result<F::Output, E>
    where
        F: Future,
    {
        let mut future = core::pin::pin!(future);
        assert!(!self.running.get(), nested!("block_on"));
        // Dropped after the root task, which may leave an entry in the queue.
        let _hand_back = HandBack(&self.tasks);
        let root = self.tasks.spawn_root("block_on", Location::caller());
        loop {
            let more = {
                let _running = Running::enter(&self.running);
                let budget = Cell::new(BLOCK_ON_BUDGET);
                loop {
                    if root.take_turn()
                        && let Poll::Ready(output) = root.poll(future.as_mut())
                    {
                        return Ok(output);
                    }
                    // The tasks are not part of the caller; the future is.
                    let _hidden = Hidden::new();
                    match self.tasks.run(&budget, Some(&root)) {
                        Ran::Root => {}
                        ran => break ran == Ran::More,
                    }
                }
            };
            park(more)?;
        }
    }

    /// Says that [`run_ready`](Self::run_ready) will be called soon in any case: until it returns `false`, `unpark`
    /// is not rung, by no thread. For a driver that has wakes to hand out before it runs the queue, or whose bell costs
    /// a system call. A driver that does not call `run_ready` after this loses wakes.
    ///
    /// # Examples
    /// ```
    /// # use std::sync::Arc;
    /// # use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    /// # use std::task::{Wake, Waker};
    /// # use kippu_executor::Executor;
    /// # #[derive(Default)]
    /// # struct Count(AtomicU32);
    /// # impl Wake for Count {
    /// #     fn wake(self: Arc<Self>) {
    /// #         self.0.fetch_add(1, SeqCst);
    /// #     }
    /// # }
    /// # let rings = Arc::new(Count::default());
    /// # let executor = Executor::new(Waker::from(rings.clone()));
    /// executor.stay_awake();
    /// executor.spawn(async {}).detach();
    /// assert_eq!(rings.0.load(SeqCst), 0); // no need to ring: the driver is about to run it
    /// assert!(!executor.run_ready(64));
    /// executor.spawn(async {}).detach();
    /// assert_eq!(rings.0.load(SeqCst), 1);
    /// ```
    pub fn stay_awake(&self) {
        self.tasks.stay_awake();
    }

    /// Whether a task of this executor is being polled, so that [`run_ready`](Self::run_ready) would panic.
    ///
    /// # Examples
    /// ```
    /// # use futures_util::FutureExt;
    /// # use kippu_executor::Executor;
    /// # use std::rc::Rc;
    /// let executor = Rc::new(Executor::new(std::task::Waker::noop().clone()));
    /// let weak = Rc::downgrade(&executor);
    /// let inside = executor.spawn(async move { weak.upgrade().unwrap().is_running() });
    /// assert!(!executor.is_running());
    /// executor.run_ready(usize::MAX);
    /// assert!(matches!(inside.now_or_never(), Some(Ok(true))));
    /// ```
    pub fn is_running(&self) -> bool {
        self.running.get()
    }

    /// Gives memory that finished tasks have left, and no task uses, back to the allocator. Until then, or until
    /// the executor is dropped, it is kept for tasks to come. Takes time in proportion to that memory.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// for _ in 0..1_000 {
    ///     executor.spawn(async {}).detach();
    /// }
    /// executor.run_ready(usize::MAX);
    /// executor.shrink_to_fit(); // after a peak that will not come again
    /// assert_eq!(executor.live_tasks(), 0);
    /// ```
    pub fn shrink_to_fit(&self) {
        self.tasks.shrink_to_fit();
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let _hidden = Hidden::new();
        self.tasks.shut_down();
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("live_tasks", &self.live_tasks())
            .field("next_deadline", &self.next_deadline())
            .field("running", &self.running.get())
            .finish()
    }
}

/// When `block_on` ends, whoever drives the executor otherwise must learn of tasks that are left to run.
struct HandBack<'a>(&'a Tasks);

impl Drop for HandBack<'_> {
    fn drop(&mut self) {
        self.0.hand_back();
    }
}

/// Without `std` there are no task-locals to hide.
#[cfg(not(feature = "std"))]
struct Hidden;

#[cfg(not(feature = "std"))]
impl Hidden {
    fn new() -> Self {
        Hidden
    }
}

/// Resets the mark that the executor runs, also when a panic passes.
struct Running<'a> {
    flag: &'a Cell<bool>,
    before: bool,
}

impl<'a> Running<'a> {
    fn enter(flag: &'a Cell<bool>) -> Self {
        Running { flag, before: flag.replace(true) }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.flag.set(self.before);
    }
}
