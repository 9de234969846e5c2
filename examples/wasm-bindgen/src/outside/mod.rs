//! What the program needs of JavaScript, in two ways. The second needs no wasm-bindgen.

#[cfg(not(feature = "wasm-bindgen"))]
mod host;
#[cfg(feature = "wasm-bindgen")]
mod wasm_bindgen;

#[cfg(not(feature = "wasm-bindgen"))]
pub(crate) use host::{pause, progress, sha256};
#[cfg(feature = "wasm-bindgen")]
pub(crate) use wasm_bindgen::{pause, progress, sha256};
