//! Host functions that give streams.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{StreamExt, stream};
use kippu::HostError;
use kippu::stream::{HostStream, Stream};
use kippu::task::yield_now;
use kippu::time::{Duration, sleep};

use crate::cancel_at::Operation;
use crate::types::Leaf;

thread_local! {
    /// Natively: what was asked of logged streams.
    static EVENTS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn event(what: &'static str) {
    EVENTS.with_borrow_mut(|events| events.push(what));
}

/// Says what the host is asked for: `next`, the `end` that it tells, and `return` when it is stopped early.
struct Logged<S> {
    stream: Option<S>,
    asked: bool,
}

impl<S: Stream + Unpin> Logged<S> {
    fn new(stream: S) -> Logged<S> {
        Logged { stream: Some(stream), asked: false }
    }
}

impl<S: Stream + Unpin> Stream for Logged<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if !std::mem::replace(&mut self.asked, true) {
            event("next");
        }
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        let next = stream.poll_next_unpin(cx);
        self.asked = next.is_pending();
        if matches!(next, Poll::Ready(None)) {
            event("end");
            self.stream = None;
        }
        next
    }
}

impl<S> Drop for Logged<S> {
    fn drop(&mut self) {
        if self.stream.is_some() {
            event("return");
        }
    }
}

/// Numbers from 0, so many.
#[kippu::host]
pub(crate) fn counts(to: u32) -> Result<HostStream<u32>, HostError> {
    Ok(HostStream::new(Logged::new(stream::iter((0..to).map(Ok)))))
}

/// The same from an async function, and each item takes a moment.
#[kippu::host]
pub(crate) async fn counts_later(to: u32) -> Result<HostStream<u32>, HostError> {
    yield_now().await;
    let next = move |i| async move {
        yield_now().await;
        (i < to).then_some((Ok(i), i + 1))
    };
    Ok(HostStream::new(Logged::new(Box::pin(stream::unfold(0, next)))))
}

/// What has been asked of these streams since the last time.
#[kippu::host]
pub(crate) fn stream_events() -> Result<String, HostError> {
    Ok(EVENTS.take().join(" "))
}

/// 1, 2, 3 from an iterable, each number another kind.
#[kippu::host]
pub(crate) fn iterables(kind: u32) -> Result<HostStream<f64>, HostError> {
    match kind {
        0..KINDS => Ok(HostStream::new(stream::iter([1.0, 2.0, 3.0].map(Ok)))),
        _ => Err(HostError::named("RangeError", "no such kind")),
    }
}

/// How many kinds of iterables there are.
pub(crate) const KINDS: u32 = 8;

#[kippu::host]
pub(crate) fn texts(times: u32) -> Result<HostStream<String>, HostError> {
    Ok(HostStream::new(stream::iter((0..times).map(|i| Ok("切🎫".repeat(i as usize))))))
}

#[kippu::host]
pub(crate) fn flags() -> Result<HostStream<bool>, HostError> {
    Ok(HostStream::new(stream::iter([true, false, true].map(Ok))))
}

#[kippu::host]
pub(crate) fn leaf_stream() -> Result<HostStream<Leaf>, HostError> {
    Ok(HostStream::new(stream::iter(leaves().map(Ok))))
}

pub(crate) fn leaves() -> [Leaf; 4] {
    [
        Leaf::Nothing,
        Leaf::Text("ä".to_owned()),
        Leaf::Two(-1, '切'),
        Leaf::Named { left: u64::MAX, right: None },
    ]
}

/// So many numbers, then a `RangeError` with the code `ENOENT`.
#[kippu::host]
pub(crate) fn breaks(after: u32) -> Result<HostStream<u32>, HostError> {
    let error = HostError::named("RangeError", "broken").with_code("ENOENT");
    let items = (0..after).map(Ok).chain([Err(error), Ok(99)]);
    Ok(HostStream::new(stream::iter(items)))
}

/// 1, then a text instead of a number.
#[kippu::host]
pub(crate) fn strays() -> Result<HostStream<u32>, HostError> {
    let error = HostError::named("TypeError", "natively there are no wrong types");
    Ok(HostStream::new(Logged::new(stream::iter([Ok(1), Err(error)]))))
}

/// Never gives an item.
#[kippu::host]
pub(crate) fn stalls() -> Result<HostStream<u32>, HostError> {
    Ok(HostStream::new(Logged::new(stream::pending())))
}

/// Chunks of these lengths; their bytes count on from one to the next.
#[kippu::host]
pub(crate) fn chunks(lengths: &[u32]) -> Result<HostStream<Vec<u8>>, HostError> {
    let mut from = 0;
    let chunks: Vec<_> = lengths
        .iter()
        .map(|&len| {
            from += len;
            Ok((from - len..from).map(|i| i as u8).collect())
        })
        .collect();
    Ok(HostStream::new(stream::iter(chunks)))
}

/// A chunk, then an error with the code `ENOENT`.
#[kippu::host]
pub(crate) fn broken_chunks() -> Result<HostStream<Vec<u8>>, HostError> {
    let error = HostError::named("RangeError", "broken").with_code("ENOENT");
    Ok(HostStream::new(stream::iter([Ok(vec![1, 2, 3]), Err(error)])))
}

/// 0, 1, 2, … with some milliseconds before each. Counts as an operation until it is stopped.
#[kippu::host]
pub(crate) fn ticking() -> Result<HostStream<u32>, HostError> {
    let tick = |(i, operation)| async move {
        sleep(Duration::from_millis(4)).await;
        Some((Ok(i), (i + 1, operation)))
    };
    Ok(HostStream::new(Box::pin(stream::unfold((0, Operation::start()), tick))))
}
