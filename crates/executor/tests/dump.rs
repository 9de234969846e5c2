//! What an executor tells of its tasks: the dump, and whether anybody outside can wake one.

mod support;

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

use kippu_executor::{TaskInfo, TaskOptions, TaskState, TimerKey, WaitsFor};
use support::{Slot, joined, rounds, run, silent_executor, yield_now};

#[test]
fn the_dump_names_live_tasks_newest_first() {
    let executor = silent_executor();
    drop(executor.spawn_with(TaskOptions::new().name("first"), pending::<()>()));
    let line = line!() - 1;
    drop(executor.spawn(async {}));
    drop(executor.spawn_polled(TaskOptions::new().name("last"), pending::<()>()));
    let dump = executor.dump();
    let names: Vec<_> = dump.iter().map(|task| task.name).collect();
    assert_eq!(names, [Some("last"), None, Some("first")]);
    assert_eq!((dump[2].location.file(), dump[2].location.line()), (file!(), line));
    let states: Vec<_> = dump.iter().map(|task| task.state).collect();
    assert_eq!(states, [TaskState::Waiting, TaskState::Scheduled, TaskState::Scheduled]);
    run(&executor);
    assert_eq!(executor.dump().len(), 2);
}

#[test]
fn a_line_of_the_dump_says_what_a_task_waits_for() {
    let executor = Rc::new(silent_executor());
    let weak = Rc::downgrade(&executor);
    drop(executor.spawn_with(TaskOptions::new().name("sleeper"), async move {
        weak.upgrade().unwrap().insert_timer(1_500, Waker::noop().clone());
        pending::<()>().await;
    }));
    let weak = Rc::downgrade(&executor);
    drop(executor.spawn(async move {
        weak.upgrade().unwrap().note_wait(&"fs.read");
        pending::<()>().await;
    }));
    drop(executor.spawn(pending::<()>()));
    run(&executor);
    let lines: Vec<String> = executor.dump().iter().map(TaskInfo::to_string).collect();
    assert!(lines[0].starts_with("task \"unnamed\" spawned at "), "{}", lines[0]);
    assert!(lines[0].ends_with(": waits for a wake"), "{}", lines[0]);
    assert!(lines[1].ends_with(": waits for fs.read"), "{}", lines[1]);
    assert!(lines[2].starts_with("task \"sleeper\" spawned at "), "{}", lines[2]);
    assert!(lines[2].ends_with(": waits for the time 1500 ns"), "{}", lines[2]);
}

#[test]
fn what_a_task_waits_for_is_forgotten_at_its_next_poll() {
    let executor = Rc::new(silent_executor());
    let weak = Rc::downgrade(&executor);
    let slot = Slot::new();
    let kept = slot.clone();
    let key: Rc<RefCell<Option<TimerKey>>> = Rc::default();
    let place = key.clone();
    let mut polls = 0;
    drop(executor.spawn(poll_fn(move |cx| {
        let executor = weak.upgrade().unwrap();
        polls += 1;
        match polls {
            1 => *place.borrow_mut() = Some(executor.insert_timer(10, cx.waker().clone())),
            2 => assert!(executor.update_timer(place.borrow().unwrap(), cx.waker())),
            _ => {}
        }
        kept.keep::<()>(cx)
    })));
    let mut seen = Vec::new();
    for _ in 0..3 {
        run(&executor);
        seen.push(executor.dump()[0].waits_for);
        slot.wake();
    }
    assert_eq!(seen, [WaitsFor::Timer(10), WaitsFor::Timer(10), WaitsFor::Unknown]);
}

#[test]
fn a_joiner_waits_for_the_task_that_it_joins() {
    let executor = silent_executor();
    let slot = Slot::new();
    let kept = slot.clone();
    let child = executor.spawn(poll_fn(move |cx| kept.keep::<()>(cx)));
    let place = executor.dump()[0].location;
    drop(executor.spawn(async move { child.await.is_ok() }));
    run(&executor);
    let dump = executor.dump();
    assert_eq!(dump[0].waits_for, WaitsFor::Task(place));
    let line = dump[0].to_string();
    assert!(line.ends_with(&format!(": waits for the task spawned at {place}")), "{line}");
    assert_eq!(dump[1].waits_for, WaitsFor::Unknown);
}

