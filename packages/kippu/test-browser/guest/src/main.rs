//! What the tests of pages, bundles and fairness run: text, serde types, a timer, a program, and tasks that are
//! never done.

use std::cell::{Cell, RefCell};
use std::hint::black_box;

use kippu::task::{JoinHandle, spawn, yield_now};
use kippu::time::{Duration, Instant, sleep};
use kippu::{ExitCode, HostError};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// What a word means; later.
#[kippu::host]
async fn lookup(word: &str) -> Result<String, HostError> {
    Ok(format!("natively, {word}"))
}

/// Notes something, at once.
#[kippu::host]
fn note(what: &str) {
    black_box(what);
}

#[derive(Debug, Clone, Serialize, Deserialize, Schema)]
struct Item {
    name: String,
    prices: Vec<f64>,
    size: Size,
    comment: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Schema)]
enum Size {
    Unknown,
    Box { width: u32, height: u32 },
}

/// Notes the word, waits a little, and asks JavaScript for what it means.
#[kippu::export]
async fn explain(word: String) -> Result<String, HostError> {
    note(&word);
    sleep(Duration::from_millis(5)).await;
    let meaning = lookup(&word).await?;
    Ok(format!("{word}: {meaning}"))
}

/// Doubles what can be doubled.
#[kippu::export]
async fn double(items: Vec<Item>) -> Vec<Item> {
    yield_now().await;
    let double = |item: Item| Item {
        prices: item.prices.iter().map(|price| price * 2.0).collect(),
        size: match item.size {
            Size::Unknown => Size::Unknown,
            Size::Box { width, height } => Size::Box { width: width * 2, height: height * 2 },
        },
        ..item
    };
    items.into_iter().map(double).collect()
}

thread_local! {
    static BUSY: RefCell<Vec<JoinHandle<()>>> = const { RefCell::new(Vec::new()) };
    static POLLS: Cell<f64> = const { Cell::new(0.0) };
}

/// Some work that takes as many steps, of about a nanosecond each.
fn work(steps: u32) {
    for step in 0..steps {
        black_box(step);
    }
}

/// Starts tasks that work a bit, let the others go on, and so on, for ever.
#[kippu::export]
fn busy(tasks: u32, steps: u32) {
    let endless = move || async move {
        loop {
            work(steps);
            POLLS.set(POLLS.get() + 1.0);
            yield_now().await;
        }
    };
    BUSY.with_borrow_mut(|busy| busy.extend((0..tasks).map(|_| spawn(endless()))));
}

/// As `busy`, but the tasks give way by asking JavaScript.
#[kippu::export]
fn busy_asking(tasks: u32, steps: u32) {
    let endless = move || async move {
        while lookup("").await.is_ok() {
            work(steps);
            POLLS.set(POLLS.get() + 1.0);
        }
    };
    BUSY.with_borrow_mut(|busy| busy.extend((0..tasks).map(|_| spawn(endless()))));
}

/// How often the busy tasks have been polled so far.
#[kippu::export]
fn polls() -> f64 {
    POLLS.get()
}

/// Ends the busy tasks.
#[kippu::export]
fn rest() {
    BUSY.take().iter().for_each(JoinHandle::abort);
}

/// One poll that takes so many milliseconds, which nothing can interrupt.
#[kippu::export]
async fn hog(ms: u32) {
    yield_now().await;
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(ms.into()) {
        work(1000);
    }
}

#[kippu::main]
async fn main() -> ExitCode {
    match explain("main".to_owned()).await {
        Ok(text) => {
            note(&text);
            ExitCode::from(7)
        }
        Err(_) => ExitCode::FAILURE,
    }
}
