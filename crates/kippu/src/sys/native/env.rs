//! Arguments, environment variables and the working directory.

use std::ffi::OsString;
use std::io;

fn text(value: OsString) -> String {
    value.to_string_lossy().into_owned()
}

pub(crate) fn args() -> Vec<String> {
    std::env::args_os().skip(1).map(text).collect()
}

pub(crate) fn var(name: &str) -> Option<String> {
    std::env::var_os(name).map(text)
}

pub(crate) fn vars() -> Vec<(String, String)> {
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

pub(crate) fn current_dir() -> io::Result<String> {
    super::fs::path_text(std::env::current_dir()?)
}
