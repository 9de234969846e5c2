//! The timer wheel, by itself and in an executor.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Wake, Waker};

use kippu_executor::{Executor, TimerKey, TimerWheel};
use support::{Count, Log, exact_wakers, rounds, silent_executor};

/// One tick of level 0, in ns.
const TICK: u64 = 1 << 16;

/// Moves the time and wakes what is due.
fn expire(wheel: &mut TimerWheel, now: u64) {
    let mut due = Vec::new();
    wheel.expire(now, &mut due);
    due.into_iter().for_each(Waker::wake);
}

fn insert(wheel: &mut TimerWheel, log: &Log, deadline: u64) -> TimerKey {
    wheel.insert(deadline, log.waker(&deadline.to_string()))
}

#[test]
fn a_timer_fires_at_its_deadline_and_not_1_ns_before() {
    let log = Log::new();
    // Within a tick, at its edges, one per level, and at the end of time.
    let mut deadlines = vec![1, TICK - 1, TICK, TICK + 1, u64::MAX - 1, u64::MAX];
    deadlines.extend((0..8).map(|level| TICK << (6 * level)));
    for deadline in deadlines {
        let mut wheel = TimerWheel::new();
        insert(&mut wheel, &log, deadline);
        assert_eq!(wheel.next_deadline(), Some(deadline));
        expire(&mut wheel, deadline - 1);
        log.expect(&[]);
        assert_eq!((wheel.next_deadline(), wheel.len()), (Some(deadline), 1));
        expire(&mut wheel, deadline);
        log.expect(&[&deadline.to_string()]);
        assert!(wheel.is_empty());
    }
}

#[test]
fn deadlines_on_both_sides_of_every_level_fire_in_order() {
    let log = Log::new();
    let mut deadlines: Vec<u64> = (0..48)
        .step_by(rounds(1, 5) as usize)
        .flat_map(|bit| {
            let edge = TICK << bit;
            [edge - 1, edge, edge + 1]
        })
        .chain([u64::MAX - 1, u64::MAX])
        .collect();
    deadlines.sort_unstable();
    deadlines.dedup();
    let expected: Vec<String> = deadlines.iter().map(u64::to_string).collect();
    let mut all_at_once = TimerWheel::new();
    let mut one_by_one = TimerWheel::new();
    for &deadline in deadlines.iter().rev() {
        insert(&mut all_at_once, &log, deadline);
        insert(&mut one_by_one, &log, deadline);
    }
    expire(&mut all_at_once, u64::MAX);
    assert_eq!(log.take(), expected);
    let mut steps = 0;
    while let Some(deadline) = one_by_one.next_deadline() {
        assert_eq!(deadline, deadlines[steps], "nothing was cancelled, so it is exact");
        expire(&mut one_by_one, deadline);
        steps += 1;
    }
    assert_eq!((log.take(), steps), (expected, deadlines.len()));
}

#[test]
fn equal_deadlines_fire_in_the_order_of_insertion_whatever_level_they_were_put_in() {
    let log = Log::new();
    let mut wheel = TimerWheel::new();
    let deadline = 5_000 * TICK + 7;
    for (now, name) in [(0, "a"), (4_000 * TICK, "b"), (4_990 * TICK, "c"), (5_000 * TICK, "d")] {
        expire(&mut wheel, now);
        wheel.insert(deadline, log.waker(name));
        wheel.insert(deadline, log.waker(&name.repeat(2)));
    }
    expire(&mut wheel, deadline);
    log.expect(&["a", "aa", "b", "bb", "c", "cc", "d", "dd"]);
}

#[test]
fn a_past_deadline_fires_at_once_and_before_later_ones() {
    let log = Log::new();
    let mut wheel = TimerWheel::new();
    expire(&mut wheel, 1_000_000);
    insert(&mut wheel, &log, 1_000_000);
    insert(&mut wheel, &log, 999_999);
    insert(&mut wheel, &log, 0);
    assert_eq!(wheel.next_deadline(), Some(0));
    expire(&mut wheel, 1_000_000);
    log.expect(&["0", "999999", "1000000"]);
}

#[test]
fn time_does_not_go_back() {
    let log = Log::new();
    let mut wheel = TimerWheel::new();
    expire(&mut wheel, 1_000_000);
    insert(&mut wheel, &log, 900_000);
    insert(&mut wheel, &log, 1_000_001);
    expire(&mut wheel, 5);
    log.expect(&["900000"]);
    expire(&mut wheel, 1_000_001);
    log.expect(&["1000001"]);
}

#[test]
fn the_end_of_time_is_a_time_like_any_other() {
    let log = Log::new();
    let mut wheel = TimerWheel::new();
    expire(&mut wheel, u64::MAX - 1);
    insert(&mut wheel, &log, u64::MAX);
    expire(&mut wheel, u64::MAX - 1);
    log.expect(&[]);
    expire(&mut wheel, u64::MAX);
    insert(&mut wheel, &log, u64::MAX);
    insert(&mut wheel, &log, 3);
    expire(&mut wheel, u64::MAX);
    let max = u64::MAX.to_string();
    log.expect(&[&max, "3", &max]);
}

#[test]
fn a_cancelled_timer_never_fires_and_gives_back_its_waker() {
    let mut wheel = TimerWheel::new();
    let (count, waker) = Count::new();
    let keys: Vec<TimerKey> =
        (0..300).map(|i| wheel.insert(i * i * i * TICK / 3, waker.clone())).collect();
    assert_eq!(Arc::strong_count(&count), 302);
    // First, middle and last of their slots.
    for key in keys.iter().step_by(2).chain(keys.iter().skip(1).step_by(2)) {
        assert!(wheel.cancel(*key).is_some());
        assert!(wheel.cancel(*key).is_none());
    }
    assert_eq!((Arc::strong_count(&count), wheel.next_deadline()), (2, None));
    expire(&mut wheel, u64::MAX);
    assert_eq!(count.get(), 0);
}

