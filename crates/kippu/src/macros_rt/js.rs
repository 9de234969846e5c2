//! Calls in both directions on a JavaScript host.

use std::any::Any;
use std::cell::Cell;
use std::fmt::Display;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use kippu_executor::{Cancelled, TaskOptions, Ticket};
use postcard_schema::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Answered, Settle};
use crate::HostError;
pub use crate::driver::js::abi::take_bytes;
use crate::driver::js::{Answer, abi};

/// Turns an answer into a value.
pub trait Decode {
    /// The value's type.
    type Value;
    #[doc(hidden)]
    fn decode(answer: Wire) -> Answered<Self::Value>;
}

/// Turns a value into an answer.
pub trait Encode<T> {
    #[doc(hidden)]
    fn encode(value: T) -> Answered<Wire>;
}

/// An answer on its way; opaque outside the crate.
pub struct Wire(Answer);

/// A `String`.
pub struct String;
/// A `Vec<u8>`.
pub struct Bytes;
/// A value in postcard's format.
pub struct Serde<T>(PhantomData<fn() -> T>);

#[cold]
fn unexpected<T>(expected: &str) -> Answered<T> {
    wrong(["the host did not answer with ", expected].concat())
}

#[cold]
fn wrong<T>(message: std::string::String) -> Answered<T> {
    Err(HostError::type_error(message))
}

impl Decode for () {
    type Value = ();

    fn decode(_: Wire) -> Answered<()> {
        Ok(())
    }
}

impl Encode<()> for () {
    fn encode((): ()) -> Answered<Wire> {
        Ok(Wire(Answer::Unit))
    }
}

macro_rules! number {
    ($($ty:ident)*) => { $(
        impl Decode for $ty {
            type Value = $ty;

            fn decode(wire: Wire) -> Answered<$ty> {
                match wire.0 {
                    Answer::Number(value) => Ok(value as $ty),
                    _ => unexpected(concat!("a number for ", stringify!($ty))),
                }
            }
        }

        impl Encode<$ty> for $ty {
            fn encode(value: $ty) -> Answered<Wire> {
                Ok(Wire(Answer::Number(f64::from(value))))
            }
        }
    )* };
}

number!(i8 u8 i16 u16 i32 u32 f32 f64);

impl Decode for bool {
    type Value = bool;

    fn decode(wire: Wire) -> Answered<bool> {
        match wire.0 {
            Answer::Number(value) => Ok(value != 0.0),
            _ => unexpected("a boolean"),
        }
    }
}

impl Encode<bool> for bool {
    fn encode(value: bool) -> Answered<Wire> {
        Ok(Wire(Answer::Number(f64::from(u8::from(value)))))
    }
}

impl Decode for String {
    type Value = std::string::String;

    fn decode(wire: Wire) -> Answered<std::string::String> {
        match wire.0 {
            Answer::Bytes(bytes) => {
                std::string::String::from_utf8(bytes).or_else(|_| unexpected("UTF-8"))
            }
            _ => unexpected("a string"),
        }
    }
}

impl Encode<std::string::String> for String {
    fn encode(value: std::string::String) -> Answered<Wire> {
        Ok(Wire(Answer::Bytes(value.into_bytes())))
    }
}

impl Encode<&str> for String {
    fn encode(value: &str) -> Answered<Wire> {
        Ok(Wire(Answer::Bytes(value.as_bytes().to_vec())))
    }
}

impl Decode for Bytes {
    type Value = Vec<u8>;

    fn decode(wire: Wire) -> Answered<Vec<u8>> {
        match wire.0 {
            Answer::Bytes(bytes) => Ok(bytes),
            _ => unexpected("bytes"),
        }
    }
}

impl Encode<Vec<u8>> for Bytes {
    fn encode(value: Vec<u8>) -> Answered<Wire> {
        Ok(Wire(Answer::Bytes(value)))
    }
}

impl<T: DeserializeOwned> Decode for Serde<T> {
    type Value = T;

    fn decode(wire: Wire) -> Answered<T> {
        match wire.0 {
            Answer::Bytes(bytes) => postcard::from_bytes(&bytes)
                .or_else(|e| wrong(format!("the host's answer does not fit the type: {e}"))),
            _ => unexpected("a value in postcard's format"),
        }
    }
}

impl<T: Serialize> Encode<T> for Serde<T> {
    fn encode(value: T) -> Answered<Wire> {
        encode(&value).map(|bytes| Wire(Answer::Bytes(bytes)))
    }
}

/// Encodes an argument.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Answered<Vec<u8>> {
    postcard::to_allocvec(value).or_else(|e| wrong(format!("the value cannot be encoded: {e}")))
}

/// Decodes the argument `name` of an export.
pub fn decode<T: DeserializeOwned + Schema>(bytes: &[u8], name: &str) -> Answered<T> {
    postcard::from_bytes(bytes)
        .or_else(|e| wrong(format!("argument `{name}` does not fit its type: {e}")))
}

