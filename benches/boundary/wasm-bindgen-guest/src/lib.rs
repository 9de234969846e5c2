//! The boundary bench's loops on wasm-bindgen-futures.

#[path = "../../loops.rs"]
mod loops;

use futures_util::{StreamExt, stream};
use js_sys::AsyncIterator;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local as spawn;
use wasm_bindgen_futures::stream::JsStream;
use wasm_streams::ReadableStream;

mod host {
    use js_sys::Uint8Array;

    mod raw {
        use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

        #[wasm_bindgen(module = "/host.mjs")]
        extern "C" {
            #[wasm_bindgen(catch)]
            pub(crate) async fn number() -> Result<JsValue, JsValue>;
            #[wasm_bindgen(catch)]
            pub(crate) async fn text() -> Result<JsValue, JsValue>;
            #[wasm_bindgen(catch)]
            pub(crate) async fn take(bytes: &[u8]) -> Result<JsValue, JsValue>;
            #[wasm_bindgen(catch)]
            pub(crate) async fn give() -> Result<JsValue, JsValue>;
            #[wasm_bindgen(catch)]
            pub(crate) async fn later() -> Result<JsValue, JsValue>;
            #[wasm_bindgen(catch)]
            pub(crate) fn sync_number() -> Result<f64, JsValue>;
        }
    }

    pub(crate) async fn number() -> f64 {
        raw::number().await.expect("number").as_f64().expect("a number")
    }

    pub(crate) async fn text() -> String {
        raw::text().await.expect("text").as_string().expect("a string")
    }

    pub(crate) async fn take(bytes: &[u8]) -> f64 {
        raw::take(bytes).await.expect("take").as_f64().expect("a number")
    }

    pub(crate) async fn give() -> Vec<u8> {
        Uint8Array::new(&raw::give().await.expect("give")).to_vec()
    }

    pub(crate) async fn later() -> f64 {
        raw::later().await.expect("later").as_f64().expect("a number")
    }

    pub(crate) fn sync_number() -> f64 {
        raw::sync_number().expect("sync_number")
    }
}

#[wasm_bindgen]
pub async fn numbers(n: u32) -> f64 {
    loops::numbers(n).await
}

#[wasm_bindgen]
pub async fn texts(n: u32) -> f64 {
    loops::texts(n).await
}

#[wasm_bindgen]
pub async fn bytes_out(n: u32) -> f64 {
    loops::bytes_out(n).await
}

#[wasm_bindgen]
pub async fn bytes_in(n: u32) -> f64 {
    loops::bytes_in(n).await
}

#[wasm_bindgen]
pub async fn in_flight(n: u32) -> f64 {
    loops::in_flight(n).await
}

#[wasm_bindgen]
pub async fn spawns(n: u32) -> f64 {
    loops::spawns(n).await
}

#[wasm_bindgen]
pub fn sync_numbers(n: u32) -> f64 {
    loops::sync_numbers(n)
}

#[wasm_bindgen]
pub async fn echo(value: f64) -> f64 {
    value
}

#[wasm_bindgen]
pub async fn stream_in(numbers: AsyncIterator) -> Result<f64, JsValue> {
    let mut numbers = JsStream::from(numbers);
    let mut sum = 0.0;
    while let Some(number) = numbers.next().await {
        sum += number?.as_f64().expect("a number");
    }
    Ok(sum)
}

#[wasm_bindgen]
pub fn stream_out(n: u32) -> wasm_streams::readable::sys::ReadableStream {
    let numbers = (0..n).map(|_| Ok(JsValue::from_f64(1.0)));
    ReadableStream::from_stream(stream::iter(numbers)).into_raw()
}
