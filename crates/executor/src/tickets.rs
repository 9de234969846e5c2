//! Tickets: outstanding operations of the other side.

use alloc::vec::Vec;
use core::fmt;
use core::task::{Poll, Waker};

/// The slot's place in the number; the rest is the generation.
const SLOT_BITS: u32 = 20;
const MAX_SLOTS: usize = 1 << SLOT_BITS;
const NIL: u32 = u32::MAX;

/// One outstanding operation: a slot of a [`TicketTable`] and the slot's generation, in 32 bits, so
/// that it crosses any boundary as a number. It borrows nothing and is `Send`.
///
/// The generation has 12 bits. A number is taken for another's only if its slot has been used
/// exactly a multiple of 4,096 times since, which a host that completes each ticket once never sees.
///
/// # Examples
/// ```
/// # use kippu_executor::{Ticket, TicketTable};
/// let mut table = TicketTable::<u8>::new();
/// let (first, second) = (table.open().unwrap(), table.open().unwrap());
/// assert_ne!(first, second);
/// assert_eq!(Ticket::from_raw(first.to_raw()), first);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u32);

impl Ticket {
    /// The number that crosses the boundary.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::TicketTable;
    /// let ticket = TicketTable::<u8>::new().open().unwrap();
    /// assert_eq!(ticket.to_raw(), 0); // a table's first one
    /// ```
    pub const fn to_raw(self) -> u32 {
        self.0
    }

    /// What came back over the boundary. Any number is allowed: tables ignore tickets that they do not know.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::{Ticket, TicketTable};
    /// let mut table = TicketTable::new();
    /// // Nobody asked for this; the result comes back.
    /// assert_eq!(table.complete(Ticket::from_raw(77), "result").unwrap_err(), "result");
    /// ```
    pub const fn from_raw(raw: u32) -> Self {
        Ticket(raw)
    }

    fn new(slot: u32, generation: u32) -> Self {
        Ticket(generation << SLOT_BITS | slot)
    }

    fn slot(self) -> usize {
        self.0 as usize & (MAX_SLOTS - 1)
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({}@{})", self.slot(), self.0 >> SLOT_BITS)
    }
}

/// What [`TicketTable::cancel`] found.
///
/// # Examples
/// ```
/// # use kippu_executor::{Cancelled, TicketTable};
/// let mut table = TicketTable::new();
/// let ticket = table.open().unwrap();
/// table.complete(ticket, "result").unwrap();
/// match table.cancel(ticket) {
///     Cancelled::Pending(waker) => drop(waker), // and tell the other side
///     Cancelled::Done(result) => assert_eq!(result, "result"),
///     Cancelled::Unknown => unreachable!("it was open"),
/// }
/// ```
#[derive(Debug)]
pub enum Cancelled<T> {
    /// Still outstanding: the other side must be told. The slot stays dead until it completes the ticket.
    /// Here is the waker that waited for it, for the caller to drop.
    Pending(Option<Waker>),
    /// It had been completed; here is the result. The slot is free.
    Done(T),
    /// No such ticket.
    Unknown,
}

enum State<T> {
    Free {
        next: u32,
    },
    Pending {
        waker: Option<Waker>,
    },
    Done(T),
    /// Cancelled here, not yet completed there.
    Dead,
}

struct Slot<T> {
    ticket: Ticket,
    keeps_alive: bool,
    state: State<T>,
}

/// The outstanding operations of one guest or isolate, with results of type `T`.
///
/// Wakers to be woken or dropped are given to the caller, who must hold no borrow of the table when
/// it does so: both may be foreign code that comes back to the table.
///
/// # Examples
/// The life of a ticket:
/// ```
/// # use kippu_executor::TicketTable;
/// use std::task::{Poll, Waker};
///
/// let mut table = TicketTable::new();
/// let ticket = table.open().unwrap(); // and now ask the other side
/// let mut replaced = None;
/// assert!(table.poll(ticket, Waker::noop(), &mut replaced).is_pending());
///
/// // The other side answers.
/// let waker = table.complete(ticket, "result").unwrap();
/// waker.expect("somebody waits").wake();
/// assert_eq!(table.poll(ticket, Waker::noop(), &mut replaced), Poll::Ready("result"));
/// assert_eq!(table.outstanding(), 0);
/// ```
pub struct TicketTable<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    /// Pending tickets that keep the program alive.
    refs: usize,
    /// Pending and dead tickets: what the other side still owes.
    outstanding: usize,
}

impl<T> Default for TicketTable<T> {
    fn default() -> Self {
        TicketTable::new()
    }
}

