//! Calls of host functions. Their bodies are what native runs; `conformance/node.mjs` has the same for JavaScript.

use std::cell::Cell;
use std::rc::Rc;

use kippu::HostError;
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, Instant, sleep};

use crate::support::{Log, Outcome, cases, failed, holds, same};

cases!("host":
    sync_number,
    async_number,
    answer_within_the_call,
    order_of_settling,
    ten_thousand_in_flight,
    busy_tasks_do_not_starve_the_host,
    error_keeps_name_message_code,
    error_of_sync_function,
    wrong_type_is_a_type_error,
    out_of_range_is_a_type_error,
    call_is_send,
);

/// The sum, at once.
#[kippu::host]
pub(crate) fn add(a: f64, b: f64) -> f64 {
    a + b
}

/// The double, later.
#[kippu::host]
pub(crate) async fn double_later(x: f64) -> Result<f64, HostError> {
    yield_now().await;
    Ok(x * 2.0)
}

/// An async function that answers within the call.
#[kippu::host]
pub(crate) async fn double_now(x: f64) -> Result<f64, HostError> {
    Ok(x * 2.0)
}

/// `x` after `ms` milliseconds.
#[kippu::host]
pub(crate) async fn after(ms: u32, x: u32) -> Result<u32, HostError> {
    sleep(Duration::from_millis(ms.into())).await;
    Ok(x)
}

/// Fails with a `RangeError` with the code `E_TEST`.
#[kippu::host]
pub(crate) async fn fails(message: &str) -> Result<(), HostError> {
    Err(error(message))
}

/// The same at once.
#[kippu::host]
pub(crate) fn fails_now(message: &str) -> Result<u32, HostError> {
    Err(error(message))
}

/// Says it gives a number, and gives a string.
#[kippu::host]
async fn gives_a_string() -> Result<f64, HostError> {
    Err(HostError::named("TypeError", "natively there are no wrong types"))
}

/// Says it gives a u8, and gives 256.
#[kippu::host]
async fn gives_256() -> Result<u8, HostError> {
    Err(HostError::named("TypeError", "natively there are no wrong types"))
}

fn error(message: &str) -> HostError {
    HostError::named("RangeError", message).with_code("E_TEST")
}

async fn sync_number() -> Outcome {
    same(add(1.5, 2.25), 3.75)
}

async fn async_number() -> Outcome {
    same(double_later(21.0).await, Ok(42.0))
}

async fn answer_within_the_call() -> Outcome {
    same(double_now(21.0).await, Ok(42.0))
}

async fn order_of_settling() -> Outcome {
    let log = Log::default();
    let tasks = [100, 25, 75, 50].map(|ms| {
        let log = log.clone();
        let call = after(ms, ms);
        spawn(async move { log.add(call.await.unwrap_or_default()) })
    });
    for task in tasks {
        task.await.map_err(failed)?;
    }
    same(log.text().as_str(), "25 50 75 100")
}

async fn ten_thousand_in_flight() -> Outcome {
    let calls: Vec<_> = (0..10_000).map(|i| spawn(async move { after(5, i).await })).collect();
    let mut sum = 0u64;
    for call in calls {
        sum += u64::from(call.await.map_err(failed)?.map_err(failed)?);
    }
    same(sum, 49_995_000)
}

async fn busy_tasks_do_not_starve_the_host() -> Outcome {
    let stop = Rc::new(Cell::new(false));
    let busy: Vec<_> = (0..100)
        .map(|_| {
            let stop = stop.clone();
            spawn(async move {
                while !stop.get() {
                    yield_now().await;
                }
            })
        })
        .collect();
    let start = Instant::now();
    let answer = after(10, 7).await;
    let took = start.elapsed();
    stop.set(true);
    for task in busy {
        task.await.map_err(failed)?;
    }
    same(answer, Ok(7))?;
    holds(took < Duration::from_secs(5), &format!("the host's 10 ms took {took:?}"))
}

async fn error_keeps_name_message_code() -> Outcome {
    let error = fails("too fär").await.err().ok_or("it fails")?;
    same((error.name(), error.message(), error.code()), ("RangeError", "too fär", "E_TEST"))
}

async fn error_of_sync_function() -> Outcome {
    let error = fails_now("no").err().ok_or("it fails")?;
    same((error.name(), error.message()), ("RangeError", "no"))
}

async fn wrong_type_is_a_type_error() -> Outcome {
    let error = gives_a_string().await.err().ok_or("it fails")?;
    same(error.name(), "TypeError")
}

async fn out_of_range_is_a_type_error() -> Outcome {
    let error = gives_256().await.err().ok_or("it fails")?;
    holds(error.name() == "TypeError" || error.name() == "RangeError", &error.to_string())
}

async fn call_is_send() -> Outcome {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    same(is_send(double_now(1.0)).await, Ok(2.0))
}
