//! With `std` panics of tasks are contained: the joiner gets them, the executor goes on.
#![cfg(feature = "std")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use kippu_executor::JoinError;
use support::{Count, Log, OnDrop, Slot, joined, poll_handle, run, silent_executor, yield_now};

/// Panics when it is dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        // Without the panic hook, which would print.
        resume_unwind(Box::new(self.0));
    }
}

#[test]
fn the_joiner_gets_the_panic() {
    let executor = silent_executor();
    let text = executor.spawn(async { panic!("plain") });
    let formatted = executor.spawn(async { panic!("number {}", 5) });
    let value = executor.spawn(async { panic_any(17_u8) });
    run(&executor);
    let error: JoinError = joined::<()>(text).unwrap_err();
    assert!(error.is_panic() && !error.is_cancelled());
    assert_eq!(error.panic_message(), Some("plain"));
    assert_eq!(error.to_string(), "task panicked: plain");
    let error = joined::<()>(formatted).unwrap_err();
    assert_eq!(error.panic_message(), Some("number 5"));
    let error = joined::<()>(value).unwrap_err();
    assert_eq!((error.panic_message(), error.to_string().as_str()), (None, "task panicked"));
    assert_eq!(error.try_into_panic().unwrap().downcast_ref::<u8>(), Some(&17));
}

#[test]
fn a_cancellation_is_no_panic() {
    let executor = silent_executor();
    let handle = executor.spawn(async {});
    drop(executor);
    let error = joined(handle).unwrap_err();
    assert!(error.is_cancelled() && !error.is_panic());
    assert_eq!((error.to_string().as_str(), error.panic_message()), ("task was cancelled", None));
    assert!(error.try_into_panic().unwrap_err().is_cancelled());
}

#[test]
fn a_panic_drops_the_future_wakes_the_joiner_and_lets_others_run() {
    let log = Log::new();
    let executor = log.executor();
    let mut bad = executor.spawn(log.future("bad", |_| -> Poll<()> { panic!("bad") }));
    drop(executor.spawn(log.ready("good", ())));
    assert!(poll_handle(&mut bad, &log.waker("wake main")).is_pending());
    run(&executor);
    log.expect(&["unpark", "poll bad", "drop bad", "wake main", "poll good", "drop good"]);
    assert!(joined(bad).unwrap_err().is_panic());
}

#[test]
fn a_panic_in_a_later_poll_and_in_an_eager_poll() {
    let executor = silent_executor();
    let later = executor.spawn(async {
        yield_now().await;
        panic!("later")
    });
    let eager = executor.spawn_polled(Default::default(), async { panic!("eager") });
    assert!(!executor.is_running());
    run(&executor);
    assert_eq!(joined::<()>(later).unwrap_err().panic_message(), Some("later"));
    assert_eq!(joined::<()>(eager).unwrap_err().panic_message(), Some("eager"));
}

#[test]
fn a_wake_after_a_panic_does_nothing() {
    let executor = silent_executor();
    let slot = Slot::new();
    let kept = slot.clone();
    drop(executor.spawn(std::future::poll_fn(move |cx| -> Poll<()> {
        cx.waker().wake_by_ref();
        let _pending: Poll<()> = kept.keep(cx);
        panic!("once")
    })));
    run(&executor);
    slot.wake();
    run(&executor);
    assert_eq!(executor.live_tasks(), 0);
}

#[test]
fn a_panic_in_the_drop_of_a_cancelled_future_is_the_result() {
    let executor = silent_executor();
    let handle = executor.spawn(async {
        let _bomb = Bomb("in drop");
        std::future::pending::<()>().await;
    });
    run(&executor);
    handle.abort();
    run(&executor);
    assert_eq!(joined(handle).unwrap_err().panic_message(), Some("in drop"));
}

#[test]
fn a_panic_in_the_drop_of_a_finished_future_replaces_its_output() {
    let log = Log::new();
    let executor = silent_executor();
    let (bomb, inner) = (Bomb("late"), log.clone());
    let handle = executor.spawn(std::future::poll_fn(move |_| -> Poll<OnDrop> {
        let _bomb = &bomb;
        Poll::Ready(inner.on_drop("output"))
    }));
    run(&executor);
    log.expect(&["drop output"]);
    let error = joined(handle).err().unwrap();
    assert_eq!(error.panic_message(), Some("late"));
}

#[test]
fn of_two_panics_the_first_one_tells() {
    let executor = silent_executor();
    let bomb = Bomb("second");
    let handle = executor.spawn(std::future::poll_fn(move |_| -> Poll<()> {
        let _bomb = &bomb;
        panic!("first")
    }));
    run(&executor);
    assert_eq!(joined(handle).unwrap_err().panic_message(), Some("first"));
}

#[test]
fn an_output_whose_drop_panics_at_completion_harms_nobody() {
    let executor = silent_executor();
    drop(executor.spawn(async { Bomb("output") }));
    let other = executor.spawn(async { 1 });
    run(&executor);
    assert_eq!(joined(other).unwrap(), 1);
}

#[test]
fn an_output_whose_drop_panics_with_the_handle_panics_there() {
    let executor = silent_executor();
    let handle = executor.spawn(async { Bomb("output") });
    run(&executor);
    let panic = catch_unwind(AssertUnwindSafe(|| drop(handle))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"output"));
}

