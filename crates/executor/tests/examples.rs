//! The examples, run: each is a program of its own, whose `main` prints what its `run` returns.
#![allow(dead_code, reason = "the mains of the examples are not called here")]
#![allow(clippy::duplicate_mod, reason = "each example has its own copy of what they share")]

#[path = "../examples/event_loop.rs"]
mod event_loop;
#[path = "../examples/multi_executor.rs"]
mod multi_executor;
#[path = "../examples/plain_loop.rs"]
mod plain_loop;
#[path = "../examples/tokio_loop.rs"]
mod tokio_loop;

#[test]
fn a_plain_loop_of_fixed_frames_has_room_for_timers_and_for_long_work() {
    let mut paced = 0;
    let report = plain_loop::run(30, || paced += 1);
    assert_eq!(paced, 30);
    // 50 ms have passed in the 3rd frame, 120 ms in the 8th.
    let pictures = [
        "  3: tower +1",
        "  6: tower +2",
        "  8: bridge +1, tower +2",
        "  9: bridge +1, tower +1",
        " 12: bridge +1, tower +0",
        " 15: bridge +1, tower +1",
        " 16: bridge +2, tower +1",
        " 18: bridge +2, tower +2",
        " 21: bridge +2, tower +1",
        " 24: bridge +3, tower +0",
        " 27: bridge +3, tower +1",
    ];
    assert_eq!(report.pictures, pictures);
    // 626 polls of the planner; without a budget they would all be in the first frame.
    assert_eq!((report.primes, report.planning), (1_229, 20));
}

#[test]
fn a_callback_loop_is_called_when_there_is_something_to_do_and_only_then() {
    let (outcome, seen) = event_loop::run("kippu");
    assert_eq!((&*outcome.word, outcome.blinks), ("kippu", 12));
    assert_eq!(outcome.sum, "kippu".chars().map(u32::from).sum());
    // The long work of 1,000 polls takes 15 iterations of 64 polls and a part of the one in which it begins.
    let polls = event_loop::YIELDS / 64;
    assert!((polls..=polls + 1).contains(&seen.polls), "{seen:?}");
    // The bell rings for the first spawn, and for the other thread's answer if the task waits by then.
    assert!((1..=2).contains(&seen.bells), "{seen:?}");
    // At most 9 iterations of the 12 with a blink had another cause: the first, 6 keys, the bell.
    assert!(seen.deadlines >= 3, "{seen:?}");
}

#[test]
fn executors_on_several_threads_work_together_by_messages() {
    // Miri is slow.
    let (texts, mappers) = if cfg!(miri) {
        (["to be or not", "to be", "that is the question", "to"].repeat(3), 2)
    } else {
        (multi_executor::TEXTS.repeat(10), 3)
    };
    let report = multi_executor::run(texts.clone(), mappers, 2);
    assert_eq!(report.counts, multi_executor::expected(&texts));
    assert!(report.sleeps > 0, "main has to wait for the others at least");
}

#[test]
fn tokios_tasks_and_ours_take_turns_on_one_thread() {
    assert_eq!(tokio_loop::run(5), [2, 4, 6, 8, 10]);
}
