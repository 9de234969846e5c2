//! Types, errors, cancellation and re-entrancy.

use std::collections::BTreeMap;

use kippu::HostError;
use kippu::time::{Duration, sleep};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Notes what happens in the guest, in order.
#[kippu::host]
fn note(what: &str);

/// Answers when the test likes.
#[kippu::host]
async fn ask(question: &str) -> Result<String, HostError>;

/// Calls back into the guest, synchronously.
#[kippu::host]
fn call_back(depth: u32) -> Result<u32, HostError>;

/// Says so when it is dropped.
struct Guard(&'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        note(self.0);
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) struct Job {
    id: u32,
    title: String,
    urgent: Option<bool>,
    state: State,
}

/// Where a job is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
pub(crate) enum State {
    Open,
    Done(u32),
    Moved(String, i8),
    Failed { code: i64, why: Option<String> },
}

/// Every kind of argument at once.
#[kippu::export]
#[allow(clippy::too_many_arguments)]
async fn everything(
    flag: bool,
    small: i8,
    large: u32,
    real: f64,
    text: String,
    lent: &str,
    bytes: Vec<u8>,
    view: &[u8],
    maybe: Option<String>,
    jobs: Vec<Job>,
    by_name: BTreeMap<String, State>,
) -> (String, Vec<Job>) {
    let told = format!(
        "{flag} {small} {large} {real} {text} {lent} {bytes:?} {view:?} {maybe:?} {by_name:?}"
    );
    (told, jobs)
}

/// The argument, or nothing.
#[kippu::export]
fn maybe(text: Option<String>) -> Option<String> {
    text
}

/// Each kind of numbers, scaled or shifted by one.
#[kippu::export]
#[allow(clippy::too_many_arguments)]
fn arrays(
    a: Vec<i8>,
    b: &[i16],
    c: Vec<u16>,
    d: &[i32],
    e: Vec<u32>,
    f: &[f32],
    g: Vec<f64>,
) -> Vec<f64> {
    let a = a.into_iter().map(f64::from);
    let b = b.iter().copied().map(f64::from);
    let c = c.into_iter().map(f64::from);
    let d = d.iter().copied().map(f64::from);
    let e = e.into_iter().map(f64::from);
    let f = f.iter().copied().map(f64::from);
    a.chain(b).chain(c).chain(d).chain(e).chain(f).chain(g).collect()
}

/// Takes samples and gives them back louder.
#[kippu::host]
async fn amplify(samples: &[f32], lengths: Vec<u32>) -> Result<Vec<f32>, HostError>;

/// Samples through the host.
#[kippu::export]
async fn louder(samples: Vec<f32>) -> Result<Vec<f32>, HostError> {
    let lengths = vec![samples.len() as u32, u32::MAX];
    amplify(&samples, lengths).await
}

/// Arrays inside of other values are plain arrays.
#[kippu::export]
fn pairs(pairs: Vec<(String, Vec<i32>)>) -> Option<Vec<i32>> {
    pairs.into_iter().next().map(|(_, numbers)| numbers)
}

/// Jobs in reverse.
#[kippu::export]
fn reversed(mut jobs: Vec<Job>) -> Vec<Job> {
    jobs.reverse();
    jobs
}

#[derive(Debug, thiserror::Error)]
#[error("{file} is no configuration")]
struct ConfigError {
    file: String,
    source: std::num::ParseIntError,
}

#[derive(Debug, thiserror::Error)]
#[error("too many: {0}")]
struct Limit(u32);

impl From<Limit> for HostError {
    fn from(error: Limit) -> Self {
        HostError::named("RangeError", error.to_string()).with_code("E_LIMIT")
    }
}

/// Fails with an error type that has a source.
#[kippu::export]
fn configure(file: String, number: &str) -> Result<i32, ConfigError> {
    number.parse().map_err(|source| ConfigError { file, source })
}

/// Fails with a box.
#[kippu::export]
async fn boxed(number: String) -> Result<i32, Box<dyn std::error::Error>> {
    Ok(number.parse::<i32>()?)
}

/// Fails with an error that says itself what it is to JavaScript.
#[kippu::export]
async fn limited(count: u32) -> Result<u32, Limit> {
    if count > 10 { Err(Limit(count)) } else { Ok(count) }
}

/// Passes on what the host threw, and says what of its cause Rust could see.
#[kippu::export]
async fn pass_on(question: String) -> Result<String, HostError> {
    ask(&question).await.map_err(|error| {
        let cause = error.cause().map_or_else(|| "no cause".to_owned(), ToString::to_string);
        HostError::named("Error", format!("asked in vain; {cause}")).with_cause(error)
    })
}

/// Waits for an answer, and notes when it is dropped.
#[kippu::export]
async fn guarded(question: String) -> Result<String, HostError> {
    note("started");
    let _guard = Guard("dropped");
    let answer = ask(&question).await?;
    note("answered");
    Ok(answer)
}

/// Sleeps longer than any test.
#[kippu::export]
async fn sleeps() {
    let _guard = Guard("dropped");
    sleep(Duration::from_secs(3600)).await;
}

/// Panics when it is dropped before its end.
#[kippu::export]
async fn panics_on_drop() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped too early");
        }
    }
    let _bomb = Bomb;
    sleep(Duration::from_secs(3600)).await;
}

/// Notes, then is done at once.
#[kippu::export]
async fn at_once(value: u32) -> u32 {
    note("at once");
    value
}

/// Rust calls JavaScript, which calls this again, `depth` times; each level waits for an answer as well.
#[kippu::export]
async fn nested(depth: u32) -> Result<u32, HostError> {
    if depth == 0 {
        return Ok(0);
    }
    let below = call_back(depth - 1)?;
    ask("level").await?;
    Ok(below + 1)
}

/// The same, without waiting.
#[kippu::export]
fn nested_sync(depth: u32) -> Result<u32, HostError> {
    if depth == 0 { Ok(0) } else { Ok(call_back(depth - 1)? + 1) }
}

/// Slices of what is no number are made of vectors.
#[kippu::export]
fn joined(words: &[String], jobs: &[Job]) -> String {
    let titles = jobs.iter().map(|job| job.title.as_str());
    words.iter().map(String::as_str).chain(titles).collect::<Vec<_>>().join(" ")
}

/// A parameter may have the name of its function.
#[kippu::export]
async fn same(same: u32) -> u32 {
    same
}

/// Nothing, and panics at the first poll.
#[kippu::export]
async fn boom() {
    panic!("boom");
}

/// Nothing.
#[kippu::export]
async fn nothing() {}

/// A boxed error that is only `Send`.
#[kippu::export]
fn sent(number: &str) -> Result<i32, Box<dyn std::error::Error + Send>> {
    let wrap = |source| ConfigError { file: "sent".to_owned(), source };
    number.parse().map_err(|e| Box::new(wrap(e)) as _)
}
