//! The price of crossing the boundary, beside wasm-bindgen-futures and plain JavaScript.

use super::row::Row;
use super::{Options, line};
use crate::cmd;
use crate::tools;
use crate::workspace::{WASM, Workspace};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The peer, as run.mjs and the size bench call it.
pub(crate) const PEER: &str = "wasm-bindgen-futures";
/// What no boundary can be quicker than, as run.mjs calls it.
pub(crate) const FLOOR: &str = "plain JS";

/// Builds both guests and measures them on every Node.
///
/// # Errors
/// When something does not build, or the script fails.
pub(super) fn run(workspace: &Workspace, _: &Options) -> Result<Vec<Row>> {
    let kippu = build(workspace, "boundary-kippu", "release")?;
    let peer = build(workspace, "boundary-wasm-bindgen", "release")?;
    let glue = bindgen(workspace, &peer)?;
    let mut rows = Vec::new();
    for major in tools::NODES {
        let node = tools::node(workspace, major)?;
        println!("boundary: measuring on Node {major}");
        let mut command = workspace.command(&node);
        command.arg(workspace.path("benches/boundary/run.mjs")).arg(&kippu).arg(&glue);
        let text = cmd::capture(&mut command, "see its messages above")?;
        rows.extend(line::rows("boundary", &format!("Node {major}"), &text)?);
    }
    Ok(rows)
}

/// Where the benches' own workspace is built: beside the main one's artefacts.
pub(super) fn target(workspace: &Workspace) -> PathBuf {
    workspace.target().join("benches")
}

/// Builds a guest of the benches and gives its `.wasm` file.
pub(super) fn build(workspace: &Workspace, package: &str, profile: &str) -> Result<PathBuf> {
    let mut command = cmd::command(cmd::cargo(), &workspace.path("benches"));
    command.args(["build", "--quiet", "--locked", "--package", package, "--target", WASM]);
    command.args(["--profile", profile]).env("CARGO_TARGET_DIR", target(workspace));
    cmd::run(&mut command, "see the compiler's messages above")?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(target(workspace).join(WASM).join(profile).join(file))
}

/// Runs wasm-bindgen's tool over a guest and gives the folder with the glue.
pub(super) fn bindgen(workspace: &Workspace, wasm: &Path) -> Result<PathBuf> {
    let name = wasm.file_stem().context("the guest has no name")?;
    let folder = target(workspace).join("glue").join(name);
    let mut command = workspace.command(tools::wasm_bindgen(workspace, "benches/Cargo.lock")?);
    command.args(["--remove-name-section", "--remove-producers-section"]);
    command.args(["--target", "web", "--no-typescript", "--out-dir"]).arg(&folder).arg(wasm);
    cmd::run(&mut command, "see its messages above")?;
    // The glue is ES modules, which Node takes only from a folder that says so.
    std::fs::write(folder.join("package.json"), "{\"type\":\"module\"}\n")?;
    Ok(folder)
}
