//! Beside wasm-bindgen's crates (feature `js-sys`, on JavaScript hosts only): promises as futures, and JavaScript's
//! values as errors.
//!
//! It is for programs that move over step by step. Futures of wasm-bindgen's crates, such as
//! `js_sys::futures::JsFuture` and what is built on it, may be awaited in any task of Kippu's; and `spawn_local` keeps a
//! queue of its own beside Kippu's, which JavaScript's microtasks turn as they turn Kippu. What such futures
//! hold is `!Send`, and dropping them cancels nothing on the other side.
//!
//! ```ignore
//! use js_sys::Promise;
//! use kippu::HostError;
//! use wasm_bindgen::JsValue;
//!
//! #[kippu::export]
//! async fn answer(question: String) -> Result<String, HostError> {
//!     let promise: Promise = Promise::resolve(&JsValue::from(question));
//!     let value = kippu::js::wait(promise).await?;
//!     Ok(value.as_string().unwrap_or_default())
//! }
//! ```
//!
//! A `JsValue` that is thrown becomes a [`HostError`] by `?`, in host functions and exports too: both may
//! have `Result<T, JsValue>` as their result.
//!
//! The whole program is `examples/wasm-bindgen`, and the way there is told in the book, in "Moving over from wasm-bindgen".

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::{Function, Promise, Reflect, futures};
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::{JsCast, JsError, JsValue};

use crate::HostError;

/// Causes of causes that are looked at. JavaScript's errors may be in a circle.
const MOST_CAUSES: usize = 16;

/// What a dump says of a task that waits.
static PROMISE: &str = "a promise";

/// Waits for `promise`.
///
/// # Errors
/// What it rejects with; `?` makes a [`HostError`] of it.
pub fn wait<T, E>(promise: Promise<T, E>) -> JsFuture<T, E>
where
    T: FromWasmAbi + 'static,
    E: FromWasmAbi + 'static,
{
    JsFuture::from(promise)
}

/// The future of [`wait`]: that of js-sys, and a dump of the tasks says what it waits for.
///
/// Dropping it does not touch the promise, which JavaScript cannot cancel.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct JsFuture<T = JsValue, E = JsValue> {
    inner: futures::JsFuture<T, E>,
}

impl<T: FromWasmAbi + 'static, E: FromWasmAbi + 'static> From<Promise<T, E>> for JsFuture<T, E> {
    fn from(promise: Promise<T, E>) -> Self {
        JsFuture { inner: promise.into() }
    }
}

impl<T, E> Future for JsFuture<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let polled = Pin::new(&mut self.inner).poll(cx);
        if polled.is_pending() {
            crate::rt::with(|inner| inner.executor.note_wait(&PROMISE));
        }
        polled
    }
}

/// The error that `thrown` stands for.
///
/// Of an `Error` the name, message, stack, `code` and causes are taken over; anything else becomes an error of class
/// `Error` with its text.
pub fn to_host_error(thrown: &JsValue) -> HostError {
    convert(thrown, MOST_CAUSES)
}

fn convert(thrown: &JsValue, causes: usize) -> HostError {
    // A getter may throw, and any property may be anything.
    let property = |name: &str| Reflect::get(thrown.unchecked_ref(), &name.into()).ok();
    let string = |name: &str| property(name).as_ref().map_or_else(String::new, text);
    if !is_error(thrown) {
        return HostError::new(text(thrown));
    }
    let name = Some(string("name")).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "Error".to_owned());
    let made = HostError::from_parts(name, string("message"), string("stack"), string("code"));
    match property("cause") {
        Some(cause) if causes > 0 && is_error(&cause) => {
            made.with_cause(convert(&cause, causes - 1))
        }
        _ => made,
    }
}

/// Whether it has a message, as the errors of other realms have too.
fn is_error(value: &JsValue) -> bool {
    value.is_object()
        && Reflect::get(value.unchecked_ref(), &"message".into())
            .is_ok_and(|message| !message.is_undefined())
}

/// `String(value)`, which throws for some objects; nothing of what is not there.
fn text(value: &JsValue) -> String {
    if let Some(text) = value.as_string() {
        return text;
    }
    if value.is_null_or_undefined() {
        return String::new();
    }
    let string = Reflect::get(&js_sys::global(), &"String".into());
    let string = string.map(|string| string.unchecked_into::<Function>());
    let text = string.and_then(|string| string.call1(&JsValue::UNDEFINED, value));
    text.ok().and_then(|text| text.as_string()).unwrap_or_default()
}

/// A JavaScript `Error` with the name, message, stack, code and causes of `error`.
pub fn to_js_error(error: &HostError) -> js_sys::Error {
    let made = js_sys::Error::new(error.message());
    made.set_name(error.name());
    for (name, value) in [("stack", error.stack()), ("code", error.code())] {
        if !value.is_empty() {
            // A new error takes any property.
            let _ = Reflect::set(&made, &name.into(), &value.into());
        }
    }
    if let Some(cause) = error.cause() {
        made.set_cause(&to_js_error(cause));
    }
    made
}

impl From<JsValue> for HostError {
    /// As [`to_host_error`] does it.
    fn from(thrown: JsValue) -> Self {
        to_host_error(&thrown)
    }
}

impl From<JsError> for HostError {
    fn from(error: JsError) -> Self {
        to_host_error(&error.into())
    }
}

impl From<js_sys::Error> for HostError {
    fn from(error: js_sys::Error) -> Self {
        to_host_error(&error)
    }
}

impl From<HostError> for JsValue {
    /// As [`to_js_error`] does it.
    fn from(error: HostError) -> Self {
        to_js_error(&error).into()
    }
}
