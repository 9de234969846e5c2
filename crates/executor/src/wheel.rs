//! The timer wheel: hierarchical, after Varghese and Lauck, "Hashed and Hierarchical Timing Wheels"
//! (SOSP 1987).
//!
//! A *tick* is 2^16 ns (65.5 µs). Eight levels of 64 slots cover all 2^48 ticks of a `u64` of
//! nanoseconds, so no deadline is too far away. Level 0 holds what is due within the current 64
//! ticks, level n what is due within the current 64^(n+1) but not the current 64^n. Deadlines are kept exactly: a tick is
//! how timers are sorted, not how they are rounded.
//!
//! Insertion and cancellation are O(1), the latter on average over many. A timer moves down at most seven
//! times in its life.
//!
//! A timer is two things: a node, which has the waker and is found by the key, and an entry with the deadline
//! in the array of a slot. To move a slot down is to read an array and to write a few others, which the
//! processor does without waiting for memory; lists through the nodes made it wait for each of them. The
//! arrays keep the order of insertion: whatever is moved comes into slots that were empty before. So
//! equal deadlines are in order by themselves.
//!
//! Memory is taken for the most timers there were at a time, with up to three entries for each, as `slots`
//! says, and is used again.

mod due;
mod slots;

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::task::Waker;

use due::Due;
use slots::{CHUNK, Entry, SLOTS, Slots};

const NIL: u32 = u32::MAX;
/// `Node::slot` of a timer in `TimerWheel::front`.
const FRONT: u16 = u16::MAX;

/// Names one timer of one [`TimerWheel`]. Stale keys, of timers that have fired or been cancelled, are
/// recognised.
///
/// # Examples
/// ```
/// # use std::task::Waker;
/// let mut wheel = kippu_executor::TimerWheel::new();
/// let stale = wheel.insert(10, Waker::noop().clone());
/// wheel.cancel(stale);
/// let key = wheel.insert(20, Waker::noop().clone());
/// assert_ne!(stale, key);
/// assert_eq!((wheel.deadline(stale), wheel.deadline(key)), (None, Some(20)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimerKey {
    index: u32,
    generation: u32,
}

struct Node {
    /// In a slot: the place of its entry. In front: the deadline. Free: the next one of the free list.
    place: u64,
    /// Only of a live one.
    waker: Option<Waker>,
    generation: u32,
    slot: u16,
    keeps_alive: bool,
}

/// Timers sorted by deadline. It cannot read a clock: times are `u64` nanoseconds of the caller's clock.
///
/// # Examples
/// ```
/// # use std::task::Waker;
/// let mut wheel = kippu_executor::TimerWheel::new();
/// wheel.insert(2_000, Waker::noop().clone());
/// wheel.insert(1_000, Waker::noop().clone());
/// assert_eq!(wheel.next_deadline(), Some(1_000));
///
/// let mut due = Vec::new();
/// wheel.expire(1_500, &mut due);
/// due.drain(..).for_each(Waker::wake); // the earlier one
/// assert_eq!((wheel.len(), wheel.next_deadline()), (1, Some(2_000)));
/// ```
pub struct TimerWheel {
    nodes: Vec<Node>,
    /// The first free node.
    free: u32,
    len: usize,
    /// How many of them do not keep the program alive.
    unrefs: usize,
    /// The time of the last `expire`.
    now: u64,
    slots: Slots,
    /// What is left of the current tick after something of it has fired, so that the next call need not look
    /// at all of it again. The slot of this tick has what was inserted after that.
    front: BinaryHeap<Due>,
    /// How many in `front` are dead.
    front_dead: usize,
    /// How many have come to `front`.
    seq: u64,
}

impl Default for TimerWheel {
    fn default() -> Self {
        TimerWheel::new()
    }
}

impl TimerWheel {
    /// An empty wheel, at time 0.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(kippu_executor::TimerWheel::new().next_deadline(), None);
    /// ```
    pub fn new() -> Self {
        TimerWheel {
            nodes: Vec::new(),
            free: NIL,
            len: 0,
            unrefs: 0,
            now: 0,
            slots: Slots::new(),
            front: BinaryHeap::new(),
            front_dead: 0,
            seq: 0,
        }
    }