#[test]
fn of_nested_polls_each_task_notes_its_own_wait() {
    let executor = Rc::new(silent_executor());
    let weak = Rc::downgrade(&executor);
    let states = executor.spawn(async move {
        let executor = weak.upgrade().unwrap();
        let inner = weak.clone();
        drop(executor.spawn_polled(TaskOptions::new().name("inner"), async move {
            inner.upgrade().unwrap().note_wait(&"inner");
            pending::<()>().await;
        }));
        executor.note_wait(&"outer");
        executor.dump().iter().map(|task| (task.state, task.waits_for)).collect::<Vec<_>>()
    });
    run(&executor);
    assert_eq!(
        joined(states).unwrap(),
        [
            (TaskState::Waiting, WaitsFor::Ticket("inner")),
            (TaskState::Running, WaitsFor::Ticket("outer")),
        ]
    );
}

#[test]
fn noting_a_wait_outside_any_task_does_nothing() {
    let executor = silent_executor();
    drop(executor.spawn(pending::<()>()));
    executor.note_wait(&"nobody");
    assert_eq!(executor.dump()[0].waits_for, WaitsFor::Unknown);
}

#[test]
fn the_executor_shows_its_size() {
    let executor = silent_executor();
    drop(executor.spawn(async {}));
    executor.insert_timer(5, Waker::noop().clone());
    let shown = format!("{executor:?}");
    assert_eq!(shown, "Executor { live_tasks: 1, next_deadline: Some(5), running: false }");
}

#[test]
fn a_waker_that_is_held_outside_is_noticed_and_so_is_its_drop() {
    let executor = silent_executor();
    assert!(!executor.woken_from_outside());
    let slot = Slot::new();
    let kept = slot.clone();
    let handle = executor.spawn(poll_fn(move |cx| kept.keep::<()>(cx)));
    let abort = handle.abort_handle();
    assert!(!executor.woken_from_outside(), "handles wake nobody");
    run(&executor);
    assert!(executor.woken_from_outside());
    drop(slot.take());
    assert!(!executor.woken_from_outside());
    drop((handle, abort));
    assert!(!executor.woken_from_outside());
}

#[test]
fn a_waker_in_a_timer_is_outside() {
    let executor = Rc::new(silent_executor());
    let weak = Rc::downgrade(&executor);
    let mut armed = false;
    drop(executor.spawn(poll_fn(move |cx| {
        if !std::mem::replace(&mut armed, true) {
            weak.upgrade().unwrap().insert_timer(10, cx.waker().clone());
        }
        Poll::<()>::Pending
    })));
    run(&executor);
    assert!(executor.woken_from_outside());
    executor.fire_timers(10);
    run(&executor);
    assert!(!executor.woken_from_outside());
}

#[test]
fn tasks_that_only_wait_for_one_another_are_not_woken_from_outside() {
    let executor = silent_executor();
    let last = executor.spawn(pending::<()>());
    let middle = executor.spawn(async move { last.await.is_ok() });
    let first = executor.spawn(async move { middle.await.is_ok() });
    run(&executor);
    assert!(!executor.woken_from_outside());
    assert_eq!(executor.dump().len(), 3);
    drop(first);
}

#[test]
fn a_waker_of_a_finished_task_does_not_count() {
    let executor = silent_executor();
    let slot = Slot::new();
    let kept = slot.clone();
    drop(executor.spawn(async move {
        poll_fn(|cx| {
            let _pending: Poll<()> = kept.keep(cx);
            Poll::Ready(())
        })
        .await;
        yield_now().await;
    }));
    drop(executor.spawn(pending::<()>()));
    assert!(executor.run_ready(2));
    assert!(executor.woken_from_outside());
    run(&executor);
    assert!(slot.take().is_some());
    assert!(!executor.woken_from_outside());
}

#[test]
fn more_abort_handles_than_are_counted_do_not_hide_who_holds_a_waker() {
    let executor = silent_executor();
    let slot = Slot::new();
    let kept = slot.clone();
    executor.spawn(poll_fn(move |cx| kept.keep::<()>(cx))).detach();
    let task = executor.spawn(pending::<()>());
    run(&executor);
    let many: Vec<_> = (0..rounds(70_000, 100)).map(|_| task.abort_handle()).collect();
    assert!(executor.woken_from_outside());
    drop(many);
    assert!(executor.woken_from_outside(), "of the other task");
    task.abort();
    run(&executor);
    assert!(executor.woken_from_outside());
    drop(slot.take());
    assert!(!executor.woken_from_outside(), "counting begins anew with the next task");
}
