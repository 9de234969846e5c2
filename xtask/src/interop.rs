//! Guests that wasm-bindgen's crates are linked into: examples/wasm-bindgen.

use crate::cmd;
use crate::guests::Host;
use crate::tools;
use crate::workspace::{WASM, Workspace};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// A workspace of its own.
const FOLDER: &str = "examples/wasm-bindgen";
const LOCK: &str = "examples/wasm-bindgen/Cargo.lock";
/// Its guests that go through wasm-bindgen's tool.
const BEFORE: [&str; 3] = ["checksums", "cases", "program"];
/// The one that needs no tool any more.
const AFTER: &str = "checksums";

const LOCK_ADVICE: &str = "see the messages above; if it is the lock file, run \
    `cargo update --workspace` in examples/wasm-bindgen";

/// Lints the example, builds it before and after its last step away from wasm-bindgen, and runs its tests on every
/// Node and in the browsers.
///
/// # Errors
/// When something does not build, or a test fails.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let packages = ["--package", "checksums", "--package", "cases"];
    let mut fmt = cargo(workspace, "fmt");
    cmd::run(fmt.args(packages).arg("--check"), "run `cargo fmt` in examples/wasm-bindgen")?;
    lint(workspace)?;
    let built = build(workspace)?;
    for major in tools::NODES {
        let mut command = workspace.command(tools::node(workspace, major)?);
        command.args(["--test", "--test-reporter=dot"]).args(tests(workspace)?);
        cmd::run(command.env("KIPPU_INTEROP", &built), "see the messages above")?;
        println!("interop: passed on Node {major}");
    }
    for browser in [Host::Chromium, Host::Firefox] {
        browser.install(workspace)?;
    }
    let mut command = workspace.command("node");
    command.args(["--test", "--test-reporter=dot"]).env("KIPPU_INTEROP", &built);
    command.arg(workspace.path(FOLDER).join("test/page.browser.mjs"));
    cmd::run(&mut command, "see the messages above")
}

fn lint(workspace: &Workspace) -> Result<()> {
    // The library of kippu with the feature is linted with the main workspace's rules.
    let mut kippu = workspace.cargo("clippy");
    kippu.args(["--package", "kippu", "--features", "js-sys", "--target", WASM]);
    cmd::run(kippu.args(["--", "-D", "warnings"]), "see the messages above")?;
    for features in [&["--workspace"][..], &["--no-default-features"]] {
        let mut command = cargo(workspace, "clippy");
        // In the profile of the build, which then need not build the macros again.
        command.args(["--quiet", "--locked", "--release", "--target", WASM]).args(features);
        cmd::run(command.args(["--", "-D", "warnings"]), LOCK_ADVICE)?;
    }
    Ok(())
}

/// Gives the folder with NAME/ for each guest that has gone through wasm-bindgen's tool, and NAME.wasm for the other.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let built = target(workspace).join("built");
    let tool = tools::wasm_bindgen(workspace, LOCK)?;
    compile(workspace, &["--workspace"])?;
    for guest in BEFORE {
        let mut command = workspace.command(&tool);
        command.args(["--target", "bundler", "--out-dir"]).arg(built.join(guest));
        cmd::run(command.arg(artefact(workspace, guest)), "see its messages above")?;
    }
    compile(workspace, &["--no-default-features"])?;
    copy(&artefact(workspace, AFTER), &built.join(AFTER).with_extension("wasm"))?;
    // The module that the guest `cases` names, where it looks for it.
    let outside = workspace.path(FOLDER).join("test/outside.mjs");
    copy(&outside, &built.join("cases/outside.mjs"))?;
    // The glue is ES modules, which Node takes only from a folder that says so.
    std::fs::write(built.join("package.json"), "{\"type\":\"module\"}\n")?;
    Ok(built)
}

fn compile(workspace: &Workspace, features: &[&str]) -> Result<()> {
    let mut command = cargo(workspace, "build");
    command.args(["--quiet", "--locked", "--release", "--target", WASM]).args(features);
    cmd::run(&mut command, LOCK_ADVICE)
}

fn artefact(workspace: &Workspace, guest: &str) -> PathBuf {
    target(workspace).join(WASM).join("release").join(guest).with_extension("wasm")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// The example's test files.
fn tests(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(workspace.path(FOLDER).join("test"))? {
        files.push(entry?.path());
    }
    files.retain(|path| path.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    Ok(files)
}

/// `cargo SUBCOMMAND` in the example's workspace.
fn cargo(workspace: &Workspace, subcommand: &str) -> std::process::Command {
    let mut command = cmd::command(cmd::cargo(), &workspace.path(FOLDER));
    command.arg(subcommand).env("CARGO_TARGET_DIR", target(workspace));
    command
}

/// Beside the main workspace's artefacts.
fn target(workspace: &Workspace) -> PathBuf {
    workspace.target().join("interop")
}
