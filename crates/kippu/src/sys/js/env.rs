//! Arguments and environment.

use std::io;

use crate::HostError;

mod host {
    use super::HostError;

    #[kippu::host(module = "kippu:env")]
    pub(super) fn args() -> Vec<String>;
    #[kippu::host(module = "kippu:env")]
    pub(super) fn var(name: &str) -> Option<String>;
    #[kippu::host(module = "kippu:env")]
    pub(super) fn vars() -> Vec<(String, String)>;
    #[kippu::host(module = "kippu:env")]
    pub(super) fn current_dir() -> Result<String, HostError>;
}

pub(crate) fn args() -> Vec<String> {
    host::args()
}

pub(crate) fn var(name: &str) -> Option<String> {
    host::var(name)
}

pub(crate) fn vars() -> Vec<(String, String)> {
    host::vars()
}

pub(crate) fn current_dir() -> io::Result<String> {
    Ok(host::current_dir()?)
}
