//! Random bytes of the system, fit for keys.
//!
//! ```
//! let mut key = [0; 32];
//! kippu::random::fill(&mut key)?;
//! # std::io::Result::Ok(())
//! ```
//!
//! Natively they come from the operating system, on JavaScript hosts from `crypto.getRandomValues`, on WASI from `wasi:random`.
//!
//! # Crates that use `getrandom`
//! `rand`, `uuid` and many others ask the crate `getrandom` (0.3 or 0.4), which on
//! `wasm32-unknown-unknown` does not build unless it is told where random bytes come from. With kippu's feature
//! `getrandom` they come from here, on JavaScript hosts and on WASI alike; tell it so in `.cargo/config.toml`:
//!
//! ```toml
//! [target.wasm32-unknown-unknown]
//! rustflags = ['--cfg', 'getrandom_backend="custom"']
//! ```
//!
//! On `wasm32-wasip2` that crate asks the host by itself, and none of this is needed.

#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "getrandom"))]
mod getrandom;

use std::io;

use crate::sys;

/// Fills `buf` with random bytes.
///
/// # Errors
/// When the system or the host gives none, which no common one does.
pub fn fill(buf: &mut [u8]) -> io::Result<()> {
    if buf.is_empty() { Ok(()) } else { sys::random::fill(buf) }
}

/// A random number.
///
/// # Errors
/// Those of [`fill`].
pub fn u64() -> io::Result<u64> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_differ_and_all_are_filled() {
        let mut long = vec![0; 100_000];
        fill(&mut long).expect("random bytes");
        let zeros = long.iter().filter(|byte| **byte == 0).count();
        // 391 are expected; a stretch that was left out would be much more.
        assert!((200..700).contains(&zeros), "{zeros} zeros");
        assert_ne!(u64().expect("a number"), u64().expect("a number"));
        fill(&mut []).expect("nothing to fill");
    }
}
