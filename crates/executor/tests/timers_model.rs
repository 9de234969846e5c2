//! The timer wheel against a naive model, with random operations and extreme times.

#[path = "support/steps.rs"]
mod steps;
mod support;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use kippu_executor::{TimerKey, TimerWheel};
use proptest::prelude::*;
use support::rounds;

#[derive(Debug, Clone)]
enum Op {
    Insert(Time),
    /// The timer with this place among all that were ever inserted, whether live or not.
    Cancel(prop::sample::Index),
    Update(prop::sample::Index),
    SetRef(prop::sample::Index, bool),
    Expire(Time),
    /// To the wheel's own next deadline, as a driver does.
    Sleep,
}

#[derive(Debug, Clone)]
enum Time {
    At(u64),
    /// From the present, which ends at `u64::MAX`.
    After(u64),
    Before(u64),
    /// From the deadline of a timer that was once inserted.
    Near(prop::sample::Index, i64),
}

/// Every magnitude is equally likely.
fn any_size() -> impl Strategy<Value = u64> + Clone {
    (any::<u64>(), 0..64_u32).prop_map(|(n, shift)| n >> shift)
}

fn near() -> impl Strategy<Value = Time> {
    let by = prop_oneof![-3..=3_i64, -(1_i64 << 17)..1_i64 << 17];
    (any::<prop::sample::Index>(), by).prop_map(|(i, by)| Time::Near(i, by))
}

fn time() -> impl Strategy<Value = Time> {
    let any_size = any_size();
    // Edges of ticks and levels, give or take 1 ns.
    let edge = (0..48_u32, 0..70_u64, -1..=1_i64)
        .prop_map(|(level, n, by)| (n << 16 << level).wrapping_add_signed(by));
    let end = any_size.clone().prop_map(|n| u64::MAX - n);
    prop_oneof![
        2 => any_size.clone().prop_map(Time::At),
        2 => edge.clone().prop_map(Time::At),
        1 => end.prop_map(Time::At),
        4 => any_size.clone().prop_map(Time::After),
        4 => (0..3 * (1_u64 << 22)).prop_map(Time::After),
        2 => edge.prop_map(Time::After),
        1 => any_size.prop_map(Time::Before),
        4 => near(),
        1 => Just(Time::At(0)),
        1 => Just(Time::At(u64::MAX)),
    ]
}

/// Times that do not take the present far, so that it does not end soon.
fn soon() -> impl Strategy<Value = Time> {
    prop_oneof![
        4 => (0..3 * (1_u64 << 22)).prop_map(Time::After),
        2 => (0..1_u64 << 40).prop_map(Time::After),
        1 => any_size().prop_map(Time::Before),
        2 => near(),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    ops(time().boxed(), time().boxed())
}

fn ops(deadline: BoxedStrategy<Time>, now: BoxedStrategy<Time>) -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => deadline.prop_map(Op::Insert),
        3 => any::<prop::sample::Index>().prop_map(Op::Cancel),
        1 => any::<prop::sample::Index>().prop_map(Op::Update),
        1 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(i, on)| Op::SetRef(i, on)),
        2 => now.prop_map(Op::Expire),
        3 => Just(Op::Sleep),
    ]
}

/// Notes its number when it is woken.
struct Numbered(usize, Arc<Mutex<Vec<usize>>>);

impl Wake for Numbered {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

struct Timer {
    key: TimerKey,
    deadline: u64,
    /// The number of the waker that it has now.
    waker: usize,
    keeps_alive: bool,
}

/// Both side by side. The model is a map from (deadline, order of insertion).
struct Pair {
    wheel: TimerWheel,
    all: Vec<Timer>,
    live: BTreeMap<(u64, usize), ()>,
    now: u64,
    woken: Arc<Mutex<Vec<usize>>>,
    wakers: usize,
    /// The deadlines of cancelled timers.
    cancelled: HashSet<u64>,
}

impl Pair {
    fn new() -> Self {
        Pair {
            wheel: TimerWheel::new(),
            all: Vec::new(),
            live: BTreeMap::new(),
            now: 0,
            woken: Arc::default(),
            wakers: 0,
            cancelled: HashSet::new(),
        }
    }

    fn waker(&mut self) -> (usize, Waker) {
        self.wakers += 1;
        (self.wakers, Waker::from(Arc::new(Numbered(self.wakers, self.woken.clone()))))
    }

