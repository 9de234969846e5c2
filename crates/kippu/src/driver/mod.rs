//! The drivers: what turns the executor, one file (and folder) for each kind of host.

#[cfg(kippu_js)]
pub(crate) mod js;
#[cfg(not(kippu_js))]
pub(crate) mod native;

#[cfg(any(kippu_js, test))]
pub(crate) mod record;

#[cfg(kippu_js)]
pub(crate) use js::JsDriver as Driver;
#[cfg(not(kippu_js))]
pub(crate) use native::NativeDriver as Driver;
