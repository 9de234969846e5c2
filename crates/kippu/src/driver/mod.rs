//! The drivers: what turns the executor, one file (and folder) for each kind of host.

#[cfg(kippu_js)]
pub(crate) mod js;
#[cfg(kippu_native)]
pub(crate) mod native;
#[cfg(kippu_p2)]
pub(crate) mod wasi_p2;
#[cfg(kippu_p3)]
pub(crate) mod wasi_p3;
// Knows no host, so its tests run natively.
#[cfg(all(test, kippu_native))]
#[path = "wasi_p2/table.rs"]
mod wasi_p2_table;

#[cfg(any(kippu_js, test))]
pub(crate) mod record;
#[cfg(not(kippu_js))]
pub(crate) mod waiters;

#[cfg(kippu_js)]
pub(crate) use js::JsDriver as Driver;
#[cfg(kippu_native)]
pub(crate) use native::NativeDriver as Driver;
#[cfg(kippu_p2)]
pub(crate) use wasi_p2::P2Driver as Driver;
#[cfg(kippu_p3)]
pub(crate) use wasi_p3::P3Driver as Driver;
