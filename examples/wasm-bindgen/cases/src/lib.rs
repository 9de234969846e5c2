//! What can go wrong when wasm-bindgen's crates and Kippu are in one guest. Called by `../test/cases.test.mjs`.

mod counter;

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use kippu::HostError;
use kippu::time::{Duration, sleep};
use wasm_bindgen::prelude::*;

// A module that the program itself names. `add` needs no glue, so the tool has the guest import it directly.
#[wasm_bindgen(raw_module = "./outside.mjs")]
extern "C" {
    fn add(a: f64, b: f64) -> f64;
    fn promise(name: &str) -> Promise;
    #[wasm_bindgen(catch)]
    fn thrower(name: &str) -> Result<JsValue, JsValue>;
}

#[kippu::host]
async fn ask(question: &str) -> Result<String, JsValue>;

#[kippu::host]
fn say(word: &str) -> Result<(), HostError>;

thread_local! {
    static DROPPED: Cell<u32> = const { Cell::new(0) };
}

/// Runs when the instance is made, and crosses Kippu's boundary at once.
#[wasm_bindgen(start)]
fn begin() {
    let _ = say("started");
}

/// A function that the guest imports without glue.
#[kippu::export]
fn sum(a: f64, b: f64) -> f64 {
    add(a, b)
}

/// Awaits a promise of JavaScript's in a task of Kippu's.
#[kippu::export]
async fn wait(name: String) -> Result<String, JsValue> {
    let value = kippu::js::wait(promise(&name)).await?;
    Ok(value.as_string().unwrap_or_default())
}

/// The same with the future as js-sys has it, so many times.
#[kippu::export]
async fn wait_often(name: String, times: u32) -> Result<u32, HostError> {
    let mut got = 0;
    for _ in 0..times {
        let value = promise(&name).await?;
        got += u32::from(value.as_string().as_deref() == Some(&*name));
    }
    Ok(got)
}

/// Counts how often it has been dropped while it waited.
#[kippu::export]
async fn wait_and_count(name: String) -> Result<String, JsValue> {
    struct Count;
    impl Drop for Count {
        fn drop(&mut self) {
            DROPPED.set(DROPPED.get() + 1);
        }
    }
    let _count = Count;
    wait(name).await
}

/// How often.
#[kippu::export]
fn dropped() -> u32 {
    DROPPED.get()
}

/// What a function throws that is called by wasm-bindgen.
#[kippu::export]
fn throws(name: String) -> Result<String, HostError> {
    Ok(thrower(&name)?.as_string().unwrap_or_default())
}

/// Waits with a timer of wasm-bindgen's and one of Kippu's.
#[kippu::export]
async fn both_timers() -> f64 {
    let start = kippu::time::Instant::now();
    gloo_timers::future::TimeoutFuture::new(20).await;
    sleep(Duration::from_millis(20)).await;
    start.elapsed().as_secs_f64() * 1000.0
}

/// A task of wasm-bindgen's queue and one of Kippu's hand a number to and fro.
#[kippu::export]
async fn ping_pong(rounds: u32) -> u32 {
    let (to_theirs, theirs) = async_channel::bounded(1);
    let (to_ours, ours) = async_channel::bounded(1);
    wasm_bindgen_futures::spawn_local(async move {
        while let Ok(n) = theirs.recv().await {
            let _ = to_ours.send(n + 1).await;
        }
    });
    kippu::task::spawn(async move {
        let mut n = 0;
        for _ in 0..rounds {
            let _ = to_theirs.send(n).await;
            n = ours.recv().await.unwrap_or_default();
        }
        n
    })
    .await
    .unwrap_or_default()
}

/// How often a task of wasm-bindgen's queue runs while one of Kippu's is busy for so long.
#[kippu::export]
async fn beside_busy(milliseconds: u32) -> u32 {
    let ran = Rc::new(Cell::new(0));
    let theirs = Rc::clone(&ran);
    let (stop, stopped) = async_channel::bounded::<()>(1);
    wasm_bindgen_futures::spawn_local(async move {
        while stopped.try_recv().is_err() {
            theirs.set(theirs.get() + 1);
            gloo_timers::future::TimeoutFuture::new(1).await;
        }
    });
    let start = kippu::time::Instant::now();
    while start.elapsed() < Duration::from_millis(milliseconds.into()) {
        kippu::task::yield_now().await;
    }
    let _ = stop.send(()).await;
    ran.get()
}

/// An async export of wasm-bindgen's uses what is Kippu's: time, a task and a host function.
#[wasm_bindgen]
pub async fn theirs(question: String) -> Result<String, JsValue> {
    sleep(Duration::from_millis(5)).await;
    let answer = kippu::task::spawn(async move { ask(&question).await }).await;
    let answer = answer.map_err(|error| JsError::new(&error.to_string()))??;
    kippu::time::timeout(Duration::from_millis(5), std::future::pending::<()>())
        .await
        .expect_err("nothing ends it but the timeout");
    Ok(answer)
}

/// What a host function of Kippu's throws, thrown by an export of wasm-bindgen's.
#[wasm_bindgen(js_name = sayTheirs)]
pub fn say_theirs(word: &str) -> Result<(), JsValue> {
    Ok(say(word)?)
}

/// A class, which Kippu has not.
#[wasm_bindgen]
pub struct Counter {
    count: u32,
}

#[wasm_bindgen]
impl Counter {
    /// Starts at `count`.
    #[wasm_bindgen(constructor)]
    pub fn new(count: u32) -> Counter {
        Counter { count }
    }

    /// Counts on and calls `then`, whose exception passes.
    pub fn step(&mut self, then: &Function) -> Result<u32, JsValue> {
        self.count += 1;
        then.call0(&JsValue::UNDEFINED)?;
        Ok(self.count)
    }
}

/// A function for JavaScript that panics when it is given `true`.
#[wasm_bindgen]
pub fn callback() -> JsValue {
    let closure = Closure::<dyn FnMut(bool) -> u32>::new(|bad: bool| {
        assert!(!bad, "the callback was given true");
        7
    });
    closure.into_js_value()
}

/// Throws through the frames of a Kippu export.
#[kippu::export]
fn throw_through() {
    wasm_bindgen::throw_str("thrown through");
}

/// Throws through the frames of an export of wasm-bindgen's.
#[wasm_bindgen(js_name = throwTheirs)]
pub fn throw_theirs() {
    wasm_bindgen::throw_str("theirs");
}
