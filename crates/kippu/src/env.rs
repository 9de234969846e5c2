//! The program's arguments, environment variables and working directory.
//!
//! Nothing here waits. Values that are not UTF-8 come with U+FFFD in place of what
//! is not. Where the host has no such thing, as in a browser page, the lists are empty.

use std::io;
use std::path::PathBuf;

use crate::sys;

/// The arguments, without the program's name.
#[must_use]
pub fn args() -> Vec<String> {
    sys::env::args()
}

/// The value of one environment variable. `None` when it is not set or its name
/// cannot be one.
#[must_use]
pub fn var(name: &str) -> Option<String> {
    sys::env::var(name)
}

/// All environment variables, as names and values, in no particular order.
#[must_use]
pub fn vars() -> Vec<(String, String)> {
    sys::env::vars()
}

/// The working directory. On WASI it is `/` when the host names none.
///
/// # Errors
/// When it was removed or may not be read, when its path is not UTF-8
/// ([`InvalidData`](io::ErrorKind::InvalidData)), or when the host has none
/// ([`Unsupported`](io::ErrorKind::Unsupported)).
pub fn current_dir() -> io::Result<PathBuf> {
    sys::env::current_dir().map(PathBuf::from)
}
