//! Running inside a run: what is refused, and what is not.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;

use kippu_executor::Executor;
use support::{Log, Slot, joined, run, silent_executor};

const MESSAGE: &str = "nested run of an executor: run_ready was called from inside one of its own \
                       tasks; await instead of blocking";

/// The message with which `run_ready` panics here.
fn refused(executor: &Executor) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| executor.run_ready(1)))
        .expect_err("run_ready did not panic");
    match panic.downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => *panic.downcast::<String>().expect("a message"),
    }
}

#[test]
fn run_ready_inside_a_poll_panics_and_the_outer_run_goes_on() {
    let executor = Rc::new(silent_executor());
    let weak = Rc::downgrade(&executor);
    let nested = executor.spawn(async move { refused(&weak.upgrade().unwrap()) });
    let other = executor.spawn(async { 1 });
    assert!(!executor.is_running());
    run(&executor);
    assert!(!executor.is_running());
    assert_eq!(joined(nested).unwrap(), MESSAGE);
    assert_eq!(joined(other).unwrap(), 1);
}

#[cfg(feature = "std")]
#[test]
fn the_panic_of_a_nested_run_is_the_result_of_the_task_that_asked_for_it() {
    let executor = Rc::new(silent_executor());
    let weak = Rc::downgrade(&executor);
    let nested = executor.spawn(async move { weak.upgrade().unwrap().run_ready(1) });
    run(&executor);
    assert_eq!(joined(nested).unwrap_err().panic_message(), Some(MESSAGE));
}

#[test]
fn run_ready_inside_an_eager_poll_panics() {
    let executor = Rc::new(silent_executor());
    let weak = Rc::downgrade(&executor);
    let eager = executor.spawn_polled(Default::default(), async move {
        let executor = weak.upgrade().unwrap();
        assert!(executor.is_running());
        refused(&executor)
    });
    assert!(!executor.is_running());
    assert_eq!(joined(eager).unwrap(), MESSAGE);
}

#[test]
fn run_ready_stays_refused_after_an_eager_poll_inside_a_poll() {
    let executor = Rc::new(silent_executor());
    let weak = Rc::downgrade(&executor);
    let outer = executor.spawn(async move {
        let executor = weak.upgrade().unwrap();
        drop(executor.spawn_polled(Default::default(), async {}));
        assert!(executor.is_running());
        refused(&executor)
    });
    run(&executor);
    assert_eq!(joined(outer).unwrap(), MESSAGE);
}

#[test]
fn run_ready_inside_the_drop_of_a_cancelled_future_panics() {
    struct RunsInDrop(std::rc::Weak<Executor>, Log);
    impl Drop for RunsInDrop {
        fn drop(&mut self) {
            // No executor is left to ask when it is the executor that dies.
            if let Some(executor) = self.0.upgrade() {
                self.1.add(refused(&executor));
            }
        }
    }
    let log = Log::new();
    let executor = Rc::new(silent_executor());
    let guard = RunsInDrop(Rc::downgrade(&executor), log.clone());
    let handle = executor.spawn(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    run(&executor);
    handle.abort();
    run(&executor);
    log.expect(&[MESSAGE]);
}

#[test]
fn one_executor_may_run_inside_a_task_of_another() {
    let log = Log::new();
    let (outer, inner) = (log.executor(), Rc::new(silent_executor()));
    let turned = inner.clone();
    let handle = inner.spawn(log.ready("inner", 5));
    drop(outer.spawn(log.future("outer", move |_| {
        run(&turned);
        Poll::Ready(())
    })));
    run(&outer);
    log.expect(&["unpark", "poll outer", "poll inner", "drop inner", "drop outer"]);
    assert_eq!(joined(handle).unwrap(), 5);
}

#[test]
fn one_executor_may_die_inside_a_task_of_another() {
    let log = Log::new();
    let (outer, inner) = (log.executor(), silent_executor());
    let slot = Slot::new();
    drop(inner.spawn(log.pending("inner", &slot)));
    run(&inner);
    let mut inner = Some(inner);
    drop(outer.spawn(log.future("outer", move |_| {
        drop(inner.take());
        slot.wake();
        Poll::Ready(())
    })));
    run(&outer);
    log.expect(&["poll inner", "unpark", "poll outer", "drop inner", "drop outer"]);
}

#[test]
fn eager_polls_nest_deeply() {
    fn go_down(executor: &Rc<Executor>, log: &Log, depth: u32) {
        let (weak, inner) = (Rc::downgrade(executor), log.clone());
        let handle = executor.spawn_polled(Default::default(), async move {
            if depth > 0 {
                go_down(&weak.upgrade().unwrap(), &inner, depth - 1);
            }
            inner.add(format!("depth {depth}"));
        });
        assert!(handle.is_finished());
    }
    let log = Log::new();
    let executor = Rc::new(silent_executor());
    go_down(&executor, &log, 3);
    log.expect(&["depth 0", "depth 1", "depth 2", "depth 3"]);
}

#[test]
fn a_wake_inside_an_eager_poll_rings_when_nobody_runs_and_does_not_when_somebody_does() {
    let log = Log::new();
    let executor = Rc::new(log.executor());
    drop(executor.spawn_polled(Default::default(), support::yield_now()));
    log.expect(&["unpark"]);
    let weak = Rc::downgrade(&executor);
    drop(executor.spawn(async move {
        let executor = weak.upgrade().unwrap();
        drop(executor.spawn_polled(Default::default(), support::yield_now()));
    }));
    run(&executor);
    log.expect(&[]);
    assert_eq!(executor.live_tasks(), 0);
}

#[test]
fn timers_may_be_fired_inside_a_poll() {
    let log = Log::new();
    let executor = Rc::new(log.executor());
    let weak = Rc::downgrade(&executor);
    executor.insert_timer(10, log.waker("wake at 10"));
    drop(executor.spawn(async move {
        assert_eq!(weak.upgrade().unwrap().fire_timers(10), 1);
    }));
    run(&executor);
    log.expect(&["unpark", "wake at 10"]);
}

#[test]
fn a_bell_that_runs_the_executor_on_the_spot_is_allowed() {
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::task::{Wake, Waker};
    thread_local! {
        static CURRENT: RefCell<Option<Rc<Executor>>> = const { RefCell::new(None) };
    }
    struct RunsAtOnce;
    impl Wake for RunsAtOnce {
        fn wake(self: Arc<Self>) {
            let executor = CURRENT.with_borrow(Clone::clone);
            run(&executor.expect("the test has set it"));
        }
    }
    let executor = Rc::new(Executor::new(Waker::from(Arc::new(RunsAtOnce))));
    CURRENT.set(Some(executor.clone()));
    let handle = executor.spawn(async {
        support::yield_now().await;
        6
    });
    assert_eq!(joined(handle).unwrap(), 6);
    CURRENT.take();
}
