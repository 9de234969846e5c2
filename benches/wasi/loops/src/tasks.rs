//! Tasks and timers.

use super::{Figures, Order, best};
use std::future::Future;

/// So long is every sleep of the case "sleeps".
const SLEEP: u64 = 50_000_000;
/// So many timers are pending in the case "yields beside timers", and none of them expires meanwhile.
const TIMERS: u32 = 100;
const LONG: u64 = 600_000_000_000;

/// What every contestant has.
pub trait Runtime: 'static {
    type Task<T: 'static>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Self::Task<T>;

    /// Waits for a task. That it was cancelled is an error of the bench.
    fn join<T: 'static>(task: Self::Task<T>) -> impl Future<Output = T>;

    fn cancel<T: 'static>(task: Self::Task<T>);

    fn sleep(nanoseconds: u64) -> impl Future<Output = ()>;

    fn yield_now() -> impl Future<Output = ()>;

    /// Nanoseconds of a monotonic clock.
    fn now() -> u64;
}

/// Measures a case of tasks; `None` when there is no such case here.
///
/// # Errors
/// When a result is wrong.
pub async fn run<R: Runtime>(order: &Order) -> Option<Result<Figures, String>> {
    Some(match order.case.as_str() {
        "sleeps" => best(order, 1, || sleeps::<R>(order.count)).await,
        "spawn" => best(order, order.count, || spawn::<R>(order.count)).await,
        "spawn-each" => best(order, order.count, || spawn_each::<R>(order.count)).await,
        "yields" => best(order, order.count, || yields::<R>(order.count, 0)).await,
        "yields-timers" => best(order, order.count, || yields::<R>(order.count, TIMERS)).await,
        _ => return None,
    })
}

/// So many tasks sleep until about the same time.
async fn sleeps<R: Runtime>(count: u32) -> Result<(u64, u32), String> {
    let start = R::now();
    let tasks: Vec<_> = (0..count).map(|_| R::spawn(R::sleep(SLEEP))).collect();
    for task in tasks {
        R::join(task).await;
    }
    let nanoseconds = R::now() - start;
    if nanoseconds < SLEEP {
        return Err(format!("a sleep of {SLEEP} ns took {nanoseconds} ns"));
    }
    Ok((nanoseconds, 0))
}

/// So many tasks are started, and joined in that order.
async fn spawn<R: Runtime>(count: u32) -> Result<(u64, u32), String> {
    let start = R::now();
    let tasks: Vec<_> = (0..count).map(|number| R::spawn(async move { number })).collect();
    let mut sum = 0;
    for task in tasks {
        sum += u64::from(R::join(task).await);
    }
    let nanoseconds = R::now() - start;
    checked(nanoseconds, sum, count)
}

/// So many tasks are started, and each is awaited before the next.
async fn spawn_each<R: Runtime>(count: u32) -> Result<(u64, u32), String> {
    let start = R::now();
    let mut sum = 0;
    for number in 0..count {
        sum += u64::from(R::join(R::spawn(async move { number })).await);
    }
    let nanoseconds = R::now() - start;
    checked(nanoseconds, sum, count)
}

/// That each of the tasks gave its number.
fn checked(nanoseconds: u64, sum: u64, count: u32) -> Result<(u64, u32), String> {
    let wanted = u64::from(count) * u64::from(count - 1) / 2;
    if sum != wanted {
        return Err(format!("the tasks gave {sum}, not {wanted}"));
    }
    Ok((nanoseconds, 0))
}

/// One task yields so many times, beside others that sleep.
async fn yields<R: Runtime>(count: u32, timers: u32) -> Result<(u64, u32), String> {
    let sleepers: Vec<_> = (0..timers).map(|_| R::spawn(R::sleep(LONG))).collect();
    // All of them have been polled then.
    for _ in 0..=timers {
        R::yield_now().await;
    }
    let start = R::now();
    for _ in 0..count {
        R::yield_now().await;
    }
    let nanoseconds = R::now() - start;
    for sleeper in sleepers {
        R::cancel(sleeper);
    }
    Ok((nanoseconds, 0))
}