#[test]
fn a_payload_whose_drop_panics_harms_nobody_when_the_task_is_detached() {
    let executor = silent_executor();
    drop(executor.spawn(async { resume_unwind(Box::new(Bomb("payload"))) }));
    let other = executor.spawn(async { 1 });
    run(&executor);
    assert_eq!(joined(other).unwrap(), 1);
}

#[test]
fn a_drop_that_panics_with_a_payload_whose_drop_panics() {
    // Without size, as the last payload is leaked on purpose.
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            resume_unwind(Box::new(()));
        }
    }
    struct Twice;
    impl Drop for Twice {
        fn drop(&mut self) {
            resume_unwind(Box::new(Last));
        }
    }
    let executor = silent_executor();
    drop(executor.spawn(async { Twice }));
    let waiting = executor.spawn(async {
        let _twice = Twice;
        std::future::pending::<()>().await;
    });
    run(&executor);
    waiting.abort();
    run(&executor);
    assert_eq!(executor.live_tasks(), 0);
    // Its payload is one that panics when it is dropped: keep it from that.
    std::mem::forget(joined(waiting).unwrap_err());
}

#[test]
fn futures_whose_drop_panics_do_not_keep_a_dying_executor_from_dropping_the_others() {
    let log = Log::new();
    let executor = log.executor();
    drop(executor.spawn(log.pending("oldest", &Slot::new())));
    let bad = executor.spawn(async {
        let _bomb = Bomb("dying");
        std::future::pending::<()>().await;
    });
    drop(executor.spawn(log.pending("newest", &Slot::new())));
    run(&executor);
    drop(executor);
    log.expect(&["unpark", "poll oldest", "poll newest", "drop newest", "drop oldest"]);
    assert_eq!(joined(bad).unwrap_err().panic_message(), Some("dying"));
}

/// A waker of a foreign loop, which panics.
struct BadWaker;

impl Wake for BadWaker {
    fn wake(self: Arc<Self>) {
        resume_unwind(Box::new("bad waker"));
    }
}

#[test]
fn a_joiner_whose_wake_panics_passes_through_and_the_executor_goes_on() {
    let log = Log::new();
    let executor = log.executor();
    let mut handle = executor.spawn(log.ready("a", 1));
    drop(executor.spawn(log.ready("b", ())));
    assert!(poll_handle(&mut handle, &Waker::from(Arc::new(BadWaker))).is_pending());
    let panic = catch_unwind(AssertUnwindSafe(|| executor.run_ready(9))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"bad waker"));
    assert!(!executor.is_running());
    run(&executor);
    log.expect(&["unpark", "poll a", "drop a", "poll b", "drop b"]);
    assert_eq!(joined(handle).unwrap(), 1);
}

#[test]
fn a_joiner_whose_wake_panics_does_not_keep_a_dying_executor_from_dropping_the_others() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    drop(executor.spawn(log.pending("oldest", &slot)));
    let mut handle = executor.spawn(log.pending("newest", &Slot::new()));
    assert!(poll_handle(&mut handle, &Waker::from(Arc::new(BadWaker))).is_pending());
    run(&executor);
    log.take();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(executor))).is_err());
    log.expect(&["drop newest", "drop oldest"]);
    assert!(joined(handle).unwrap_err().is_cancelled());
    slot.wake();
}

#[test]
fn a_timer_whose_wake_panics_does_not_keep_the_others_from_being_woken() {
    let executor = silent_executor();
    let (first, first_waker) = Count::new();
    let (last, last_waker) = Count::new();
    executor.insert_timer(1, first_waker);
    executor.insert_timer(2, Waker::from(Arc::new(BadWaker)));
    executor.insert_timer(3, last_waker);
    assert!(catch_unwind(AssertUnwindSafe(|| executor.fire_timers(5))).is_err());
    assert_eq!((first.get(), last.get()), (1, 1));
    assert_eq!(executor.next_deadline(), None);
}

#[test]
fn a_waker_whose_drop_panics_with_the_handle_leaks_no_output() {
    struct BadDrop;
    impl Wake for BadDrop {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for BadDrop {
        fn drop(&mut self) {
            resume_unwind(Box::new("dropped"));
        }
    }
    let log = Log::new();
    let executor = log.executor();
    let mut handle = executor.spawn(log.ready("a", log.on_drop("output")));
    let waker = Waker::from(Arc::new(BadDrop));
    assert!(poll_handle(&mut handle, &waker).is_pending());
    drop(waker);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(handle))).is_err());
    run(&executor);
    log.expect(&["unpark", "poll a", "drop a", "drop output"]);
}

#[test]
fn an_executor_dropped_by_a_panic_contains_the_panics_of_its_tasks() {
    let log = Log::new();
    let inner = log.clone();
    let panic = catch_unwind(AssertUnwindSafe(move || {
        let executor = inner.executor();
        drop(executor.spawn(inner.pending("a", &Slot::new())));
        drop(executor.spawn(async {
            let _bomb = Bomb("inner");
            std::future::pending::<()>().await;
        }));
        run(&executor);
        resume_unwind(Box::new("outer"));
    }))
    .unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"outer"));
    log.expect(&["unpark", "poll a", "drop a"]);
}
