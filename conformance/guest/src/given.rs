//! Streams that the guest gives to the host.

use std::future::ready;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_util::{StreamExt, stream};
use kippu::HostError;
use kippu::stream::Stream;
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, sleep};

use crate::host::double_later;
use crate::support::{Log, LogDrop, Outcome, cases, failed, same, settle};
use crate::types::Leaf;

cases!("given":
    the_host_takes_all,
    items_that_take_time,
    items_of_every_type,
    an_empty_stream,
    nothing_is_made_before_it_is_wanted,
    the_host_stops_early,
    the_host_stops_before_the_first_item,
    the_host_fails_in_the_middle,
    an_error_in_the_middle,
    an_error_that_is_not_the_hosts,
    ten_thousand_items,
    large_items,
    items_that_need_the_host,
    many_streams_at_once,
    a_dropped_call_drops_the_stream,
    an_aborted_task_drops_the_stream,
    through_the_host_and_back,
);

/// The sum of all numbers.
#[kippu::host]
async fn sum_of(numbers: impl Stream<Item = f64>) -> Result<f64, HostError> {
    let mut numbers = pin!(numbers);
    let mut sum = 0.0;
    while let Some(number) = numbers.next().await {
        sum += number;
    }
    Ok(sum)
}

/// The sum, of a stream that may fail.
#[kippu::host]
async fn sum_of_results(
    numbers: impl Stream<Item = Result<f64, HostError>>,
) -> Result<f64, HostError> {
    let mut numbers = pin!(numbers);
    let mut sum = 0.0;
    while let Some(number) = numbers.next().await {
        sum += number?;
    }
    Ok(sum)
}

/// All texts one after the other.
#[kippu::host]
async fn concatenated(texts: impl Stream<Item = String>) -> Result<String, HostError> {
    Ok(texts.collect::<Vec<_>>().await.concat())
}

/// How many bytes there are, and the sum of them.
#[kippu::host]
async fn measured(chunks: impl Stream<Item = Vec<u8>>) -> Result<Vec<u32>, HostError> {
    let mut chunks = pin!(chunks);
    let mut measure = vec![0, 0];
    while let Some(chunk) = chunks.next().await {
        measure[0] += chunk.len() as u32;
        measure[1] += chunk.iter().map(|&byte| u32::from(byte)).sum::<u32>();
    }
    Ok(measure)
}

/// All of them in a list.
#[kippu::host]
async fn collected(leaves: impl Stream<Item = Leaf>) -> Result<Vec<Leaf>, HostError> {
    Ok(leaves.collect().await)
}

/// The first so many, after which the host stops.
#[kippu::host]
async fn first(numbers: impl Stream<Item = u32>, count: u32) -> Result<Vec<u32>, HostError> {
    // It does not ask for one more to learn that it has enough.
    Ok(numbers.take(count as usize).collect().await)
}

/// The first so many, with a pause after each.
#[kippu::host]
async fn first_slowly(numbers: impl Stream<Item = u32>, count: u32) -> Result<Vec<u32>, HostError> {
    let mut numbers = pin!(numbers);
    let mut found = Vec::new();
    for _ in 0..count {
        found.extend(numbers.next().await);
        sleep(Duration::from_millis(3)).await;
    }
    Ok(found)
}

/// Fails when it sees this number.
#[kippu::host]
async fn fails_at(numbers: impl Stream<Item = u32>, bad: u32) -> Result<(), HostError> {
    let mut numbers = pin!(numbers);
    while let Some(number) = numbers.next().await {
        if number == bad {
            return Err(HostError::named("RangeError", "seen it").with_code("E_TEST"));
        }
    }
    Ok(())
}

/// Takes numbers until it is cancelled.
#[kippu::host]
async fn takes_for_ever(numbers: impl Stream<Item = u32>) -> Result<(), HostError> {
    numbers.for_each(|_| ready(())).await;
    Ok(())
}

/// Logs each item that is made, and that it is dropped.
struct Logged<S> {
    stream: S,
    log: Log,
    _guard: LogDrop,
}

impl<S: Stream<Item = u32> + Unpin> Stream for Logged<S> {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        let next = self.stream.poll_next_unpin(cx);
        match next {
            Poll::Ready(Some(number)) => self.log.add(number),
            Poll::Ready(None) => self.log.add("end"),
            Poll::Pending => {}
        }
        next
    }
}

/// Numbers from 0.
fn logged(log: &Log, to: u32) -> impl Stream<Item = u32> + use<> {
    Logged { stream: stream::iter(0..to), log: log.clone(), _guard: log.guard("dropped") }
}

async fn the_host_takes_all() -> Outcome {
    same(sum_of(stream::iter([1.5, 2.0, -0.5])).await, Ok(3.0))?;
    let log = Log::default();
    same(first(logged(&log, 3), 10).await, Ok(vec![0, 1, 2]))?;
    settle().await;
    log.says("0 1 2 end dropped")
}

/// Each item comes after a moment.
fn slowly(to: u32) -> impl Stream<Item = u32> + Unpin {
    Box::pin(stream::unfold(0, move |i| async move {
        match i % 3 {
            0 => sleep(Duration::from_millis(1)).await,
            1 => yield_now().await,
            _ => {}
        }
        (i < to).then_some((i, i + 1))
    }))
}

async fn items_that_take_time() -> Outcome {
    same(first(slowly(10), 100).await, Ok((0..10).collect()))?;
    same(sum_of(slowly(10).map(f64::from)).await, Ok(45.0))
}

