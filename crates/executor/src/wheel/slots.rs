//! Where the wheel keeps what is not due yet: an array of entries for each slot, in the order of insertion.
//!
//! The arrays are chains of chunks, and all chunks are in one vector: what one slot gives back is there for
//! the next one, still in the cache. A cancelled timer leaves a gap. Gaps are swept out when a slot has
//! two of them for each timer, so there are never more than three places for each timer, and two chunks
//! more for each slot in use.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const TICK_BITS: u32 = 16;
const SLOT_BITS: u32 = 6;
/// How many slots a level has.
pub(super) const SLOTS: usize = 1 << SLOT_BITS;
const LEVELS: usize = 8;
/// How many entries a chunk has.
pub(super) const CHUNK: usize = 16;
const NIL: u32 = u32::MAX;

/// A timer in a slot.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) deadline: u64,
    /// `NIL` in a gap.
    pub(super) index: u32,
}

const GAP: Entry = Entry { deadline: 0, index: NIL };

#[derive(Clone, Copy)]
struct Slot {
    /// Nothing in here is due before this; exact until a timer is cancelled.
    earliest: u64,
    /// How many places, gaps among them. All chunks but the last are full.
    len: usize,
    /// How many of them are gaps. Less than all.
    gaps: u32,
    last: u32,
}

const EMPTY: Slot = Slot { earliest: u64::MAX, len: 0, gaps: 0, last: NIL };

impl Slot {
    /// Where the next entry goes; not when all chunks are full.
    #[inline(always)]
    fn next_place(&self) -> usize {
        (self.last as usize).wrapping_mul(CHUNK) + self.len % CHUNK
    }

    /// Of a slot that has entries.
    #[inline(always)]
    fn last_place(&self) -> usize {
        (self.last as usize).wrapping_mul(CHUNK) + self.len.wrapping_sub(1) % CHUNK
    }

    /// Takes note of an entry that is added.
    #[inline(always)]
    fn note(&mut self, deadline: u64) {
        self.len += 1;
        if deadline < self.earliest {
            self.earliest = deadline;
        }
    }
}

pub(super) struct Slots {
    /// One bit for each slot that has entries.
    occupied: [u64; LEVELS],
    slots: Box<[Slot; LEVELS * SLOTS]>,
    /// One chunk after the other.
    places: Vec<Entry>,
    /// For each chunk the next one of its chain, or of the free list. After the last of a chain comes its first.
    next: Vec<u32>,
    /// The first free chunk.
    free: u32,
}

impl Slots {
    pub(super) fn new() -> Self {
        Slots {
            occupied: [0; LEVELS],
            // Made where it stays: an array would be made on the stack, which has pages for it in few small guests.
            slots: vec![EMPTY; LEVELS * SLOTS]
                .into_boxed_slice()
                .try_into()
                .unwrap_or_else(|_| unreachable!("it has this length")),
            places: Vec::new(),
            next: Vec::new(),
            free: NIL,
        }
    }

    /// The slot for a deadline, seen from `now`.
    ///
    /// It stays the same until time comes to that slot, which is emptied then.
    pub(super) fn of(now: u64, deadline: u64) -> usize {
        let tick = deadline.max(now) >> TICK_BITS;
        let differs = tick ^ (now >> TICK_BITS);
        // The highest differing bit; bit 0 stands for none as well.
        let level = (63 - (differs | 1).leading_zeros()) / SLOT_BITS;
        let index = (tick >> (SLOT_BITS * level)) as usize % SLOTS;
        // The remainder is for the compiler alone, who knows then that it is within the array.
        (level as usize * SLOTS + index) % (LEVELS * SLOTS)
    }

    /// The first ns of a slot's span. Slots of a level lie within the span of one slot of the level
    /// above it, the one that `now` is in.
    pub(super) fn start(now: u64, at: usize) -> u64 {
        let (level, index) = ((at / SLOTS) as u32, (at % SLOTS) as u64);
        let shift = TICK_BITS + SLOT_BITS * level;
        let above = shift + SLOT_BITS;
        let base = if above >= u64::BITS { 0 } else { now >> above << above };
        base | index << shift
    }

    /// The occupied slot that comes first in time. Lower levels are always earlier than higher ones.
    pub(super) fn first(&self) -> Option<usize> {
        let level = self.occupied.iter().position(|&bits| bits != 0)?;
        Some(level * SLOTS + self.occupied[level].trailing_zeros() as usize)
    }

    /// Nothing in the slot is due before this.
    pub(super) fn earliest(&self, at: usize) -> u64 {
        self.slots[at].earliest
    }

    pub(super) fn len(&self, at: usize) -> usize {
        self.slots[at].len
    }

