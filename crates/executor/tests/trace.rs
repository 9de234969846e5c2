//! Whole wake traces: every poll, wake, ring of the bell and drop, in order.

mod support;

use std::rc::Rc;
use std::task::Poll;

use support::{Log, Slot, poll_handle, run};

#[test]
fn a_task_that_is_ready_at_once() {
    let log = Log::new();
    let executor = log.executor();
    let handle = executor.spawn(log.ready("a", log.on_drop("output")));
    log.expect(&["unpark"]);
    run(&executor);
    log.expect(&["poll a", "drop a"]);
    drop(handle);
    log.expect(&["drop output"]);
    drop(executor);
    log.expect(&[]);
}

#[test]
fn a_task_that_waits_for_a_wake_from_outside() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    let mut polls = 0;
    let kept = slot.clone();
    executor
        .spawn(log.future("a", move |cx| {
            polls += 1;
            if polls == 3 { Poll::Ready(()) } else { kept.keep(cx) }
        }))
        .detach();
    run(&executor);
    log.expect(&["unpark", "poll a"]);
    run(&executor);
    log.expect(&[]);
    slot.wake();
    log.expect(&["unpark"]);
    run(&executor);
    log.expect(&["poll a"]);
    slot.wake();
    run(&executor);
    log.expect(&["unpark", "poll a", "drop a"]);
    slot.wake();
    run(&executor);
    log.expect(&[]);
}

#[test]
fn a_joiner_outside_the_executor() {
    let log = Log::new();
    let executor = log.executor();
    let main = log.waker("wake main");
    let mut handle = executor.spawn(log.ready("a", 7));
    assert!(poll_handle(&mut handle, &main).is_pending());
    log.expect(&["unpark"]);
    run(&executor);
    log.expect(&["poll a", "drop a", "wake main"]);
    assert!(matches!(poll_handle(&mut handle, &main), Poll::Ready(Ok(7))));
    log.expect(&[]);
}

#[test]
fn a_joiner_that_is_a_task() {
    let log = Log::new();
    let executor = log.executor();
    let mut a = executor.spawn(log.ready("a", 7));
    let joiner_log = log.clone();
    let b = executor.spawn(log.future("b", move |cx| {
        let result = std::pin::Pin::new(&mut a).poll(cx);
        if let Poll::Ready(Ok(n)) = &result {
            joiner_log.add(format!("joined {n}"));
        }
        result.map(|_| ())
    }));
    log.expect(&["unpark"]);
    run(&executor);
    log.expect(&["poll a", "drop a", "poll b", "joined 7", "drop b"]);
    assert!(b.is_finished());
}

#[test]
fn a_joiner_that_comes_first_is_woken_by_the_task() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    let kept = slot.clone();
    let mut polls = 0;
    let mut a = executor.spawn(log.future("a", move |cx| {
        polls += 1;
        if polls == 2 { Poll::Ready(()) } else { kept.keep(cx) }
    }));
    let b = executor
        .spawn(log.future("b", move |cx| std::pin::Pin::new(&mut a).poll(cx).map(|r| r.is_ok())));
    run(&executor);
    log.expect(&["unpark", "poll a", "poll b"]);
    slot.wake();
    run(&executor);
    log.expect(&["unpark", "poll a", "drop a", "poll b", "drop b"]);
    assert!(support::joined(b).unwrap());
}

#[test]
fn an_abort_from_outside() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    let main = log.waker("wake main");
    let mut handle = executor.spawn(log.pending("a", &slot));
    run(&executor);
    assert!(poll_handle(&mut handle, &main).is_pending());
    log.expect(&["unpark", "poll a"]);
    handle.abort();
    log.expect(&["unpark"]);
    run(&executor);
    log.expect(&["drop a", "wake main"]);
}

#[test]
fn spawn_polled_goes_before_the_queue_and_rings_nothing() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    drop(executor.spawn(log.ready("queued", ())));
    log.expect(&["unpark"]);
    drop(executor.spawn_polled(Default::default(), log.ready("eager", ())));
    drop(executor.spawn_polled(Default::default(), log.pending("eager 2", &slot)));
    log.expect(&["poll eager", "drop eager", "poll eager 2"]);
    run(&executor);
    log.expect(&["poll queued", "drop queued"]);
    slot.wake();
    run(&executor);
    log.expect(&["unpark", "poll eager 2"]);
}

#[test]
fn spawn_polled_inside_a_poll_is_a_poll_inside_a_poll() {
    let log = Log::new();
    let executor = Rc::new(log.executor());
    let (inner_log, weak) = (log.clone(), Rc::downgrade(&executor));
    drop(executor.spawn(log.future("outer", move |_| {
        let executor = weak.upgrade().unwrap();
        let handle = executor.spawn_polled(Default::default(), inner_log.ready("inner", 1));
        inner_log.add(format!("finished {}", handle.is_finished()));
        drop(executor.spawn(inner_log.ready("later", ())));
        Poll::Ready(())
    })));
    run(&executor);
    log.expect(&[
        "unpark",
        "poll outer",
        "poll inner",
        "drop inner",
        "finished true",
        "drop outer",
        "poll later",
        "drop later",
    ]);
}

#[test]
fn timers_that_fire() {
    let log = Log::new();
    let executor = log.executor();
    executor.insert_timer(20, log.waker("wake at 20"));
    executor.insert_timer(10, log.waker("wake at 10"));
    let slot = Slot::new();
    drop(executor.spawn(log.pending("a", &slot)));
    run(&executor);
    log.expect(&["unpark", "poll a"]);
    executor.insert_timer(10, slot.waker());
    assert_eq!(executor.fire_timers(9), 0);
    log.expect(&[]);
    assert_eq!(executor.fire_timers(20), 3);
    log.expect(&["wake at 10", "unpark", "wake at 20"]);
    run(&executor);
    log.expect(&["poll a"]);
}

#[test]
fn the_death_of_an_executor() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    let main = log.waker("wake main");
    let mut waiting = executor.spawn(log.pending("waiting", &slot));
    run(&executor);
    assert!(poll_handle(&mut waiting, &main).is_pending());
    let queued = executor.spawn(log.ready("queued", ()));
    log.expect(&["unpark", "poll waiting", "unpark"]);
    drop(executor);
    log.expect(&["drop queued", "drop waiting", "wake main"]);
    assert!(support::joined(waiting).unwrap_err().is_cancelled());
    assert!(support::joined(queued).unwrap_err().is_cancelled());
    slot.wake();
    log.expect(&[]);
}

#[test]
fn the_bell_is_silent_while_an_executor_dies() {
    struct WakeOnDrop(Slot);
    impl Drop for WakeOnDrop {
        fn drop(&mut self) {
            self.0.wake();
        }
    }
    let log = Log::new();
    let executor = log.executor();
    let mut inner = executor.spawn(log.pending("inner", &Slot::new()));
    let joins = log.future("joiner", move |cx| std::pin::Pin::new(&mut inner).poll(cx).map(|_| ()));
    drop(executor.spawn(joins));
    let slot = Slot::new();
    drop(executor.spawn(log.pending("sleeper", &slot)));
    let guard = WakeOnDrop(slot);
    // Dropped first, as the newest task, and wakes a task that is still alive.
    drop(executor.spawn(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    }));
    run(&executor);
    log.take();
    drop(executor);
    log.expect(&["drop sleeper", "drop joiner", "drop inner"]);
}