    /// How many timers are live.
    ///
    /// # Examples
    /// ```
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// wheel.insert(5, std::task::Waker::noop().clone());
    /// assert_eq!(wheel.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no timer is live.
    ///
    /// # Examples
    /// ```
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// assert!(wheel.is_empty());
    /// wheel.insert(5, std::task::Waker::noop().clone());
    /// assert!(!wheel.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many live timers keep the program alive.
    ///
    /// # Examples
    /// ```
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// wheel.insert(5, std::task::Waker::noop().clone());
    /// assert_eq!(wheel.refs(), 1); // as each does at first
    /// ```
    pub fn refs(&self) -> usize {
        self.len - self.unrefs
    }

    /// Adds a timer that wakes `waker` at `deadline` ns. O(1).
    ///
    /// # Panics
    /// With more than 2^32 - 1 live timers.
    ///
    /// # Examples
    /// ```
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// let key = wheel.insert(5, std::task::Waker::noop().clone());
    /// assert_eq!(wheel.deadline(key), Some(5));
    /// ```
    pub fn insert(&mut self, deadline: u64, waker: Waker) -> TimerKey {
        let index = self.free;
        let Some(node) = self.nodes.get_mut(index as usize) else {
            return self.insert_into_more(deadline, waker);
        };
        // A free node has no waker; to drop it all the same would cost as much as the rest.
        core::mem::forget(node.waker.replace(waker));
        self.free = node.place as u32;
        let at = Slots::of(self.now, deadline);
        node.slot = at as u16;
        node.keeps_alive = true;
        self.len += 1;
        let key = TimerKey { index, generation: node.generation };
        let Some(place) = self.slots.try_push(at, deadline, index) else {
            return self.push(at, deadline, key);
        };
        node.place = place;
        key
    }

    /// [`insert`](Self::insert) when no node is free.
    #[cold]
    #[inline(never)]
    fn insert_into_more(&mut self, deadline: u64, waker: Waker) -> TimerKey {
        self.grow();
        self.insert(deadline, waker)
    }

    /// Makes an entry that takes a chunk.
    #[inline(never)]
    fn push(&mut self, at: usize, deadline: u64, key: TimerKey) -> TimerKey {
        self.nodes[key.index as usize].place = self.slots.push(at, deadline, key.index);
        key
    }

    /// Adds a node to the free list, which is empty.
    fn grow(&mut self) {
        let index = u32::try_from(self.nodes.len()).ok().filter(|&index| index != NIL);
        self.free = index.expect("too many timers");
        self.nodes.push(Node {
            place: NIL.into(),
            waker: None,
            generation: 0,
            slot: 0,
            keeps_alive: true,
        });
    }

    /// Removes a timer and gives back its waker; `None` when it has fired or been cancelled. O(1),
    /// on average over many: now and then a call sweeps what others have left.
    ///
    /// # Examples
    /// ```
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// let key = wheel.insert(5, std::task::Waker::noop().clone());
    /// assert!(wheel.cancel(key).is_some());
    /// assert!(wheel.cancel(key).is_none());
    /// ```
    pub fn cancel(&mut self, key: TimerKey) -> Option<Waker> {
        let node = self.nodes.get_mut(key.index as usize)?;
        if node.generation != key.generation {
            return None;
        }
        let waker = node.waker.take()?;
        let (slot, place) = (node.slot, node.place);
        Self::release(node, key.index, &mut self.free, &mut self.unrefs);
        self.len -= 1;
        if slot == FRONT || self.slots.remove(slot.into(), place) {
            return self.tidy(slot, waker);
        }
        Some(waker)
    }

    /// Looks after what a cancelled timer left, and gives back its waker.
    #[inline(never)]
    fn tidy(&mut self, slot: u16, waker: Waker) -> Option<Waker> {
        if slot == FRONT {
            self.front_dead += 1;
            let live = self.front.len() - self.front_dead;
            if live == 0 || self.front_dead > live + CHUNK {
                // `retain` would be several times the wasm.
                for due in core::mem::take(&mut self.front).into_vec() {
                    if self.nodes[due.key.index as usize].generation == due.key.generation {
                        self.front.push(due);
                    }
                }
                self.front_dead = 0;
            }
        } else if !self.slots.clear(slot.into()) {
            // Each goes to where it was, without the gaps.
            self.cascade(slot.into());
        }
        Some(waker)
    }

