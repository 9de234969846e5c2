//! How tasks have to put up with one another: whom a greedy task keeps waiting and how long, and what `abort`
//! does to a task, row by row of the table at `JoinHandle::abort`.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::Location;
use std::rc::Rc;
use std::task::Poll;
use std::thread;

use kippu_executor::{AbortHandle, Executor, JoinHandle, TaskInfo, TaskOptions};
use support::{Log, Slot, joined, rounds, run, silent_executor};

/// Tasks that are always ready to go on: each wakes itself in every poll, for ever.
struct Greedy {
    polls: Vec<Rc<Cell<usize>>>,
    all: Rc<Cell<usize>>,
}

impl Greedy {
    fn spawn(executor: &Executor, count: usize) -> Self {
        let all = Rc::new(Cell::new(0));
        let spawn = |_| {
            let polls = Rc::new(Cell::new(0));
            let counts = [polls.clone(), all.clone()];
            executor
                .spawn(poll_fn(move |cx| -> Poll<()> {
                    counts.iter().for_each(|count| count.set(count.get() + 1));
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }))
                .detach();
            polls
        };
        Greedy { polls: (0..count).map(spawn).collect(), all }
    }

    /// The polls of all of them.
    fn total(&self) -> usize {
        self.all.get()
    }

    /// The least and the greatest share of one of them.
    fn shares(&self) -> (usize, usize) {
        let shares = self.polls.iter().map(|polls| polls.get());
        (shares.clone().min().unwrap(), shares.max().unwrap())
    }
}

/// A task that is woken through `slot`, and notes how many polls the greedy ones had had at each of its own.
fn polite(executor: &Executor, greedy: &Greedy, slot: &Slot) -> Rc<RefCell<Vec<usize>>> {
    let turns: Rc<RefCell<Vec<usize>>> = Rc::default();
    let (noted, all, slot) = (turns.clone(), greedy.all.clone(), slot.clone());
    executor
        .spawn(poll_fn(move |cx| {
            noted.borrow_mut().push(all.get());
            slot.keep::<()>(cx)
        }))
        .detach();
    turns
}

#[test]
fn a_woken_task_waits_for_exactly_one_poll_of_each_greedy_one() {
    const GREEDY: usize = 9;
    // Wherever in a batch the wake comes.
    for before in 0..rounds(3, 1) as usize * GREEDY {
        let executor = silent_executor();
        let slot = Slot::new();
        let greedy = Greedy::spawn(&executor, GREEDY);
        let turns = polite(&executor, &greedy, &slot);
        assert!(executor.run_ready(GREEDY + 1));
        assert!(executor.run_ready(before));
        assert_eq!(greedy.total(), GREEDY + before);
        slot.wake();
        assert!(executor.run_ready(GREEDY));
        assert_eq!(turns.borrow().len(), 1, "nor does it come earlier");
        assert!(executor.run_ready(1));
        assert_eq!(*turns.borrow(), [GREEDY, GREEDY + before + GREEDY]);
    }
}

#[test]
fn among_10_000_greedy_tasks_a_woken_task_waits_for_one_poll_of_each() {
    const GREEDY: usize = rounds(10_000, 30) as usize;
    let executor = silent_executor();
    let slot = Slot::new();
    let greedy = Greedy::spawn(&executor, GREEDY);
    let turns = polite(&executor, &greedy, &slot);
    assert!(executor.run_ready(GREEDY + 1));
    for turn in 1..=3 {
        // In the middle of a batch.
        assert!(executor.run_ready(GREEDY / 2));
        let woken_at = greedy.total();
        slot.wake();
        assert!(executor.run_ready(GREEDY + 1));
        assert_eq!(turns.borrow()[turn], woken_at + GREEDY);
        let (least, most) = greedy.shares();
        assert!(most - least <= 1, "{least} to {most}");
    }
    assert_eq!(greedy.total(), GREEDY + 3 * (GREEDY / 2 + GREEDY));
}

#[test]
fn a_task_woken_by_another_thread_during_a_run_waits_no_longer() {
    const GREEDY: usize = 9;
    let executor = silent_executor();
    let slot = Slot::new();
    let greedy = Greedy::spawn(&executor, GREEDY);
    let turns = polite(&executor, &greedy, &slot);
    assert!(executor.run_ready(GREEDY + 1));
    let (waker, all) = (slot.waker(), greedy.all.clone());
    let woken_at = executor.spawn(async move {
        thread::spawn(move || waker.wake()).join().unwrap();
        all.get()
    });
    assert!(executor.run_ready(GREEDY + 1 + GREEDY + 1));
    assert_eq!(joined(woken_at).unwrap(), 2 * GREEDY);
    assert_eq!(*turns.borrow(), [GREEDY, 3 * GREEDY]);
}

