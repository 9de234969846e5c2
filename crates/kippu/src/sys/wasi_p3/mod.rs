//! The platform that is WASI 0.3.

pub(crate) mod clock;
pub(crate) mod env;
pub(crate) mod io;
pub(crate) mod random;
pub(crate) mod signal;

pub(crate) use super::wasi::panics;
