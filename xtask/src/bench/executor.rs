//! The price of tasks and timers, beside other executors: natively, on Node, in instructions and in
//! memory.

use super::boundary::{build, target};
use super::row::Row;
use super::{Options, count, line};
use crate::cmd;
use crate::tools;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What the native host is called.
pub(super) const NATIVE: &str = "native";
/// Boxed futures that are polled in order, as the programs call them.
pub(crate) const FLOOR: &str = "floor";
/// What timers are kept in where no library is wanted, as the programs call it.
pub(crate) const MAP: &str = "BTreeMap";
/// The newest Node, and the host of what is measured on it. What wasm costs does not hang on its age as
/// JavaScript does.
const NODE: u32 = tools::NODES[1];
pub(super) const NODE_HOST: &str = "Node 26";
const PACKAGE: &str = "executor-native";
const PROFILE: &str = "native";
const SEE: &str = "see its messages above";

/// A case, as `executor-native list` has it.
#[derive(Deserialize)]
pub(super) struct Case {
    bench: String,
    pub(super) name: String,
    /// The numbers of operations for which instructions are counted.
    pub(super) counted: [u32; 2],
    pub(super) contenders: Vec<Contender>,
}

/// Who takes part in it, and whether its instructions can be counted.
#[derive(Deserialize)]
pub(super) struct Contender {
    pub(super) name: String,
    pub(super) counted: bool,
}

/// Measures tasks.
///
/// # Errors
/// When something does not build or run, or valgrind is missing.
pub(super) fn tasks(workspace: &Workspace, options: &Options) -> Result<Vec<Row>> {
    let mut rows = measure(workspace, options, "executor")?;
    let memory =
        cmd::capture(&mut workspace.command(build_native(workspace, "executor-memory")?), SEE)?;
    rows.extend(line::rows("executor", NATIVE, &memory)?);
    Ok(rows)
}

/// Measures timers.
///
/// # Errors
/// As [`tasks`].
pub(super) fn timers(workspace: &Workspace, options: &Options) -> Result<Vec<Row>> {
    measure(workspace, options, "timers")
}

fn measure(workspace: &Workspace, options: &Options, bench: &'static str) -> Result<Vec<Row>> {
    // First, so that nobody waits for minutes to hear that it is missing.
    let valgrind = (!options.no_counts).then(|| tools::valgrind(workspace)).transpose()?;
    let native = build_native(workspace, PACKAGE)?;
    let guest = build(workspace, "executor-guest", "release")?;

    println!("{bench}: measuring natively");
    let mut command = workspace.command(&native);
    let text = cmd::capture(command.args(["run", "--bench", bench]), SEE)?;
    let mut rows = line::rows(bench, NATIVE, &text)?;

    println!("{bench}: measuring on {NODE_HOST}");
    let node = tools::node(workspace, NODE)?;
    let cases = cases(workspace, &native, bench)?;
    for case in &cases {
        let mut command = workspace.command(&node);
        command.arg(workspace.path("benches/executor/run.mjs"));
        command.arg(&guest).args([bench, &case.name]);
        rows.extend(line::rows(bench, NODE_HOST, &cmd::capture(&mut command, SEE)?)?);
    }

    if let Some(valgrind) = valgrind {
        println!("{bench}: counting instructions");
        rows.extend(count::rows(workspace, bench, &cases, &valgrind, &native)?);
    }
    Ok(rows)
}

/// The cases of a bench. They are the same on all hosts.
fn cases(workspace: &Workspace, native: &Path, bench: &str) -> Result<Vec<Case>> {
    let list = cmd::capture(workspace.command(native).arg("list"), SEE)?;
    let mut cases: Vec<Case> =
        serde_json::from_str(&list).context("executor-native lists its cases in another way")?;
    cases.retain(|case| case.bench == bench);
    if cases.is_empty() {
        bail!("executor-native has no case of {bench}");
    }
    Ok(cases)
}

/// Builds the programs that run natively and gives one of them.
fn build_native(workspace: &Workspace, program: &str) -> Result<PathBuf> {
    let mut command = cmd::command(cmd::cargo(), &workspace.path("benches"));
    command.args(["build", "--quiet", "--locked", "--package", PACKAGE, "--profile", PROFILE]);
    command.env("CARGO_TARGET_DIR", target(workspace));
    cmd::run(&mut command, "see the compiler's messages above")?;
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    Ok(target(workspace).join(PROFILE).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_called_after_the_node_that_runs() {
        assert_eq!(NODE_HOST, format!("Node {NODE}"));
    }
}
