//! Runs the conformance program on one host and reads what it says.

use super::lacks;
use super::server::Server;
use crate::cmd::{self, Given, Said};
use crate::guests::{Host, Program};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::process::Command;
use std::time::Duration;

/// How long all cases may take on one host. They take some seconds; a case that hangs is a failure.
/// `conformance/page.mjs` gives up, and ends its browser, somewhat earlier.
const LIMIT: Duration = Duration::from_secs(180);

/// A line of the program.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Ran {
        case: String,
        ok: bool,
        #[serde(default)]
        detail: String,
    },
    Skipped {
        case: String,
        skip: String,
    },
    Done {
        done: usize,
    },
}

/// The outcome of one case on one host.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) outcome: Outcome,
}

pub(super) enum Outcome {
    /// It holds. What was seen is equal on all hosts.
    Holds(String),
    /// It does not, and why.
    Fails(String),
    /// The host lacks what this group of cases needs.
    Skipped(String),
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

    /// How many cases hold.
    pub(super) fn passed(&self) -> usize {
        self.cases.iter().filter(|case| matches!(case.outcome, Outcome::Holds(_))).count()
    }
}

/// Runs all cases on a host: those of the program, and those that only who runs it can judge.
///
/// # Errors
/// When the program hangs, or ends without having told of all its cases.
pub(super) fn report(
    workspace: &Workspace,
    host: Host,
    program: &Program,
    server: &Server,
) -> Result<Report> {
    let start = |arguments: &[&str], given: &Given<'_>| {
        let mut command = command(workspace, host, program, server)?;
        cmd::converse(command.args(arguments), given, LIMIT, "is the host installed?")
    };
    let nothing = Given::default();
    let said = start(&[], &nothing)?;
    let mut cases = parse(&said.out).inspect_err(|_| eprint!("{}", said.err))?;
    let expected = i32::from(cases.iter().any(|case| matches!(case.outcome, Outcome::Fails(_))));
    if said.code != expected {
        eprint!("{}", said.err);
        bail!("the program ended with code {}, not {expected}", said.code);
    }
    cases.push(standard_error(&said));
    cases.push(deadlock(&start(&["--deadlock"], &nothing)?));
    cases.push(panic(host, &start(&["--panic"], &nothing)?));
    let input = input();
    let given = Given { input: input.as_bytes(), interrupt_at: None };
    cases.push(echo(&input, &start(&["--echo"], &given)?));
    cases.push(if lacks::reason(host, "signal").is_some() {
        Case { name: INTERRUPT.to_owned(), outcome: Outcome::Skipped("signal".to_owned()) }
    } else {
        let given = Given { input: &[], interrupt_at: Some("waiting") };
        interrupt(&start(&["--interrupt"], &given)?)
    });
    Ok(Report { host, cases })
}

/// The program with what the cases need.
fn command(
    workspace: &Workspace,
    host: Host,
    program: &Program,
    server: &Server,
) -> Result<Command> {
    // A folder for each host: two may run at the same time.
    let folder = workspace.target().join("conformance").join(host.to_string().replace(' ', ""));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let told = lacks::of(host).iter().filter(|lack| lack.told);
    let told: Vec<_> = told.map(|lack| lack.group).collect();
    let mut command = program.command(workspace);
    command
        .env("KIPPU_CONFORMANCE_DIR", folder)
        .env("KIPPU_CONFORMANCE_HTTP", server.url())
        .env("KIPPU_CONFORMANCE_LACKS", told.join(","))
        .env("KIPPU_CONFORMANCE_VAR", "切 = 1")
        .env_remove("KIPPU_CONFORMANCE_UNSET");
    Ok(command)
}

/// A case of the runner; what was seen is told when it fails.
fn judged(name: &str, holds: bool, said: &Said) -> Case {
    let outcome = if holds {
        Outcome::Holds(String::new())
    } else {
        Outcome::Fails(format!(
            "code {}, standard output {:?}, standard error {:?}",
            said.code, said.out, said.err
        ))
    };
    Case { name: name.to_owned(), outcome }
}

/// The case `program::print_keeps_its_order` prints digits in two ways.
fn standard_error(said: &Said) -> Case {
    let holds = said.err.lines().any(|line| line == "0123456789");
    judged("runner::standard_error_keeps_its_order", holds, said)
}

/// With `--deadlock` the program waits for a task of the name `stuck`, which nobody will wake.
fn deadlock(said: &Said) -> Case {
    let holds = said.code == 1
        && said.err.contains("deadlock: nothing is runnable")
        && said.err.contains("task \"stuck\"");
    judged("runner::deadlock_is_an_error_that_names_who_waits", holds, said)
}

