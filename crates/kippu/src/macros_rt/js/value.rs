//! Values on their way: from the answers that cross to Rust's types, and back.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use postcard_schema::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::HostError;
use crate::driver::js::{Answer, streams};
use crate::macros_rt::Answered;
use crate::stream::HostStream;

/// Turns an answer into a value.
pub trait Decode {
    /// The value's type.
    type Value;
    /// Whether the answer names something that the host keeps until it hears of it.
    const NAMES: bool = false;
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
/// Numbers one after another: a `Vec<T>`.
pub struct Numbers<T>(PhantomData<fn() -> T>);
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

/// A number that typed arrays of JavaScript hold.
pub trait Element: Copy {
    #[doc(hidden)]
    const SIZE: usize;
    #[doc(hidden)]
    fn read(bytes: &[u8]) -> Self;
    #[doc(hidden)]
    fn write(self, out: &mut Vec<u8>);
}

macro_rules! element {
    ($($ty:ident)*) => { $(
        impl Element for $ty {
            const SIZE: usize = size_of::<$ty>();

            #[inline]
            fn read(bytes: &[u8]) -> $ty {
                let mut le = [0; size_of::<$ty>()];
                le.copy_from_slice(bytes);
                $ty::from_le_bytes(le)
            }

            #[inline]
            fn write(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }
    )* };
}

element!(i8 i16 u16 i32 u32 f32 f64);

/// The numbers as bytes, little endian.
pub fn number_bytes<T: Element>(numbers: &[T]) -> Vec<u8> {
    let mut out = Vec::with_capacity(numbers.len() * T::SIZE);
    for number in numbers {
        number.write(&mut out);
    }
    out
}

fn numbers_of<T: Element>(bytes: &[u8]) -> Option<Vec<T>> {
    let items = bytes.chunks_exact(T::SIZE);
    items.remainder().is_empty().then(|| items.map(T::read).collect())
}

/// Makes numbers of the argument `name` of an export.
pub fn numbers<T: Element>(bytes: &[u8], name: &str) -> Answered<Vec<T>> {
    numbers_of(bytes).map_or_else(|| wrong(["argument `", name, "` ends early"].concat()), Ok)
}

impl<T: Element> Decode for Numbers<T> {
    type Value = Vec<T>;

    fn decode(wire: Wire) -> Answered<Vec<T>> {
        match &wire.0 {
            Answer::Bytes(bytes) => {
                numbers_of(bytes).map_or_else(|| unexpected("whole numbers"), Ok)
            }
            _ => unexpected("numbers"),
        }
    }
}

impl<T: Element> Encode<Vec<T>> for Numbers<T> {
    fn encode(value: Vec<T>) -> Answered<Wire> {
        Ok(Wire(Answer::Bytes(number_bytes(&value))))
    }
}

impl Encode<&[u8]> for Bytes {
    fn encode(value: &[u8]) -> Answered<Wire> {
        Ok(Wire(Answer::Bytes(value.to_vec())))
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

/// A stream of the host's, whose items `D` decodes.
pub struct FromHost<D>(PhantomData<fn() -> D>);
/// A stream of the guest's, whose items `D` encodes.
pub struct ToHost<D>(PhantomData<fn() -> D>);

impl<D: Decode> Decode for FromHost<D> {
    type Value = HostStream<D::Value>;
    const NAMES: bool = true;

    fn decode(wire: Wire) -> Answered<Self::Value> {
        match wire.0 {
            Answer::Number(stream) => Ok(host_stream::<D>(stream as u32)),
            _ => unexpected("a stream"),
        }
    }
}

impl<D, T, S> Encode<S> for ToHost<D>
where
    D: Encode<T>,
    S: Stream<Item = Answered<T>> + 'static,
{
    fn encode(stream: S) -> Answered<Wire> {
        Ok(Wire(Answer::Number(f64::from(guest_stream::<D, T>(stream)))))
    }
}

/// The stream that the host knows by this number.
pub fn host_stream<D: Decode>(stream: u32) -> HostStream<D::Value> {
    HostStream::from_host(streams::Pull::new(stream, open::<D>))
}

/// Hands a stream to the host: its number.
pub fn guest_stream<D: Encode<T>, T>(stream: impl Stream<Item = Answered<T>> + 'static) -> u32 {
    streams::give(Box::pin(items(stream, |item: Answered<T>| to_answer::<D, T>(item))))
}

pin_project_lite::pin_project! {
    /// A stream with its items changed.
    struct Items<S, F> {
        #[pin]
        stream: S,
        change: F,
    }
}

impl<S: Stream, U, F: FnMut(S::Item) -> U> Stream for Items<S, F> {
    type Item = U;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<U>> {
        let this = self.project();
        this.stream.poll_next(cx).map(|item| item.map(this.change))
    }
}

/// `stream` with each item changed.
pub fn items<S: Stream, U>(stream: S, change: impl FnMut(S::Item) -> U) -> impl Stream<Item = U> {
    Items { stream, change }
}

/// `stream` with each error changed.
pub fn try_items<S, T, E>(
    stream: S,
    mut change: impl FnMut(E) -> HostError,
) -> impl Stream<Item = Answered<T>>
where
    S: Stream<Item = Result<T, E>>,
{
    items(stream, move |item: Result<T, E>| item.map_err(&mut change))
}

pub(super) fn to_answer<D: Encode<T>, T>(result: Answered<T>) -> Answer {
    match result.and_then(D::encode) {
        Ok(wire) => wire.0,
        Err(error) => Answer::Error(error),
    }
}

pub(super) fn open<D: Decode>(answer: Answer) -> Answered<D::Value> {
    match answer {
        Answer::Error(error) => Err(error),
        answer => D::decode(Wire(answer)),
    }
}