#[test]
fn a_new_task_waits_for_exactly_one_poll_of_each_greedy_one() {
    const GREEDY: usize = 9;
    let executor = silent_executor();
    let greedy = Greedy::spawn(&executor, GREEDY);
    assert!(executor.run_ready(GREEDY + 4));
    let turns = polite(&executor, &greedy, &Slot::new());
    assert!(executor.run_ready(100));
    assert_eq!(*turns.borrow(), [GREEDY + 4 + GREEDY]);
}

#[test]
fn the_driver_has_its_turn_after_exactly_a_budget_of_polls() {
    for (tasks, budget) in [(1, 1), (1, 64), (9, 4), (9, 9), (9, 64)] {
        let executor = silent_executor();
        let greedy = Greedy::spawn(&executor, tasks);
        for turn in 1..=rounds(20, 4) as usize {
            assert!(executor.run_ready(budget), "it does not say that it is done");
            assert_eq!(greedy.total(), turn * budget);
            let (least, most) = greedy.shares();
            assert!(most - least <= 1, "{least} to {most}");
        }
    }
}

/// Runs a driver whose clock ticks once a poll, and returns when the timer fired and after how many greedy polls its
/// task ran.
fn timer_among(greedy: usize, budget: usize, deadline: usize) -> (usize, usize) {
    let executor = silent_executor();
    let slot = Slot::new();
    let greedy = Greedy::spawn(&executor, greedy);
    let turns = polite(&executor, &greedy, &slot);
    assert!(executor.run_ready(greedy.polls.len() + 1));
    executor.insert_timer((greedy.total() + deadline) as u64, slot.waker());
    let start = greedy.total();
    while executor.fire_timers(greedy.total() as u64) == 0 {
        assert!(executor.run_ready(budget));
    }
    let fired = greedy.total() - start;
    while turns.borrow().len() == 1 {
        assert!(executor.run_ready(budget));
        assert_eq!(executor.fire_timers(greedy.total() as u64), 0);
    }
    let ran = turns.borrow()[1] - start;
    (fired, ran)
}

#[test]
fn a_timer_among_greedy_tasks_is_late_by_less_than_a_budget_and_its_task_by_one_poll_of_each() {
    for deadline in [1, 63, 64, 65, 200] {
        let (fired, ran) = timer_among(9, 64, deadline);
        // At the driver's first turn at or after the deadline.
        assert_eq!(fired, deadline.next_multiple_of(64));
        assert_eq!(ran, fired + 9);
    }
}

#[test]
fn among_10_000_greedy_tasks_timers_are_no_later() {
    const GREEDY: usize = rounds(10_000, 70) as usize;
    let (fired, ran) = timer_among(GREEDY, 64, 100);
    assert_eq!((fired, ran), (128, 128 + GREEDY));
}

#[test]
fn a_task_that_spawns_in_every_poll_keeps_others_waiting_only_for_what_was_there_before() {
    let executor = Rc::new(silent_executor());
    let log = Log::new();
    let slot = Slot::new();
    executor.spawn(log.pending("polite", &slot)).detach();
    run(&executor);
    let (weak, inner) = (Rc::downgrade(&executor), log.clone());
    let mut generation = 0;
    executor
        .spawn(log.future("spawner", move |cx| -> Poll<()> {
            generation += 1;
            let executor = weak.upgrade().unwrap();
            for child in 0..2 {
                executor.spawn(inner.ready(&format!("{generation}.{child}"), ())).detach();
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }))
        .detach();
    assert!(executor.run_ready(1));
    log.take();
    // In the queue are the first two children and the spawner, which make three more entries.
    slot.wake();
    assert!(executor.run_ready(4));
    log.expect(&["poll 1.0", "drop 1.0", "poll 1.1", "drop 1.1", "poll spawner", "poll polite"]);
}

#[test]
fn two_tasks_that_wake_one_another_for_ever_are_no_greedier_than_two() {
    let executor = silent_executor();
    let polls = Rc::new(Cell::new(0));
    let slots = [Slot::new(), Slot::new()];
    for own in 0..2 {
        let (own, other) = (slots[own].clone(), slots[1 - own].clone());
        let polls = polls.clone();
        executor
            .spawn(poll_fn(move |cx| {
                polls.set(polls.get() + 1);
                if let Some(waker) = other.take() {
                    waker.wake();
                }
                own.keep::<()>(cx)
            }))
            .detach();
    }
    let slot = Slot::new();
    let greedy = Greedy { polls: Vec::new(), all: polls.clone() };
    let turns = polite(&executor, &greedy, &slot);
    for _ in 0..10 {
        assert!(executor.run_ready(3));
        slot.wake();
    }
    let waits: Vec<_> = turns.borrow().windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits[1..], [2; 8], "once the two have found one another");
}

