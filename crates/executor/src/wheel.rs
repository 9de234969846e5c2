//! The timer wheel: hierarchical, after Varghese and Lauck, "Hashed and Hierarchical Timing Wheels"
//! (SOSP 1987).
//!
//! A *tick* is 2^16 ns (65.5 µs). Eight levels of 64 slots cover all 2^48 ticks of a `u64` of
//! nanoseconds, so no deadline is too far away. Level 0 holds what is due within the current 64
//! ticks, level n what is due within the current 64^(n+1) but not the current 64^n. Deadlines are kept exactly: a tick is
//! how timers are sorted, not how they are rounded.
//!
//! Insertion and cancellation are O(1). A node moves down at most seven times in its life.

use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};
use core::task::Waker;

const TICK_BITS: u32 = 16;
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
const LEVELS: usize = 8;
const NIL: u32 = u32::MAX;
/// `Node::slot` of a node that is on the free list.
const FREE: u16 = u16::MAX;

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
    deadline: u64,
    /// Order of insertion, for equal deadlines.
    seq: u64,
    waker: Option<Waker>,
    prev: u32,
    next: u32,
    generation: u32,
    slot: u16,
    keeps_alive: bool,
}

#[derive(Clone, Copy)]
struct Slot {
    first: u32,
    /// No node in here is due before this; exact until one is cancelled.
    earliest: u64,
}

/// A timer that is due. The greatest is the one that comes first, as a heap gives the greatest.
///
/// A heap and not a sort, because a sort of std's is several KiB of wasm.
struct Due {
    order: Reverse<(u64, u64)>,
    waker: Waker,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.cmp(&other.order)
    }
}

