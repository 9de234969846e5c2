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
    (`sudo apt-get install valgrind`); benches can do without: `--no-counts`";

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

/// Components of the nightly toolchain that `cargo xtask proof` needs.
const NIGHTLY: [&str; 2] = ["miri", "rust-src"];

/// For when rustup is missing, or cannot install a nightly toolchain.
const NIGHTLY_ADVICE: &str = "install Rust by https://rustup.rs, then \
    `rustup toolchain install nightly --profile minimal --component miri --component rust-src`; \
    when the newest nightly comes without Miri, try again the next day";

/// Makes sure that there is a nightly toolchain with Miri and the standard library's source, with rustup's help.
///
/// # Errors
/// When they are missing and rustup is too, or rustup cannot install them.
pub(crate) fn nightly(workspace: &Workspace) -> Result<()> {
    let installed = nightly_components(workspace)?;
    let missing = |list: &str| -> Vec<&str> {
        NIGHTLY.into_iter().filter(|name| !list.contains(name)).collect()
    };
    let mut command = workspace.command("rustup");
    match &installed {
        Some(list) if missing(list).is_empty() => return Ok(()),
        Some(list) => {
            command.args(["component", "add", "--toolchain", "nightly"]).args(missing(list));
        }
        None => {
            command.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
            command.args(NIGHTLY.iter().flat_map(|name| ["--component", name]));
        }
    }
    cmd::run_with_progress(&mut command, "Rust nightly with Miri", NIGHTLY_ADVICE)?;
    let installed = nightly_components(workspace)?;
    if installed.is_none_or(|list| !missing(&list).is_empty()) {
        bail!("rustup says that it has installed Miri, but it is not there; {NIGHTLY_ADVICE}");
    }
    Ok(())
}

/// The components of the nightly toolchain, one a line; `None` when there is no such toolchain.
fn nightly_components(workspace: &Workspace) -> Result<Option<String>> {
    let mut command = workspace.command("rustup");
    let toolchains = cmd::capture(command.args(["toolchain", "list"]), NIGHTLY_ADVICE)?;
    let is_there = toolchains.lines().any(|line| {
        // A digit begins a date: `nightly-2026-01-01` is another toolchain.
        let target = line.strip_prefix("nightly-");
        target.is_some_and(|target| !target.starts_with(|first: char| first.is_ascii_digit()))
    });
    if !is_there {
        return Ok(None);
    }
    let mut command = workspace.command("rustup");
    command.args(["component", "list", "--toolchain", "nightly", "--installed"]);
    cmd::capture(&mut command, NIGHTLY_ADVICE).map(Some)
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

/// valgrind, which counts instructions and finds memory errors. Where Debian's `apt-get` may install it, it does.
///
/// # Errors
/// When there is none.
pub(crate) fn valgrind(workspace: &Workspace) -> Result<PathBuf> {
    let path = PathBuf::from("valgrind");
    let version = || workspace.command(&path).arg("--version").output();
    let apt = workspace.command("apt-get").arg("--version").output();
    if version().is_err() && apt.is_ok() {
        // A fresh system has no lists of packages yet.
        for arguments in [&["update"][..], &["install", "--yes", "valgrind"]] {
            let mut command = workspace.command("apt-get");
            command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
            cmd::run_with_progress(&mut command, "valgrind", VALGRIND_ADVICE)?;
        }
    }
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