impl<T> TicketTable<T> {
    /// An empty table. Allocates at first use.
    ///
    /// # Examples
    /// ```
    /// # use std::cell::RefCell;
    /// # use kippu_executor::TicketTable;
    /// thread_local! {
    ///     static TABLE: RefCell<TicketTable<String>> = const { RefCell::new(TicketTable::new()) };
    /// }
    /// assert_eq!(TABLE.with_borrow(|table| table.outstanding()), 0);
    /// ```
    pub const fn new() -> Self {
        TicketTable { slots: Vec::new(), free: NIL, refs: 0, outstanding: 0 }
    }

    /// Registers an operation, *before* the other side is asked for it. It keeps the program alive until
    /// [`set_ref`](Self::set_ref) says otherwise. `None` when 2^20 tickets are in use: outstanding, or completed and not
    /// yet polled.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::TicketTable;
    /// let mut table = TicketTable::<u8>::new();
    /// let ticket = table.open().unwrap();
    /// assert_eq!((table.outstanding(), table.refs()), (1, 1));
    /// # table.cancel(ticket);
    /// ```
    pub fn open(&mut self) -> Option<Ticket> {
        let index = if self.free == NIL {
            if self.slots.len() == MAX_SLOTS {
                return None;
            }
            let index = self.slots.len() as u32;
            self.slots.push(Slot {
                ticket: Ticket::new(index, 0),
                keeps_alive: true,
                state: State::Pending { waker: None },
            });
            index
        } else {
            let index = self.free;
            let slot = &mut self.slots[index as usize];
            if let State::Free { next } = slot.state {
                self.free = next;
            }
            slot.keeps_alive = true;
            slot.state = State::Pending { waker: None };
            index
        };
        self.refs += 1;
        self.outstanding += 1;
        Some(self.slots[index as usize].ticket)
    }

    /// Takes the result of an operation. `Ok` has the waker to be woken, if somebody waits. A
    /// cancelled ticket's slot becomes free and its result comes back as `Err`, as does that of an unknown, stale or
    /// already completed ticket.
    ///
    /// # Errors
    /// The result, when nobody can ask for it any more.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::TicketTable;
    /// let mut table = TicketTable::new();
    /// let ticket = table.open().unwrap();
    /// assert!(table.complete(ticket, 5).unwrap().is_none()); // nobody waits yet
    /// assert_eq!(table.complete(ticket, 6).unwrap_err(), 6); // a second time
    /// ```
    pub fn complete(&mut self, ticket: Ticket, result: T) -> Result<Option<Waker>, T> {
        let Some(slot) = self.slots.get_mut(ticket.slot()).filter(|slot| slot.ticket == ticket)
        else {
            return Err(result);
        };
        match &mut slot.state {
            State::Pending { waker } => {
                let waker = waker.take();
                self.refs -= usize::from(slot.keeps_alive);
                self.outstanding -= 1;
                slot.state = State::Done(result);
                Ok(waker)
            }
            State::Dead => {
                self.outstanding -= 1;
                self.release(ticket.slot());
                Err(result)
            }
            State::Done(_) | State::Free { .. } => Err(result),
        }
    }

    /// The result, once it is there; the slot is free then. Until then `waker` is kept to be woken,
    /// and the one that it replaces goes to `replaced`, for the caller to drop.
    ///
    /// # Panics
    /// When the ticket is not of this table, or has been polled to its end or cancelled.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::TicketTable;
    /// # use std::task::{Poll, Waker};
    /// let mut table = TicketTable::new();
    /// let ticket = table.open().unwrap();
    /// let mut replaced = None;
    /// assert!(table.poll(ticket, Waker::noop(), &mut replaced).is_pending());
    /// table.complete(ticket, 5).unwrap();
    /// assert_eq!(table.poll(ticket, Waker::noop(), &mut replaced), Poll::Ready(5));
    /// drop(replaced); // once no borrow of the table is held
    /// ```
    pub fn poll(&mut self, ticket: Ticket, new: &Waker, replaced: &mut Option<Waker>) -> Poll<T> {
        let slot = self.slots.get_mut(ticket.slot()).filter(|slot| slot.ticket == ticket);
        match slot.map(|slot| &mut slot.state) {
            Some(State::Pending { waker }) => {
                if !waker.as_ref().is_some_and(|old| old.will_wake(new)) {
                    *replaced = waker.replace(new.clone());
                }
                Poll::Pending
            }
            Some(State::Done(_)) => {
                let Some(State::Done(result)) = self.release(ticket.slot()) else {
                    unreachable!("the state was just seen")
                };
                Poll::Ready(result)
            }
            _ => panic!("polled a ticket that is not outstanding"),
        }
    }

