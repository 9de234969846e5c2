//! Joining: outputs, errors, changing joiners, detaching.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use kippu_executor::{AbortHandle, Executor, JoinHandle};
use support::{Count, Log, Slot, joined, poll_handle, run, silent_executor, yield_now};

#[test]
fn the_output_reaches_the_joiner() {
    let executor = silent_executor();
    let handle = executor.spawn(async { String::from("out") });
    run(&executor);
    assert_eq!(joined(handle).unwrap(), "out");
}

#[test]
fn outputs_larger_and_smaller_than_their_futures_arrive_whole() {
    let executor = silent_executor();
    let large = executor.spawn(async { [7_u64; 100] });
    let state = [3_u8; 300];
    let small = executor.spawn(async move {
        yield_now().await;
        state[299]
    });
    let nothing = executor.spawn(async {});
    run(&executor);
    assert_eq!(joined(large).unwrap(), [7; 100]);
    assert_eq!(joined(small).unwrap(), 3);
    assert_eq!(joined(nothing).ok(), Some(()));
}

#[test]
fn a_chain_of_joiners_runs_to_its_end() {
    let executor = silent_executor();
    let mut last = executor.spawn(async { 0_u32 });
    for _ in 0..100 {
        let before = last;
        last = executor.spawn(async move { before.await.unwrap() + 1 });
    }
    run(&executor);
    assert_eq!(joined(last).unwrap(), 100);
}

#[test]
fn only_the_last_waker_that_polled_is_woken() {
    let executor = silent_executor();
    let mut handle = executor.spawn(async {});
    let (first, first_waker) = Count::new();
    let (second, second_waker) = Count::new();
    assert!(poll_handle(&mut handle, &first_waker).is_pending());
    assert!(poll_handle(&mut handle, &second_waker).is_pending());
    drop(first_waker);
    assert_eq!(std::sync::Arc::strong_count(&first), 1, "the replaced waker is kept");
    run(&executor);
    assert_eq!((first.get(), second.get()), (0, 1));
}

#[test]
fn polling_again_with_the_same_waker_keeps_one_clone() {
    let executor = silent_executor();
    let mut handle = executor.spawn(async {});
    let (count, waker) = Count::new();
    for _ in 0..3 {
        assert!(poll_handle(&mut handle, &waker).is_pending());
        assert_eq!(std::sync::Arc::strong_count(&count), 3);
    }
    run(&executor);
    assert_eq!(count.get(), 1);
    assert_eq!(
        std::sync::Arc::strong_count(&count),
        2,
        "the joiner's waker is gone after its wake"
    );
}

#[test]
fn dropping_the_handle_detaches_the_task() {
    let executor = silent_executor();
    let ran = Rc::new(Cell::new(false));
    let flag = ran.clone();
    drop(executor.spawn(async move {
        yield_now().await;
        flag.set(true);
    }));
    run(&executor);
    assert!(ran.get());
    assert_eq!(executor.live_tasks(), 0);
}

#[test]
fn dropping_a_handle_drops_the_waker_that_waited() {
    let executor = silent_executor();
    let mut handle = executor.spawn(async {});
    let (count, waker) = Count::new();
    assert!(poll_handle(&mut handle, &waker).is_pending());
    drop(handle);
    drop(waker);
    assert_eq!(std::sync::Arc::strong_count(&count), 1);
    run(&executor);
    assert_eq!(count.get(), 0, "nobody waits any more");
}

#[test]
fn a_task_may_drop_its_own_handle_while_it_is_polled() {
    let log = Log::new();
    let executor = log.executor();
    let own: Rc<RefCell<Option<JoinHandle<support::OnDrop>>>> = Rc::default();
    let (place, inner) = (own.clone(), log.clone());
    *own.borrow_mut() = Some(executor.spawn(log.future("a", move |_| {
        drop(place.borrow_mut().take());
        Poll::Ready(inner.on_drop("output"))
    })));
    run(&executor);
    log.expect(&["unpark", "poll a", "drop a", "drop output"]);
}

