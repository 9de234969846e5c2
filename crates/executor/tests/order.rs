//! In which order tasks run: queue, batches, fairness, budget.

mod support;

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use kippu_executor::Executor;
use support::{Log, Slot, run, silent_executor};

/// Spawns a task that runs `rounds` times, waking itself each time, and logs its name.
fn busy(log: &Log, executor: &Executor, name: &'static str, rounds: usize) {
    let (log, mut left) = (log.clone(), rounds);
    executor
        .spawn(poll_fn(move |cx| {
            log.add(name);
            left -= 1;
            if left == 0 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }))
        .detach();
}

#[test]
fn tasks_run_in_the_order_in_which_they_were_spawned() {
    let log = Log::new();
    let executor = silent_executor();
    for name in ["a", "b", "c", "d"] {
        busy(&log, &executor, name, 1);
    }
    run(&executor);
    log.expect(&["a", "b", "c", "d"]);
}

#[test]
fn tasks_run_in_the_order_in_which_they_were_woken() {
    let log = Log::new();
    let executor = silent_executor();
    let slots = ["a", "b", "c"].map(|name| {
        let slot = Slot::new();
        executor.spawn(log.pending(name, &slot)).detach();
        slot
    });
    run(&executor);
    log.take();
    for i in [2, 0, 1, 2] {
        slots[i].wake();
    }
    run(&executor);
    log.expect(&["poll c", "poll a", "poll b"]);
}

#[test]
fn a_task_that_wakes_itself_lets_all_others_go_first() {
    let log = Log::new();
    let executor = silent_executor();
    busy(&log, &executor, "busy", 3);
    busy(&log, &executor, "x", 1);
    busy(&log, &executor, "y", 2);
    run(&executor);
    log.expect(&["busy", "x", "y", "busy", "y", "busy"]);
}

#[test]
fn what_a_batch_spawns_or_wakes_waits_for_the_next_batch() {
    let log = Log::new();
    let executor = Rc::new(silent_executor());
    let slot = Slot::new();
    executor.spawn(log.pending("woken", &slot)).detach();
    run(&executor);
    log.take();
    let (weak, inner) = (Rc::downgrade(&executor), log.clone());
    executor
        .spawn(log.future("first", move |_| {
            weak.upgrade().unwrap().spawn(inner.ready("spawned", ())).detach();
            slot.wake();
            Poll::Ready(())
        }))
        .detach();
    executor.spawn(log.ready("second", ())).detach();
    run(&executor);
    log.expect(&[
        "poll first",
        "drop first",
        "poll second",
        "drop second",
        "poll spawned",
        "drop spawned",
        "poll woken",
    ]);
}

#[test]
fn the_budget_is_a_number_of_polls_and_splits_a_batch_without_disorder() {
    let log = Log::new();
    let executor = silent_executor();
    for name in ["a", "b", "c"] {
        busy(&log, &executor, name, 2);
    }
    assert!(executor.run_ready(2));
    log.expect(&["a", "b"]);
    busy(&log, &executor, "late", 1);
    assert!(executor.run_ready(1));
    log.expect(&["c"]);
    assert!(executor.run_ready(3));
    log.expect(&["a", "b", "late"]);
    assert!(!executor.run_ready(1));
    log.expect(&["c"]);
}

#[test]
fn a_budget_that_is_just_enough_leaves_nothing() {
    let executor = silent_executor();
    let log = Log::new();
    busy(&log, &executor, "a", 3);
    assert!(executor.run_ready(2));
    assert!(!executor.run_ready(1));
    assert!(!executor.run_ready(1));
}

#[test]
fn a_budget_of_0_runs_nothing_and_says_whether_there_is_something() {
    let log = Log::new();
    let executor = silent_executor();
    assert!(!executor.run_ready(0));
    busy(&log, &executor, "a", 1);
    assert!(executor.run_ready(0));
    log.expect(&[]);
    run(&executor);
    log.expect(&["a"]);
    assert!(!executor.run_ready(0));
}

#[test]
fn an_endless_task_cannot_outrun_the_budget() {
    let executor = silent_executor();
    let polls = Rc::new(Cell::new(0));
    let count = polls.clone();
    executor
        .spawn(poll_fn(move |cx| -> Poll<()> {
            count.set(count.get() + 1);
            cx.waker().wake_by_ref();
            Poll::Pending
        }))
        .detach();
    for run in 1..=5 {
        assert!(executor.run_ready(100));
        assert_eq!(polls.get(), 100 * run);
    }
}

#[test]
fn many_endless_tasks_get_equal_shares() {
    let executor = silent_executor();
    let shares: Vec<_> = (0..7).map(|_| Rc::new(Cell::new(0_u32))).collect();
    for share in &shares {
        let share = share.clone();
        executor
            .spawn(poll_fn(move |cx| -> Poll<()> {
                share.set(share.get() + 1);
                // Twice is as good as once.
                cx.waker().wake_by_ref();
                cx.waker().wake_by_ref();
                Poll::Pending
            }))
            .detach();
    }
    for _ in 0..70 {
        assert!(executor.run_ready(11));
    }
    assert!(shares.iter().all(|share| share.get() == 110), "{shares:?}");
}

#[test]
fn a_task_woken_while_it_waits_in_a_batch_runs_once() {
    let log = Log::new();
    let executor = silent_executor();
    let slot = Slot::new();
    let waking = slot.clone();
    executor.spawn(log.pending("late", &slot)).detach();
    run(&executor);
    // Both are in one batch, and the first wakes the second there.
    executor
        .spawn(log.future("early", move |_| {
            waking.wake();
            Poll::Ready(())
        }))
        .detach();
    slot.wake();
    log.take();
    run(&executor);
    log.expect(&["poll early", "drop early", "poll late"]);
}

#[test]
fn equal_deadlines_wake_tasks_in_the_order_of_insertion() {
    let log = Log::new();
    let executor = silent_executor();
    let slots = ["a", "b", "c", "d"].map(|name| {
        let slot = Slot::new();
        executor.spawn(log.pending(name, &slot)).detach();
        slot
    });
    run(&executor);
    log.take();
    for (i, deadline) in [(3, 500), (1, 500), (0, 400), (2, 500)] {
        executor.insert_timer(deadline, slots[i].waker());
    }
    executor.fire_timers(1000);
    run(&executor);
    log.expect(&["poll a", "poll d", "poll b", "poll c"]);
}
