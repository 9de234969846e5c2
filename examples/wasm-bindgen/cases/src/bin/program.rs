//! A program whose `main` waits for what only JavaScript's callbacks will wake.

use gloo_timers::future::TimeoutFuture;
use kippu::ExitCode;

#[kippu::host]
fn note(word: &str);

#[kippu::main]
async fn main() -> ExitCode {
    note("begin");
    TimeoutFuture::new(5).await;
    note("timer");
    let promise = js_sys::Promise::resolve(&wasm_bindgen::JsValue::from(40));
    let value = promise.await.ok().and_then(|value| value.as_f64()).unwrap_or_default();
    note("promise");
    ExitCode(value as u8 + 2)
}
