//! Calls out: the futures of host functions.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use kippu_executor::{Cancelled, Ticket};

use super::{Decode, open};
use crate::HostError;
use crate::driver::js::{Answer, abi};
use crate::macros_rt::{Answered, Settle};

/// A call of an async host function: the future that waits for its ticket.
///
/// It holds a number only, so it is `Send` whatever the host gave. Dropping it cancels the operation.
#[must_use = "futures do nothing unless awaited"]
pub struct HostCall<D: Decode, S> {
    call: RawCall,
    _types: PhantomData<fn() -> (D, S)>,
}

/// What does not depend on types, so that a program with many host functions has it once.
pub(crate) struct RawCall {
    state: State,
    function: &'static &'static str,
}

enum State {
    Pending(Ticket),
    Ready(Answer),
    Taken,
}

impl<D: Decode, S> HostCall<D, S> {
    /// Registers a ticket, then lets `import` cross with it.
    pub fn start(
        function: &'static &'static str,
        import: impl FnOnce(u32) -> Answered<i32>,
    ) -> HostCall<D, S> {
        HostCall { call: RawCall::start(function, import), _types: PhantomData }
    }
}

impl RawCall {
    #[inline]
    pub(crate) fn start(
        function: &'static &'static str,
        import: impl FnOnce(u32) -> Answered<i32>,
    ) -> RawCall {
        let state = match open_ticket() {
            Ok(ticket) => match import(ticket.to_raw()) {
                Ok(0) => State::Pending(ticket),
                status => answered(ticket, status),
            },
            Err(error) => State::Ready(Answer::Error(error)),
        };
        RawCall { state, function }
    }
}

// No borrow is held while the call crosses: the host may call back.
fn open_ticket() -> Answered<Ticket> {
    let ticket = crate::rt::with(|inner| inner.driver.tickets.borrow_mut().open());
    ticket.ok_or_else(|| {
        HostError::named("RangeError", "too many host operations are outstanding: 1048576")
    })
}

/// The operation was over when the call returned, or did not begin.
fn answered(ticket: Ticket, status: Answered<i32>) -> State {
    crate::rt::with(|inner| inner.driver.tickets.borrow_mut().answered(ticket));
    State::Ready(match status {
        Ok(_) => abi::answer(),
        Err(error) => Answer::Error(error),
    })
}

impl RawCall {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        match self.state {
            State::Pending(ticket) => {
                let mut replaced = None;
                let polled = crate::rt::with(|inner| {
                    inner.executor.note_wait(self.function);
                    inner.driver.tickets.borrow_mut().poll(ticket, cx.waker(), &mut replaced)
                });
                drop(replaced);
                if polled.is_ready() {
                    self.state = State::Taken;
                }
                polled
            }
            _ => match std::mem::replace(&mut self.state, State::Taken) {
                State::Ready(answer) => Poll::Ready(answer),
                _ => panic!("the future of a host function was polled after it was complete"),
            },
        }
    }
}

impl RawCall {
    /// Cancels the call; gives the answer if it is here already and nobody has taken it.
    #[inline]
    fn abandon(&mut self) -> Option<Answer> {
        match std::mem::replace(&mut self.state, State::Taken) {
            State::Pending(ticket) => cancel(ticket),
            State::Ready(answer) => Some(answer),
            State::Taken => None,
        }
    }
}

impl Drop for RawCall {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.state, State::Taken) {
            drop(self.abandon());
        }
    }
}

#[inline(never)]
fn cancel(ticket: Ticket) -> Option<Answer> {
    let cancelled = crate::rt::with(|inner| inner.driver.tickets.borrow_mut().cancel(ticket));
    // What `cancelled` holds, a waker or a result, is dropped when the table is no longer borrowed.
    match cancelled {
        Cancelled::Pending(_) => {
            abi::cancel(ticket);
            None
        }
        Cancelled::Done(answer) => Some(answer),
        Cancelled::Unknown => None,
    }
}

impl<D: Decode, S> Drop for HostCall<D, S> {
    fn drop(&mut self) {
        // An answer that names something of the host's, such as a stream, gives it back.
        if D::NAMES
            && let Some(answer) = self.call.abandon()
        {
            drop(open::<D>(answer));
        }
    }
}

impl<D: Decode, S: Settle<D::Value>> Future for HostCall<D, S> {
    type Output = S::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<S::Output> {
        let function = self.call.function;
        self.call.poll(cx).map(|answer| S::settle(open::<D>(answer), function))
    }
}

/// Calls a sync host function.
#[track_caller]
pub fn call_sync<D: Decode, S: Settle<D::Value>>(
    function: &'static str,
    import: impl FnOnce() -> Answered<i32>,
) -> S::Output {
    S::settle(import().and_then(|_| open::<D>(abi::answer())), function)
}
