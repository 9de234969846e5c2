//! `block_on`: a future on the caller's stack among tasks.

mod support;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::thread::{self, Thread};

use kippu_executor::{Executor, TaskState};
use support::{Log, Slot, run, silent_executor, yield_now};

/// For futures that need no driver.
fn never_parks(more: bool) -> Result<(), &'static str> {
    if more { Ok(()) } else { Err("parked") }
}

#[test]
fn a_future_may_borrow_from_the_caller() {
    let executor = silent_executor();
    let text = String::from("on the stack");
    let mut log = Vec::new();
    let length = executor.block_on(
        async {
            log.push("before");
            yield_now().await;
            log.push("after");
            text.len()
        },
        never_parks,
    );
    assert_eq!(length, Ok(12));
    assert_eq!(log, ["before", "after"]);
}

#[test]
fn the_future_has_its_place_in_the_order_of_wakes() {
    let log = Log::new();
    let executor = log.executor();
    executor.spawn(log.ready("a", ())).detach();
    let main = async {
        log.add("main");
        executor.spawn(log.ready("b", ())).detach();
        yield_now().await;
        log.add("main again");
        executor.spawn(log.ready("c", ())).detach();
    };
    assert_eq!(executor.block_on(main, never_parks), Ok(()));
    log.expect(&["unpark", "poll a", "drop a", "main", "poll b", "drop b", "main again", "unpark"]);
    run(&executor);
    log.expect(&["poll c", "drop c"]);
}

#[test]
fn park_is_called_when_nothing_is_runnable_and_its_error_ends_the_call() {
    let log = Log::new();
    let executor = silent_executor();
    let guard = log.on_drop("main");
    let parks = Cell::new(0);
    let main = async {
        let _guard = guard;
        pending::<()>().await;
    };
    let result = executor.block_on(main, |more| {
        assert!(!more);
        parks.set(parks.get() + 1);
        if parks.get() == 3 { Err("enough") } else { Ok(()) }
    });
    assert_eq!(result, Err("enough"));
    log.expect(&["drop main"]);
    assert_eq!(executor.live_tasks(), 0);
}

#[test]
fn park_is_called_beside_tasks_that_never_rest() {
    let executor = silent_executor();
    let polls = Rc::new(Cell::new(0_u32));
    for _ in 0..3 {
        let polls = polls.clone();
        executor
            .spawn(poll_fn(move |cx| {
                polls.set(polls.get() + 1);
                cx.waker().wake_by_ref();
                Poll::<()>::Pending
            }))
            .detach();
    }
    let mut seen = Vec::new();
    let result = executor.block_on(pending::<()>(), |more| {
        assert!(more);
        seen.push(polls.replace(0));
        if seen.len() == 4 { Err(()) } else { Ok(()) }
    });
    assert_eq!(result, Err(()));
    // The first budget also polled the future itself, once.
    assert_eq!(seen, [255, 256, 256, 256]);
}

#[test]
fn a_timer_that_park_fires_wakes_the_future() {
    let executor = silent_executor();
    let fired = Rc::new(Cell::new(0));
    let mut armed = None;
    let sleep = poll_fn(|cx| {
        let key = *armed.get_or_insert_with(|| executor.insert_timer(500, cx.waker().clone()));
        if executor.update_timer(key, cx.waker()) { Poll::Pending } else { Poll::Ready("slept") }
    });
    let result = executor.block_on(sleep, |more| {
        assert!(!more);
        let deadline = executor.next_deadline().ok_or("nothing to wait for")?;
        fired.set(fired.get() + executor.fire_timers(deadline));
        Ok::<_, &str>(())
    });
    assert_eq!((result, fired.get()), (Ok("slept"), 1));
}

#[test]
fn another_thread_ends_the_wait() {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let executor = Executor::new(Waker::from(Arc::new(Unpark(thread::current()))));
    let slot = Slot::new();
    let mut waker = None;
    let mut polls = 0;
    let future = poll_fn(|cx| {
        polls += 1;
        if polls == 2 {
            return Poll::Ready("woken");
        }
        waker = Some(cx.waker().clone());
        slot.keep(cx)
    });
    let mut waking = None;
    let result = executor.block_on(future, |_| {
        let slot = slot.clone();
        waking.get_or_insert_with(|| thread::spawn(move || slot.wake()));
        thread::park();
        Ok::<_, Infallible>(())
    });
    assert_eq!(result, Ok("woken"));
    waking.expect("it has parked").join().unwrap();
    // The waker outlives the call, and wakes nothing any more.
    waker.expect("it was polled").wake();
    assert!(!executor.run_ready(10));
}

