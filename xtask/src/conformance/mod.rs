//! `cargo xtask conformance`: the same cases on every host, in one table.

mod findings;
mod lacks;
mod runner;
mod server;
mod table;

use crate::guests::{Guest, Host, Program};
use crate::readme;
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use clap::Args;
use findings::findings;
use runner::Report;
pub(crate) use server::Server;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// The place in the README that holds the summary.
const PLACE: &str = "conformance";

/// How many hosts run at the same time. Cases have deadlines, so not all do.
const AT_ONCE: usize = 2;

#[derive(Args)]
pub(crate) struct Options {
    /// Only on this host; may be given more than once
    #[arg(long = "host", value_enum)]
    hosts: Vec<Host>,
    /// Put the summary into the README
    #[arg(long, conflicts_with = "hosts")]
    write: bool,
}

/// Runs the cases, prints the table, and fails unless all hosts pass and agree.
///
/// # Errors
/// When a host cannot run the cases, and when a case fails, is missing, is left out without a reason or
/// differs.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    setup::components(workspace)?;
    let hosts = if options.hosts.is_empty() { all_hosts() } else { options.hosts.clone() };
    let summary = compare(workspace, &hosts)?;
    if options.write {
        readme::replace(workspace, "README.md", PLACE, &summary)?;
        println!("README.md: the table is up to date");
    }
    Ok(())
}

/// Runs the cases on all hosts and checks that the README's summary says what was seen.
///
/// # Errors
/// As [`run`], and when the README is out of date.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let summary = compare(workspace, &all_hosts())?;
    readme::check(workspace, "README.md", PLACE, &summary)
        .context("run `cargo xtask conformance --write`")
}

fn all_hosts() -> Vec<Host> {
    Guest::CONFORMANCE.hosts().collect()
}

/// Gives the summary table when all is well.
fn compare(workspace: &Workspace, hosts: &[Host]) -> Result<String> {
    let reports = reports(workspace, hosts)?;
    let names = names(&reports);
    println!("{}\n", table::full(&reports, &names));
    for report in &reports {
        println!("{}: {} of {} cases pass", report.host, report.passed(), names.len());
    }
    let wrong = findings(&reports, &names);
    if !wrong.is_empty() {
        bail!("the hosts do not conform:\n  {}", wrong.join("\n  "));
    }
    Ok(table::summary(&reports, &names))
}

/// Runs the cases on all hosts, some at the same time.
fn reports(workspace: &Workspace, hosts: &[Host]) -> Result<Vec<Report>> {
    // Before anything runs, so that no case has to share the machine with a compiler.
    let mut programs: Vec<(Host, Program)> = Vec::new();
    for &host in hosts {
        let program = host.prepare(workspace, &Guest::CONFORMANCE);
        programs.push((host, program.with_context(|| format!("host {host}"))?));
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some((host, program)) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let started = Instant::now();
            // A server for each: cases look at what theirs has open, and not every host closes it soon.
            let report = Server::start(workspace)
                .and_then(|server| runner::report(workspace, *host, program, &server));
            println!("{host}: done in {:.1} s", started.elapsed().as_secs_f64());
            let report = report.with_context(|| format!("host {host}"));
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((*host, report));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(host, _)| hosts.iter().position(|other| other == host));
    done.into_iter().map(|(_, report)| report).collect()
}

/// Every case that any host knows, in the order in which they came.
fn names(reports: &[Report]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for case in reports.iter().flat_map(|report| &report.cases) {
        if !names.contains(&case.name.as_str()) {
            names.push(&case.name);
        }
    }
    names
}
