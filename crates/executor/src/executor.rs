//! The executor: what a driver turns.

use alloc::vec::{Drain, Vec};
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::task::{Poll, Waker};

use crate::dump::TaskInfo;
use crate::join::JoinHandle;
use crate::raw::{Ran, Tasks};
use crate::wheel::{TimerKey, TimerWheel};

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
pub struct Executor {
    tasks: Tasks,
    timers: RefCell<TimerWheel>,
    /// Kept between calls of `fire_timers`, so that firing allocates nothing.
    due: Cell<Vec<Waker>>,
    running: Cell<bool>,
}

/// How to spawn a task.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TaskOptions {
    /// Shown by [`Executor::dump`].
    pub name: Option<&'static str>,
}

impl TaskOptions {
    /// No name.
    pub const fn new() -> Self {
        TaskOptions { name: None }
    }

    /// Names the task.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }
}

impl Executor {
    /// Makes an executor without tasks.
    ///
    /// `unpark` is woken once whenever the run queue becomes non-empty while nobody runs it: not while
    /// [`run_ready`](Self::run_ready) runs, nor after it has said that there is more. It may be woken
    /// from any thread that holds a waker, and from inside any wake, so it should do no more than
    /// end the driver's sleep or ask for a turn.
    pub fn new(unpark: Waker) -> Self {
        Executor {
            tasks: Tasks::new(unpark),
            timers: RefCell::new(TimerWheel::new()),
            due: Cell::new(Vec::new()),
            running: Cell::new(false),
        }
    }

    /// Makes `future` a task at the end of the run queue.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_with(TaskOptions::new(), future)
    }

    /// Like [`spawn`](Self::spawn), with options.
    #[track_caller]
    pub fn spawn_with<F>(&self, options: TaskOptions, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_at(options, Location::caller(), future)
    }

    /// Like [`spawn_with`](Self::spawn_with), for callers that know better where the task comes from.
    pub fn spawn_at<F>(
        &self,
        options: TaskOptions,
        location: &'static Location<'static>,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn(&self.tasks, options.name, location, future)
    }

    /// Makes `future` a task and polls it once right away, before anything that is in the run queue.
    ///
    /// Unlike [`run_ready`](Self::run_ready) this may be called while a task is being polled; it is how
    /// a call from outside starts its work within the call.
    #[track_caller]
    pub fn spawn_polled<F>(&self, options: TaskOptions, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        // A handle from the start, so that a panic below detaches the task.
        let handle =
            JoinHandle::new(self.tasks.spawn_idle(future, options.name, Location::caller()));
        // While it is being polled, nobody may run the queue, where it may be by then.
        let _running = Running::enter(&self.running);
        self.tasks.run_new(handle.task());
        handle
    }

    /// Polls woken tasks in the order of their wakes, at most `budget` of them. Returns whether more
    /// are runnable now; if so the driver must call again, as `unpark` will not be rung.
    ///
    /// A task that is woken while a batch runs waits for the next batch, so no task can starve
    /// another; a task that never returns from its poll can.
    ///
    /// # Panics
    /// When it is called from inside a poll of this executor. A panic of a waker that is not this
    /// executor's own (of a joiner in a foreign loop, say) passes through, as does, without the feature
    /// `std`, a task's. A call that ends so counts as one that returned `true`: call again.
    pub fn run_ready(&self, budget: usize) -> bool {
        assert!(!self.running.get(), nested!("run_ready"));
        let _running = Running::enter(&self.running);
        self.tasks.run(&Cell::new(budget), false) == Ran::More
    }

    /// Runs tasks until `future` is complete, and returns its output. The future is not a task: it stays where it
    /// is and may borrow from the caller. It takes its place in the order of wakes like any task.
    ///
    /// `park` is how the driver takes part. It is called with `false` when nothing is runnable: it should wait until
    /// `unpark` is rung or [`next_deadline`](Self::next_deadline) comes, then call
    /// [`fire_timers`](Self::fire_timers). It is called with `true` when there is more to run but
    /// something else may be due: it should look after timers and I/O, and not wait.
    /// [`dump`](Self::dump) shows the future as a task with the name `block_on`.
    ///
    /// If something is runnable when this returns, `unpark` is rung.
    ///
    /// # Errors
    /// Those of `park`, for example that nothing is left that could wake the future. The future is dropped then.
    ///
    /// # Panics
    /// When the future does, and as [`run_ready`](Self::run_ready).
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
                    if self.tasks.take_root_turn()
                        && let Poll::Ready(output) = root.poll(future.as_mut())
                    {
                        return Ok(output);
                    }
                    match self.tasks.run(&budget, true) {
                        Ran::Root => {}
                        ran => break ran == Ran::More,
                    }
                }
            };
            park(more)?;
        }
    }

    /// Says that [`run_ready`](Self::run_ready) will be called soon in any case: until it returns `false`, `unpark`
    /// is not rung. For a driver that has wakes to hand out before it runs the queue. A driver that does not call
    /// `run_ready` after this loses wakes.
    pub fn stay_awake(&self) {
        self.tasks.stay_awake();
    }

    /// Whether a task of this executor is being polled, so that [`run_ready`](Self::run_ready) would panic.
    pub fn is_running(&self) -> bool {
        self.running.get()
    }

    /// Wakes what waits for a deadline at or before `now_ns`, earliest first, equal deadlines in
    /// the order of insertion. Returns how many.
    ///
    /// Time never goes back: a `now_ns` before an earlier one counts as that one.
    pub fn fire_timers(&self, now_ns: u64) -> usize {
        let mut due = self.due.take();
        self.timers.borrow_mut().expire(now_ns, &mut due);
        let fired = due.len();
        // No borrow is held here: a wake may be foreign code, which may insert or cancel timers.
        WakeAll(due.drain(..)).run();
        self.due.set(due);
        fired
    }

    /// The earliest deadline among the timers, in ns. May be earlier than the earliest live timer when one
    /// was cancelled; firing then only finds nothing.
    pub fn next_deadline(&self) -> Option<u64> {
        self.timers.borrow().next_deadline()
    }

    /// Has `waker` woken at `deadline_ns`; at the next [`fire_timers`](Self::fire_timers) if that is past. O(1).
    pub fn insert_timer(&self, deadline_ns: u64, waker: Waker) -> TimerKey {
        self.tasks.note_timer(deadline_ns);
        self.timers.borrow_mut().insert(deadline_ns, waker)
    }

    /// Has another waker woken instead. `false` when the timer has fired or been cancelled.
    pub fn update_timer(&self, key: TimerKey, waker: &Waker) -> bool {
        let Some(deadline) = self.timers.borrow().deadline(key) else {
            return false;
        };
        self.tasks.note_timer(deadline);
        if !self.timers.borrow().wakes(key, waker) {
            let waker = waker.clone();
            // The old waker is dropped when no borrow is held.
            let old = self.timers.borrow_mut().replace(key, waker);
            drop(old);
        }
        true
    }

    /// Removes a timer. `false` when it has fired or been cancelled. O(1).
    pub fn cancel_timer(&self, key: TimerKey) -> bool {
        let waker = self.timers.borrow_mut().cancel(key);
        waker.is_some()
    }

    /// Whether a timer keeps the program alive; it does at first. See [`ref_timers`](Self::ref_timers).
    pub fn set_timer_ref(&self, key: TimerKey, on: bool) -> bool {
        self.timers.borrow_mut().set_ref(key, on)
    }

    /// How many timers are live that keep the program alive.
    pub fn ref_timers(&self) -> usize {
        self.timers.borrow().refs()
    }

    /// How many tasks are live.
    pub fn live_tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Whether a waker of a live task is held by somebody whom the executor does not know: a timer that
    /// keeps the program alive, a ticket, a channel, another thread. If none is, and nothing is runnable, no
    /// task will ever run again. Takes time in proportion to the live tasks.
    pub fn woken_from_outside(&self) -> bool {
        self.tasks.held_outside(self.timers.borrow().unref_wakers())
    }

    /// Says that the task which is being polled waits for a ticket, and of which operation, for
    /// [`dump`](Self::dump). Forgotten when the task is woken.
    pub fn note_wait(&self, operation: &'static &'static str) {
        self.tasks.note_ticket(operation);
    }

    /// Gives memory that finished tasks have left, and no task uses, back to the allocator. Until then, or until
    /// the executor is dropped, it is kept for tasks to come. Takes time in proportion to that memory.
    pub fn shrink_to_fit(&self) {
        self.tasks.shrink_to_fit();
    }

    /// Every live task, newest first.
    pub fn dump(&self) -> Vec<TaskInfo> {
        self.tasks.dump().collect()
    }
}

