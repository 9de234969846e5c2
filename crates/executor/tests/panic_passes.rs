//! Without `std` a panic leaves `run_ready`; the task counts as panicked, and the executor is usable.
#![cfg(not(feature = "std"))]

mod support;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::Poll;

use kippu_executor::{Executor, JoinHandle};
use support::{Log, Slot, joined, poll_handle, run};

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        resume_unwind(Box::new("bomb"));
    }
}

/// Runs until a panic comes out, and gives its text.
#[track_caller]
fn run_to_panic(executor: &Executor) -> &'static str {
    let panic = catch_unwind(AssertUnwindSafe(|| run(executor))).expect_err("nothing panicked");
    assert!(!executor.is_running());
    panic.downcast_ref::<&str>().expect("the payload of the task")
}

#[test]
fn a_panicking_poll_ends_the_task_and_nothing_else() {
    let log = Log::new();
    let executor = log.executor();
    let body = log.future("bad", |_| -> Poll<()> { resume_unwind(Box::new("poll")) });
    let mut bad = executor.spawn(body);
    assert!(poll_handle(&mut bad, &log.waker("wake main")).is_pending());
    drop(executor.spawn(log.ready("good", ())));
    assert_eq!(run_to_panic(&executor), "poll");
    log.expect(&["unpark", "poll bad", "drop bad", "wake main"]);
    assert!(joined(bad).unwrap_err().is_panic());
    run(&executor);
    log.expect(&["poll good", "drop good"]);
    assert_eq!(executor.live_tasks(), 0);
}

#[test]
fn the_bell_rings_again_after_a_panic() {
    let log = Log::new();
    let executor = log.executor();
    drop(executor.spawn(async { resume_unwind(Box::new("poll")) }));
    run_to_panic(&executor);
    // As after `true`: one more call, then the bell is armed.
    run(&executor);
    log.take();
    drop(executor.spawn(log.ready("next", ())));
    log.expect(&["unpark"]);
}

#[test]
fn a_cancelled_future_whose_drop_panics_is_done() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    let kept = slot.clone();
    let bomb = Bomb;
    let mut handle = executor.spawn(log.future("a", move |cx| -> Poll<()> {
        let _bomb = &bomb;
        kept.keep(cx)
    }));
    run(&executor);
    assert!(poll_handle(&mut handle, &log.waker("wake main")).is_pending());
    handle.abort();
    assert_eq!(run_to_panic(&executor), "bomb");
    log.expect(&["unpark", "poll a", "unpark", "drop a", "wake main"]);
    assert!(joined(handle).unwrap_err().is_panic());
    slot.wake();
    run(&executor);
    log.expect(&[]);
}

#[test]
fn a_finished_future_whose_drop_panics_is_done() {
    let log = Log::new();
    let executor = log.executor();
    let (bomb, inner) = (Bomb, log.clone());
    let handle = executor.spawn(std::future::poll_fn(move |_| {
        let _bomb = &bomb;
        Poll::Ready(inner.on_drop("output"))
    }));
    assert_eq!(run_to_panic(&executor), "bomb");
    log.expect(&["unpark", "drop output"]);
    assert!(joined(handle).err().unwrap().is_panic());
}

#[test]
fn an_output_whose_drop_panics_leaves_a_task_that_is_done_and_never_polled_again() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    let kept = slot.clone();
    drop(executor.spawn(log.future("a", move |cx| {
        let _pending: Poll<()> = kept.keep(cx);
        Poll::Ready(Bomb)
    })));
    assert_eq!(run_to_panic(&executor), "bomb");
    assert_eq!(executor.live_tasks(), 0);
    slot.wake();
    run(&executor);
    log.expect(&["unpark", "poll a", "drop a"]);
}

#[test]
fn an_eager_poll_that_panics_leaves_nothing_behind() {
    let log = Log::new();
    let executor = log.executor();
    let body = log.future("a", |_| -> Poll<()> { resume_unwind(Box::new("eager")) });
    let spawned =
        catch_unwind(AssertUnwindSafe(|| executor.spawn_polled(Default::default(), body)));
    assert!(spawned.is_err());
    assert!(!executor.is_running());
    assert_eq!(executor.live_tasks(), 0);
    log.expect(&["poll a", "drop a"]);
}

#[test]
fn an_eager_poll_that_panics_inside_a_poll_ends_both_tasks() {
    let log = Log::new();
    let executor = Rc::new(log.executor());
    let weak = Rc::downgrade(&executor);
    let inner: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
    let place = inner.clone();
    let outer = executor.spawn(log.future("outer", move |_| -> Poll<()> {
        let executor = weak.upgrade().unwrap();
        let body = async { resume_unwind(Box::new("inner")) };
        *place.borrow_mut() = Some(executor.spawn_polled(Default::default(), body));
        Poll::Ready(())
    }));
    assert_eq!(run_to_panic(&executor), "inner");
    assert!(inner.borrow().is_none());
    assert!(joined(outer).unwrap_err().is_panic());
    assert_eq!(executor.live_tasks(), 0);
    run(&executor);
    log.expect(&["unpark", "poll outer", "drop outer"]);
}

#[test]
fn a_dying_executor_drops_all_futures_though_one_panics() {
    let log = Log::new();
    let executor = log.executor();
    drop(executor.spawn(log.pending("oldest", &Slot::new())));
    let bad = executor.spawn(async {
        let _bomb = Bomb;
        std::future::pending::<()>().await;
    });
    drop(executor.spawn(log.pending("newest", &Slot::new())));
    run(&executor);
    log.take();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(executor))).is_err());
    log.expect(&["drop newest", "drop oldest"]);
    assert!(joined(bad).unwrap_err().is_panic());
}
