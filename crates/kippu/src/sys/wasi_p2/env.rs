//! Arguments and environment.

use std::io;

use wasip2::cli::environment;

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

/// `/` when the host names none: what a path without a leading slash starts from.
pub(crate) fn current_dir() -> io::Result<String> {
    Ok(environment::initial_cwd().unwrap_or_else(|| "/".to_owned()))
}
