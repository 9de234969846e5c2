//! `cargo xtask conformance`: the same cases on every host, in one table.

use crate::cmd;
use crate::guests::{Guest, Host};
use crate::readme;
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use serde::Deserialize;
use std::time::Duration;

/// The place in the README that holds the summary.
const PLACE: &str = "conformance";

/// How long all cases may take on one host. They take some seconds; a case that hangs is a failure.
const LIMIT: Duration = Duration::from_secs(180);

#[derive(Args)]
pub(crate) struct Options {
    /// Only on this host; may be given more than once
    #[arg(long = "host", value_enum)]
    hosts: Vec<Host>,
    /// Put the summary into the README
    #[arg(long, conflicts_with = "hosts")]
    write: bool,
}

/// A line of the conformance program.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Case(Case),
    Done { done: usize },
}

/// The outcome of one case on one host.
#[derive(Deserialize)]
struct Case {
    case: String,
    ok: bool,
    /// What was seen; equal on all hosts.
    #[serde(default)]
    detail: String,
}

/// What one host printed.
struct Report {
    host: Host,
    cases: Vec<Case>,
}

impl Report {
    fn case(&self, name: &str) -> Option<&Case> {
        self.cases.iter().find(|case| case.case == name)
    }

    fn mark(&self, name: &str) -> &'static str {
        match self.case(name) {
            Some(case) if case.ok => "ok",
            Some(_) => "FAIL",
            None => "-",
        }
    }

    fn passed(&self) -> usize {
        self.cases.iter().filter(|case| case.ok).count()
    }
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
        reports.push(report(workspace, host).with_context(|| format!("host {host}"))?);
    }
    let names = names(&reports);
    println!("{}", table(&reports, &names));
    let wrong = findings(&reports, &names);
    for report in &reports {
        println!("{}: {} of {} cases pass", report.host, report.passed(), names.len());
    }
    if !wrong.is_empty() {
        bail!("the hosts do not conform:\n  {}", wrong.join("\n  "));
    }
    Ok(summary(&reports, &names))
}

fn report(workspace: &Workspace, host: Host) -> Result<Report> {
    let mut command = host.prepare(workspace, &Guest::CONFORMANCE)?;
    let (text, code) = cmd::capture_any(&mut command, LIMIT, "see its messages above")?;
    let cases = parse(&text)?;
    if code != 0 && cases.iter().all(|case| case.ok) {
        bail!("all cases pass, but the program ended with code {code}");
    }
    Ok(Report { host, cases })
}

/// Reads the program's output. It ends in the number of cases, so that none can get lost.
fn parse(text: &str) -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    let mut done = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if done.is_some() {
            bail!("a line after the end of the cases: {line}");
        }
        let line = serde_json::from_str(line)
            .with_context(|| format!("a line that is not of the conformance program: {line}"))?;
        match line {
            Line::Done { done: count } => done = Some(count),
            Line::Case(case) if cases.iter().any(|other| other.case == case.case) => {
                bail!("the case {} ran twice", case.case)
            }
            Line::Case(case) => cases.push(case),
        }
    }
    match done {
        None => {
            let last = cases.last().map_or("none", |case| &case.case);
            bail!("the program ended in the middle; its last case: {last}")
        }
        Some(0) => bail!("the program has no cases"),
        Some(count) if count != cases.len() => {
            bail!("the program counts {count} cases, but {} came", cases.len())
        }
        Some(_) => Ok(cases),
    }
}

/// Every case that any host knows, in the order in which they came.
fn names(reports: &[Report]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for case in reports.iter().flat_map(|report| &report.cases) {
        if !names.contains(&case.case.as_str()) {
            names.push(&case.case);
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
        let marks = reports.iter().map(|report| report.mark(name));
        table.add_row(std::iter::once(*name).chain(marks));
    }
    table
}

/// The table of the README: cases are grouped by the part of their name before the first `/`.
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
            let all = report.cases.iter().filter(|case| group(&case.case) == name);
            let passed = all.clone().filter(|case| case.ok).count();
            format!("{passed} of {}", all.count())
        });
        table.add_row(std::iter::once(name.to_owned()).chain(cells));
    }
    table.to_string()
}

fn group(name: &str) -> &str {
    name.split_once('/').map_or(name, |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(host: Host, lines: &[&str]) -> Report {
        let text = format!("{}\n{{\"done\":{}}}", lines.join("\n"), lines.len());
        Report { host, cases: parse(&text).unwrap() }
    }

    fn compared(reports: &[Report]) -> Vec<String> {
        findings(reports, &names(reports))
    }

    const SLEEP: &str = r#"{"case":"time/sleep","ok":true,"detail":"in order"}"#;
    const READ: &str = r#"{"case":"fs/read","ok":true,"detail":"5 bytes"}"#;

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
        assert_eq!(compared(&reports), ["time/sleep: missing on Node 20"]);
    }

    #[test]
    fn a_failing_case_is_a_finding() {
        let failing = r#"{"case":"fs/read","ok":false,"detail":"no such file"}"#;
        let reports = [report(Host::Native, &[READ]), report(Host::Node26, &[failing])];
        assert_eq!(compared(&reports), ["fs/read: fails on Node 26: no such file"]);
    }

    #[test]
    fn a_disagreement_is_a_finding() {
        let other = r#"{"case":"fs/read","ok":true,"detail":"6 bytes"}"#;
        let reports = [report(Host::Native, &[READ]), report(Host::Node26, &[other])];
        assert_eq!(
            compared(&reports),
            ["fs/read: native says \"5 bytes\", Node 26 says \"6 bytes\""]
        );
    }

    #[test]
    fn an_output_that_stops_early_is_an_error() {
        let error = parse(SLEEP).err().map(|error| error.to_string());
        assert_eq!(
            error.as_deref(),
            Some("the program ended in the middle; its last case: time/sleep")
        );
        let error = parse(&format!("{SLEEP}\n{{\"done\":2}}")).err().map(|e| e.to_string());
        assert_eq!(error.as_deref(), Some("the program counts 2 cases, but 1 came"));
    }
}
