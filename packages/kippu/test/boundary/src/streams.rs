//! Streams, both ways.

use futures_util::{AsyncReadExt, Stream, StreamExt, stream};
use kippu::HostError;
use kippu::stream::HostStream;
use kippu::task::yield_now;
use kippu::time::{Duration, sleep, timeout};

use crate::calls::Job;

/// Notes what happens in the guest, in order.
#[kippu::host(name = "note")]
fn note(what: &str);

/// Numbers of the test's.
#[kippu::host]
async fn numbers(name: &str) -> Result<HostStream<f64>, HostError>;

/// The same, at once.
#[kippu::host]
fn numbers_sync(name: &str) -> Result<HostStream<f64>, HostError>;

/// Takes numbers until it has enough.
#[kippu::host]
async fn take(
    label: &str,
    numbers: impl Stream<Item = u32>,
    jobs: impl Stream<Item = Result<Job, HostError>>,
) -> Result<f64, HostError>;

/// Notes when a stream of the guest's is dropped.
struct Noted(&'static str);

impl Drop for Noted {
    fn drop(&mut self) {
        note(self.0);
    }
}

/// The sum of a stream that JavaScript gives as an argument.
#[kippu::export]
async fn sum(mut numbers: HostStream<f64>) -> Result<f64, HostError> {
    let mut sum = 0.0;
    while let Some(number) = numbers.next().await {
        sum += number?;
    }
    Ok(sum)
}

/// The sum of the first `count` numbers of a stream that the host gives.
#[kippu::export]
async fn sum_first(name: String, count: u32, sync: bool) -> Result<f64, HostError> {
    let mut stream = if sync { numbers_sync(&name)? } else { numbers(&name).await? };
    let mut sum = 0.0;
    for _ in 0..count {
        match stream.next().await {
            Some(number) => sum += number?,
            None => break,
        }
    }
    Ok(sum)
}

/// What comes of a stream: items, errors and the end, as text.
#[kippu::export]
async fn outcomes(mut texts: HostStream<String>) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(item) = texts.next().await {
        seen.push(item.unwrap_or_else(|error| format!("({error})")));
    }
    seen.push("end".to_owned());
    seen
}

/// Jobs that come one by one, all together.
#[kippu::export]
async fn collect_jobs(mut jobs: HostStream<Job>) -> Result<Vec<Job>, HostError> {
    let mut all = Vec::new();
    while let Some(job) = jobs.next().await {
        all.push(job?);
    }
    Ok(all)
}

/// Bytes, read in pieces of `size`: how long they were.
#[kippu::export]
async fn read_pieces(mut bytes: HostStream<Vec<u8>>, size: u32) -> Result<Vec<u32>, HostError> {
    let mut lengths = Vec::new();
    let mut buf = vec![0; size as usize];
    loop {
        match bytes.read(&mut buf).await {
            Ok(0) => return Ok(lengths),
            Ok(len) => lengths.push(len as u32),
            Err(error) => return Err(HostError::new(error.to_string())),
        }
    }
}

/// Gives up waiting for the first item again and again; the item is not lost.
#[kippu::export]
async fn impatient(mut numbers: HostStream<f64>) -> Result<(u32, f64), HostError> {
    let mut gave_up = 0;
    loop {
        match timeout(Duration::from_millis(2), numbers.next()).await {
            Ok(Some(number)) => return Ok((gave_up, number?)),
            Ok(None) => return Err(HostError::new("it has ended")),
            Err(_) => gave_up += 1,
        }
    }
}

/// Takes two streams and keeps neither.
#[kippu::export]
fn ignore(first: HostStream<f64>, text: String, second: HostStream<String>) -> String {
    drop((first, second));
    text
}

/// Starts to ask for a stream and gives up.
#[kippu::export]
async fn give_up_asking(name: String) {
    drop(numbers(&name));
    yield_now().await;
}

/// The numbers below `end`.
#[kippu::export]
fn count(end: u32) -> impl Stream<Item = u32> {
    let noted = Noted("count dropped");
    stream::iter(0..end).inspect(move |n| {
        let _ = &noted;
        note(&format!("made {n}"));
    })
}

/// The numbers below `end`, one every `ms` milliseconds.
#[kippu::export]
async fn tick(end: u32, ms: u32) -> impl Stream<Item = u32> {
    let noted = Noted("tick dropped");
    stream::unfold((0, noted), move |(n, noted)| async move {
        sleep(Duration::from_millis(ms.into())).await;
        (n < end).then_some((n, (n + 1, noted)))
    })
}

/// Halves until it fails.
#[kippu::export]
async fn halves(from: u32) -> Result<impl Stream<Item = Result<u32, String>>, HostError> {
    if from == 0 {
        return Err(HostError::named("RangeError", "nothing to halve"));
    }
    Ok(stream::unfold(from, |n| async move {
        if n % 2 == 1 { Some((Err(format!("{n} is odd")), n)) } else { Some((Ok(n / 2), n / 2)) }
    }))
}

/// Chunks of bytes.
#[kippu::export]
fn chunks(count: u32, size: u32) -> impl Stream<Item = Vec<u8>> {
    stream::iter(0..count).map(move |n| vec![n as u8; size as usize])
}

/// Hands streams to the host.
#[kippu::export]
async fn hand_over(end: u32, jobs: Vec<Job>) -> Result<f64, HostError> {
    let noted = Noted("numbers dropped");
    let numbers = stream::iter(0..end).inspect(move |_| {
        let _ = &noted;
    });
    let fails = HostError::named("AbortError", "no more jobs");
    let jobs = stream::iter(jobs).map(Ok).chain(stream::iter([Err(fails)]));
    take("两", numbers, jobs).await
}

/// Doubles what comes, as it comes.
#[kippu::export]
fn doubled(numbers: HostStream<f64>) -> impl Stream<Item = Result<f64, HostError>> {
    numbers.map(|number| number.map(|n| n * 2.0))
}

/// Streams whose items the host looks at in the middle of making them.
#[kippu::host]
fn peek(what: &str);

/// Calls `peek` before each of its numbers, within the poll.
#[kippu::export]
fn peeked(end: u32) -> impl Stream<Item = u32> {
    let noted = Noted("peeked dropped");
    stream::iter(0..end).inspect(move |n| {
        let _ = &noted;
        peek(&format!("before {n}"));
    })
}

/// A stream that is there only after the host has looked, in a poll that is not the first.
#[kippu::export]
async fn late_stream() -> impl Stream<Item = u32> {
    let noted = Noted("late dropped");
    sleep(Duration::from_millis(1)).await;
    peek("late");
    stream::iter(0..3).inspect(move |_| {
        let _ = &noted;
    })
}

/// What serde refuses.
#[derive(postcard_schema::Schema)]
struct Refused;

impl serde::Serialize for Refused {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

/// Never reached: its last argument cannot be encoded.
#[kippu::host(name = "take_refused")]
async fn take_refused(numbers: impl Stream<Item = u32>, refused: &Refused)
-> Result<(), HostError>;

/// Gives a stream together with what cannot cross.
#[kippu::export]
async fn hand_over_refused() -> Result<(), HostError> {
    let noted = Noted("refused dropped");
    let numbers = stream::iter(0..3).inspect(move |_| {
        let _ = &noted;
    });
    take_refused(numbers, &Refused).await
}