    /// Ends the interest in an operation; what a future does when it is dropped.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::{Cancelled, TicketTable};
    /// let mut table = TicketTable::new();
    /// let ticket = table.open().unwrap();
    /// assert!(matches!(table.cancel(ticket), Cancelled::Pending(None)));
    /// assert_eq!((table.refs(), table.outstanding()), (0, 1));
    /// // The other side was faster than the news; this frees the slot.
    /// assert_eq!(table.complete(ticket, 5).unwrap_err(), 5);
    /// assert_eq!(table.outstanding(), 0);
    /// ```
    pub fn cancel(&mut self, ticket: Ticket) -> Cancelled<T> {
        let Some(slot) = self.slots.get_mut(ticket.slot()).filter(|slot| slot.ticket == ticket)
        else {
            return Cancelled::Unknown;
        };
        match &mut slot.state {
            State::Pending { waker } => {
                let waker = waker.take();
                self.refs -= usize::from(slot.keeps_alive);
                slot.state = State::Dead;
                Cancelled::Pending(waker)
            }
            State::Done(_) => match self.release(ticket.slot()) {
                Some(State::Done(result)) => Cancelled::Done(result),
                _ => unreachable!("the state was just seen"),
            },
            State::Dead | State::Free { .. } => Cancelled::Unknown,
        }
    }

    /// Frees the slot of a ticket that the other side answered within the call itself, so that it will not be
    /// completed. Gives back the waker that waited for it, if there is one, for the caller to drop. Does
    /// nothing to a ticket that is not pending.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::TicketTable;
    /// let mut table = TicketTable::new();
    /// let ticket = table.open().unwrap();
    /// assert!(table.answered(ticket).is_none());
    /// assert_eq!(table.outstanding(), 0);
    /// assert_eq!(table.complete(ticket, 5).unwrap_err(), 5); // it is stale now
    /// ```
    pub fn answered(&mut self, ticket: Ticket) -> Option<Waker> {
        let slot = self
            .slots
            .get(ticket.slot())
            .filter(|slot| slot.ticket == ticket && matches!(slot.state, State::Pending { .. }))?;
        self.refs -= usize::from(slot.keeps_alive);
        self.outstanding -= 1;
        match self.release(ticket.slot()) {
            Some(State::Pending { waker }) => waker,
            _ => unreachable!("the state was just seen"),
        }
    }

    /// Sets whether a pending ticket keeps the program alive. `false` when it is not pending.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::TicketTable;
    /// let mut table = TicketTable::<u8>::new();
    /// let ticket = table.open().unwrap();
    /// assert!(table.set_ref(ticket, false));
    /// assert_eq!((table.refs(), table.outstanding()), (0, 1));
    /// ```
    pub fn set_ref(&mut self, ticket: Ticket, on: bool) -> bool {
        match self.slots.get_mut(ticket.slot()) {
            Some(slot) if slot.ticket == ticket && matches!(slot.state, State::Pending { .. }) => {
                let was = core::mem::replace(&mut slot.keeps_alive, on);
                self.refs = self.refs + usize::from(on) - usize::from(was);
                true
            }
            _ => false,
        }
    }

    /// How many pending tickets keep the program alive.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::TicketTable;
    /// let mut table = TicketTable::new();
    /// let ticket = table.open().unwrap();
    /// assert_eq!(table.refs(), 1);
    /// table.complete(ticket, ()).unwrap();
    /// assert_eq!(table.refs(), 0);
    /// ```
    pub fn refs(&self) -> usize {
        self.refs
    }

    /// How many tickets the other side has not completed yet, cancelled ones included.
    ///
    /// # Examples
    /// ```
    /// # use kippu_executor::TicketTable;
    /// let mut table = TicketTable::<u8>::new();
    /// let ticket = table.open().unwrap();
    /// table.cancel(ticket);
    /// assert_eq!(table.outstanding(), 1);
    /// ```
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    fn release(&mut self, index: usize) -> Option<State<T>> {
        let slot = self.slots.get_mut(index)?;
        let generation = (slot.ticket.0 >> SLOT_BITS).wrapping_add(1);
        slot.ticket = Ticket::new(index as u32, generation);
        let old = core::mem::replace(&mut slot.state, State::Free { next: self.free });
        self.free = index as u32;
        Some(old)
    }
}

impl<T> fmt::Debug for TicketTable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketTable")
            .field("outstanding", &self.outstanding)
            .field("refs", &self.refs)
            .finish()
    }
}
