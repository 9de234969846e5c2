//! What a user downloads for the smallest program that awaits a string from JavaScript.

use super::Options;
use super::boundary::{bindgen, build};
use super::row::Row;
use crate::cmd;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::path::Path;

/// The case of the guest's own size.
pub(crate) const GUEST: &str = "guest";
/// The case of the part of our host package that drives a guest's loop, without the conversion of
/// values that the peer's glue has.
pub(crate) const DRIVER: &str = "loop driver";
/// What the same program is built with for comparison.
pub(crate) const PEER: &str = super::boundary::PEER;
const UNIT: &str = "B gzip";
/// The sizes are the same everywhere.
const ANY_HOST: &str = "any";

/// Builds the program with both and weighs the parts.
///
/// # Errors
/// When something does not build.
pub(super) fn run(workspace: &Workspace, _: &Options) -> Result<Vec<Row>> {
    let kippu = build(workspace, "size-kippu", "small")?;
    let peer = bindgen(workspace, &build(workspace, "size-wasm-bindgen", "small-peer")?)?;

    let guest = (weigh(&kippu)?, weigh(&peer.join("size_wasm_bindgen_bg.wasm"))?);
    let glue = weigh_bundle(workspace, &peer.join("size_wasm_bindgen.js"))?;
    let driver = weigh_bundle(workspace, &workspace.path("packages/kippu/dist/driver.js"))?;
    let host = weigh_bundle(workspace, &workspace.path("benches/size/app.mjs"))?;
    let rows = [
        (GUEST, guest),
        (DRIVER, (driver, glue)),
        ("all JavaScript", (host, glue)),
        ("guest and JavaScript", (guest.0 + host, guest.1 + glue)),
    ];
    Ok(rows
        .map(|(case, (ours, theirs))| {
            Row::new("size", (case, ANY_HOST), ours, (PEER, theirs), UNIT)
        })
        .into())
}

/// The size of a file after `gzip -9`, in bytes.
fn weigh(path: &Path) -> Result<f64> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes)?;
    Ok(encoder.finish()?.len() as f64)
}

/// The size of a script with all that it imports, minified and compressed, in bytes.
fn weigh_bundle(workspace: &Workspace, script: &Path) -> Result<f64> {
    let name = script.file_stem().context("the script has no name")?;
    let out = workspace.target().join("benches/bundle").join(name).with_extension("js");
    let mut command = workspace.npm();
    command.args(["exec", "--no", "--", "esbuild"]).arg(script);
    command.args(["--bundle", "--minify", "--format=esm", "--platform=browser"]);
    command.args(["--log-level=warning"]).arg(format!("--outfile={}", out.display()));
    cmd::run(&mut command, "is esbuild among the root package.json's devDependencies?")?;
    weigh(&out)
}