    /// When the timer is due, in ns; `None` when it has fired or been cancelled.
    ///
    /// # Examples
    /// ```
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// let key = wheel.insert(5, std::task::Waker::noop().clone());
    /// assert_eq!(wheel.deadline(key), Some(5));
    /// wheel.expire(6, &mut Vec::new());
    /// assert_eq!(wheel.deadline(key), None);
    /// ```
    pub fn deadline(&self, key: TimerKey) -> Option<u64> {
        self.node(key).map(|node| match node.slot {
            FRONT => node.place,
            _ => self.slots.deadline(node.place),
        })
    }

    /// Whether the timer is live and would wake the same task as `waker`.
    ///
    /// # Examples
    /// ```
    /// # use std::task::Waker;
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// let key = wheel.insert(5, Waker::noop().clone());
    /// assert!(wheel.wakes(key, Waker::noop()));
    /// ```
    pub fn wakes(&self, key: TimerKey, waker: &Waker) -> bool {
        self.node(key).and_then(|node| node.waker.as_ref()).is_some_and(|old| old.will_wake(waker))
    }

    /// Exchanges the waker of a live timer and gives back the old one; gives back `waker` when it is not live.
    ///
    /// # Examples
    /// ```
    /// # use std::task::Waker;
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// let key = wheel.insert(5, Waker::noop().clone());
    /// let other = futures_util::task::noop_waker(); // not std's
    /// let old = wheel.replace(key, other.clone());
    /// assert!(old.will_wake(Waker::noop()) && wheel.wakes(key, &other));
    /// ```
    pub fn replace(&mut self, key: TimerKey, waker: Waker) -> Waker {
        match self.node(key) {
            Some(_) => self.nodes[key.index as usize]
                .waker
                .replace(waker)
                .expect("a live timer has a waker"),
            None => waker,
        }
    }

    /// The wakers of the timers that do not keep the program alive.
    pub(crate) fn unref_wakers(&self) -> impl Iterator<Item = &Waker> {
        self.nodes.iter().filter(|node| !node.keeps_alive).filter_map(|node| node.waker.as_ref())
    }

    /// Sets whether this timer keeps the program alive. `false` when it is not live.
    ///
    /// # Examples
    /// ```
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// let key = wheel.insert(5, std::task::Waker::noop().clone());
    /// assert!(wheel.set_ref(key, false));
    /// assert_eq!((wheel.refs(), wheel.len()), (0, 1));
    /// ```
    pub fn set_ref(&mut self, key: TimerKey, on: bool) -> bool {
        if self.node(key).is_none() {
            return false;
        }
        let was = core::mem::replace(&mut self.nodes[key.index as usize].keeps_alive, on);
        self.unrefs = self.unrefs + usize::from(was) - usize::from(on);
        true
    }

    /// A time before which nothing is due, in ns: the earliest deadline, or that of a cancelled timer
    /// near it. `None` when there is no timer.
    ///
    /// # Examples
    /// ```
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// wheel.insert(5, std::task::Waker::noop().clone());
    /// assert_eq!(wheel.next_deadline(), Some(5));
    /// ```
    pub fn next_deadline(&self) -> Option<u64> {
        if self.len == 0 {
            return None;
        }
        let slot = self.slots.first().map(|at| self.slots.earliest(at));
        let front = self.front.peek().map(Due::deadline);
        // `None` would be the least of the two.
        slot.into_iter().chain(front).min()
    }