#[test]
fn a_stale_key_is_recognised_though_its_place_is_used_again() {
    let mut wheel = TimerWheel::new();
    let [waker] = exact_wakers();
    let fired = wheel.insert(10, waker.clone());
    expire(&mut wheel, 10);
    let live = wheel.insert(20, waker.clone());
    assert_ne!(fired, live);
    assert_eq!(wheel.deadline(fired), None);
    assert!(!wheel.wakes(fired, &waker) && !wheel.set_ref(fired, false));
    assert!(wheel.cancel(fired).is_none());
    let (other, other_waker) = Count::new();
    drop(wheel.replace(fired, other_waker));
    assert_eq!(Arc::strong_count(&other), 1, "it came back");
    assert!(wheel.wakes(live, &waker));
    assert_eq!((wheel.deadline(live), wheel.len(), wheel.refs()), (Some(20), 1, 1));
}

#[test]
fn after_a_cancellation_the_next_deadline_may_be_early_but_corrects_itself() {
    let log = Log::new();
    let mut wheel = TimerWheel::new();
    let early = insert(&mut wheel, &log, 100 * TICK);
    insert(&mut wheel, &log, 100 * TICK + 5);
    drop(wheel.cancel(early));
    let next = wheel.next_deadline().unwrap();
    assert!(next <= 100 * TICK + 5);
    expire(&mut wheel, next);
    assert_eq!(wheel.next_deadline(), Some(100 * TICK + 5), "a driver does not spin on it");
    log.expect(&[]);
}

#[test]
fn unreferenced_timers_are_not_counted() {
    let executor = silent_executor();
    let keys = [1, 2, 3].map(|at| executor.insert_timer(at, Waker::noop().clone()));
    assert_eq!(executor.ref_timers(), 3);
    assert!(executor.set_timer_ref(keys[1], false));
    assert!(executor.set_timer_ref(keys[1], false));
    assert_eq!(executor.ref_timers(), 2);
    assert!(executor.cancel_timer(keys[0]));
    assert_eq!(executor.ref_timers(), 1);
    assert_eq!(executor.fire_timers(5), 2);
    assert_eq!(executor.ref_timers(), 0);
    assert!(!executor.set_timer_ref(keys[1], true));
    executor.insert_timer(1, Waker::noop().clone());
    assert_eq!(executor.ref_timers(), 1, "a place that is used again starts anew");
}

#[test]
fn an_update_changes_who_is_woken_and_not_the_order() {
    let log = Log::new();
    let executor = silent_executor();
    let first = executor.insert_timer(10, log.waker("old"));
    executor.insert_timer(10, log.waker("second"));
    let waker = log.waker("new");
    assert!(executor.update_timer(first, &waker));
    assert!(executor.update_timer(first, &waker));
    assert_eq!(executor.fire_timers(10), 2);
    log.expect(&["new", "second"]);
    assert!(!executor.update_timer(first, &waker));
    assert!(!executor.cancel_timer(first));
}

/// Does something with an executor when it is woken, and the same again when it is dropped.
struct Reenters(fn(&Executor));

thread_local! {
    static EXECUTOR: RefCell<Option<Rc<Executor>>> = const { RefCell::new(None) };
}

impl Reenters {
    fn reenter(&self) {
        if let Some(executor) = EXECUTOR.with_borrow(Clone::clone) {
            (self.0)(&executor);
        }
    }
}

impl Wake for Reenters {
    fn wake(self: Arc<Self>) {
        self.reenter();
    }
}

impl Drop for Reenters {
    fn drop(&mut self) {
        self.reenter();
    }
}

#[test]
fn wakers_may_use_the_timers_when_they_are_woken_or_dropped() {
    let executor = Rc::new(silent_executor());
    EXECUTOR.set(Some(executor.clone()));
    let reenters = || {
        Waker::from(Arc::new(Reenters(|executor| {
            let key = executor.insert_timer(1_000, Waker::noop().clone());
            assert!(executor.update_timer(key, Waker::noop()));
            executor.fire_timers(0);
            assert!(executor.cancel_timer(key));
        })))
    };
    executor.insert_timer(10, reenters());
    let cancelled = executor.insert_timer(10, reenters());
    let updated = executor.insert_timer(20, reenters());
    assert!(executor.cancel_timer(cancelled));
    assert!(executor.update_timer(updated, Waker::noop()));
    assert_eq!(executor.fire_timers(10), 1);
    assert_eq!(executor.fire_timers(2_000), 1);
    assert_eq!(executor.next_deadline(), None);
    EXECUTOR.take();
}

#[test]
fn a_wake_that_inserts_a_past_deadline_waits_for_the_next_call() {
    let executor = Rc::new(silent_executor());
    EXECUTOR.set(Some(executor.clone()));
    fn insert_another(executor: &Executor) {
        executor.insert_timer(0, Waker::noop().clone());
    }
    let waker = Waker::from(Arc::new(Reenters(insert_another)));
    executor.insert_timer(10, waker.clone());
    assert_eq!(executor.fire_timers(10), 1);
    assert_eq!(executor.next_deadline(), Some(0));
    assert_eq!(executor.fire_timers(10), 1);
    EXECUTOR.take();
}
