//! `cargo xtask demo`: one program on several hosts, over this repository's own documents.

use crate::cmd;
use crate::conformance::Server;
use crate::guests::{Guest, Host, Program};
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use clap::Args;
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use std::time::{Duration, Instant};

/// The hosts that are compared.
const HOSTS: &[Host] = &[Host::Native, Host::Node26];
/// Those of WASI, beside the machine itself.
const WASI: &[Host] = &[Host::Native, Host::Wasip2, Host::Wasip3, Host::Jco];

/// It takes well under a second, and on wasmtime as long again to be compiled.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Args, Default)]
pub(crate) struct Options {
    /// On the hosts of WASI; builds wasmtime first when it is missing, which takes five minutes
    #[arg(long)]
    wasi: bool,
}

/// What one run of linkcheck said.
struct Run {
    host: Host,
    text: String,
    code: i32,
    took: Duration,
}

/// Builds linkcheck for the hosts, runs it, and shows the reports side by side.
///
/// # Errors
/// When it does not build or run, finds a broken link, or two reports differ.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let hosts = if options.wasi { WASI } else { HOSTS };
    if options.wasi {
        setup::components(workspace)?;
    } else {
        setup::guests(workspace)?;
    }
    documents(&Programs::build(workspace, hosts)?)
}

/// This repository's documents, without the network.
fn documents(programs: &Programs<'_>) -> Result<()> {
    // Folders that are not ours, such as node_modules, are left out by linkcheck itself.
    let arguments = ["--offline", "."];
    show(&programs.run(&arguments)?);
    if programs.compare(&arguments)? != 0 {
        bail!("linkcheck found broken links");
    }
    Ok(())
}

/// What a web server may answer, or not.
const LINKS: [&str; 12] = [
    "hello",
    "hello#there",
    "status/204",
    "status/404",
    "status/410",
    "redirect",
    "redirect-same",
    "loop",
    "slow",
    "chunks",
    "broken",
    "big",
];

/// [`run`] on the hosts of WASI, and the same over links to a web server of our own.
///
/// # Errors
/// As [`run`], but for broken links to that server.
pub(crate) fn wasi(workspace: &Workspace) -> Result<()> {
    setup::components(workspace)?;
    let programs = Programs::build(workspace, WASI)?;
    documents(&programs)?;
    let server = Server::start(workspace)?;
    let folder = workspace.target().join("linkcheck");
    std::fs::create_dir_all(&folder)?;
    let document = folder.join("links.md");
    let links = LINKS.map(|path| format!("- <{}/{path}>\n", server.url())).concat();
    // Nobody listens at the first port, and the last has no name.
    let links = format!("{links}- <http://127.0.0.1:1/>\n- <http://kippu.invalid/>\n");
    std::fs::write(&document, links)?;
    let document = document.to_str().context("the target folder's name is not UTF-8")?;
    if programs.compare(&[document])? != 1 {
        bail!("linkcheck found no broken links");
    }
    Ok(())
}

/// linkcheck on several hosts.
struct Programs<'a> {
    workspace: &'a Workspace,
    programs: Vec<(Host, Program)>,
}

impl<'a> Programs<'a> {
    fn build(workspace: &'a Workspace, hosts: &[Host]) -> Result<Self> {
        let mut programs = Vec::new();
        for &host in hosts {
            let program = host.prepare(workspace, &Guest::LINKCHECK);
            programs.push((host, program.with_context(|| format!("host {host}"))?));
        }
        Ok(Self { workspace, programs })
    }

    /// One run on each host.
    fn run(&self, arguments: &[&str]) -> Result<Vec<Run>> {
        let run = |(host, program): &(Host, Program)| {
            let mut command = program.command(self.workspace);
            command.args(arguments);
            let started = Instant::now();
            let said = cmd::capture_all(&mut command, LIMIT, "run `cargo xtask test --step rust`")?;
            let took = started.elapsed();
            eprint!("{}", said.err);
            Ok(Run { host: *host, text: said.out, code: said.code, took })
        };
        self.programs.iter().map(run).collect()
    }

    /// Compares the reports as JSON and gives the exit code that all hosts agree on.
    fn compare(&self, arguments: &[&str]) -> Result<i32> {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let runs = self.run(&arguments)?;
        let reports: Vec<String> = runs.iter().map(report).collect::<Result<_>>()?;
        let mut all = runs.iter().zip(&reports);
        let (first, expected) = all.next().context("there are no hosts")?;
        for (run, report) in all {
            if report != expected {
                bail!(
                    "the reports of {} and {} differ:\n{expected}\n{report}",
                    first.host,
                    run.host
                );
            }
            if run.code != first.code {
                bail!(
                    "the exit codes of {} and {} differ: {} and {}",
                    first.host,
                    run.host,
                    first.code,
                    run.code
                );
            }
        }
        let hosts: Vec<String> = runs.iter().map(|run| run.host.to_string()).collect();
        println!("the reports are the same, byte for byte: {}", hosts.join(", "));
        Ok(first.code)
    }
}

/// The reports side by side.
fn show(runs: &[Run]) {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(runs.iter().map(|run| {
        format!("{}, {:.0} ms, exit code {}", run.host, run.took.as_secs_f64() * 1e3, run.code)
    }));
    let sides: Vec<Vec<&str>> = runs.iter().map(|run| run.text.lines().collect()).collect();
    for index in 0..sides.iter().map(Vec::len).max().unwrap_or_default() {
        table.add_row(sides.iter().map(|side| side.get(index).copied().unwrap_or_default()));
    }
    println!("{table}");
}

/// The report's text without the one line that may differ from run to run.
fn report(run: &Run) -> Result<String> {
    let host = run.host;
    let report: serde_json::Value = serde_json::from_str(&run.text)
        .with_context(|| format!("linkcheck --json on {host} printed no JSON"))?;
    if report["links"].as_array().is_none_or(Vec::is_empty) {
        bail!("linkcheck --json on {host} found no links");
    }
    let (times, others): (Vec<_>, Vec<_>) =
        run.text.split_inclusive('\n').partition(|line| line.starts_with("  \"elapsed_ms\": "));
    if times.len() != 1 {
        bail!("linkcheck --json on {host} does not say in a line how long it took");
    }
    Ok(others.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_of(text: &str) -> Run {
        Run { host: Host::Native, text: text.to_owned(), code: 0, took: Duration::ZERO }
    }

    #[test]
    fn a_report_is_all_but_its_time() {
        let text = "{\n  \"links\": [1],\n  \"elapsed_ms\": 7\n}\n";
        assert_eq!(report(&run_of(text)).unwrap(), "{\n  \"links\": [1],\n}\n");
    }

    #[test]
    fn a_report_without_links_or_time_compares_with_nothing() {
        for text in ["{\"links\": []}", "{\"links\": [1]}", "{}", ""] {
            assert!(report(&run_of(text)).is_err(), "{text}");
        }
    }
}
