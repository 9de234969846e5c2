//! The smallest program that awaits a string, on wasm-bindgen-futures.

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen(module = "/host.mjs")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn greet(name: &str) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
pub async fn run(name: String) -> Result<String, JsValue> {
    let greeting = greet(&name).await?;
    Ok(greeting.as_string().ok_or("not a string")?)
}