const EMPTY: Slot = Slot { first: NIL, earliest: u64::MAX };

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
    free: u32,
    len: usize,
    /// How many of them do not keep the program alive.
    unrefs: usize,
    seq: u64,
    /// The time of the last `expire`.
    now: u64,
    /// One bit for each slot that has nodes.
    occupied: [u64; LEVELS],
    slots: Box<[Slot; LEVELS * SLOTS]>,
    /// What `expire` has found in a slot, before it is put in order. Kept so that it allocates only while it grows.
    due: BinaryHeap<Due>,
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
            seq: 0,
            now: 0,
            occupied: [0; LEVELS],
            slots: Box::new([EMPTY; LEVELS * SLOTS]),
            due: BinaryHeap::new(),
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
        if self.free == NIL {
            self.grow();
        }
        let at = self.slot_of(deadline);
        let slot = &mut self.slots[at];
        let index = self.free;
        let next = core::mem::replace(&mut slot.first, index);
        slot.earliest = slot.earliest.min(deadline);
        let node = &mut self.nodes[index as usize];
        self.free = node.next;
        node.deadline = deadline;
        node.seq = self.seq;
        // A free node has no waker; to drop it all the same would cost as much as the rest.
        core::mem::forget(node.waker.replace(waker));
        node.prev = NIL;
        node.next = next;
        node.slot = at as u16;
        node.keeps_alive = true;
        let key = TimerKey { index, generation: node.generation };
        self.seq += 1;
        self.len += 1;
        match self.nodes.get_mut(next as usize) {
            Some(next) => next.prev = index,
            None => self.occupied[at / SLOTS] |= 1 << (at % SLOTS),
        }
        key
    }

    /// Adds a node to the free list, which is empty.
    #[cold]
    fn grow(&mut self) {
        let index = u32::try_from(self.nodes.len()).ok().filter(|&index| index != NIL);
        self.free = index.expect("too many timers");
        self.nodes.push(Node {
            deadline: 0,
            seq: 0,
            waker: None,
            prev: NIL,
            next: NIL,
            generation: 0,
            slot: FREE,
            keeps_alive: true,
        });
    }

    /// Removes a timer and gives back its waker; `None` when it has fired or been cancelled. O(1).
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
        if node.generation != key.generation || node.slot == FREE {
            return None;
        }
        let (prev, next, at) = (node.prev, node.next, node.slot as usize);
        let waker = Self::release(node, key.index, &mut self.free, &mut self.unrefs);
        self.len -= 1;
        if let Some(next) = self.nodes.get_mut(next as usize) {
            next.prev = prev;
        }
        if let Some(prev) = self.nodes.get_mut(prev as usize) {
            prev.next = next;
        } else {
            self.slots[at].first = next;
            if next == NIL {
                self.clear(at);
            }
        }
        waker
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
        self.node(key).map(|node| node.deadline)
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
        self.nodes
            .iter()
            .filter(|node| node.slot != FREE && !node.keeps_alive)
            .filter_map(|node| node.waker.as_ref())
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
        let slot = self.first_slot()?;
        Some(self.slots[slot].earliest)
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
        while let Some(slot) = self.first_slot() {
            let level = slot / SLOTS;
            let start = self.slot_start(slot);
            if start > now {
                break;
            }
            self.now = start.max(self.now);
            let mut index = self.take_slot(slot);
            let current = level == 0 && start >> TICK_BITS == now >> TICK_BITS;
            while index != NIL {
                let next = self.nodes[index as usize].next;
                if level > 0 || (current && self.nodes[index as usize].deadline > now) {
                    self.link(index);
                } else {
                    let node = &mut self.nodes[index as usize];
                    let order = Reverse((node.deadline, node.seq));
                    self.len -= 1;
                    if let Some(waker) =
                        Self::release(node, index, &mut self.free, &mut self.unrefs)
                    {
                        self.due.push(Due { order, waker });
                    }
                }
                index = next;
            }
            // Slots come in the order of time, so only what is in one of them has to be sorted.
            while let Some(due) = self.due.pop() {
                out.push(due.waker);
            }
            if current {
                break;
            }
        }
        self.now = now;
    }

    fn node(&self, key: TimerKey) -> Option<&Node> {
        self.nodes
            .get(key.index as usize)
            .filter(|node| node.generation == key.generation && node.slot != FREE)
    }

    /// The occupied slot that comes first in time. Lower levels are always earlier than higher ones.
    fn first_slot(&self) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        let level = self.occupied.iter().position(|&bits| bits != 0)?;
        Some(level * SLOTS + self.occupied[level].trailing_zeros() as usize)
    }

    /// The first ns of a slot's span. Slots of a level lie within the span of one slot of the level
    /// above it, the one that `now` is in.
    fn slot_start(&self, slot: usize) -> u64 {
        let (level, index) = ((slot / SLOTS) as u32, (slot % SLOTS) as u64);
        let shift = TICK_BITS + SLOT_BITS * level;
        let above = shift + SLOT_BITS;
        let base = if above >= u64::BITS { 0 } else { self.now >> above << above };
        base | index << shift
    }

    /// The slot for a deadline, seen from `now`.
    fn slot_of(&self, deadline: u64) -> usize {
        let tick = deadline.max(self.now) >> TICK_BITS;
        let differs = tick ^ (self.now >> TICK_BITS);
        // The highest differing bit; bit 0 stands for none as well.
        let level = (63 - (differs | 1).leading_zeros()) / SLOT_BITS;
        let index = (tick >> (SLOT_BITS * level)) as usize % SLOTS;
        // The remainder is for the compiler alone, who knows then that it is within the array.
        (level as usize * SLOTS + index) % (LEVELS * SLOTS)
    }

    fn link(&mut self, index: u32) {
        let deadline = self.nodes[index as usize].deadline;
        let at = self.slot_of(deadline);
        let slot = &mut self.slots[at];
        let old = core::mem::replace(&mut slot.first, index);
        slot.earliest = slot.earliest.min(deadline);
        self.occupied[at / SLOTS] |= 1 << (at % SLOTS);
        if old != NIL {
            self.nodes[old as usize].prev = index;
        }
        let node = &mut self.nodes[index as usize];
        node.prev = NIL;
        node.next = old;
        node.slot = at as u16;
    }

    /// Empties a slot and returns its first node; the nodes stay linked to one another.
    fn take_slot(&mut self, at: usize) -> u32 {
        let first = self.slots[at].first;
        self.clear(at);
        first
    }

    fn clear(&mut self, at: usize) {
        self.slots[at] = EMPTY;
        self.occupied[at / SLOTS] &= !(1 << (at % SLOTS));
    }

    /// Puts an unlinked node on the free list.
    fn release(node: &mut Node, index: u32, free: &mut u32, unrefs: &mut usize) -> Option<Waker> {
        node.generation = node.generation.wrapping_add(1);
        node.slot = FREE;
        node.next = core::mem::replace(free, index);
        if !node.keeps_alive {
            *unrefs -= 1;
        }
        node.waker.take()
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