#[test]
fn a_panic_of_the_future_passes_and_leaves_the_executor_usable() {
    let log = Log::new();
    let executor = log.executor();
    executor.spawn(log.ready("a", ())).detach();
    let call = AssertUnwindSafe(|| executor.block_on(async { panic!("from main") }, never_parks));
    let payload = catch_unwind(call).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"from main"));
    log.expect(&["unpark", "poll a", "drop a"]);
    assert!(!executor.is_running());
    assert_eq!(executor.live_tasks(), 0);
    assert_eq!(executor.block_on(executor.spawn(async { 1 }), never_parks).unwrap().unwrap(), 1);
}

#[test]
#[cfg(feature = "std")]
fn it_refuses_to_run_inside_a_task() {
    let executor = Rc::new(silent_executor());
    let weak = Rc::downgrade(&executor);
    let task = executor.spawn(async move {
        let executor = weak.upgrade().unwrap();
        let _never = executor.block_on(pending::<()>(), never_parks);
    });
    run(&executor);
    let error = support::joined(task).unwrap_err();
    let message = error.panic_message().unwrap();
    assert!(message.contains("block_on was called from inside one of its own tasks"), "{message}");
}

#[test]
fn park_may_run_the_executor() {
    let executor = silent_executor();
    let slot = Slot::new();
    let mut polls = 0;
    let future = poll_fn(|cx| {
        polls += 1;
        if polls == 2 { Poll::Ready(polls) } else { slot.keep(cx) }
    });
    let result = executor.block_on(future, |_| {
        // The future's turn comes here, where nobody can poll it; it must not be lost.
        slot.wake();
        assert!(!executor.run_ready(10));
        Ok::<_, Infallible>(())
    });
    assert_eq!(result, Ok(2));
}

#[test]
fn park_may_block_on_something_else() {
    let executor = silent_executor();
    let slot = Slot::new();
    let mut polls = 0;
    let outer = poll_fn(|cx| {
        polls += 1;
        if polls == 2 { Poll::Ready("outer") } else { slot.keep(cx) }
    });
    let mut inner_polls = 0;
    let mut parks = 0;
    let result = executor.block_on(outer, |_| {
        parks += 1;
        // The outer future's turn comes in the inner call.
        slot.take().ok_or("the outer future has lost its wake")?.wake();
        let inner = async {
            for _ in 0..3 {
                inner_polls += 1;
                yield_now().await;
            }
        };
        executor.block_on(inner, never_parks)
    });
    assert_eq!((result, parks, inner_polls), (Ok("outer"), 1, 3));
}

#[test]
fn the_dump_shows_the_future_where_it_was_blocked_on() {
    let executor = silent_executor();
    let seen = RefCell::new(Vec::new());
    let line = line!() + 1;
    let result = executor.block_on(pending::<()>(), |_| {
        seen.replace(executor.dump());
        Err(())
    });
    assert_eq!(result, Err(()));
    let [task] = seen.take()[..] else { panic!("one task") };
    assert_eq!((task.name, task.location.line()), (Some("block_on"), line));
    assert_eq!(task.state, TaskState::Waiting);
    assert!(!executor.woken_from_outside());
}

#[test]
fn a_kept_waker_of_the_future_counts_as_held_outside() {
    let executor = silent_executor();
    let slot = Slot::new();
    let mut held = Vec::new();
    let result = executor.block_on(poll_fn(|cx| slot.keep::<()>(cx)), |_| {
        held.push(executor.woken_from_outside());
        drop(slot.take());
        if held.len() == 2 { Err(()) } else { Ok(()) }
    });
    assert_eq!(result, Err(()));
    assert_eq!(held, [true, false]);
}

#[test]
fn blocking_on_one_executor_inside_a_task_of_another_is_fine() {
    let outer = silent_executor();
    let task = outer.spawn(async {
        let inner = silent_executor();
        let handle = inner.spawn(async { 20 });
        inner.block_on(async { handle.await.unwrap() + 1 }, never_parks)
    });
    assert_eq!(outer.block_on(task, never_parks).unwrap().unwrap(), Ok(21));
}

/// Not a test of behaviour but of types: the future need be neither `'static` nor `Send`.
#[allow(dead_code)]
fn borrowed<'a, F: Future<Output = &'a str>>(executor: &Executor, future: F) -> &'a str {
    executor.block_on(future, |_| Ok::<_, Infallible>(())).unwrap_or_else(|never| match never {})
}
