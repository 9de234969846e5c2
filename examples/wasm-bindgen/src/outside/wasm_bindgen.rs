//! By wasm-bindgen's crates, as the program always did.

use std::cell::RefCell;

use js_sys::{Function, Reflect, Uint8Array};
use kippu::HostError;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

thread_local! {
    static LISTENER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Calls `listener(done, total)` after every file. An export of wasm-bindgen's, beside those of Kippu's.
#[wasm_bindgen(js_name = onProgress)]
pub fn on_progress(listener: Function) {
    LISTENER.set(Some(listener));
}

/// Tells the listener.
pub(crate) fn progress(done: u32, total: u32) {
    // It may come back here, so nothing is borrowed while it is called.
    let listener = LISTENER.with_borrow(Clone::clone);
    if let Some(listener) = listener {
        // What a listener throws is its own matter.
        let _ = listener.call2(&JsValue::UNDEFINED, &done.into(), &total.into());
    }
}

// ANCHOR: sha256
/// The SHA-256 of `bytes` in hexadecimal digits, by Web Crypto: a promise that is awaited in a task of Kippu's.
pub(crate) async fn sha256(bytes: &[u8]) -> Result<String, HostError> {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into())?;
    let crypto: web_sys::Crypto = crypto.unchecked_into();
    let promise = crypto.subtle().digest_with_str_and_u8_array("SHA-256", bytes)?;
    let digest = kippu::js::wait(promise).await?;
    let digest = Uint8Array::new(&digest).to_vec();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
// ANCHOR_END: sha256

/// Waits, with the timer of a crate that is built on wasm-bindgen.
pub(crate) async fn pause(milliseconds: u32) {
    gloo_timers::future::TimeoutFuture::new(milliseconds).await;
}
