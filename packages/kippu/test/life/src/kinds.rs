//! One function for each kind of crossing, which does it many times.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_util::stream;
use kippu::HostError;
use kippu::stream::{HostStream, Stream};
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, sleep, timeout};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::ask;

/// Something with a bit of everything.
#[derive(Clone, Serialize, Deserialize, Schema)]
pub(crate) struct Row {
    id: u32,
    weight: f64,
    name: String,
    bytes: Vec<u8>,
    tags: BTreeMap<String, Option<i8>>,
}

/// The text again.
#[kippu::host]
async fn text(text: &str) -> Result<String, HostError> {
    Ok(text.to_owned())
}

/// The bytes again.
#[kippu::host]
async fn bytes(bytes: &[u8]) -> Result<Vec<u8>, HostError> {
    Ok(bytes.to_vec())
}

/// The row again.
#[kippu::host]
async fn row(row: Row) -> Result<Row, HostError> {
    Ok(row)
}

/// The number again, at once.
#[kippu::host]
fn number(n: u32) -> Result<u32, HostError> {
    Ok(n)
}

/// The numbers below `n`.
#[kippu::host]
fn numbers(n: u32) -> Result<HostStream<u32>, HostError> {
    Ok(HostStream::new(stream::iter((0..n).map(Ok))))
}

/// Calls of `ask`, one after the other; how many failed.
#[kippu::export]
async fn asks(times: u32, what: u32) -> u32 {
    let mut failed = 0;
    for _ in 0..times {
        failed += u32::from(ask(what).await.is_err());
    }
    failed
}

/// Calls of a function that answers within the call.
#[kippu::export]
fn numbers_at_once(times: u32) -> Result<u32, HostError> {
    (0..times).try_fold(0, |sum: u32, n| Ok(sum.wrapping_add(number(n)?)))
}

/// Calls whose futures are dropped, some of them before they are polled.
#[kippu::export]
async fn dropped(times: u32, what: u32) {
    for i in 0..times {
        let mut call = pin!(ask(what));
        if i % 2 == 0 {
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        // Until the host has settled what was dropped, its tickets are in use.
        if i % 64 == 0 {
            ask(8).await.ok();
        }
    }
}

/// Tasks that are aborted while they wait for the host.
#[kippu::export]
async fn aborted(times: u32, what: u32) {
    let mut aborted = 0;
    for _ in 0..times / 16 {
        let tasks: Vec<_> = (0..16).map(|_| spawn(ask(what))).collect();
        yield_now().await;
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            aborted += u32::from(task.await.is_err());
        }
        ask(8).await.ok();
    }
    // When a turn ends in between, the host may answer before the task is aborted.
    assert!(aborted > times / 16 * 8, "{aborted} of {times} were aborted");
}

/// Strings both ways.
#[kippu::export]
async fn texts(times: u32) -> Result<u32, HostError> {
    let mut length = 0;
    for _ in 0..times {
        length += text("some text, größer").await?.len() as u32;
    }
    Ok(length)
}

/// Bytes both ways, longer than the arena now and then.
#[kippu::export]
async fn blobs(times: u32) -> Result<u32, HostError> {
    let mut length = 0;
    let large = vec![7; 20_000];
    for i in 0..times {
        let end = if i % 64 == 0 { large.len() } else { 100 };
        length += bytes(&large[..end]).await?.len() as u32 / 100;
    }
    Ok(length)
}

/// Values of serde's, both ways.
#[kippu::export]
async fn rows(times: u32) -> Result<u32, HostError> {
    let mut sent = Row {
        id: 1,
        weight: 0.5,
        name: "row".to_owned(),
        bytes: vec![1, 2, 3],
        tags: BTreeMap::from([("a".to_owned(), None), ("b".to_owned(), Some(-1))]),
    };
    for _ in 0..times {
        sent = row(sent).await?;
    }
    Ok(sent.id)
}

/// Sleeps, many at a time, and timeouts that are not needed.
#[kippu::export]
async fn sleeps(times: u32) {
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            spawn(async move {
                for _ in 0..times / 100 {
                    timeout(Duration::from_secs(60), sleep(Duration::from_micros(50))).await.ok();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.ok();
    }
}

/// Items of a stream of the host's; every second stream is dropped early.
#[kippu::export]
async fn pulls(times: u32) -> Result<u32, HostError> {
    let mut sum = 0_u32;
    for i in 0..times / 20 {
        let mut stream = numbers(10 + 10 * (i % 2))?;
        for _ in 0..10 {
            sum = sum.wrapping_add(stream.next().await.transpose()?.unwrap_or_default());
        }
        while i % 2 == 0 && stream.next().await.transpose()?.is_some() {}
    }
    Ok(sum)
}

/// A stream for the host.
#[kippu::export]
fn stream_of(n: u32) -> impl Stream<Item = u32> {
    stream::iter(0..n)
}

/// The text again.
#[kippu::export]
async fn echo_text(text: String) -> String {
    text
}

/// The bytes again.
#[kippu::export]
fn echo_bytes(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

/// The row again.
#[kippu::export]
async fn echo_row(row: Row) -> Row {
    row
}

/// Fails, at once or after a turn.
#[kippu::export]
async fn fails(later: bool) -> Result<(), HostError> {
    if later {
        yield_now().await;
    }
    Err(HostError::new("on purpose"))
}

/// Waits until it is cancelled, with a destructor that crosses.
#[kippu::export]
async fn waits() -> u32 {
    struct Tells;
    impl Drop for Tells {
        fn drop(&mut self) {
            number(1).ok();
        }
    }
    let _tells = Tells;
    std::future::poll_fn(|_| Poll::<()>::Pending).await;
    0
}