/// Makes a string of the argument `name` of an export.
pub fn string(bytes: Vec<u8>, name: &str) -> Answered<std::string::String> {
    std::string::String::from_utf8(bytes)
        .or_else(|_| wrong(["argument `", name, "` is not UTF-8"].concat()))
}

/// A call of an async host function: the future that waits for its ticket.
///
/// It holds a number only, so it is `Send` whatever the host gave. Dropping it cancels the operation.
#[must_use = "futures do nothing unless awaited"]
pub struct HostCall<D, S> {
    call: RawCall,
    _types: PhantomData<fn() -> (D, S)>,
}

/// What does not depend on types, so that a program with many host functions has it once.
struct RawCall {
    state: State,
    function: &'static &'static str,
}

enum State {
    Pending(Ticket),
    Ready(Answer),
    Taken,
}

impl<D, S> HostCall<D, S> {
    /// Registers a ticket, then lets `import` cross with it.
    pub fn start(
        function: &'static &'static str,
        import: impl FnOnce(u32) -> Answered<i32>,
    ) -> HostCall<D, S> {
        let state = match open_ticket() {
            Ok(ticket) => match import(ticket.to_raw()) {
                Ok(0) => State::Pending(ticket),
                status => answered(ticket, status),
            },
            Err(error) => State::Ready(Answer::Error(error)),
        };
        HostCall { call: RawCall { state, function }, _types: PhantomData }
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
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
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

impl Drop for RawCall {
    #[inline]
    fn drop(&mut self) {
        if let State::Pending(ticket) = self.state {
            cancel(ticket);
        }
    }
}

#[inline(never)]
fn cancel(ticket: Ticket) {
    let cancelled = crate::rt::with(|inner| inner.driver.tickets.borrow_mut().cancel(ticket));
    // What `cancelled` holds, a waker or a result, is dropped when the table is no longer borrowed.
    if let Cancelled::Pending(_) = cancelled {
        abi::cancel(ticket);
    }
}

impl<D: Decode, S: Settle<D::Value>> Future for HostCall<D, S> {
    type Output = S::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<S::Output> {
        let function = self.call.function;
        self.call.poll(cx).map(|answer| S::settle(open::<D>(answer), function))
    }
}

fn open<D: Decode>(answer: Answer) -> Answered<D::Value> {
    match answer {
        Answer::Error(error) => Err(error),
        answer => D::decode(Wire(answer)),
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

/// What an exported function that cannot fail returned.
pub fn infallible<T>(value: T) -> Answered<T> {
    Ok(value)
}

/// What an exported function that can fail returned. A [`HostError`] stays as it is, so an error of one
/// host function passes through.
pub fn fallible<T, E: Display + 'static>(result: Result<T, E>) -> Answered<T> {
    result.map_err(|error| match (&error as &dyn Any).downcast_ref::<HostError>() {
        Some(error) => error.clone(),
        None => HostError::new(error.to_string()),
    })
}

thread_local! {
    /// The call whose first poll is going on, and its answer if that fits the answer record.
    static EAGER: Cell<(i32, Option<Option<f64>>)> = const { Cell::new((NO_CALL, None)) };
}

const NO_CALL: i32 = -1;

/// Starts an async export: polls it at once. `make` makes the future, unless an argument is wrong.
pub fn export_async<D, T, F>(
    call: i32,
    name: &'static str,
    make: impl FnOnce() -> Answered<F>,
) -> i32
where
    D: Encode<T>,
    F: Future<Output = Answered<T>> + 'static,
{
    let future = match crate::rt::with(|_| make()) {
        Ok(future) => future,
        Err(error) => {
            abi::reply(call, Answer::Error(error));
            return 0;
        }
    };
    let outer = EAGER.replace((call, None));
    crate::rt::with(|inner| {
        let task = inner.executor.spawn_polled(TaskOptions::new().name(name), async move {
            let answer = to_answer::<D, T>(future.await);
            match (EAGER.get().0 == call, answer) {
                (true, Answer::Unit) => EAGER.set((call, Some(None))),
                (true, Answer::Number(value)) => EAGER.set((call, Some(Some(value)))),
                (_, answer) => abi::reply(call, answer),
            }
        });
        drop(task);
        inner.driver.arm(&inner.executor);
    });
    let (_, answer) = EAGER.replace(outer);
    // Written last: whatever ran above may have used the record.
    match answer {
        Some(value) => {
            abi::set_answer(value);
            1
        }
        None => 0,
    }
}

fn to_answer<D: Encode<T>, T>(result: Answered<T>) -> Answer {
    match result.and_then(D::encode) {
        Ok(wire) => wire.0,
        Err(error) => Answer::Error(error),
    }
}

/// Runs a sync export.
pub fn export_sync<D: Encode<T>, T>(run: impl FnOnce() -> Answered<T>) -> i32 {
    let answer = crate::rt::with(|inner| {
        let answer = to_answer::<D, T>(run());
        inner.driver.arm(&inner.executor);
        answer
    });
    match answer {
        Answer::Unit => abi::set_answer(None),
        Answer::Number(value) => abi::set_answer(Some(value)),
        answer => {
            abi::reply(NO_CALL, answer);
            return 0;
        }
    }
    1
}