// The rows of the table.

/// Aborts by both kinds of handle; the second has nothing left to do.
fn aborted_twice<T>(handle: &JoinHandle<T>) {
    handle.abort();
    handle.abort_handle().abort();
}

#[test]
fn abort_of_a_queued_task_that_was_never_polled_drops_it_unpolled_in_its_place() {
    let log = Log::new();
    let executor = log.executor();
    executor.spawn(log.ready("before", ())).detach();
    let task = executor.spawn(log.ready("task", ()));
    executor.spawn(log.ready("after", ())).detach();
    aborted_twice(&task);
    assert!(!task.is_finished());
    log.expect(&["unpark"]);
    run(&executor);
    log.expect(&["poll before", "drop before", "drop task", "poll after", "drop after"]);
    assert!(joined(task).unwrap_err().is_cancelled());
}

#[test]
fn abort_of_a_queued_task_that_was_woken_drops_it_in_its_place_without_another_poll() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    let task = executor.spawn(log.pending("task", &slot));
    run(&executor);
    slot.wake();
    executor.spawn(log.ready("after", ())).detach();
    aborted_twice(&task);
    assert!(!task.is_finished());
    log.expect(&["unpark", "poll task", "unpark"]);
    run(&executor);
    log.expect(&["drop task", "poll after", "drop after"]);
    assert!(joined(task).unwrap_err().is_cancelled());
}

#[test]
fn abort_of_a_waiting_task_queues_it_and_drops_it_at_that_turn() {
    let log = Log::new();
    let executor = log.executor();
    let slot = Slot::new();
    let task = executor.spawn(log.pending("task", &slot));
    run(&executor);
    log.take();
    executor.spawn(log.ready("before", ())).detach();
    aborted_twice(&task);
    assert!(!task.is_finished());
    log.expect(&["unpark"]);
    run(&executor);
    log.expect(&["poll before", "drop before", "drop task"]);
    assert!(joined(task).unwrap_err().is_cancelled());
    // A wake that comes too late does nothing.
    slot.wake();
    log.expect(&[]);
}

/// Spawns a task that aborts itself in its poll, directly or inside a nested eager poll of another task, and then
/// returns what `after` says.
fn aborts_itself(
    log: &Log,
    executor: &Rc<Executor>,
    nested: bool,
    after: Poll<u32>,
) -> JoinHandle<u32> {
    let own: Rc<RefCell<Option<AbortHandle>>> = Rc::default();
    let (place, inner, weak) = (own.clone(), log.clone(), Rc::downgrade(executor));
    let task = executor.spawn(log.future("task", move |_| {
        let own = place.borrow().clone().unwrap();
        let abort = move || {
            own.abort();
            assert!(!own.is_finished());
        };
        if nested {
            let other = inner.future("other", move |_| {
                abort();
                Poll::Ready(())
            });
            weak.upgrade().unwrap().spawn_polled(TaskOptions::new(), other).detach();
        } else {
            abort();
        }
        inner.add("goes on");
        after
    }));
    *own.borrow_mut() = Some(task.abort_handle());
    run(executor);
    task
}

#[test]
fn abort_by_the_task_itself_lets_its_poll_end_and_drops_it_at_its_next_turn() {
    let log = Log::new();
    let task = aborts_itself(&log, &Rc::new(log.executor()), false, Poll::Pending);
    log.expect(&["unpark", "poll task", "goes on", "drop task"]);
    assert!(joined(task).unwrap_err().is_cancelled());
}

