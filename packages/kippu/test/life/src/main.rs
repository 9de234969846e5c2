//! What the tests of the life cycle, of leaks and of traces run: see `life-*.test.mjs`, `leak.test.mjs` and
//! `trace.test.mjs` beside this crate.

use std::cell::Cell;
use std::future::pending;

use kippu::task::{Builder, spawn};
use kippu::time::{Duration, sleep};
use kippu::{ExitCode, HostError};

mod kinds;
#[cfg(feature = "tracing")]
mod spans;

/// Answers at once or later, fails, or never answers, as the test says.
#[kippu::host]
async fn ask(what: u32) -> Result<f64, HostError> {
    Ok(what.into())
}

/// Whatever the test wants to do while the guest runs.
#[kippu::host]
fn call_back() -> Result<(), HostError> {
    Ok(())
}

thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

/// How often it was called in this instance.
#[kippu::export]
fn count() -> u32 {
    COUNT.set(COUNT.get() + 1);
    COUNT.get()
}

/// What the host answers.
#[kippu::export]
async fn asked(what: u32) -> Result<f64, HostError> {
    ask(what).await
}

/// The sum of the count before a sleep and after it.
#[kippu::export]
async fn count_twice(ms: u32) -> u32 {
    let before = count();
    sleep(Duration::from_millis(ms.into())).await;
    before + count()
}

/// Calls back within the call.
#[kippu::export]
fn call() -> Result<(), HostError> {
    call_back()
}

/// Calls back from a task that runs in a turn.
#[kippu::export]
async fn call_in_task() -> Result<(), HostError> {
    let task = Builder::new().name("caller").spawn(async { call_back() });
    task.await.map_err(|error| HostError::new(error.to_string()))?
}

/// Leaves tasks that wait for one thing each.
#[kippu::export]
fn get_stuck() {
    let sleeper = Builder::new().name("sleeper").spawn(sleep(Duration::from_secs(60)));
    Builder::new().name("joiner").spawn(async move { sleeper.await.is_ok() }).detach();
    Builder::new().name("asker").spawn(ask(0)).detach();
    let (sender, receiver) = async_channel::bounded::<u8>(1);
    Builder::new()
        .name("receiver")
        .spawn(async move {
            receiver.recv().await.ok();
            drop(sender);
        })
        .detach();
    spawn(pending::<()>()).detach();
}

/// Panics.
#[kippu::export]
fn panics() {
    panic!("on purpose");
}

/// Traps without a word.
#[kippu::export]
fn traps() {
    std::process::abort();
}

/// Takes memory until there is none.
#[kippu::export]
fn exhausts() -> u32 {
    // A 32-bit memory ends long before.
    let taken: Vec<Vec<u8>> =
        (0..1000).map(|_| std::hint::black_box(Vec::with_capacity(64 << 20))).collect();
    taken.iter().map(|part| part.len() as u32).sum()
}

/// Asks twice, with other tasks around that never end.
#[kippu::main]
async fn main() -> Result<ExitCode, HostError> {
    get_stuck();
    let code = ask(1).await? + ask(2).await?;
    Ok(ExitCode(code as u8))
}
