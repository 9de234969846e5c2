//! `cargo xtask conformance`: the same cases on every host, in one table.

mod runner;

use crate::guests::Host;
use crate::readme;
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use runner::Report;

/// The place in the README that holds the summary.
const PLACE: &str = "conformance";

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
/// When a host cannot run the cases, and when a case fails, is missing or differs.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    setup::guests(workspace)?;
    let hosts = if options.hosts.is_empty() { Host::value_variants() } else { &options.hosts };
    let summary = compare(workspace, hosts)?;
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
    let summary = compare(workspace, Host::value_variants())?;
    readme::check(workspace, "README.md", PLACE, &summary)
        .context("run `cargo xtask conformance --write`")
}

/// Gives the summary table when all is well.
fn compare(workspace: &Workspace, hosts: &[Host]) -> Result<String> {
    let mut reports = Vec::new();
    for &host in hosts {
        reports.push(runner::report(workspace, host).with_context(|| format!("host {host}"))?);
    }
    let names = names(&reports);
    println!("{}", table(&reports, &names));
    let wrong = findings(&reports, &names);
    for report in &reports {
        let passed = report.cases.iter().filter(|case| case.ok).count();
        println!("{}: {passed} of {} cases pass", report.host, names.len());
    }
    if !wrong.is_empty() {
        bail!("the hosts do not conform:\n  {}", wrong.join("\n  "));
    }
    Ok(summary(&reports, &names))
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

fn findings(reports: &[Report], names: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in names {
        let before = wrong.len();
        for report in reports {
            match report.case(name) {
                None => wrong.push(format!("{name}: missing on {}", report.host)),
                Some(case) if !case.ok => {
                    wrong.push(format!("{name}: fails on {}: {}", report.host, case.detail));
                }
                Some(_) => {}
            }
        }
        let mut details = reports.iter().filter_map(|report| Some((report, report.case(name)?)));
        let first = details.next();
        if let Some((first, expected)) = first.filter(|_| wrong.len() == before) {
            for (report, case) in details.filter(|(_, case)| case.detail != expected.detail) {
                wrong.push(format!(
                    "{name}: {} says {:?}, {} says {:?}",
                    first.host, expected.detail, report.host, case.detail
                ));
            }
        }
    }
    wrong
}

fn table(reports: &[Report], names: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    let hosts = reports.iter().map(|report| report.host.to_string());
    table.set_header(std::iter::once("case".to_owned()).chain(hosts));
    for name in names {
        let marks = reports.iter().map(|report| mark(report, name));
        table.add_row(std::iter::once(*name).chain(marks));
    }
    table
}

fn mark(report: &Report, name: &str) -> &'static str {
    match report.case(name) {
        Some(case) if case.ok => "ok",
        Some(_) => "FAIL",
        None => "-",
    }
}

/// The table of the README: cases are grouped by the part of their name before the first `::`.
fn summary(reports: &[Report], names: &[&str]) -> String {
    let mut groups: Vec<&str> = names.iter().map(|name| group(name)).collect();
    groups.dedup();
    groups.sort_unstable();
    groups.dedup();
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    let hosts = reports.iter().map(|report| report.host.to_string());
    table.set_header(std::iter::once("cases".to_owned()).chain(hosts));
    for name in groups {
        let cells = reports.iter().map(|report| {
            let all = report.cases.iter().filter(|case| group(&case.name) == name);
            let passed = all.clone().filter(|case| case.ok).count();
            format!("{passed} of {}", all.count())
        });
        table.add_row(std::iter::once(name.to_owned()).chain(cells));
    }
    table.to_string()
}

fn group(name: &str) -> &str {
    name.split_once("::").map_or(name, |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(host: Host, lines: &[&str]) -> Report {
        let text = format!("{}\n{{\"done\":{}}}", lines.join("\n"), lines.len());
        Report { host, cases: runner::parse(&text).unwrap() }
    }

    fn compared(reports: &[Report]) -> Vec<String> {
        findings(reports, &names(reports))
    }

    const SLEEP: &str = r#"{"case":"time::sleep","ok":true,"detail":"in order"}"#;
    const READ: &str = r#"{"case":"fs::read","ok":true,"detail":"5 bytes"}"#;

    #[test]
    fn hosts_that_agree_have_no_findings() {
        let reports = [report(Host::Native, &[SLEEP, READ]), report(Host::Node20, &[SLEEP, READ])];
        assert_eq!(compared(&reports), Vec::<String>::new());
        let text = summary(&reports, &names(&reports));
        assert!(text.contains("| time  | 1 of 1 | 1 of 1  |"), "{text}");
    }

    #[test]
    fn a_missing_case_is_a_finding() {
        let reports = [report(Host::Native, &[SLEEP, READ]), report(Host::Node20, &[READ])];
        assert_eq!(compared(&reports), ["time::sleep: missing on Node 20"]);
    }

    #[test]
    fn a_failing_case_is_a_finding() {
        let failing = r#"{"case":"fs::read","ok":false,"detail":"no such file"}"#;
        let reports = [report(Host::Native, &[READ]), report(Host::Node26, &[failing])];
        assert_eq!(compared(&reports), ["fs::read: fails on Node 26: no such file"]);
    }

    #[test]
    fn a_disagreement_is_a_finding() {
        let other = r#"{"case":"fs::read","ok":true,"detail":"6 bytes"}"#;
        let reports = [report(Host::Native, &[READ]), report(Host::Node26, &[other])];
        assert_eq!(
            compared(&reports),
            ["fs::read: native says \"5 bytes\", Node 26 says \"6 bytes\""]
        );
    }
}
