//! What only programs for WASI need: waiting for imports that Kippu does not know.
//!
//! A component may import interfaces of its own. How their operations are awaited depends on the version of WASI:
//!
//! - On 0.2 an operation gives a pollable, which a [`Source`] waits for.
//! - On 0.3 the futures and streams of wit-bindgen are awaited in Kippu's tasks as they are.

#[cfg(kippu_p2)]
pub use crate::driver::wasi_p2::Source;