#[test]
fn abort_by_the_task_itself_is_void_when_that_poll_is_its_last() {
    let log = Log::new();
    let task = aborts_itself(&log, &Rc::new(log.executor()), false, Poll::Ready(5));
    log.expect(&["unpark", "poll task", "goes on", "drop task"]);
    assert_eq!(joined(task).unwrap(), 5);
}

#[test]
fn abort_by_a_task_polled_inside_the_poll_is_like_one_by_the_task_itself() {
    let events = ["unpark", "poll task", "poll other", "drop other", "goes on", "drop task"];
    let log = Log::new();
    let task = aborts_itself(&log, &Rc::new(log.executor()), true, Poll::Pending);
    log.expect(&events);
    assert!(joined(task).unwrap_err().is_cancelled());
    let task = aborts_itself(&log, &Rc::new(log.executor()), true, Poll::Ready(5));
    log.expect(&events);
    assert_eq!(joined(task).unwrap(), 5);
}

#[test]
fn abort_of_a_complete_task_leaves_its_output_to_the_joiner() {
    let log = Log::new();
    let executor = log.executor();
    let task = executor.spawn(log.ready("task", 3));
    run(&executor);
    log.take();
    aborted_twice(&task);
    assert!(task.is_finished());
    run(&executor);
    log.expect(&[]);
    assert_eq!(joined(task).unwrap(), 3);
}

#[cfg(feature = "std")]
#[test]
fn abort_of_a_task_that_has_panicked_leaves_the_panic_to_the_joiner() {
    let log = Log::new();
    let executor = log.executor();
    // Without the panic hook, which would print.
    let task = executor.spawn(async { std::panic::resume_unwind(Box::new("reason")) });
    run(&executor);
    log.take();
    aborted_twice(&task);
    run(&executor);
    log.expect(&[]);
    assert_eq!(joined::<()>(task).unwrap_err().panic_message(), Some("reason"));
}

#[test]
fn abort_of_a_cancelled_task_does_nothing_more() {
    let log = Log::new();
    let executor = log.executor();
    let task = executor.spawn(log.pending("task", &Slot::new()));
    task.abort();
    run(&executor);
    log.take();
    aborted_twice(&task);
    run(&executor);
    log.expect(&[]);
    assert!(joined(task).unwrap_err().is_cancelled());
}

#[test]
fn abort_after_the_executor_does_nothing_more() {
    let log = Log::new();
    let executor = log.executor();
    let task = executor.spawn(log.pending("task", &Slot::new()));
    drop(executor);
    log.expect(&["unpark", "drop task"]);
    aborted_twice(&task);
    log.expect(&[]);
    assert!(joined(task).unwrap_err().is_cancelled());
}

#[test]
fn abort_of_a_detached_task_goes_by_the_same_rules() {
    let log = Log::new();
    let executor = log.executor();
    let task = executor.spawn(log.pending("task", &Slot::new()));
    let abort = task.abort_handle();
    task.detach();
    run(&executor);
    log.take();
    abort.abort();
    log.expect(&["unpark"]);
    run(&executor);
    log.expect(&["drop task"]);
    assert!(abort.is_finished());
}

/// Where this function is called.
#[track_caller]
fn here() -> &'static Location<'static> {
    Location::caller()
}

#[test]
fn the_dump_names_the_place_of_each_spawn_by_whichever_method() {
    let executor = silent_executor();
    let options = TaskOptions::new().name("named");
    let line = line!();
    executor.spawn(pending::<()>()).detach();
    executor.spawn_with(options, pending::<()>()).detach();
    executor.spawn_polled(options, pending::<()>()).detach();
    executor.spawn_at(TaskOptions::new(), here(), pending::<()>()).detach();
    let dump = executor.dump();
    let seen: Vec<_> = dump
        .iter()
        .map(|task| (task.name, task.location.file(), task.location.line() - line))
        .collect();
    let expected = [(None, 4), (Some("named"), 3), (Some("named"), 2), (None, 1)];
    assert_eq!(seen, expected.map(|(name, below)| (name, file!(), below)));
    let lines: Vec<_> = dump.iter().map(TaskInfo::to_string).collect();
    let place = |below| format!("{}:{}:", file!(), line + below);
    assert!(
        lines[3].starts_with(&format!("task \"unnamed\" spawned at {}", place(1))),
        "{lines:?}"
    );
    assert!(lines[2].starts_with(&format!("task \"named\" spawned at {}", place(2))), "{lines:?}");
}
