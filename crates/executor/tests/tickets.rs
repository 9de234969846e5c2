//! The ticket table: by itself, and against a naive model.

mod support;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use kippu_executor::{Cancelled, Ticket, TicketTable};
use proptest::prelude::*;
use support::{Count, exact_wakers, rounds};

/// Polls without a waker to replace.
fn poll<T>(table: &mut TicketTable<T>, ticket: Ticket, waker: &Waker) -> Poll<T> {
    let mut replaced = None;
    let polled = table.poll(ticket, waker, &mut replaced);
    assert!(replaced.is_none());
    polled
}

#[test]
fn a_completion_gives_the_waker_and_then_the_result() {
    let mut table = TicketTable::new();
    let (count, waker) = Count::new();
    let ticket = table.open().unwrap();
    assert_eq!((table.outstanding(), table.refs()), (1, 1));
    assert!(poll(&mut table, ticket, &waker).is_pending());
    table.complete(ticket, "done").unwrap().expect("somebody waits").wake();
    assert_eq!((table.outstanding(), table.refs(), count.get()), (0, 0, 1));
    assert_eq!(poll(&mut table, ticket, &waker), Poll::Ready("done"));
    assert_eq!(Arc::strong_count(&count), 2);
}

#[test]
fn a_completion_before_the_first_poll_wakes_nobody() {
    let mut table = TicketTable::new();
    let ticket = table.open().unwrap();
    assert!(table.complete(ticket, 1).unwrap().is_none());
    assert_eq!(poll(&mut table, ticket, Waker::noop()), Poll::Ready(1));
}

#[test]
fn another_waker_replaces_the_first_and_the_caller_drops_that() {
    let mut table = TicketTable::<()>::new();
    let [first, second] = exact_wakers();
    let ticket = table.open().unwrap();
    let mut replaced = None;
    assert!(table.poll(ticket, &first, &mut replaced).is_pending());
    assert!(table.poll(ticket, &first, &mut replaced).is_pending());
    assert!(replaced.is_none());
    assert!(table.poll(ticket, &second, &mut replaced).is_pending());
    assert!(replaced.unwrap().will_wake(&first));
    assert!(table.complete(ticket, ()).unwrap().unwrap().will_wake(&second));
}

#[test]
fn a_second_completion_comes_back() {
    let mut table = TicketTable::new();
    let ticket = table.open().unwrap();
    assert!(table.complete(ticket, 1).is_ok());
    assert_eq!(table.complete(ticket, 2).unwrap_err(), 2);
    assert_eq!(poll(&mut table, ticket, Waker::noop()), Poll::Ready(1));
    assert_eq!(table.complete(ticket, 3).unwrap_err(), 3, "the ticket is stale");
}

#[test]
fn a_cancelled_ticket_stays_dead_until_its_completion() {
    let mut table = TicketTable::new();
    let [waker] = exact_wakers();
    let ticket = table.open().unwrap();
    assert!(poll(&mut table, ticket, &waker).is_pending());
    let Cancelled::Pending(Some(waiting)) = table.cancel(ticket) else {
        panic!("the waker did not come back");
    };
    assert!(waiting.will_wake(&waker));
    assert_eq!((table.outstanding(), table.refs()), (1, 0), "the other side still owes it");
    assert!(matches!(table.cancel(ticket), Cancelled::Unknown));
    let other = table.open().unwrap();
    assert_ne!(other.to_raw() & 0xF_FFFF, ticket.to_raw() & 0xF_FFFF, "the slot is taken");
    assert_eq!(table.complete(ticket, "late").unwrap_err(), "late");
    assert_eq!(table.outstanding(), 1);
    assert_eq!(table.complete(ticket, "later").unwrap_err(), "later");
    let again = table.open().unwrap();
    assert_eq!(again.to_raw() & 0xF_FFFF, ticket.to_raw() & 0xF_FFFF, "the slot is used again");
    assert_ne!(again, ticket);
}

#[test]
fn a_cancelled_ticket_that_is_complete_gives_the_result() {
    let mut table = TicketTable::new();
    let ticket = table.open().unwrap();
    assert!(table.complete(ticket, 4).is_ok());
    assert!(matches!(table.cancel(ticket), Cancelled::Done(4)));
    assert!(matches!(table.cancel(ticket), Cancelled::Unknown));
}

#[test]
fn a_ticket_answered_within_the_call_frees_its_slot() {
    let mut table = TicketTable::<u8>::new();
    for _ in 0..100 {
        let ticket = table.open().unwrap();
        assert!(table.answered(ticket).is_none());
        assert_eq!(ticket.to_raw() & 0xF_FFFF, 0, "always the same slot");
        assert!(table.complete(ticket, 1).is_err());
    }
    assert_eq!((table.outstanding(), table.refs()), (0, 0));
    let ticket = table.open().unwrap();
    let [waker] = exact_wakers();
    assert!(poll(&mut table, ticket, &waker).is_pending());
    assert!(table.answered(ticket).unwrap().will_wake(&waker));
    assert!(table.answered(ticket).is_none());
}