    /// Moves time to `now` ns and appends the wakers of all that is due to `out`: by deadline, equal
    /// deadlines by insertion. A `now` before an earlier one counts as that one.
    ///
    /// # Examples
    /// ```
    /// let mut wheel = kippu_executor::TimerWheel::new();
    /// for deadline in [30, 10, 20] {
    ///     wheel.insert(deadline, std::task::Waker::noop().clone());
    /// }
    /// let mut due = Vec::new();
    /// wheel.expire(20, &mut due);
    /// assert_eq!((due.len(), wheel.len()), (2, 1));
    /// ```
    pub fn expire(&mut self, now: u64, out: &mut Vec<Waker>) {
        let now = now.max(self.now);
        if !self.front.is_empty() {
            let at = Slots::of(self.now, self.now);
            if self.slots.len(at) > 0 && self.slots.earliest(at) <= now {
                self.bring_to_front(at);
            }
            self.fire_front(now, out);
        }
        while let Some(at) = self.slots.first() {
            let earliest = self.slots.earliest(at);
            if at >= SLOTS {
                if Slots::start(self.now, at) > now {
                    break;
                }
                // Time may pass over what has no timers, so that these need not move through all levels.
                self.now = earliest.min(now);
                self.cascade(at);
            } else if earliest > now {
                break;
            } else if self.slots.len(at) <= CHUNK {
                self.fire_few(at, now, out);
            } else {
                self.bring_to_front(at);
                self.fire_front(now, out);
            }
        }
        self.now = now;
    }

    /// Fires what is due of a slot of one chunk, when nothing is in front, and puts the rest there.
    fn fire_few(&mut self, at: usize, now: u64, out: &mut Vec<Waker>) {
        self.slots.sort(at);
        let mut chain = self.slots.take(at);
        while let Some(entry) = chain.next(&mut self.slots) {
            if entry.deadline > now {
                self.push_front(entry);
            } else if let Some(waker) = self.fire(entry.index) {
                out.push(waker);
            }
        }
    }

    /// Puts all of a slot in front.
    fn bring_to_front(&mut self, at: usize) {
        let mut chain = self.slots.take(at);
        while let Some(entry) = chain.next(&mut self.slots) {
            self.push_front(entry);
        }
    }

    fn push_front(&mut self, Entry { deadline, index }: Entry) {
        let node = &mut self.nodes[index as usize];
        (node.slot, node.place) = (FRONT, deadline);
        let key = TimerKey { index, generation: node.generation };
        self.front.push(Due::new(deadline, self.seq, key));
        self.seq += 1;
    }

    /// Fires what is due in front.
    fn fire_front(&mut self, now: u64, out: &mut Vec<Waker>) {
        while let Some(first) = self.front.peek()
            && first.deadline() <= now
            && let Some(Due { key, .. }) = self.front.pop()
        {
            if self.nodes[key.index as usize].generation == key.generation {
                out.extend(self.fire(key.index));
            } else {
                self.front_dead -= 1;
            }
        }
    }

    /// Moves the entries of a slot to where they belong now.
    #[inline(never)]
    fn cascade(&mut self, at: usize) {
        let mut chain = self.slots.take(at);
        while let Some(Entry { deadline, index }) = chain.next(&mut self.slots) {
            let at = Slots::of(self.now, deadline);
            let place = self.slots.push(at, deadline, index);
            let node = &mut self.nodes[index as usize];
            (node.slot, node.place) = (at as u16, place);
        }
    }

    fn node(&self, key: TimerKey) -> Option<&Node> {
        self.nodes
            .get(key.index as usize)
            .filter(|node| node.generation == key.generation && node.waker.is_some())
    }

    /// Ends a timer whose entry is gone already.
    fn fire(&mut self, index: u32) -> Option<Waker> {
        let node = &mut self.nodes[index as usize];
        let waker = node.waker.take();
        self.len -= 1;
        Self::release(node, index, &mut self.free, &mut self.unrefs);
        waker
    }

    /// Puts a node on the free list.
    #[inline(always)]
    fn release(node: &mut Node, index: u32, free: &mut u32, unrefs: &mut usize) {
        node.generation = node.generation.wrapping_add(1);
        node.place = core::mem::replace(free, index).into();
        if !node.keeps_alive {
            *unrefs -= 1;
        }
    }
}

impl core::fmt::Debug for TimerWheel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TimerWheel")
            .field("len", &self.len)
            .field("now", &self.now)
            .field("next_deadline", &self.next_deadline())
            .finish()
    }
}
