//! What can be told of live tasks.

use core::fmt;
use core::panic::Location;

/// One live task, as [`Executor::dump`](crate::Executor::dump) saw it. Shown in one line.
///
/// # Examples
/// ```
/// # use kippu_executor::{Executor, TaskOptions};
/// # let executor = Executor::new(std::task::Waker::noop().clone());
/// let options = TaskOptions::new().name("server");
/// executor.spawn_with(options, std::future::pending::<()>()).detach();
/// executor.run_ready(usize::MAX);
///
/// let task = executor.dump()[0];
/// assert_eq!((task.name, task.location.file()), (Some("server"), file!()));
/// let line = task.to_string(); // task "server" spawned at src/main.rs:12:10: waits for a wake
/// assert!(line.starts_with("task \"server\" spawned at ") && line.ends_with(": waits for a wake"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TaskInfo {
    /// The name given in [`TaskOptions`](crate::TaskOptions).
    pub name: Option<&'static str>,
    /// Where it was spawned.
    pub location: &'static Location<'static>,
    /// What it is doing.
    pub state: TaskState,
    /// What it waits for, as far as its futures have said so.
    pub waits_for: WaitsFor,
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task \"{}\" spawned at {}: ", self.name.unwrap_or("unnamed"), self.location)?;
        match self.state {
            TaskState::Running => f.write_str("running"),
            TaskState::Scheduled => f.write_str("in the run queue"),
            TaskState::Waiting => write!(f, "waits for {}", self.waits_for),
        }
    }
}

/// Whether a task runs.
///
/// # Examples
/// ```
/// # use kippu_executor::{Executor, TaskState};
/// # let executor = Executor::new(std::task::Waker::noop().clone());
/// executor.spawn(std::future::pending::<()>()).detach();
/// assert_eq!(executor.dump()[0].state, TaskState::Scheduled);
/// executor.run_ready(usize::MAX);
/// assert_eq!(executor.dump()[0].state, TaskState::Waiting);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// It is being polled.
    Running,
    /// It has been woken and will be polled.
    Scheduled,
    /// It waits to be woken.
    Waiting,
}

/// What a task's last poll said that it waits for. Of several things, the last one.
///
/// # Examples
/// A future that stands for an operation outside says so by [`note_wait`](crate::Executor::note_wait):
/// ```
/// # use kippu_executor::Executor;
/// # let executor = std::rc::Rc::new(Executor::new(std::task::Waker::noop().clone()));
/// let weak = std::rc::Rc::downgrade(&executor);
/// executor
///     .spawn(std::future::poll_fn(move |_| {
///         weak.upgrade().unwrap().note_wait(&"file read");
///         std::task::Poll::<()>::Pending
///     }))
///     .detach();
/// executor.run_ready(usize::MAX);
/// assert_eq!(executor.dump()[0].waits_for.to_string(), "file read");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// It did not say: a channel, a foreign future.
    Unknown,
    /// A timer, with its deadline in ns.
    Timer(u64),
    /// A ticket; the text says of which operation.
    Ticket(&'static str),
    /// Another task, whose [`JoinHandle`](crate::JoinHandle) it awaits; this is where that one was spawned. A handle inside of a
    /// combinator that has wakers of its own is not seen: `Unknown`.
    Task(&'static Location<'static>),
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitsFor::Unknown => f.write_str("a wake"),
            WaitsFor::Timer(deadline) => write!(f, "the time {deadline} ns"),
            WaitsFor::Ticket(what) => f.write_str(what),
            WaitsFor::Task(location) => write!(f, "the task spawned at {location}"),
        }
    }
}
