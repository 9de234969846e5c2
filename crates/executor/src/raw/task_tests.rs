//! The moments of a remote wake that no test can hit from outside: between its two halves.

use super::*;
use crate::raw::header::Header;

/// A task of a list of its own, with the queue, of which each task has one `Arc`.
fn one_task() -> (Arc<RunQueue>, TaskList, TaskRef) {
    let queue = Arc::new(RunQueue::new(Waker::noop().clone()));
    let list = TaskList::new(queue.clone());
    let task = list.spawn(core::future::pending::<()>(), None, Location::caller());
    (queue, list, task)
}

/// The first half of a remote wake.
fn mark(task: &TaskRef) -> NonNull<Header> {
    assert_eq!(task.header().state.fetch_or(SCHEDULED, AcqRel) & (SCHEDULED | DONE), 0);
    task.task
}

/// Drops the last reference that the test knows of; whether that freed the task.
fn freed(queue: &Arc<RunQueue>, task: TaskRef) -> bool {
    task.detach();
    let before = Arc::strong_count(queue);
    drop(task);
    Arc::strong_count(queue) == before - 1
}

#[test]
fn a_push_after_the_close_gives_back_the_executors_reference() {
    let (queue, list, task) = one_task();
    let marked = mark(&task);
    list.shut_down();
    // SAFETY: `task` is a reference, and the mark has just been set.
    unsafe { waker::push(marked) };
    assert!(freed(&queue, task));
}

#[test]
fn a_push_between_the_end_of_the_task_and_the_close_leaves_the_reference_to_the_executor() {
    let (queue, list, task) = one_task();
    let marked = mark(&task);
    let closing = Closing { list: &list, woken: list.queue.take() };
    closing.cancel_all();
    // SAFETY: as above.
    unsafe { waker::push(marked) };
    drop(closing);
    assert!(freed(&queue, task));
}

#[test]
fn a_push_after_the_end_of_the_task_leaves_the_reference_to_the_queue() {
    let (queue, list, task) = one_task();
    let marked = mark(&task);
    list.cancel(task.task);
    assert!(list.run_next().is_none());
    // SAFETY: as above.
    unsafe { waker::push(marked) };
    assert_eq!(list.run_next(), Some(Polled::Done));
    assert!(freed(&queue, task));
    assert_eq!(list.run_next(), None);
}

#[test]
fn a_poll_that_sees_the_mark_of_a_push_to_come_does_not_run_the_task_twice() {
    let (queue, list, task) = one_task();
    task.schedule();
    assert_eq!(list.run_next(), Some(Polled::Pending));
    let marked = mark(&task);
    task.schedule();
    assert_eq!(list.run_next(), None, "whoever set the mark pushes");
    // SAFETY: as above.
    unsafe { waker::push(marked) };
    assert_eq!(list.run_next(), Some(Polled::Pending));
    assert_eq!(list.run_next(), None);
    list.shut_down();
    assert!(freed(&queue, task));
}