/// With `--panic` a task panics. Where panics can be caught, the program tells of it before it panics
/// as a whole.
fn panic(host: Host, said: &Said) -> Case {
    let out = match lacks::reason(host, "unwind") {
        Some(_) => "",
        None => "contained: task panicked: on purpose: 42\n",
    };
    let holds = said.code != 0
        && said.out == out
        && said.err.contains("on purpose: 42")
        && said.err.contains("panics.rs:");
    judged("runner::a_panic_is_an_error_that_names_its_place", holds, said)
}

/// More than pipes and buffers hold. Lines end at other places than pieces do, which are 10,000 bytes long,
/// so that characters of several bytes are cut.
fn input() -> String {
    (0..4000)
        .map(|number| format!("{number} größer 日本 🦀 {}\n", "-".repeat(number % 97)))
        .collect()
}

/// With `--echo` the program writes what it reads, and its exit code is one of its own.
fn echo(input: &str, said: &Said) -> Case {
    let count = format!("{} bytes", input.len());
    let holds = said.out == input && said.err.lines().any(|line| line == count) && said.code == 7;
    let short = |text: &str| text.chars().take(200).collect();
    let shown = Said { out: short(&said.out), err: short(&said.err), code: said.code };
    judged("runner::what_is_read_is_written_before_the_program_ends", holds, &shown)
}

const INTERRUPT: &str = "runner::an_interruption_is_waited_for";

/// With `--interrupt` the program says when it waits for SIGINT, and goes on then.
fn interrupt(said: &Said) -> Case {
    let holds = said.out == "waiting\ninterrupted\n" && said.code == 8;
    judged(INTERRUPT, holds, said)
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
        let (name, outcome) = match line {
            Line::Done { done: count } => {
                done = Some(count);
                continue;
            }
            Line::Ran { case, ok: true, detail } => (case, Outcome::Holds(detail)),
            Line::Ran { case, ok: false, detail } => (case, Outcome::Fails(detail)),
            Line::Skipped { case, skip } => (case, Outcome::Skipped(skip)),
        };
        if cases.iter().any(|other| other.name == name) {
            bail!("the case {name} ran twice");
        }
        cases.push(Case { name, outcome });
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

    fn said(out: &str, err: &str, code: i32) -> Said {
        Said { out: out.to_owned(), err: err.to_owned(), code }
    }

    fn holds(case: &Case) -> bool {
        matches!(case.outcome, Outcome::Holds(_))
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
    fn a_case_that_is_neither_ok_nor_skipped_is_an_error() {
        let text = r#"{"case":"time::sleep"}"#;
        assert!(error(text).starts_with("a line that is not of the conformance program"));
    }

    #[test]
    fn only_an_error_that_names_the_task_passes_as_a_deadlock() {
        let text = "deadlock: nothing is runnable\n  task \"stuck\" waits";
        assert!(holds(&deadlock(&said("", text, 1))));
        assert!(!holds(&deadlock(&said("", text, 0))));
        assert!(!holds(&deadlock(&said("", "deadlock: nothing is runnable", 1))));
    }

    #[test]
    fn a_panic_is_told_before_it_ends_the_program_where_it_can_be_caught() {
        let (out, err) =
            ("contained: task panicked: on purpose: 42\n", "panics.rs:1: on purpose: 42");
        assert!(holds(&panic(Host::Native, &said(out, err, 101))));
        assert!(!holds(&panic(Host::Native, &said("", err, 101))));
        assert!(holds(&panic(Host::Deno, &said("", err, 1))));
        assert!(!holds(&panic(Host::Deno, &said(out, err, 1))));
        assert!(!holds(&panic(Host::Deno, &said("", err, 0))));
        assert!(!holds(&panic(Host::Deno, &said("", "on purpose: 42", 1))));
    }

    #[test]
    fn an_echo_that_lacks_its_end_fails() {
        let text = "a\nb\n";
        assert!(holds(&echo(text, &said(text, "4 bytes\n", 7))));
        assert!(!holds(&echo(text, &said("a\n", "4 bytes\n", 7))));
        assert!(!holds(&echo(text, &said(text, "4 bytes\n", 0))));
        assert!(!holds(&echo(text, &said(text, "", 7))));
    }

    #[test]
    fn only_a_program_that_goes_on_passes_as_interrupted() {
        assert!(holds(&interrupt(&said("waiting\ninterrupted\n", "", 8))));
        assert!(!holds(&interrupt(&said("waiting\n", "", 130))));
        assert!(!holds(&interrupt(&said("waiting\ninterrupted\n", "", 0))));
    }

    #[test]
    fn digits_out_of_order_fail() {
        assert!(holds(&standard_error(&said("", "x\n0123456789\n", 0))));
        assert!(!holds(&standard_error(&said("", "1023456789\n", 0))));
    }
}
