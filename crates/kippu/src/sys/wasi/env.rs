//! Arguments and environment.

use std::io;

use super::bindings::cli::environment;

pub(crate) fn args() -> Vec<String> {
    let mut args = environment::get_arguments();
    args.drain(..args.len().min(1));
    args
}

pub(crate) fn var(name: &str) -> Option<String> {
    vars().into_iter().find_map(|(found, value)| (found == name).then_some(value))
}

pub(crate) fn vars() -> Vec<(String, String)> {
    environment::get_environment()
}

/// `/` when the host names none, as libraries for C have it: what a path without a leading slash starts from.
pub(crate) fn current_dir() -> io::Result<String> {
    #[cfg(kippu_p2)]
    let named = environment::initial_cwd();
    #[cfg(kippu_p3)]
    let named = environment::get_initial_cwd();
    Ok(match named {
        Some(path) if path.starts_with('/') => path,
        Some(path) => format!("/{path}"),
        None => "/".to_owned(),
    })
}
