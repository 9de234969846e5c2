//! The programs that xtask needs: which versions, where they are, how they are installed.

use crate::cmd;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// cargo-deny's version; the lock file format and deny.toml follow it.
const CARGO_DENY: &str = "0.20.2";

/// The oldest Node that Kippu supports, and the newest that it is tested on.
pub(crate) const NODES: [u32; 2] = [20, 26];

/// Where Node comes from when it is missing altogether.
const NODE_ADVICE: &str = "install Node 20 or newer from https://nodejs.org";

/// Where valgrind comes from, and what to do where it does not run.
const VALGRIND_ADVICE: &str = "install valgrind with the system's package manager \
    (`apt install valgrind`), or measure without counting instructions: `--no-counts`";

/// Makes sure that rustc has the standard library of `target`, with rustup's help.
///
/// # Errors
/// When it is missing and rustup is too, or rustup cannot install it.
pub(crate) fn rust_target(workspace: &Workspace, target: &str) -> Result<()> {
    if has_rust_target(workspace, target)? {
        return Ok(());
    }
    let advice = format!(
        "install the target by hand: `rustup target add {target}`, or your distribution's \
         package of Rust's standard library for it"
    );
    let mut command = workspace.command("rustup");
    command.args(["target", "add", target]);
    cmd::run_with_progress(&mut command, &format!("Rust target {target}"), &advice)?;
    if !has_rust_target(workspace, target)? {
        bail!("rustup installed {target}, but the rustc in use does not see it; is it rustup's?");
    }
    Ok(())
}

fn has_rust_target(workspace: &Workspace, target: &str) -> Result<bool> {
    let mut command = workspace.command("rustc");
    command.args(["--print", "target-libdir", "--target", target]);
    let text = cmd::capture(&mut command, "install Rust with https://rustup.rs")?;
    let Ok(entries) = std::fs::read_dir(text.trim()) else {
        return Ok(false);
    };
    Ok(entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-")))
}

/// cargo-deny, installed on first use.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    cargo_tool(workspace, "cargo-deny", "cargo-deny", CARGO_DENY, &["--locked"])
}

/// wasm-bindgen's command line program in exactly the version that a guest was linked with.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn wasm_bindgen(workspace: &Workspace, version: &str) -> Result<PathBuf> {
    // Not locked: its lock file names a release of a dependency that not every registry has.
    cargo_tool(workspace, "wasm-bindgen-cli", "wasm-bindgen", version, &[])
}

/// A program from the crate registry, built into the tools folder when this version is not there.
fn cargo_tool(
    workspace: &Workspace,
    package: &str,
    bin: &str,
    version: &str,
    arguments: &[&str],
) -> Result<PathBuf> {
    // A folder per version: switching branches does not build again and again.
    let root = workspace.tools().join(format!("{package}-{version}"));
    let path = root.join("bin").join(format!("{bin}{}", std::env::consts::EXE_SUFFIX));
    if path.is_file() {
        return Ok(path);
    }
    let mut command = workspace.cargo("install");
    command.args([package, "--version", version, "--debug", "--root"]).arg(&root).args(arguments);
    // Shared by all tools, apart from the workspace's own artefacts, and small without symbols.
    command.env("CARGO_TARGET_DIR", workspace.tools().join("build"));
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    cmd::run_with_progress(
        &mut command,
        &format!("{package} {version} (built from source: some minutes)"),
        "is the crate registry reachable, and is a C compiler installed?",
    )?;
    Ok(path)
}

/// valgrind, which counts instructions. It is not installed by us: it belongs to the operating system.
///
/// # Errors
/// When there is none.
pub(crate) fn valgrind(workspace: &Workspace) -> Result<PathBuf> {
    let path = PathBuf::from("valgrind");
    cmd::capture(workspace.command(&path).arg("--version"), VALGRIND_ADVICE)?;
    Ok(path)
}

/// The Node program of a major version: the one on PATH when it is of that version, else the
/// one that the npm package `node` brings, installed on first use.
///
/// # Errors
/// When there is no Node at all, or the package cannot be installed.
pub(crate) fn node(workspace: &Workspace, major: u32) -> Result<PathBuf> {
    if path_node(workspace)? == major {
        return Ok("node".into());
    }
    let root = workspace.tools().join(format!("node{major}"));
    let path = if cfg!(windows) {
        root.join("node_modules/node/bin/node.exe")
    } else {
        root.join("node_modules/node/bin/node")
    };
    if path.is_file() {
        return Ok(path);
    }
    std::fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
    let mut command = cmd::command(cmd::npm(), &root);
    command.args(["install", "--no-save", "--no-package-lock", "--prefix"]).arg(&root);
    command.arg(format!("node@{major}"));
    cmd::run_with_progress(
        &mut command,
        &format!("Node {major}"),
        "put a Node of this version on PATH, or see to it that npm reaches its registry",
    )?;
    if !path.is_file() {
        bail!("npm did not run the install script of node@{major}; put a Node {major} on PATH");
    }
    let version = node_version(workspace.command(&path))?;
    if version != major {
        bail!("the npm package node@{major} brought Node {version}; report this");
    }
    Ok(path)
}

/// Checks that the Node on PATH is one that Kippu supports and gives its major version.
///
/// # Errors
/// When there is none, or it is too old.
pub(crate) fn path_node(workspace: &Workspace) -> Result<u32> {
    let version = node_version(workspace.command("node"))?;
    if version < NODES[0] {
        bail!("the Node on PATH has version {version}; {NODE_ADVICE}");
    }
    Ok(version)
}

fn node_version(mut command: Command) -> Result<u32> {
    let text = cmd::capture(command.arg("--version"), NODE_ADVICE)?;
    text.trim()
        .strip_prefix('v')
        .and_then(|version| version.split('.').next())
        .and_then(|major| major.parse().ok())
        .with_context(|| format!("`node --version` said {text:?}; {NODE_ADVICE}"))
}
