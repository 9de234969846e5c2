//! `spawn_local`: making tasks without an executor at hand.
#![cfg(feature = "std")]

mod support;

use std::panic::catch_unwind;
use std::rc::Rc;

use kippu_executor::spawn_local;
use support::{Log, joined, run, silent_executor};

#[test]
fn a_task_spawns_on_its_own_executor_behind_what_is_queued() {
    let log = Log::new();
    let executor = log.executor();
    let child = log.ready("child", ());
    executor
        .spawn(log.future("parent", {
            let mut child = Some(child);
            move |_| {
                spawn_local(child.take().expect("polled once")).detach();
                std::task::Poll::Ready(())
            }
        }))
        .detach();
    executor.spawn(log.ready("other", ())).detach();
    run(&executor);
    log.expect(&[
        "unpark",
        "poll parent",
        "drop parent",
        "poll other",
        "drop other",
        "poll child",
        "drop child",
    ]);
}

#[test]
fn the_dump_names_the_place_of_the_call() {
    let executor = silent_executor();
    executor.spawn(async { spawn_local(std::future::pending::<()>()).detach() }).detach();
    let line = line!() - 1;
    run(&executor);
    let [task] = executor.dump()[..] else { panic!("one task is left") };
    assert_eq!((task.location.file(), task.location.line()), (file!(), line));
}

#[test]
fn of_nested_executors_the_innermost_counts_and_the_outer_one_again_after_it() {
    let outer = Rc::new(silent_executor());
    let task = outer.spawn(async {
        let inner = silent_executor();
        inner.spawn(async { spawn_local(std::future::pending::<()>()).detach() }).detach();
        run(&inner);
        let in_inner = inner.live_tasks();
        spawn_local(std::future::pending::<()>()).detach();
        in_inner
    });
    run(&outer);
    assert_eq!(joined(task).unwrap(), 1);
    assert_eq!(outer.live_tasks(), 1);
}

#[test]
fn an_eager_poll_and_a_future_that_is_blocked_on_are_inside() {
    let executor = silent_executor();
    drop(executor.spawn_polled(Default::default(), async {
        spawn_local(std::future::pending::<()>()).detach();
    }));
    assert_eq!(executor.live_tasks(), 1);
    let sum = executor.block_on(async { spawn_local(async { 1 }).await.unwrap() + 1 }, |_| Err(()));
    assert_eq!(sum, Ok(2));
}

#[test]
fn outside_of_tasks_it_panics_and_says_so() {
    let executor = silent_executor();
    run(&executor);
    let payload = catch_unwind(|| spawn_local(async {}).detach()).unwrap_err();
    let message = payload.downcast_ref::<&str>().copied().map(str::to_owned);
    let message = message.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap();
    assert!(message.contains("spawn_local was called outside of a task"), "{message}");
    assert_eq!(executor.live_tasks(), 0);
}

#[test]
fn after_a_panic_of_a_task_nobody_is_inside() {
    let executor = silent_executor();
    let task = executor.spawn(async { panic!("a task") });
    run(&executor);
    assert!(joined::<()>(task).unwrap_err().is_panic());
    assert!(catch_unwind(|| spawn_local(async {}).detach()).is_err());
}
