//! Making tasks.

use core::future::Future;
use core::panic::Location;

use super::{Executor, Hidden, Running};
use crate::join::JoinHandle;
use crate::raw::Tasks;

/// How to spawn a task.
///
/// # Examples
/// ```
/// # use kippu_executor::{Executor, TaskOptions};
/// # let executor = Executor::new(std::task::Waker::noop().clone());
/// let options = TaskOptions::new().name("clock");
/// executor.spawn_with(options, async {}).detach();
/// assert_eq!(executor.dump()[0].name, Some("clock"));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TaskOptions {
    /// Shown by [`Executor::dump`].
    pub name: Option<&'static str>,
}

impl TaskOptions {
    /// No name.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::TaskOptions;
    /// assert_eq!(TaskOptions::new().name, None);
    /// ```
    pub const fn new() -> Self {
        TaskOptions { name: None }
    }

    /// Names the task.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::TaskOptions;
    /// const LOGGER: TaskOptions = TaskOptions::new().name("logger");
    /// assert_eq!(LOGGER.name, Some("logger"));
    /// ```
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }
}

impl Executor {
    /// Makes `future` a task at the end of the run queue.
    ///
    /// # Examples
    /// ```
    /// # use futures_util::FutureExt;
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let task = executor.spawn(async { 6 * 7 });
    /// assert!(!task.is_finished()); // it waits for its turn
    /// executor.run_ready(usize::MAX);
    /// assert!(matches!(task.now_or_never(), Some(Ok(42))));
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_with(TaskOptions::new(), future)
    }

    /// Like [`spawn`](Self::spawn), with options.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::{Executor, TaskOptions};
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// executor.spawn_with(TaskOptions::new().name("clock"), async {}).detach();
    /// assert!(executor.dump()[0].to_string().starts_with("task \"clock\" spawned at "));
    /// ```
    #[track_caller]
    pub fn spawn_with<F>(&self, options: TaskOptions, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_at(options, Location::caller(), future)
    }

    /// Like [`spawn_with`](Self::spawn_with), for callers that know better where the task comes from.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::{Executor, JoinHandle, TaskOptions};
    /// use std::panic::Location;
    ///
    /// // A spawn function of a runtime, with the executor inside.
    /// #[track_caller]
    /// fn spawn(executor: &Executor, future: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
    ///     executor.spawn_at(TaskOptions::new(), Location::caller(), future)
    /// }
    ///
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// spawn(&executor, async {}).detach();
    /// let line = line!() - 1;
    /// assert_eq!(executor.dump()[0].location.line(), line);
    /// ```
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
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::{Executor, TaskOptions};
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let quick = executor.spawn_polled(TaskOptions::new(), async {});
    /// assert!(quick.is_finished()); // within the call
    /// let slow = executor.spawn_polled(TaskOptions::new(), std::future::pending::<()>());
    /// assert!(!slow.is_finished()); // a task like any other from here on
    /// ```
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
        let _hidden = Hidden::new();
        self.tasks.run_new(handle.task());
        handle
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