#[test]
fn unknown_numbers_are_ignored() {
    let mut table = TicketTable::new();
    for raw in [0, 1, 0xF_FFFF, 0x10_0000, u32::MAX] {
        let ticket = Ticket::from_raw(raw);
        assert_eq!(table.complete(ticket, raw).unwrap_err(), raw);
        assert!(matches!(table.cancel(ticket), Cancelled::Unknown));
        assert!(!table.set_ref(ticket, true));
        assert!(table.answered(ticket).is_none());
    }
    assert_eq!((table.outstanding(), table.refs()), (0, 0));
}

#[test]
#[should_panic(expected = "polled a ticket that is not outstanding")]
fn polling_a_ticket_to_its_end_twice_panics() {
    let mut table = TicketTable::new();
    let ticket = table.open().unwrap();
    assert!(table.complete(ticket, ()).is_ok());
    assert!(poll(&mut table, ticket, Waker::noop()).is_ready());
    let _ = poll(&mut table, ticket, Waker::noop());
}

#[test]
fn the_generation_wraps_after_4096_uses_and_not_before() {
    let mut table = TicketTable::new();
    let first = table.open().unwrap();
    let mut ticket = first;
    for _ in 1..4096 {
        assert!(table.complete(ticket, ()).is_ok());
        assert!(poll(&mut table, ticket, Waker::noop()).is_ready());
        ticket = table.open().unwrap();
        assert_ne!(ticket, first);
    }
    assert!(table.answered(ticket).is_none());
    assert_eq!(table.open(), Some(first));
    assert!(table.complete(first, ()).is_ok());
}

// A million steps of safe code: they would take Miri an hour.
#[cfg(not(miri))]
#[test]
fn the_table_is_full_at_2_to_the_20() {
    let mut table = TicketTable::new();
    let mut last = table.open().unwrap();
    while let Some(ticket) = table.open() {
        last = ticket;
    }
    assert_eq!((table.outstanding(), last.to_raw()), (1 << 20, (1 << 20) - 1));
    assert!(table.complete(last, ()).is_ok());
    assert!(table.open().is_none(), "a result that nobody has taken takes room, too");
    assert!(poll(&mut table, last, Waker::noop()).is_ready());
    assert_eq!(table.open().unwrap().to_raw(), last.to_raw() | 1 << 20);
}

