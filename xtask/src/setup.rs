//! `cargo xtask setup`: installs what is missing. Every other task calls it first.

use crate::cmd;
use crate::component::WASIP2;
use crate::guests::Host;
use crate::tools;
use crate::workspace::{WASM, Workspace};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use std::path::Path;
use std::time::SystemTime;

/// A target without an operating system, which the executor has to build for.
pub(crate) const BARE: &str = "thumbv7em-none-eabi";

/// For when npm is missing or cannot install.
const NPM_ADVICE: &str =
    "npm comes with Node 20 or newer (https://nodejs.org) and needs its registry";

/// Installs the tools of all tasks.
///
/// # Errors
/// At the first tool that is missing and cannot be installed.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    but_wasmtime(workspace)?;
    tools::wasmtime(workspace)?;
    println!("setup: everything is there");
    Ok(())
}

/// Installs the tools of all tasks, except for the one that takes longest.
///
/// # Errors
/// As [`run`].
pub(crate) fn but_wasmtime(workspace: &Workspace) -> Result<()> {
    guests(workspace)?;
    tools::rust_target(workspace, BARE)?;
    tools::rust_target(workspace, WASIP2)?;
    tools::cargo_deny(workspace)?;
    tools::nightly(workspace)?;
    if cfg!(target_os = "linux") {
        tools::valgrind(workspace)?;
    }
    let hosts = Host::value_variants().iter();
    for host in hosts.filter(|host| !matches!(host, Host::Wasip2 | Host::Wasip3)) {
        host.install(workspace)?;
    }
    Ok(())
}

/// Installs what building and running components needs: [`guests`], and the target of WASI.
///
/// # Errors
/// As [`guests`].
pub(crate) fn components(workspace: &Workspace) -> Result<()> {
    guests(workspace)?;
    tools::rust_target(workspace, WASIP2)
}

/// Installs only what building and running guests on Node needs.
///
/// # Errors
/// At the first tool that is missing and cannot be installed.
pub(crate) fn guests(workspace: &Workspace) -> Result<()> {
    tools::rust_target(workspace, WASM)?;
    tools::path_node(workspace)?;
    node_modules(workspace)?;
    host_package(workspace)
}

/// Installs the npm packages when the lock file is newer than what is installed.
fn node_modules(workspace: &Workspace) -> Result<()> {
    let lock = workspace.path("package-lock.json");
    if !lock.is_file() {
        bail!("package-lock.json is missing: is this a whole checkout of Kippu?");
    }
    // npm writes this file at the end of every installation.
    let installed = workspace.path("node_modules/.package-lock.json");
    if modified(&installed).is_some_and(|at| modified(&lock).is_some_and(|lock| lock <= at)) {
        return Ok(());
    }
    let mut command = workspace.npm();
    command.arg("ci");
    cmd::run_with_progress(&mut command, "npm packages", NPM_ADVICE)
}

/// Builds packages/kippu when its sources are newer than what was built.
fn host_package(workspace: &Workspace) -> Result<()> {
    let package = workspace.path("packages/kippu");
    let built = newest(&package.join("dist"))?;
    let mut sources = newest(&package.join("src"))?
        .with_context(|| format!("{} has no files", package.join("src").display()))?;
    for entry in std::fs::read_dir(&package)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            sources = sources.max(entry.metadata()?.modified()?);
        }
    }
    if built.is_some_and(|built| sources <= built) {
        return Ok(());
    }
    let mut command = workspace.npm();
    command.args(["run", "--silent", "build", "--workspace", "kippu"]);
    cmd::run_with_progress(
        &mut command,
        "host package",
        "see the compiler's messages: `npm run build --workspace kippu`",
    )
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// When the newest file in a folder was written; `None` when there is none.
fn newest(folder: &Path) -> Result<Option<SystemTime>> {
    let mut result = None;
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(None);
    };
    for entry in entries {
        let entry = entry?;
        let at = if entry.file_type()?.is_dir() {
            newest(&entry.path())?
        } else {
            Some(entry.metadata()?.modified()?)
        };
        result = result.max(at);
    }
    Ok(result)
}
