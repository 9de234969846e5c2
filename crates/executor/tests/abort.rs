//! Aborting a task in every state that it can be in.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;

use kippu_executor::{AbortHandle, JoinHandle};
use support::{Log, Slot, joined, run, silent_executor, yield_now};

#[test]
fn a_waiting_task_is_cancelled_at_its_next_turn() {
    let log = Log::new();
    let executor = log.executor();
    let handle = executor.spawn(log.pending("a", &Slot::new()));
    run(&executor);
    handle.abort();
    assert!(!handle.is_finished(), "not before its turn");
    log.expect(&["unpark", "poll a", "unpark"]);
    run(&executor);
    log.expect(&["drop a"]);
    assert!(joined(handle).unwrap_err().is_cancelled());
}

#[test]
fn a_task_that_was_never_polled_is_dropped_unpolled() {
    let log = Log::new();
    let executor = log.executor();
    let handle = executor.spawn(log.ready("a", ()));
    handle.abort();
    run(&executor);
    log.expect(&["unpark", "drop a"]);
    assert!(joined(handle).unwrap_err().is_cancelled());
}

#[test]
fn a_woken_task_is_not_polled_again() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    let handle = executor.spawn(log.pending("a", &slot));
    run(&executor);
    slot.wake();
    handle.abort();
    handle.abort();
    run(&executor);
    log.expect(&["unpark", "poll a", "unpark", "drop a"]);
}

#[test]
fn a_cancelled_task_keeps_its_place_in_the_queue() {
    let log = Log::new();
    let executor = log.executor();
    drop(executor.spawn(log.ready("a", ())));
    let b = executor.spawn(log.ready("b", ()));
    drop(executor.spawn(log.ready("c", ())));
    b.abort();
    run(&executor);
    log.expect(&["unpark", "poll a", "drop a", "drop b", "poll c", "drop c"]);
}

#[test]
fn a_complete_task_keeps_its_output() {
    let executor = silent_executor();
    let handle = executor.spawn(async { 3 });
    run(&executor);
    handle.abort();
    run(&executor);
    assert_eq!(joined(handle).unwrap(), 3);
}

/// Spawns a task that aborts itself in its first poll and then returns what `after` says.
fn aborts_itself(
    log: &Log,
    executor: &kippu_executor::Executor,
    after: Poll<u32>,
) -> JoinHandle<u32> {
    let own: Rc<RefCell<Option<AbortHandle>>> = Rc::default();
    let (place, inner) = (own.clone(), log.clone());
    let handle = executor.spawn(log.future("a", move |_| {
        place.borrow().as_ref().unwrap().abort();
        inner.add("aborted");
        after
    }));
    *own.borrow_mut() = Some(handle.abort_handle());
    handle
}

#[test]
fn a_task_that_aborts_itself_ends_its_poll_first() {
    let log = Log::new();
    let executor = log.executor();
    let handle = aborts_itself(&log, &executor, Poll::Pending);
    run(&executor);
    log.expect(&["unpark", "poll a", "aborted", "drop a"]);
    assert!(joined(handle).unwrap_err().is_cancelled());
}

#[test]
fn a_task_that_aborts_itself_and_is_ready_is_complete() {
    let log = Log::new();
    let executor = log.executor();
    let handle = aborts_itself(&log, &executor, Poll::Ready(8));
    run(&executor);
    log.expect(&["unpark", "poll a", "aborted", "drop a"]);
    assert_eq!(joined(handle).unwrap(), 8);
}

#[test]
fn a_task_aborted_inside_its_eager_poll_is_cancelled_at_its_next_turn() {
    let log = Log::new();
    let executor = Rc::new(log.executor());
    let slot = Slot::new();
    // The eager poll of `inner` runs code that aborts `outer`, which is being polled around it.
    let own: Rc<RefCell<Option<AbortHandle>>> = Rc::default();
    let (place, weak, inner) = (own.clone(), Rc::downgrade(&executor), log.clone());
    let outer = executor.spawn(log.future("outer", move |cx| {
        let abort = place.borrow().clone().unwrap();
        let executor = weak.upgrade().unwrap();
        let body = inner.future("inner", move |_| {
            abort.abort();
            Poll::Ready(())
        });
        drop(executor.spawn_polled(Default::default(), body));
        slot.keep::<()>(cx)
    }));
    *own.borrow_mut() = Some(outer.abort_handle());
    run(&executor);
    log.expect(&["unpark", "poll outer", "poll inner", "drop inner", "drop outer"]);
    assert!(joined(outer).unwrap_err().is_cancelled());
}