    fn time(&self, time: &Time) -> u64 {
        match *time {
            Time::At(at) => at,
            Time::After(by) => self.now.saturating_add(by),
            Time::Before(by) => self.now.saturating_sub(by),
            Time::Near(_, by) if self.all.is_empty() => self.now.saturating_add_signed(by),
            Time::Near(i, by) => {
                self.all[i.index(self.all.len())].deadline.saturating_add_signed(by)
            }
        }
    }

    fn is_live(&self, i: usize) -> bool {
        self.live.contains_key(&(self.all[i].deadline, i))
    }

    fn expire(&mut self, now: u64) {
        self.now = self.now.max(now);
        let mut due = Vec::new();
        self.wheel.expire(now, &mut due);
        due.into_iter().for_each(Waker::wake);
        let mut expected = Vec::new();
        while let Some(entry) = self.live.first_entry() {
            let (deadline, i) = *entry.key();
            if deadline > self.now {
                break;
            }
            entry.remove();
            expected.push(self.all[i].waker);
        }
        assert_eq!(std::mem::take(&mut *self.woken.lock().unwrap()), expected);
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Insert(time) => {
                let deadline = self.time(time);
                let (number, waker) = self.waker();
                let key = self.wheel.insert(deadline, waker);
                self.live.insert((deadline, self.all.len()), ());
                self.all.push(Timer { key, deadline, waker: number, keeps_alive: true });
            }
            Op::Expire(time) => self.expire(self.time(time)),
            Op::Sleep => {
                if let Some(next) = self.wheel.next_deadline() {
                    self.expire(next);
                }
            }
            Op::Cancel(_) | Op::Update(_) | Op::SetRef(..) if self.all.is_empty() => {}
            Op::Cancel(i) => {
                let i = i.index(self.all.len());
                let was = self.live.remove(&(self.all[i].deadline, i)).is_some();
                assert_eq!(self.wheel.cancel(self.all[i].key).is_some(), was);
                if was {
                    self.cancelled.insert(self.all[i].deadline);
                }
            }
            Op::Update(i) => {
                let i = i.index(self.all.len());
                let (number, waker) = self.waker();
                drop(self.wheel.replace(self.all[i].key, waker));
                self.all[i].waker = number;
            }
            Op::SetRef(i, on) => {
                let i = i.index(self.all.len());
                assert_eq!(self.wheel.set_ref(self.all[i].key, *on), self.is_live(i));
                self.all[i].keeps_alive = *on;
            }
        }
    }

    /// What the wheel says about itself.
    fn compare(&self) {
        assert_eq!(self.wheel.len(), self.live.len());
        assert_eq!(self.wheel.is_empty(), self.live.is_empty());
        let earliest = self.live.first_key_value().map(|(&(deadline, _), ())| deadline);
        let next = self.wheel.next_deadline();
        if next != earliest {
            // It may be that of a cancelled one.
            let (next, earliest) = (next.expect("no deadline"), earliest.expect("a deadline"));
            assert!(next < earliest, "{next} is later than {earliest}");
            assert!(self.cancelled.contains(&next), "{next} is nobody's");
        }
    }

