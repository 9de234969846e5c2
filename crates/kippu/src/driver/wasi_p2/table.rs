//! What the driver waits for. It knows handles only, and no host, so that its tests run natively.

use std::mem;
use std::task::{Poll, Waker};

/// A slot of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key(u32);

struct Slot {
    handle: u32,
    state: State,
}

enum State {
    /// Nobody uses this slot; the next one that nobody does.
    Free(Option<u32>),
    Idle,
    Armed {
        /// Its index in `handles`.
        at: u32,
        waker: Waker,
        counts: bool,
    },
    /// The host said that it is ready, and nobody has asked since.
    Ready,
}

/// The sources of an instance. Those that are waited for have their handles in one dense list.
pub(crate) struct Table {
    slots: Vec<Slot>,
    free: Option<u32>,
    /// What is given to the host.
    handles: Vec<u32>,
    /// The slot of each handle.
    owners: Vec<u32>,
    /// The slots that were found ready by one poll; kept, so that a poll allocates nothing.
    found: Vec<u32>,
    counted: usize,
}

impl Table {
    pub(crate) const fn new() -> Table {
        Table {
            slots: Vec::new(),
            free: None,
            handles: Vec::new(),
            owners: Vec::new(),
            found: Vec::new(),
            counted: 0,
        }
    }

    /// How many sources are waited for.
    pub(crate) fn armed(&self) -> usize {
        self.handles.len()
    }

    /// How many of them count as outstanding.
    pub(crate) fn counted(&self) -> usize {
        self.counted
    }

    pub(crate) fn insert(&mut self, handle: u32) -> Key {
        let slot = Slot { handle, state: State::Idle };
        match self.free {
            Some(index) => {
                let before = mem::replace(&mut self.slots[index as usize], slot);
                self.free = match before.state {
                    State::Free(next) => next,
                    _ => unreachable!("the list of free slots has only free ones"),
                };
                Key(index)
            }
            None => {
                self.slots.push(slot);
                Key(self.slots.len() as u32 - 1)
            }
        }
    }

    /// Gives the waker that waited, if one did.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Waker> {
        let state = mem::replace(&mut self.slots[key.0 as usize].state, State::Free(self.free));
        self.free = Some(key.0);
        match state {
            State::Armed { at, waker, counts } => {
                self.disarm(at, counts);
                Some(waker)
            }
            _ => None,
        }
    }

    /// Takes a handle out of the list.
    fn disarm(&mut self, at: u32, counts: bool) {
        let at = at as usize;
        self.handles.swap_remove(at);
        self.owners.swap_remove(at);
        if let Some(&moved) = self.owners.get(at)
            && let State::Armed { at: place, .. } = &mut self.slots[moved as usize].state
        {
            *place = at as u32;
        }
        self.counted -= usize::from(counts);
    }

    /// Ready once for each time that the host said so; else `waker` is woken when it does. Also gives the waker that it replaces.
    pub(crate) fn poll_ready(
        &mut self,
        key: Key,
        waker: &Waker,
        counts: bool,
    ) -> (Poll<()>, Option<Waker>) {
        let slot = &mut self.slots[key.0 as usize];
        match &mut slot.state {
            State::Ready => {
                slot.state = State::Idle;
                (Poll::Ready(()), None)
            }
            State::Armed { waker: before, counts: counted, .. } => {
                if mem::replace(counted, counts) != counts {
                    self.counted = if counts { self.counted + 1 } else { self.counted - 1 };
                }
                let is_other = !before.will_wake(waker);
                (Poll::Pending, is_other.then(|| mem::replace(before, waker.clone())))
            }
            State::Idle | State::Free(_) => {
                slot.state =
                    State::Armed { at: self.handles.len() as u32, waker: waker.clone(), counts };
                self.handles.push(slot.handle);
                self.owners.push(key.0);
                self.counted += usize::from(counts);
                (Poll::Pending, None)
            }
        }
    }

    /// Asks `poll` which of the sources, or the clock, are ready, and adds the wakers of the tasks that waited for them in the order in
    /// which the host names them. Says how many were ready.
    ///
    /// `poll` gets the handles and gives indices of them, in any order.
    pub(crate) fn poll(
        &mut self,
        clock: Option<u32>,
        poll: impl FnOnce(&[u32]) -> Vec<u32>,
        wakers: &mut Vec<Waker>,
    ) -> u32 {
        let sources = self.handles.len();
        self.handles.extend(clock);
        let ready = poll(&self.handles);
        self.handles.truncate(sources);
        let owners = ready.iter().filter_map(|&index| self.owners.get(index as usize).copied());
        self.found.clear();
        self.found.extend(owners);
        // By owner, not by index: taking one out of the list moves another to its place.
        for i in 0..self.found.len() {
            let slot = &mut self.slots[self.found[i] as usize];
            match mem::replace(&mut slot.state, State::Ready) {
                State::Armed { at, waker, counts } => {
                    self.disarm(at, counts);
                    wakers.push(waker);
                }
                other => slot.state = other,
            }
        }
        ready.len() as u32
    }
}

#[cfg(test)]
#[path = "table/tests.rs"]
mod tests;