    /// Adds an entry and returns its place.
    #[inline(always)]
    pub(super) fn push(&mut self, at: usize, deadline: u64, index: u32) -> u64 {
        if self.slots[at].len.is_multiple_of(CHUNK) {
            self.add_chunk(at);
        }
        let slot = &mut self.slots[at];
        let place = slot.next_place();
        self.places[place] = Entry { deadline, index };
        slot.note(deadline);
        place as u64
    }

    /// Adds an entry if it takes no other chunk: the short way for most.
    #[inline(always)]
    pub(super) fn try_push(&mut self, at: usize, deadline: u64, index: u32) -> Option<u64> {
        let slot = &mut self.slots[at];
        let place = slot.next_place();
        let entry = self.places.get_mut(place)?;
        if place.is_multiple_of(CHUNK) {
            return None;
        }
        *entry = Entry { deadline, index };
        slot.note(deadline);
        Some(place as u64)
    }

    /// A chunk for a slot whose last one is full, or that has none.
    #[inline(never)]
    fn add_chunk(&mut self, at: usize) {
        if self.free == NIL {
            self.grow();
        }
        let added = self.free;
        let last = core::mem::replace(&mut self.slots[at].last, added);
        self.free = self.next[added as usize];
        self.next[added as usize] = match self.next.get_mut(last as usize) {
            Some(next) => core::mem::replace(next, added),
            None => {
                self.occupied[at / SLOTS] |= 1 << (at % SLOTS);
                added
            }
        };
    }

    /// Adds a chunk to the free list, which is empty.
    #[cold]
    fn grow(&mut self) {
        let index = u32::try_from(self.next.len()).ok().filter(|&index| index != NIL);
        self.free = index.expect("too many timers");
        self.places.extend([GAP; CHUNK]);
        self.next.push(NIL);
    }

    /// When the timer at this place is due.
    pub(super) fn deadline(&self, place: u64) -> u64 {
        self.places[place as usize].deadline
    }

    /// Takes away the entry at a place of a slot. Whether the slot should be looked after then.
    #[inline(always)]
    pub(super) fn remove(&mut self, at: usize, place: u64) -> bool {
        let (slot, place) = (&mut self.slots[at % (LEVELS * SLOTS)], place as usize);
        // What came last often goes first. The first of a chunk stays: there is no way to the chunk before it.
        if place % CHUNK > 0 && place == slot.last_place() {
            slot.len -= 1;
            return slot.len == slot.gaps as usize;
        }
        if let Some(entry) = self.places.get_mut(place) {
            *entry = GAP;
        }
        slot.gaps += 1;
        let live = slot.len - slot.gaps as usize;
        live == 0 || slot.gaps as usize > 2 * live + CHUNK
    }

    /// Frees what a slot has, if those are gaps only.
    pub(super) fn clear(&mut self, at: usize) -> bool {
        let Slot { last, len, gaps, .. } = self.slots[at];
        if len > gaps as usize {
            return false;
        }
        let chain = self.take(at);
        self.next[last as usize] = core::mem::replace(&mut self.free, chain.chunk);
        true
    }

    /// Sorts a slot of one chunk by deadline; equal deadlines keep their order.
    pub(super) fn sort(&mut self, at: usize) {
        let Slot { last, len, .. } = self.slots[at];
        let entries = &mut self.places[last as usize * CHUNK..][..len];
        // They are too few for anything better.
        for i in 1..len {
            let entry = entries[i];
            let mut place = i;
            while place > 0 && entries[place - 1].deadline > entry.deadline {
                entries[place] = entries[place - 1];
                place -= 1;
            }
            entries[place] = entry;
        }
    }

    /// Empties a slot that has entries.
    pub(super) fn take(&mut self, at: usize) -> Chain {
        let slot = core::mem::replace(&mut self.slots[at], EMPTY);
        self.occupied[at / SLOTS] &= !(1 << (at % SLOTS));
        let chunk = self.next[slot.last as usize];
        Chain { chunk, place: 0, left: slot.len }
    }
}

/// The entries of a slot that was emptied. To be read to the end, else chunks are lost.
pub(super) struct Chain {
    chunk: u32,
    place: usize,
    left: usize,
}

impl Chain {
    /// The next entry. A chunk is free as soon as its last place is read.
    #[inline(always)]
    pub(super) fn next(&mut self, slots: &mut Slots) -> Option<Entry> {
        loop {
            self.left = self.left.checked_sub(1)?;
            let chunk = self.chunk;
            let entry = slots.places[chunk as usize * CHUNK + self.place];
            self.place = (self.place + 1) % CHUNK;
            if self.place == 0 || self.left == 0 {
                let free = core::mem::replace(&mut slots.free, chunk);
                self.chunk = core::mem::replace(&mut slots.next[chunk as usize], free);
            }
            if entry.index != NIL {
                return Some(entry);
            }
        }
    }
}