/// Makes `future` a task of the executor that is polling the calling code, at the end of its run queue: what
/// a task calls that has no [`Executor`] at hand.
///
/// # Panics
/// Outside of tasks: while no executor runs on this thread.
///
/// # Examples
/// ```
/// use kippu_executor::{Executor, spawn_local};
/// use std::rc::Rc;
/// use std::task::Waker;
///
/// let executor = Executor::new(Waker::noop().clone());
/// let sum = executor.spawn(async {
///     let local = Rc::new(20); // need not be `Send`
///     let child = spawn_local(async move { *local + 1 });
///     child.await.unwrap() * 2
/// });
/// assert!(!executor.run_ready(100));
/// assert!(sum.is_finished());
/// ```
#[cfg(feature = "std")]
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let location = Location::caller();
    let spawned = Tasks::with_current(|tasks| spawn(tasks, None, location, future));
    spawned.expect("spawn_local was called outside of a task: no executor runs on this thread")
}

fn spawn<F>(
    tasks: &Tasks,
    name: Option<&'static str>,
    location: &'static Location<'static>,
    future: F,
) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    // A handle from the start, so that a panic of the bell detaches the task.
    let handle = JoinHandle::new(tasks.spawn(future, name, location));
    tasks.ring_if_asleep();
    handle
}

impl Drop for Executor {
    fn drop(&mut self) {
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

/// Wakes all of them, also when a panic of one passes: its neighbours are off the wheel already, and
/// would never be woken. A second panic aborts.
struct WakeAll<'a>(Drain<'a, Waker>);

impl WakeAll<'_> {
    fn run(mut self) {
        self.0.by_ref().for_each(Waker::wake);
    }
}

impl Drop for WakeAll<'_> {
    fn drop(&mut self) {
        self.0.by_ref().for_each(Waker::wake);
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
