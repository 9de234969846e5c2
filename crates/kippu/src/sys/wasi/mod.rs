//! What WASI 0.2 and 0.3 have in common.

#[cfg(kippu_wasi)]
pub(crate) mod env;
#[cfg(kippu_wasi)]
pub(crate) mod fs;
#[cfg(all(kippu_wasi, target_os = "unknown", feature = "early-heap"))]
mod heap;
#[cfg(all(kippu_wasi, feature = "http"))]
pub(crate) mod http;
#[cfg(all(kippu_wasi, feature = "http"))]
pub(crate) mod http_client;
#[cfg(all(kippu_wasi, feature = "http"))]
pub(crate) mod http_fields;
#[cfg(all(kippu_wasi, feature = "http"))]
pub(crate) mod incoming;
#[cfg(kippu_wasi)]
pub(crate) mod net;
#[cfg(kippu_wasi)]
pub(crate) mod panics;
#[cfg(kippu_wasi)]
pub(crate) mod random;
#[cfg(kippu_wasi)]
pub(crate) mod signal;

/// The bindings of the version that the program is built for. Much of it is the same in both.
#[cfg(kippu_p2)]
pub(crate) use wasip2 as bindings;
#[cfg(kippu_p3)]
pub(crate) use wasip3 as bindings;

// No host is needed to test what paths mean.
#[cfg(all(test, not(kippu_wasi)))]
#[allow(dead_code, reason = "its tests use it")]
#[path = "heap/blocks.rs"]
mod blocks;
#[cfg(all(test, not(kippu_wasi)))]
#[path = "fs/paths.rs"]
mod paths;