#[test]
fn a_future_may_own_its_own_handle() {
    let log = Log::new();
    let executor = log.executor();
    let own: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
    let (place, slot) = (own.clone(), Slot::new());
    let kept = slot.clone();
    let mut polls = 0;
    let handle = executor.spawn(log.future("a", move |cx| {
        polls += 1;
        // From the second poll on, only its drop drops the handle.
        let _place = &place;
        if polls == 2 { Poll::Ready(()) } else { kept.keep(cx) }
    }));
    *own.borrow_mut() = Some(handle);
    drop(own);
    run(&executor);
    slot.wake();
    run(&executor);
    log.expect(&["unpark", "poll a", "unpark", "poll a", "drop a"]);
    assert_eq!(executor.live_tasks(), 0);
}

#[test]
fn a_task_that_joins_itself_waits_until_it_is_aborted() {
    let log = Log::new();
    let executor = log.executor();
    let own: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
    let place = own.clone();
    let handle = executor.spawn(log.future("a", move |cx| {
        let mut own = place.borrow_mut();
        Pin::new(own.as_mut().unwrap()).poll(cx).map(|_| ())
    }));
    let abort = handle.abort_handle();
    *own.borrow_mut() = Some(handle);
    run(&executor);
    assert!(!executor.woken_from_outside(), "its only waker is its own");
    log.expect(&["unpark", "poll a"]);
    abort.abort();
    run(&executor);
    log.expect(&["unpark", "drop a"]);
    assert!(abort.is_finished());
}

#[test]
fn a_task_of_one_executor_joins_a_task_of_another() {
    let log = Log::new();
    let (near, far) = (log.executor(), silent_executor());
    let slot = Slot::new();
    let kept = slot.clone();
    let mut polls = 0;
    let answer = far.spawn(poll_fn(move |cx| {
        polls += 1;
        if polls == 2 { Poll::Ready(5) } else { kept.keep(cx) }
    }));
    let joiner = near.spawn(async move { answer.await.unwrap() });
    run(&far);
    run(&near);
    assert!(near.woken_from_outside(), "the other executor holds the joiner's waker");
    assert!(far.woken_from_outside(), "the test does");
    log.expect(&["unpark"]);
    slot.wake();
    run(&far);
    log.expect(&["unpark"]);
    run(&near);
    assert_eq!(joined(joiner).unwrap(), 5);
}

#[test]
fn a_joiner_learns_of_the_death_of_the_other_executor() {
    let (near, far) = (silent_executor(), silent_executor());
    let handle = far.spawn(std::future::pending::<()>());
    let joiner = near.spawn(async move { handle.await.unwrap_err().is_cancelled() });
    run(&near);
    drop(far);
    run(&near);
    assert!(joined(joiner).unwrap());
}

#[test]
fn a_handle_outlives_its_executor_with_the_output() {
    let executor = silent_executor();
    let handle = executor.spawn(async { String::from("kept") });
    run(&executor);
    drop(executor);
    assert!(handle.is_finished());
    assert_eq!(joined(handle).unwrap(), "kept");
}

#[test]
#[should_panic(expected = "JoinHandle polled after it gave its output")]
fn polling_a_handle_after_its_output_panics() {
    let executor = silent_executor();
    let mut handle = executor.spawn(async {});
    let (_, waker) = Count::new();
    run(&executor);
    assert!(poll_handle(&mut handle, &waker).is_ready());
    let _ = poll_handle(&mut handle, &waker);
}

#[test]
fn a_handle_shows_where_its_task_was_spawned() {
    let executor = silent_executor();
    let handle = executor.spawn(async {});
    let line = line!() - 1;
    let shown = format!("{handle:?}");
    assert!(shown.contains(&format!("{}:{line}:", file!())), "{shown}");
    assert!(shown.contains("finished: false"), "{shown}");
    run(&executor);
    assert!(format!("{:?}", handle.abort_handle()).contains("finished: true"));
}

#[test]
fn handles_and_executors_stay_on_their_thread_and_need_no_pin() {
    // Two candidates for `check`, and so an error of the compiler, if `T` is `Send` or `Sync`.
    trait Stays<A> {
        fn check() {}
    }
    impl<T: ?Sized> Stays<()> for T {}
    struct IsSend;
    impl<T: ?Sized + Send> Stays<IsSend> for T {}
    struct IsSync;
    impl<T: ?Sized + Sync> Stays<IsSync> for T {}
    <JoinHandle<()> as Stays<_>>::check();
    <AbortHandle as Stays<_>>::check();
    <Executor as Stays<_>>::check();

    fn needs_no_pin(_: &impl Unpin) {}
    let executor = silent_executor();
    needs_no_pin(&executor.spawn(async { std::marker::PhantomPinned }));
}