/// Aborts a task when it is dropped, which is what an owned child's guard does.
struct AbortOnDrop(Rc<RefCell<Option<AbortHandle>>>, Log);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.1.add("abort from drop");
        if let Some(handle) = &*self.0.borrow() {
            handle.abort();
        }
    }
}

#[test]
fn the_drop_of_a_future_may_abort_its_own_task() {
    let log = Log::new();
    let executor = log.executor();
    let own: Rc<RefCell<Option<AbortHandle>>> = Rc::default();
    let guard = AbortOnDrop(own.clone(), log.clone());
    let handle = executor.spawn(async move {
        let _guard = guard;
        yield_now().await;
        std::future::pending::<()>().await;
    });
    *own.borrow_mut() = Some(handle.abort_handle());
    run(&executor);
    handle.abort();
    run(&executor);
    log.expect(&["unpark", "unpark", "abort from drop"]);
    assert!(joined(handle).unwrap_err().is_cancelled());
    assert_eq!(executor.live_tasks(), 0);
    assert!(!executor.run_ready(10));
}

#[test]
fn the_drop_of_a_finished_future_may_abort_its_own_task() {
    let log = Log::new();
    let executor = log.executor();
    let own: Rc<RefCell<Option<AbortHandle>>> = Rc::default();
    let guard = AbortOnDrop(own.clone(), log.clone());
    let handle = executor.spawn(log.future("a", move |_| {
        let _guard = &guard;
        Poll::Ready(4)
    }));
    *own.borrow_mut() = Some(handle.abort_handle());
    run(&executor);
    assert_eq!(joined(handle).unwrap(), 4, "it was ready before");
}

#[test]
fn a_cancelled_parent_cancels_the_child_that_its_drop_aborts() {
    let log = Log::new();
    let executor = log.executor();
    let child = executor.spawn(log.pending("child", &Slot::new()));
    let place = Rc::new(RefCell::new(Some(child.abort_handle())));
    let guard = AbortOnDrop(place, log.clone());
    let parent = executor.spawn(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    run(&executor);
    parent.abort();
    log.take();
    run(&executor);
    log.expect(&["abort from drop", "drop child"]);
    assert!(joined(child).unwrap_err().is_cancelled());
}

#[test]
fn an_aborted_task_that_nobody_joins_is_cancelled_too() {
    let log = Log::new();
    let executor = log.executor();
    let handle = executor.spawn(log.pending("a", &Slot::new()));
    let abort = handle.abort_handle();
    run(&executor);
    drop(handle);
    abort.clone().abort();
    run(&executor);
    log.expect(&["unpark", "poll a", "unpark", "drop a"]);
    assert!(abort.is_finished());
}

#[test]
fn abort_after_the_death_of_the_executor_does_nothing() {
    let log = Log::new();
    let executor = log.executor();
    let handle = executor.spawn(log.ready("a", ()));
    let abort = handle.abort_handle();
    drop(executor);
    abort.abort();
    log.expect(&["unpark", "drop a"]);
    assert!(joined(handle).unwrap_err().is_cancelled());
}

#[test]
fn an_abort_with_a_spent_budget_waits_for_the_next_run() {
    let log = Log::new();
    let executor = log.executor();
    let a = executor.spawn(log.ready("a", ()));
    let b = executor.spawn(log.ready("b", ()));
    assert!(executor.run_ready(1));
    assert!(a.is_finished());
    b.abort();
    log.expect(&["unpark", "poll a", "drop a"]);
    run(&executor);
    log.expect(&["drop b"]);
}
