//! The moments of what another thread does that no test can hit from outside: between its two halves, the
//! mark on the task and the push.

use super::*;
use crate::raw::refs::{ONE, QUEUED, WOKEN};
use alloc::sync::Arc;
use core::future::pending;
use core::sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::SeqCst};
use std::task::Wake;

/// Counts rings; its number of `Arc`s tells whether the executor's memory is there.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

struct Fixture {
    bell: Arc<Bell>,
    tasks: Option<Tasks>,
}

impl Fixture {
    fn new() -> Fixture {
        let bell = Arc::new(Bell::default());
        let tasks = Some(Tasks::new(Waker::from(bell.clone())));
        Fixture { bell, tasks }
    }

    fn tasks(&self) -> &Tasks {
        self.tasks.as_ref().expect("the executor lives")
    }

    fn task(&self) -> TaskRef {
        self.tasks().spawn_idle(pending::<()>(), None, Location::caller())
    }

    /// Runs everything; how many tasks were polled or cancelled.
    fn run(&self) -> usize {
        let budget = Cell::new(1000);
        assert_eq!(self.tasks().run(&budget, None), Ran::Idle);
        1000 - budget.get()
    }

    fn shut_down(&mut self) {
        self.tasks.take().expect("the executor lives").shut_down();
    }

    /// Whether all tasks of the living executor have been freed.
    fn no_task_has_memory(&self) -> bool {
        self.tasks().local().first.get().is_none()
    }

    /// Whether what the executor shared with its tasks has been freed.
    fn is_gone(&self) -> bool {
        Arc::strong_count(&self.bell) == 1
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if let Some(tasks) = self.tasks.take() {
            tasks.shut_down();
        }
    }
}

/// The first half of a wake by reference.
fn mark_woken(task: &TaskRef) -> NonNull<Header> {
    // SAFETY: the handle has a reference.
    let header = unsafe { task.raw().as_ref() };
    assert_eq!(header.remote.fetch_or(WOKEN | QUEUED, AcqRel) & QUEUED, 0);
    task.raw()
}

/// The first half of a drop, of a reference that the owner has counted: this handle's.
fn mark_released(task: TaskRef) -> NonNull<Header> {
    task.detach();
    let raw = task.raw();
    // SAFETY: the handle has a reference.
    let header = unsafe { raw.as_ref() };
    core::mem::forget(task);
    let old =
        header.remote.fetch_update(AcqRel, SeqCst, |word| Some(word.wrapping_sub(ONE) | QUEUED));
    assert_eq!(old, Ok(0));
    raw
}

/// The second half of both.
///
/// # Safety
/// The first half has just been done.
unsafe fn push(task: NonNull<Header>) {
    // SAFETY: `QUEUED` keeps it alive.
    let shared = unsafe { task.as_ref() }.shared;
    // SAFETY: the caller has set `QUEUED`.
    unsafe { refs::push(task, shared) };
}

#[test]
fn a_wake_that_is_pushed_after_the_executors_death_is_no_leak() {
    let mut fixture = Fixture::new();
    let task = fixture.task();
    let marked = mark_woken(&task);
    fixture.shut_down();
    drop(task);
    assert!(!fixture.is_gone(), "the push will come");
    // SAFETY: it has been marked.
    unsafe { push(marked) };
    assert!(fixture.is_gone());
    assert_eq!(fixture.bell.0.load(SeqCst), 0);
}

#[test]
fn a_wake_that_is_pushed_after_the_executors_death_leaves_the_task_to_its_handle() {
    let mut fixture = Fixture::new();
    let task = fixture.task();
    let marked = mark_woken(&task);
    fixture.shut_down();
    // SAFETY: it has been marked.
    unsafe { push(marked) };
    assert!(!fixture.is_gone());
    assert!(task.is_done());
    drop(task);
    assert!(fixture.is_gone());
}

#[test]
fn a_wake_that_was_pushed_before_the_executors_death_is_no_leak() {
    let mut fixture = Fixture::new();
    let task = fixture.task();
    // SAFETY: it has been marked.
    unsafe { push(mark_woken(&task)) };
    assert_eq!(fixture.bell.0.load(SeqCst), 1);
    drop(task);
    fixture.shut_down();
    assert!(fixture.is_gone());
}

#[test]
fn a_wake_that_is_pushed_after_the_end_of_the_task_frees_it() {
    let fixture = Fixture::new();
    let task = fixture.task();
    let marked = mark_woken(&task);
    task.abort();
    assert_eq!(fixture.run(), 1);
    drop(task);
    assert!(!fixture.no_task_has_memory(), "the push will come");
    // SAFETY: it has been marked.
    unsafe { push(marked) };
    assert_eq!(fixture.run(), 0);
    assert!(fixture.no_task_has_memory());
}

#[test]
fn a_local_wake_between_the_halves_of_a_remote_one_runs_the_task_and_the_remote_one_runs_it_again()
{
    let fixture = Fixture::new();
    let task = fixture.task();
    let marked = mark_woken(&task);
    task.schedule();
    assert_eq!(fixture.run(), 1);
    assert_eq!(fixture.run(), 0);
    // SAFETY: it has been marked.
    unsafe { push(marked) };
    assert_eq!(fixture.run(), 1);
    assert_eq!(fixture.run(), 0);
}

#[test]
fn a_drop_that_is_pushed_after_the_end_of_the_task_frees_it() {
    let fixture = Fixture::new();
    let task = fixture.task();
    task.abort();
    let marked = mark_released(task);
    assert_eq!(fixture.run(), 1);
    assert!(!fixture.no_task_has_memory(), "the push will come");
    // SAFETY: it has been marked.
    unsafe { push(marked) };
    assert_eq!(fixture.run(), 0);
    assert!(fixture.no_task_has_memory());
}

#[test]
fn a_drop_that_is_pushed_after_the_executors_death_frees_everything() {
    let mut fixture = Fixture::new();
    let marked = mark_released(fixture.task());
    fixture.shut_down();
    assert!(!fixture.is_gone(), "the push will come");
    // SAFETY: it has been marked.
    unsafe { push(marked) };
    assert!(fixture.is_gone());
}

#[test]
fn finished_tasks_leave_their_memory_to_the_next() {
    let fixture = Fixture::new();
    let first = fixture.task();
    let place = first.raw().addr();
    first.abort();
    drop(first);
    assert_eq!(fixture.run(), 1);
    assert_eq!(fixture.task().raw().addr(), place);
}
