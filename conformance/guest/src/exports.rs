//! Functions for JavaScript: what the npm package is tested with, besides the cases.

use std::collections::BTreeMap;

use kippu::HostError;
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, sleep};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Given by the tests.
#[kippu::host]
async fn ask(question: &str) -> Result<String, HostError> {
    Ok(question.to_owned())
}

/// Given by the tests: may call back into the guest.
#[kippu::host]
fn call_back(depth: u32) -> Result<u32, HostError> {
    Ok(depth)
}

/// A point in the plane.
#[derive(Serialize, Deserialize, Schema)]
struct Point {
    x: f64,
    y: f64,
}

/// The sum.
#[kippu::export]
fn add(a: i32, b: u8) -> i32 {
    a + i32::from(b)
}

/// The negation.
#[kippu::export]
fn not(flag: bool) -> bool {
    !flag
}

/// The text in upper case.
#[kippu::export]
fn shout(text: &str) -> String {
    text.to_uppercase()
}

/// The bytes from back to front.
#[kippu::export]
fn reverse(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.reverse();
    bytes
}

/// Points by their names, mirrored.
#[kippu::export]
async fn mirror(points: BTreeMap<String, Point>) -> BTreeMap<String, Point> {
    points.into_iter().map(|(name, Point { x, y })| (name, Point { x: -x, y: -y })).collect()
}

/// Complete before it returns.
#[kippu::export]
async fn eager(value: u32) -> u32 {
    value
}

/// The value, after a sleep.
#[kippu::export]
async fn after_sleep(ms: u32, value: f64) -> f64 {
    sleep(Duration::from_millis(ms.into())).await;
    value
}

/// Asks the host twice, one after the other.
#[kippu::export]
async fn ask_twice(question: String) -> Result<String, HostError> {
    let first = ask(&question).await?;
    let second = ask(&first).await?;
    Ok(second)
}

/// Asks the host in a task of its own and joins that.
#[kippu::export]
async fn ask_in_task(question: String) -> Result<String, HostError> {
    let task = spawn(async move { ask(&question).await });
    task.await.map_err(|error| HostError::new(error.to_string()))?
}

/// Fails with the text as its message.
#[kippu::export]
fn refuse(message: String) -> Result<(), String> {
    Err(message)
}

/// Fails later, with a name and a code.
#[kippu::export]
async fn refuse_later(message: String) -> Result<u32, HostError> {
    sleep(Duration::from_millis(1)).await;
    Err(HostError::named("RangeError", message).with_code("E_REFUSED"))
}

/// Rust calls JavaScript, which calls this again, `depth` times.
#[kippu::export]
fn nest(depth: u32) -> Result<u32, HostError> {
    if depth == 0 { Ok(0) } else { Ok(1 + call_back(depth - 1)?) }
}

/// The same through async functions that complete at once.
#[kippu::export]
async fn nest_async(depth: u32) -> Result<u32, HostError> {
    if depth == 0 { Ok(0) } else { Ok(1 + call_back(depth - 1)?) }
}

/// Waits inside a synchronous function: works for what needs nothing of the host.
#[kippu::export]
fn blocking(needs_host: bool) -> Result<String, String> {
    let result = if needs_host {
        kippu::block_on(async { ask("x").await.map_err(|error| error.to_string()) })
    } else {
        kippu::block_on(async { Ok(spawn(async { "done".to_owned() }).await.unwrap_or_default()) })
    };
    result.map_err(|error| error.to_string())?
}

/// Starts asking and gives up at once.
#[kippu::export]
async fn give_up(times: u32) {
    for _ in 0..times {
        let mut call = std::pin::pin!(ask("never mind"));
        let _ =
            std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_ready()))
                .await;
    }
}

/// Given by the tests. The parameter has the name that the macro would use itself.
#[kippu::host]
async fn refund(ticket: u32) -> Result<u32, HostError> {
    Ok(ticket)
}

/// The function has the name that the macro would use itself.
#[kippu::export]
fn entry(import: i32) -> i32 {
    import + 1
}

/// The parameter has the name that the macro would use itself.
#[kippu::export]
async fn dial(call: u32) -> Result<u32, HostError> {
    refund(call).await
}

/// Asks again and again, beside a task that is always busy, until the answer is "stop".
#[kippu::export]
async fn ask_until_stopped() -> Result<u32, HostError> {
    let busy = spawn(async {
        loop {
            yield_now().await;
        }
    });
    let mut asked = 0;
    while ask("on").await? != "stop" {
        asked += 1;
    }
    busy.abort();
    Ok(asked)
}

/// Panics, now or after a sleep.
#[kippu::export]
async fn panics(later: bool) {
    if later {
        sleep(Duration::from_millis(5)).await;
    }
    panic!("on purpose: {}", 6 * 7);
}

/// Takes memory until there is none.
#[kippu::export]
fn exhaust() -> u32 {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    // A 32-bit memory ends long before.
    for _ in 0..1000 {
        taken.push(std::hint::black_box(Vec::with_capacity(64 << 20)));
    }
    taken.iter().map(|part| part.len() as u32).sum()
}
