//! `cargo xtask demo`: one program, natively and on Node, over this repository's own documents.

use crate::cmd;
use crate::guests::{Guest, Host};
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The hosts that are compared.
const HOSTS: [Host; 2] = [Host::Native, Host::Node26];

/// It takes well under a second.
const LIMIT: Duration = Duration::from_secs(60);

/// What one run of linkcheck said.
struct Run {
    host: Host,
    text: String,
    code: i32,
    took: Duration,
}

/// Builds linkcheck for both hosts, runs it, and shows the reports side by side.
///
/// # Errors
/// When it does not build or run, finds a broken link, or the two reports differ.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    setup::guests(workspace)?;
    let text = HOSTS.map(|host| linkcheck(workspace, host, &[]));
    let [native, node] = text;
    let (native, node) = (native?, node?);

    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header([&native, &node].map(|run| {
        format!("{}, {:.0} ms, exit code {}", run.host, run.took.as_secs_f64() * 1e3, run.code)
    }));
    let lines = |run: &Run| run.text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (left, right) = (lines(&native), lines(&node));
    for index in 0..left.len().max(right.len()) {
        let cell = |side: &[String]| side.get(index).cloned().unwrap_or_default();
        table.add_row([cell(&left), cell(&right)]);
    }
    println!("{table}");

    let native_json = linkcheck(workspace, Host::Native, &["--json"])?;
    let node_json = linkcheck(workspace, Host::Node26, &["--json"])?;
    if report(&native_json)? != report(&node_json)? {
        bail!("the reports of {} and {} differ", native.host, node.host);
    }
    if native.code != node.code {
        bail!("the exit codes of {} and {} differ", native.host, node.host);
    }
    if native.code != 0 {
        bail!("linkcheck found broken links");
    }
    println!("both hosts give the same report");
    Ok(())
}

/// One run over this repository's documents, without the network.
fn linkcheck(workspace: &Workspace, host: Host, arguments: &[&str]) -> Result<Run> {
    let mut command = host.prepare(workspace, &Guest::LINKCHECK)?.command(workspace);
    // Folders that are not ours, such as node_modules, are left out by linkcheck itself.
    command.args(["--offline", "."]).args(arguments);
    let started = Instant::now();
    let said = cmd::capture_all(&mut command, LIMIT, "run `cargo xtask test --step rust`")?;
    let took = started.elapsed();
    eprint!("{}", said.err);
    Ok(Run { host, text: said.out, code: said.code, took })
}

/// The report without what may differ from run to run.
fn report(run: &Run) -> Result<Value> {
    let mut report: Value = serde_json::from_str(&run.text)
        .with_context(|| format!("linkcheck --json on {} printed no JSON", run.host))?;
    if let Some(map) = report.as_object_mut() {
        map.remove("elapsed_ms");
    }
    Ok(report)
}