async fn items_of_every_type() -> Outcome {
    let texts: Vec<String> = (0..40).map(|i| "切🎫".repeat(i)).collect();
    same(concatenated(stream::iter(texts.clone())).await, Ok(texts.concat()))?;
    let leaves = vec![
        Leaf::Nothing,
        Leaf::Text("ä".to_owned()),
        Leaf::Two(-1, '切'),
        Leaf::Named { left: u64::MAX, right: Some(true) },
    ];
    same(collected(stream::iter(leaves.clone())).await, Ok(leaves))
}

async fn an_empty_stream() -> Outcome {
    same(sum_of(stream::empty()).await, Ok(0.0))?;
    same(collected(stream::empty()).await, Ok(vec![]))?;
    same(measured(stream::iter([vec![], vec![]])).await, Ok(vec![0, 0]))
}

async fn nothing_is_made_before_it_is_wanted() -> Outcome {
    let log = Log::default();
    let call = spawn(first_slowly(logged(&log, 1_000_000_000), 3));
    same(call.await.map_err(failed)?, Ok(vec![0, 1, 2]))?;
    settle().await;
    log.says("0 1 2 dropped")
}

async fn the_host_stops_early() -> Outcome {
    for count in [1, 2, 7] {
        let log = Log::default();
        same(first(logged(&log, 1_000_000_000), count).await, Ok((0..count).collect()))?;
        settle().await;
        let made: Vec<_> = (0..count).map(|i| i.to_string()).collect();
        log.says(&format!("{} dropped", made.join(" ")))?;
    }
    Ok(())
}

async fn the_host_stops_before_the_first_item() -> Outcome {
    let log = Log::default();
    same(first(logged(&log, 5), 0).await, Ok(vec![]))?;
    settle().await;
    log.says("dropped")
}

async fn the_host_fails_in_the_middle() -> Outcome {
    let log = Log::default();
    let error = fails_at(logged(&log, 100), 3).await.err().ok_or("it fails")?;
    same((error.name(), error.message(), error.code()), ("RangeError", "seen it", "E_TEST"))?;
    settle().await;
    log.says("0 1 2 3 dropped")
}

async fn an_error_in_the_middle() -> Outcome {
    let error = HostError::named("SyntaxError", "torn").with_code("E_TORN");
    let items = stream::iter([Ok(1.0), Ok(2.0), Err(error), Ok(4.0)]);
    let error = sum_of_results(items).await.err().ok_or("it fails")?;
    same((error.name(), error.message(), error.code()), ("SyntaxError", "torn", "E_TORN"))?;
    same(sum_of_results(stream::iter([Ok(1.0), Ok(2.0)])).await, Ok(3.0))
}

async fn an_error_that_is_not_the_hosts() -> Outcome {
    let broken = stream::iter([Err(HostError::new("only words"))]);
    let error = sum_of_results(broken).await.err().ok_or("it fails")?;
    same((error.name(), error.message(), error.code()), ("Error", "only words", ""))
}

async fn ten_thousand_items() -> Outcome {
    same(sum_of(stream::iter((0..10_000).map(f64::from))).await, Ok(49_995_000.0))
}

async fn large_items() -> Outcome {
    let chunks: Vec<Vec<u8>> = [1 << 20, 0, 1, 16_384, 16_385].map(|len| vec![1; len]).to_vec();
    let bytes = chunks.concat().len() as u32;
    same(measured(stream::iter(chunks)).await, Ok(vec![bytes, bytes]))
}

async fn items_that_need_the_host() -> Outcome {
    let doubled = stream::iter([1.0, 2.0, 3.0])
        .then(|number| async move { double_later(number).await.unwrap_or_default() });
    same(sum_of(doubled).await, Ok(12.0))?;
    let nested = stream::iter([1.0, 2.0])
        .then(|number| async move { sum_of(stream::iter([number; 3])).await.unwrap_or_default() });
    same(sum_of(nested).await, Ok(9.0))
}

async fn many_streams_at_once() -> Outcome {
    let tasks: Vec<_> =
        (0..100).map(|i| spawn(async move { sum_of(slowly(i).map(f64::from)).await })).collect();
    for (i, task) in (0..).zip(tasks) {
        same(task.await.map_err(failed)?, Ok((0..i).map(f64::from).sum()))?;
    }
    Ok(())
}

/// Waits until something has been dropped.
async fn dropped(log: &Log) -> Outcome {
    for _ in 0..200 {
        if log.text().ends_with("dropped") {
            return Ok(());
        }
        sleep(Duration::from_millis(5)).await;
    }
    Err("the stream was not dropped".to_owned())
}

/// Numbers without an end, with pauses.
fn endless(log: &Log) -> impl Stream<Item = u32> + use<> {
    let _guard = log.guard("dropped");
    Logged { stream: slowly(u32::MAX), log: log.clone(), _guard }
}

async fn a_dropped_call_drops_the_stream() -> Outcome {
    let log = Log::default();
    let call = kippu::time::timeout(Duration::from_millis(20), takes_for_ever(endless(&log)));
    same(call.await.is_err(), true)?;
    dropped(&log).await
}

async fn an_aborted_task_drops_the_stream() -> Outcome {
    let log = Log::default();
    let task = spawn(takes_for_ever(endless(&log)));
    sleep(Duration::from_millis(10)).await;
    task.abort();
    same(task.await.is_err(), true)?;
    dropped(&log).await
}

/// Numbers, each doubled by the host on its way.
#[kippu::host]
fn doubled(
    numbers: impl Stream<Item = f64> + Send,
) -> Result<kippu::stream::HostStream<f64>, HostError> {
    Ok(kippu::stream::HostStream::new(numbers.map(|number| Ok(2.0 * number))))
}

async fn through_the_host_and_back() -> Outcome {
    let mut back = doubled(stream::iter([1.0, 2.0, 3.0])).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(number) = back.next().await {
        found.push(number.map_err(failed)?);
    }
    same(found, vec![2.0, 4.0, 6.0])
}
