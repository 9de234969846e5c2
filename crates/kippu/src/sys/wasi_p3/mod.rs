//! The platform that is WASI 0.3.

pub(crate) mod clock;
pub(crate) mod files;
#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(feature = "http")]
pub(crate) mod incoming;
pub(crate) mod io;
pub(crate) mod net;

pub(crate) use super::wasi::{env, fs, panics, random, signal};
