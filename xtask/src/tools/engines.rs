//! The JavaScript engines that guests are tested on: Node, Deno and Bun by npm, browsers by the system.

use super::apt_install;
use crate::cmd;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// The oldest Node that Kippu supports, and the newest that it is tested on.
pub(crate) const NODES: [u32; 2] = [20, 26];

/// Deno's version.
const DENO: &str = "2.9.6";

/// Bun's version.
const BUN: &str = "1.4.5";

/// jco's: what its command `jco transpile` is made of, without the rest of it, which is five times as large.
const JCO: [&str; 2] =
    ["@bytecodealliance/jco-transpile@0.15.0", "@bytecodealliance/preview2-shim@0.26.1"];

/// Where Node comes from when it is missing altogether.
const NODE_ADVICE: &str = "install Node 20 or newer from https://nodejs.org";

/// For when npm cannot install an engine.
const NPM_ADVICE: &str = "see to it that npm reaches its registry and runs install scripts";

/// The script that knows where browsers are.
const BROWSERS: &str = "conformance/browsers.mjs";

/// The Node program of a major version: the one on PATH when it is of that version, else the
/// one that the npm package `node` brings, installed on first use.
///
/// # Errors
/// When there is no Node at all, or the package cannot be installed.
pub(crate) fn node(workspace: &Workspace, major: u32) -> Result<PathBuf> {
    if path_node(workspace)? == major {
        return Ok("node".into());
    }
    let program =
        if cfg!(windows) { "node_modules/node/bin/node.exe" } else { "node_modules/node/bin/node" };
    let path =
        npm_program(workspace, &format!("node{major}"), &[&format!("node@{major}")], program)?;
    let version = node_version(workspace.command(&path))?;
    if version != major {
        bail!("the npm package node@{major} brought Node {version}; report this");
    }
    Ok(path)
}

/// Deno, installed on first use.
///
/// # Errors
/// When npm cannot install it.
pub(crate) fn deno(workspace: &Workspace) -> Result<PathBuf> {
    let program =
        if cfg!(windows) { "node_modules/deno/deno.exe" } else { "node_modules/deno/deno" };
    npm_program(workspace, &format!("deno-{DENO}"), &[&format!("deno@{DENO}")], program)
}

/// Bun, installed on first use.
///
/// # Errors
/// When npm cannot install it.
pub(crate) fn bun(workspace: &Workspace) -> Result<PathBuf> {
    // Its name ends in `.exe` on all systems.
    let program = "node_modules/bun/bin/bun.exe";
    npm_program(workspace, &format!("bun-{BUN}"), &[&format!("bun@{BUN}")], program)
}

/// The folder of jco, which makes JavaScript of components, installed on first use.
///
/// # Errors
/// When npm cannot install it.
pub(crate) fn jco(workspace: &Workspace) -> Result<PathBuf> {
    let folder = format!("jco-{}", JCO[0].rsplit('@').next().unwrap_or_default());
    let file = "node_modules/@bytecodealliance/jco-transpile/package.json";
    npm_program(workspace, &folder, &JCO, file)?;
    Ok(workspace.tools().join(folder))
}

/// A file that npm packages bring, installed on first use into a folder below the tools.
fn npm_program(
    workspace: &Workspace,
    folder: &str,
    packages: &[&str],
    program: &str,
) -> Result<PathBuf> {
    let root = workspace.tools().join(folder);
    let path = root.join(program);
    if path.is_file() {
        return Ok(path);
    }
    std::fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
    let mut command = cmd::command(cmd::npm(), &root);
    command.args(["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]);
    command.arg("--prefix").arg(&root).args(packages);
    let packages = packages.join(" ");
    cmd::run_with_progress(&mut command, &packages, NPM_ADVICE)?;
    if !path.is_file() {
        bail!("npm installed {packages}, but there is no {}; {NPM_ADVICE}", path.display());
    }
    Ok(path)
}

/// Makes sure that a browser of this name (`chromium`, `firefox`) is there. Where Debian's `apt-get` may
/// install it from `package`, it does.
///
/// # Errors
/// When there is none.
pub(crate) fn browser(workspace: &Workspace, name: &str, package: &str) -> Result<()> {
    let find = || {
        let mut command = workspace.command("node");
        command.arg(workspace.path(BROWSERS)).arg(name);
        command
    };
    let found = find().output().with_context(|| format!("cannot start node; {NODE_ADVICE}"))?;
    if found.status.success() {
        return Ok(());
    }
    let advice = format!("install {name} by hand, see {BROWSERS}");
    apt_install(workspace, package, &advice)?;
    cmd::capture(&mut find(), "see above").map(drop)
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
