//! The platform that has an operating system under it.

pub(crate) mod clock;
pub(crate) mod env;
pub(crate) mod fs;
#[cfg(feature = "http")]
pub(crate) mod http;
pub(crate) mod io;
pub(crate) mod net;
pub(crate) mod random;
pub(crate) mod signal;
mod waiters;
