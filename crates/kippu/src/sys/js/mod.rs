//! The platform that is a JavaScript host: the services of section 9 of `abi/spec.md`.

pub(crate) mod clock;
pub(crate) mod env;
pub(crate) mod fs;
#[cfg(feature = "http")]
pub(crate) mod http;
pub(crate) mod io;
pub(crate) mod net;
pub(crate) mod random;
pub(crate) mod signal;