    /// What it says about each timer.
    fn compare_all(&self) {
        self.compare();
        let refs = self.live.keys().filter(|&&(_, i)| self.all[i].keeps_alive).count();
        assert_eq!(self.wheel.refs(), refs);
        for (i, timer) in self.all.iter().enumerate() {
            let expected = self.is_live(i).then_some(timer.deadline);
            assert_eq!(self.wheel.deadline(timer.key), expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: rounds(256, 1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_wheel_does_what_a_sorted_map_does(ops in prop::collection::vec(op(), 1..rounds(80, 25) as usize)) {
        let mut pair = Pair::new();
        for op in &ops {
            pair.apply(op);
            pair.compare_all();
        }
        pair.expire(u64::MAX);
        pair.compare_all();
    }

    /// A driver that sleeps to the next deadline gets everything, in order, and does not spin.
    #[test]
    fn sleeping_from_deadline_to_deadline_finds_all(
        times in prop::collection::vec(time(), 1..rounds(60, 20) as usize),
        cancels in prop::collection::vec(any::<prop::sample::Index>(), 0..rounds(40, 10) as usize),
    ) {
        let mut pair = Pair::new();
        times.into_iter().for_each(|time| pair.apply(&Op::Insert(time)));
        cancels.into_iter().for_each(|i| pair.apply(&Op::Cancel(i)));
        while let Some(next) = pair.wheel.next_deadline() {
            pair.expire(next);
            pair.compare_all();
            let after = pair.wheel.next_deadline();
            assert!(after.is_none_or(|after| after > next), "{after:?} after {next}");
        }
        prop_assert!(pair.live.is_empty());
    }
}

/// A wheel that lives long, with times of every size, or with a present that takes its time.
#[test]
fn a_wheel_with_a_past_does_what_a_sorted_map_does() {
    let kinds = [
        ops(time().boxed(), time().boxed()).boxed(),
        ops(time().boxed(), soon().boxed()).boxed(),
        ops(soon().boxed(), soon().boxed()).boxed(),
    ];
    steps::lives(500, 40, |steps| {
        let (mut pair, kind) = (Pair::new(), &kinds[(steps.seed() % 3) as usize]);
        let mut made = 0;
        while let Some(op) = steps.next(kind) {
            pair.apply(&op);
            pair.compare();
            made += 1;
            if made % 64 == 0 {
                pair.compare_all();
            }
        }
        pair.expire(u64::MAX);
        pair.compare_all();
    });
}

/// Timers in few slots; so many cancellations to 900 insertions.
fn crowd(cancels: u32) -> BoxedStrategy<Op> {
    let within = prop_oneof![
        2 => (0..1_u64 << 16).prop_map(Time::After), // a tick
        4 => (0..1_u64 << 18).prop_map(Time::After), // a few slots of the lowest level
        4 => (0..1_u64 << 24).prop_map(Time::After), // and of the next one
        2 => (0..1_u64 << 30).prop_map(Time::After),
        1 => near(),
    ];
    prop_oneof![
        900 => within.prop_map(Op::Insert),
        cancels => any::<prop::sample::Index>().prop_map(Op::Cancel),
        10 => any::<prop::sample::Index>().prop_map(Op::Update),
        3 => Just(Op::Sleep),
        1 => (0..1_u64 << 17).prop_map(|by| Op::Expire(Time::After(by))),
    ]
    .boxed()
}

/// Hundreds of timers in a few slots, most of which are cancelled.
#[test]
fn a_crowded_wheel_does_what_a_sorted_map_does() {
    let kinds = [crowd(300), crowd(2_000), crowd(8_000)];
    steps::lives(3_000, 30, |steps| {
        let (mut pair, kind) = (Pair::new(), &kinds[(steps.seed() % 3) as usize]);
        let mut made = 0;
        while let Some(op) = steps.next(kind) {
            pair.apply(&op);
            pair.compare();
            made += 1;
            if made % 512 == 0 {
                pair.compare_all();
            }
        }
        // In the order of insertion, as timeouts end.
        for i in 0..pair.all.len() / 2 {
            let was = pair.live.remove(&(pair.all[i].deadline, i)).is_some();
            assert_eq!(pair.wheel.cancel(pair.all[i].key).is_some(), was);
            if was {
                pair.cancelled.insert(pair.all[i].deadline);
            }
            pair.compare();
        }
        pair.compare_all();
        pair.expire(u64::MAX);
        pair.compare_all();
    });
}

/// Each timer of a slot in turn, with so many in it that it takes one place, all of its places, or one more.
#[test]
fn any_timer_of_a_full_slot_can_be_cancelled() {
    let counts = [1, 2, 3, 15, 16, 17, 31, 32, 33, 48, 65];
    for n in counts.into_iter().filter(|&n| n <= rounds(65, 3) as usize) {
        for cancelled in 0..n {
            let mut pair = Pair::new();
            (0..n).for_each(|i| pair.apply(&Op::Insert(Time::At((7 * i % n) as u64 + (1 << 20)))));
            let Timer { key, deadline, .. } = pair.all[cancelled];
            assert!(pair.wheel.cancel(key).is_some());
            pair.live.remove(&(deadline, cancelled));
            pair.cancelled.insert(deadline);
            pair.compare_all();
            pair.expire(1 << 21);
            pair.compare_all();
        }
    }
}