#[test]
fn wakers_that_come_back_to_the_table_when_they_are_dropped_find_it_free() {
    thread_local! {
        static TABLE: Rc<RefCell<TicketTable<()>>> = Rc::default();
    }
    struct Returns;
    impl Wake for Returns {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Returns {
        fn drop(&mut self) {
            TABLE.with(|table| table.borrow_mut().open().unwrap());
        }
    }
    let table = TABLE.with(Rc::clone);
    let waiting = || {
        let ticket = table.borrow_mut().open().unwrap();
        let waker = Waker::from(Arc::new(Returns));
        assert!(poll(&mut table.borrow_mut(), ticket, &waker).is_pending());
        ticket
    };
    let (completed, cancelled, answered, replaced) = (waiting(), waiting(), waiting(), waiting());
    let waker = table.borrow_mut().complete(completed, ());
    drop(waker);
    let result = table.borrow_mut().cancel(cancelled);
    drop(result);
    let waker = table.borrow_mut().answered(answered);
    drop(waker);
    let mut old = None;
    assert!(table.borrow_mut().poll(replaced, Waker::noop(), &mut old).is_pending());
    drop(old);
    assert_eq!(table.borrow().refs(), 5, "one pending, and one from each drop");
}

#[derive(Debug, Clone)]
enum Op {
    Open,
    Complete(prop::sample::Index, u8),
    Poll(prop::sample::Index, usize),
    Cancel(prop::sample::Index),
    Answered(prop::sample::Index),
    SetRef(prop::sample::Index, bool),
    /// Whatever the other side may send.
    Noise(u32, u8),
}

fn op() -> impl Strategy<Value = Op> {
    let any_ticket = any::<prop::sample::Index>;
    prop_oneof![
        4 => Just(Op::Open),
        3 => (any_ticket(), any::<u8>()).prop_map(|(i, result)| Op::Complete(i, result)),
        4 => (any_ticket(), 0..3_usize).prop_map(|(i, waker)| Op::Poll(i, waker)),
        2 => any_ticket().prop_map(Op::Cancel),
        1 => any_ticket().prop_map(Op::Answered),
        2 => (any_ticket(), any::<bool>()).prop_map(|(i, on)| Op::SetRef(i, on)),
        1 => (prop_oneof![any::<u32>(), (0..8_u32, 0..8_u32).prop_map(|(g, s)| g << 20 | s)], any::<u8>())
            .prop_map(|(raw, result)| Op::Noise(raw, result)),
    ]
}

/// What the model knows of a number; of others it knows nothing.
enum State {
    /// Which of the wakers waits, and whether it keeps the program alive.
    Pending(Option<usize>, bool),
    Done(u8),
    Dead,
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: rounds(256, 2),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_table_does_what_a_map_does(ops in prop::collection::vec(op(), 1..rounds(100, 25) as usize)) {
        let mut table = TicketTable::new();
        let mut model = HashMap::<Ticket, State>::new();
        // Stale ones stay here, so all that follows is tried on them, too.
        let mut issued = vec![Ticket::from_raw(0)];
        let wakers = exact_wakers::<3>();
        let same = |waker: Option<Waker>, number: Option<usize>| match (waker, number) {
            (Some(waker), Some(number)) => waker.will_wake(&wakers[number]),
            (None, None) => true,
            _ => false,
        };
        for op in ops {
            match op {
                Op::Open => {
                    let ticket = table.open().unwrap();
                    issued.push(ticket);
                    prop_assert!(model.insert(ticket, State::Pending(None, true)).is_none());
                }
                Op::Complete(..) | Op::Noise(..) => {
                    let (ticket, result) = match op {
                        Op::Complete(i, result) => (*i.get(&issued), result),
                        Op::Noise(raw, result) => (Ticket::from_raw(raw), result),
                        _ => unreachable!("matched above"),
                    };
                    let completed = table.complete(ticket, result);
                    match model.get_mut(&ticket) {
                        Some(state @ State::Pending(..)) => {
                            let State::Pending(waker, _) =
                                std::mem::replace(state, State::Done(result)) else { continue };
                            prop_assert!(same(completed.unwrap(), waker));
                        }
                        Some(State::Dead) => {
                            prop_assert_eq!(completed.unwrap_err(), result);
                            model.remove(&ticket);
                        }
                        Some(State::Done(_)) | None => {
                            prop_assert_eq!(completed.unwrap_err(), result);
                        }
                    }
                }
                Op::Poll(i, number) => {
                    let ticket = *i.get(&issued);
                    let mut replaced = None;
                    match model.get_mut(&ticket) {
                        Some(State::Pending(waker, _)) => {
                            let polled = table.poll(ticket, &wakers[number], &mut replaced);
                            prop_assert!(polled.is_pending());
                            let old = waker.replace(number).filter(|&old| old != number);
                            prop_assert!(same(replaced, old));
                        }
                        Some(State::Done(result)) => {
                            let polled = table.poll(ticket, &wakers[number], &mut replaced);
                            prop_assert_eq!(polled, Poll::Ready(*result));
                            prop_assert!(replaced.is_none());
                            model.remove(&ticket);
                        }
                        // Documented to panic, which has a test of its own.
                        Some(State::Dead) | None => {}
                    }
                }
                Op::Cancel(i) => {
                    let ticket = *i.get(&issued);
                    match (table.cancel(ticket), model.remove(&ticket)) {
                        (Cancelled::Pending(waker), Some(State::Pending(number, _))) => {
                            prop_assert!(same(waker, number));
                            model.insert(ticket, State::Dead);
                        }
                        (Cancelled::Done(result), Some(State::Done(expected))) => {
                            prop_assert_eq!(result, expected);
                        }
                        (Cancelled::Unknown, None) => {}
                        (Cancelled::Unknown, Some(State::Dead)) => {
                            model.insert(ticket, State::Dead);
                        }
                        (found, _) => prop_assert!(false, "{found:?}"),
                    }
                }
                Op::Answered(i) => {
                    let ticket = *i.get(&issued);
                    let waker = table.answered(ticket);
                    if let Some(&State::Pending(number, _)) = model.get(&ticket) {
                        model.remove(&ticket);
                        prop_assert!(same(waker, number));
                    } else {
                        prop_assert!(waker.is_none());
                    }
                }
                Op::SetRef(i, on) => {
                    let ticket = *i.get(&issued);
                    let found = match model.get_mut(&ticket) {
                        Some(State::Pending(_, keeps_alive)) => {
                            *keeps_alive = on;
                            true
                        }
                        _ => false,
                    };
                    prop_assert_eq!(table.set_ref(ticket, on), found);
                }
            }
            let refs = model.values().filter(|s| matches!(s, State::Pending(_, true))).count();
            let owed = model.values().filter(|s| !matches!(s, State::Done(_))).count();
            prop_assert_eq!((table.refs(), table.outstanding()), (refs, owed));
        }
    }
}
