//! What can be asked of an executor.

use alloc::vec::Vec;

use super::Executor;
use crate::dump::TaskInfo;
use crate::wheel::TimerWheel;

impl Executor {
    /// How many tasks are live.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let task = executor.spawn(async {});
    /// assert_eq!(executor.live_tasks(), 1);
    /// executor.run_ready(usize::MAX);
    /// assert_eq!(executor.live_tasks(), 0); // though its handle is still here
    /// # drop(task);
    /// ```
    pub fn live_tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Whether a waker of a live task is held by somebody whom the executor does not know: a timer that
    /// keeps the program alive, a ticket, a channel, another thread. If none is, and nothing is runnable, no
    /// task will ever run again. Takes time in proportion to the live tasks.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// let (sender, receiver) = async_channel::bounded::<u8>(1);
    /// executor.spawn(async move { receiver.recv().await.ok() }).detach();
    /// assert!(!executor.run_ready(usize::MAX));
    /// assert!(executor.woken_from_outside()); // the channel holds its waker
    ///
    /// let forgotten = executor.spawn(std::future::pending::<()>());
    /// executor.spawn(forgotten).detach();
    /// drop(sender);
    /// assert!(!executor.run_ready(usize::MAX));
    /// // Two tasks are left, and nothing will ever wake them: a deadlock.
    /// assert!(executor.live_tasks() == 2 && !executor.woken_from_outside());
    /// ```
    pub fn woken_from_outside(&self) -> bool {
        let timers = self.timers.borrow();
        self.tasks.held_outside(timers.iter().flat_map(TimerWheel::unref_wakers))
    }

    /// Says that the task which is being polled waits for a ticket, and of which operation, for
    /// [`dump`](Self::dump). Forgotten when the task is woken.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::Executor;
    /// # use std::rc::Rc;
    /// # let executor = Rc::new(Executor::new(std::task::Waker::noop().clone()));
    /// let weak = Rc::downgrade(&executor);
    /// let lookup = std::future::poll_fn(move |_| {
    ///     if let Some(executor) = weak.upgrade() {
    ///         executor.note_wait(&"a name lookup");
    ///     }
    ///     std::task::Poll::<()>::Pending
    /// });
    /// executor.spawn(lookup).detach();
    /// executor.run_ready(usize::MAX);
    /// assert!(executor.dump()[0].to_string().ends_with(": waits for a name lookup"));
    /// ```
    pub fn note_wait(&self, operation: &'static &'static str) {
        self.tasks.note_ticket(operation);
    }

    /// Every live task, newest first.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::{Executor, TaskOptions};
    /// # let executor = Executor::new(std::task::Waker::noop().clone());
    /// executor.spawn_with(TaskOptions::new().name("older"), std::future::pending::<()>()).detach();
    /// executor.spawn_with(TaskOptions::new().name("newer"), std::future::pending::<()>()).detach();
    /// let names: Vec<_> = executor.dump().iter().map(|task| task.name).collect();
    /// assert_eq!(names, [Some("newer"), Some("older")]);
    /// ```
    pub fn dump(&self) -> Vec<TaskInfo> {
        self.tasks.dump().collect()
    }
}
