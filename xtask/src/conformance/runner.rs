//! Runs the conformance program on one host and reads what it says.

use crate::cmd::{self, Said};
use crate::guests::{Guest, Host};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::time::Duration;

/// How long all cases may take on one host. They take some seconds; a case that hangs is a failure.
const LIMIT: Duration = Duration::from_secs(180);

/// A line of the program.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Case(Case),
    Done { done: usize },
}

/// The outcome of one case on one host.
#[derive(Deserialize)]
pub(super) struct Case {
    #[serde(rename = "case")]
    pub(super) name: String,
    pub(super) ok: bool,
    /// What was seen; equal on all hosts.
    #[serde(default)]
    pub(super) detail: String,
}

/// What one host makes of the cases.
pub(super) struct Report {
    pub(super) host: Host,
    pub(super) cases: Vec<Case>,
}

impl Report {
    pub(super) fn case(&self, name: &str) -> Option<&Case> {
        self.cases.iter().find(|case| case.name == name)
    }
}

/// Runs all cases on a host: those of the program, and those that only who runs it can judge.
///
/// # Errors
/// When the program does not build, hangs, or ends without having told of all its cases.
pub(super) fn report(workspace: &Workspace, host: Host) -> Result<Report> {
    let said = start(workspace, host, &[])?;
    let mut cases = parse(&said.out).inspect_err(|_| eprint!("{}", said.err))?;
    let expected = i32::from(cases.iter().any(|case| !case.ok));
    if said.code != expected {
        eprint!("{}", said.err);
        bail!("the program ended with code {}, not {expected}", said.code);
    }
    cases.push(standard_error(&said));
    cases.push(deadlock(&start(workspace, host, &["--deadlock"])?));
    Ok(Report { host, cases })
}

fn start(workspace: &Workspace, host: Host, arguments: &[&str]) -> Result<Said> {
    let folder = workspace.target().join("conformance");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let mut command = host.prepare(workspace, &Guest::CONFORMANCE)?;
    command
        .args(arguments)
        .env("KIPPU_CONFORMANCE_DIR", folder)
        .env("KIPPU_CONFORMANCE_VAR", "切 = 1")
        .env_remove("KIPPU_CONFORMANCE_UNSET");
    cmd::capture_all(&mut command, LIMIT, "is the host installed?")
}

/// The case `program::print_keeps_its_order` prints digits in two ways.
fn standard_error(said: &Said) -> Case {
    let ok = said.err.lines().any(|line| line == "0123456789");
    let detail = if ok { String::new() } else { format!("standard error is {:?}", said.err) };
    Case { name: "runner::standard_error_keeps_its_order".to_owned(), ok, detail }
}

/// With `--deadlock` the program waits for a task of the name `stuck`, which nobody will wake.
fn deadlock(said: &Said) -> Case {
    let ok = said.code == 1
        && said.err.contains("deadlock: nothing is runnable")
        && said.err.contains("task \"stuck\"");
    let detail = if ok {
        String::new()
    } else {
        format!("code {}, standard error {:?}", said.code, said.err)
    };
    Case { name: "runner::deadlock_is_an_error_that_names_who_waits".to_owned(), ok, detail }
}

/// Reads the program's output. It ends in the number of cases, so that none can get lost.
pub(super) fn parse(text: &str) -> Result<Vec<Case>> {
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
            Line::Case(case) if cases.iter().any(|other| other.name == case.name) => {
                bail!("the case {} ran twice", case.name)
            }
            Line::Case(case) => cases.push(case),
        }
    }
    match done {
        None => {
            let last = cases.last().map_or("none", |case| &case.name);
            bail!("the program ended in the middle; its last case: {last}")
        }
        Some(0) => bail!("the program has no cases"),
        Some(count) if count != cases.len() => {
            bail!("the program counts {count} cases, but {} came", cases.len())
        }
        Some(_) => Ok(cases),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = r#"{"case":"time::sleep","ok":true,"detail":""}"#;

    fn error(text: &str) -> String {
        parse(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    fn said(err: &str, code: i32) -> Said {
        Said { out: String::new(), err: err.to_owned(), code }
    }

    #[test]
    fn an_output_that_stops_early_is_an_error() {
        assert_eq!(error(CASE), "the program ended in the middle; its last case: time::sleep");
        assert_eq!(error(""), "the program ended in the middle; its last case: none");
    }

    #[test]
    fn a_case_that_got_lost_or_ran_twice_is_an_error() {
        let text = format!("{CASE}\n{{\"done\":2}}");
        assert_eq!(error(&text), "the program counts 2 cases, but 1 came");
        assert_eq!(error(&format!("{CASE}\n{CASE}")), "the case time::sleep ran twice");
        assert_eq!(error("{\"done\":0}"), "the program has no cases");
    }

    #[test]
    fn only_an_error_that_names_the_task_passes_as_a_deadlock() {
        let text = "deadlock: nothing is runnable\n  task \"stuck\" waits";
        assert!(deadlock(&said(text, 1)).ok);
        assert!(!deadlock(&said(text, 0)).ok);
        assert!(!deadlock(&said("deadlock: nothing is runnable", 1)).ok);
    }

    #[test]
    fn digits_out_of_order_fail() {
        assert!(standard_error(&said("x\n0123456789\n", 0)).ok);
        assert!(!standard_error(&said("1023456789\n", 0)).ok);
    }
}
