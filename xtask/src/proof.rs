//! `cargo xtask proof`: what speaks for the executor's soundness beyond plain tests.
//!
//! Each tool must first find faults that were made on purpose (the executor's test `control`; in the models for loom they
//! stand beside the others), so that a tool which does not look cannot pass.

use crate::cmd::{self, Said};
use crate::tools;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Args)]
pub(crate) struct Options {
    /// Only this proof; may be given more than once
    #[arg(long, value_name = "NAME")]
    only: Vec<Proof>,
    /// The long way, which takes hours: more steps, more preemptions, more seeds
    #[arg(long)]
    full: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Proof {
    /// Random schedules and timers do, step by step, what naive models do
    Model,
    /// What threads do at the same time is right in every order (loom)
    Loom,
    /// No memory error and no leak in optimised code (valgrind)
    Valgrind,
    /// No data race in real threads (ThreadSanitizer)
    Tsan,
    /// No undefined behaviour under either model of aliasing (Miri)
    Miri,
}

impl Proof {
    /// Runs it; `full` is the long way.
    ///
    /// # Errors
    /// When it fails, or its tool cannot be had.
    pub(crate) fn run(self, workspace: &Workspace, full: bool) -> Result<()> {
        match self {
            Proof::Model => model(workspace, full),
            Proof::Loom => loom(workspace, full),
            Proof::Valgrind => valgrind(workspace, full),
            Proof::Tsan => tsan(workspace, full),
            Proof::Miri => miri(workspace, full),
        }
    }
}

const PACKAGE: [&str; 2] = ["--package", "kippu-executor"];

/// Random steps in each of the long tests; see their `support/steps.rs`.
const STEPS: &str = "KIPPU_TEST_STEPS";
/// Seconds that the stress test takes.
const SECONDS: &str = "KIPPU_TEST_SECONDS";

/// With `std` and without it: other code catches panics and tells threads apart.
const FEATURES: [&[&str]; 2] = [&[], &["--no-default-features"]];

/// Optimised as for users, but quicker to build, and with line numbers for reports.
const OPTIMISED: [&str; 7] = [
    "--release",
    "--config",
    "profile.release.lto=false",
    "--config",
    "profile.release.codegen-units=16",
    "--config",
    "profile.release.debug='line-tables-only'",
];

/// Longer than any of the commands takes whose output is kept back.
const LIMIT: Duration = Duration::from_secs(3 * 3600);

const SEE: &str = "see the messages above";

/// Runs the proofs that are asked for, or all.
///
/// # Errors
/// At the first that fails.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    for &proof in Proof::value_variants() {
        if options.only.is_empty() || options.only.contains(&proof) {
            let name = proof.to_possible_value().context("every proof has a name")?;
            println!("\n== {}: {}", name.get_name(), name.get_help().unwrap_or_default());
            let started = Instant::now();
            proof.run(workspace, options.full)?;
            println!("== {}: held, in {:.0} s", name.get_name(), started.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

/// `cargo test` of the executor, built into a folder of its own, as flags differ from proof to proof.
fn cargo_test(workspace: &Workspace, folder: &str) -> Command {
    in_folder(workspace.cargo("test"), workspace, folder)
}

fn in_folder(mut command: Command, workspace: &Workspace, folder: &str) -> Command {
    command.args(PACKAGE).arg("--target-dir").arg(workspace.target().join("proof").join(folder));
    // Everything that would be added to what this file says.
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "MIRIFLAGS"] {
        command.env_remove(variable);
    }
    // Many tests panic on purpose, and under these tools a backtrace takes seconds.
    command.env("RUST_BACKTRACE", "0");
    command
}

/// Cargo of the nightly toolchain.
fn nightly(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.command("rustup");
    command.args(["run", "nightly", "cargo"]).args(arguments);
    command
}

/// The target that this machine's rustc builds for by itself.
fn host(workspace: &Workspace) -> Result<String> {
    let mut command = workspace.command("rustc");
    let text = cmd::capture(command.arg("-vV"), "install Rust with https://rustup.rs")?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` does not say its host")?.to_owned())
}

/// Has a tool look at the program that is full of faults.
fn must_find(mut command: Command, fault: &str, sign: &str) -> Result<()> {
    command.args(["--test", "control", "--", fault]);
    let Said { out, err, code } = cmd::capture_all(&mut command, LIMIT, SEE)?;
    if code == 0 {
        bail!("the fault `{fault}` was made on purpose, and not found");
    }
    if !out.contains(sign) && !err.contains(sign) {
        bail!("the fault `{fault}` was made on purpose, and something else was found:\n{out}{err}");
    }
    println!("the fault `{fault}`, made on purpose, is found");
    Ok(())
}

fn model(workspace: &Workspace, full: bool) -> Result<()> {
    for features in FEATURES {
        let mut command = cargo_test(workspace, "optimised");
        command.args(OPTIMISED).args(features);
        command.args(["--test", "schedule", "--test", "timers_model"]);
        command.env(STEPS, if full { "30000000" } else { "1000000" });
        cmd::run(&mut command, SEE)?;
    }
    Ok(())
}

fn loom(workspace: &Workspace, full: bool) -> Result<()> {
    let mut command = cargo_test(workspace, "loom");
    command.args(OPTIMISED).args(["--config", "profile.release.debug-assertions=true"]);
    command.args(["--test", "loom"]);
    command.env("RUSTFLAGS", "--cfg loom");
    command.env("LOOM_MAX_PREEMPTIONS", if full { "5" } else { "3" });
    cmd::run(&mut command, SEE)
}

fn valgrind(workspace: &Workspace, full: bool) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("valgrind is run on Linux only");
    }
    tools::valgrind(workspace)?;
    let target = host(workspace)?.to_uppercase().replace('-', "_");
    let command = || {
        let mut command = cargo_test(workspace, "optimised");
        command.args(OPTIMISED).env(STEPS, if full { "200000" } else { "2000" });
        // Not what can still be reached: the test harness keeps some. Fair, as threads that wait for others in
        // a loop would otherwise keep them waiting.
        let kinds = "definite,indirect";
        let runner = format!(
            "valgrind --quiet --error-exitcode=9 --fair-sched=yes --leak-check=full \
             --show-leak-kinds={kinds} --errors-for-leak-kinds={kinds}"
        );
        command.env(format!("CARGO_TARGET_{target}_RUNNER"), runner);
        command
    };
    must_find(command(), "leak", "definitely lost")?;
    must_find(command(), "stale", "Invalid read")?;
    cmd::run(command().arg("--tests"), SEE)
}

fn tsan(workspace: &Workspace, full: bool) -> Result<()> {
    if !cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) {
        bail!("ThreadSanitizer is run on 64-bit Linux only");
    }
    tools::nightly(workspace)?;
    let host = host(workspace)?;
    let command = || {
        let mut command = in_folder(nightly(workspace, &["test"]), workspace, "tsan");
        // With a standard library that is watched as well: otherwise what it orders looks like races.
        command.args(["-Zbuild-std", "--target", &host]);
        command.env("RUSTFLAGS", "-Zsanitizer=thread");
        command.env("TSAN_OPTIONS", "halt_on_error=1");
        command.env(STEPS, if full { "200000" } else { "2000" });
        command.env(SECONDS, if full { "120" } else { "10" });
        command
    };
    let mut build = command();
    build.args(["--tests", "--no-run"]);
    cmd::run_with_progress(&mut build, "tests with ThreadSanitizer", SEE)?;
    must_find(command(), "race", "ThreadSanitizer: data race")?;
    cmd::run(command().arg("--tests"), SEE)
}

/// One run of Miri.
struct Interpreted {
    title: String,
    command: Command,
}

fn miri(workspace: &Workspace, full: bool) -> Result<()> {
    tools::nightly(workspace)?;
    let mut setup = nightly(workspace, &["miri", "setup"]);
    cmd::run_with_progress(&mut setup, "Miri's standard library", SEE)?;
    let command = |flags: &str, features: &[&str]| {
        let mut command = in_folder(nightly(workspace, &["miri", "test"]), workspace, "miri");
        command.args(features).env("MIRIFLAGS", format!("-Zmiri-strict-provenance {flags}"));
        command
    };
    // Without the examples of the documents, each of which would have to be built by itself.
    let tests = |flags: &str, features: &[&str]| {
        let mut command = command(flags, features);
        command.arg("--tests");
        command
    };
    for (fault, sign) in
        [("race", "Data race detected"), ("leak", "memory leaked"), ("stale", "has been freed")]
    {
        must_find(command("", &[]), fault, sign)?;
    }
    let mut runs = Vec::new();
    for features in FEATURES {
        // Now, because two cannot build at the same time.
        let mut build = tests("", features);
        cmd::run_with_progress(build.arg("--no-run"), "tests for Miri", SEE)?;
        for (model, flags) in [("stacked borrows", ""), ("tree borrows", "-Zmiri-tree-borrows")] {
            // The tests are the same but for the threads, so the dearest combination is left to `--full`.
            if !full && !flags.is_empty() && !features.is_empty() {
                continue;
            }
            let title = format!("{model} {}", features.join(" "));
            if full {
                let flags = format!("{flags} -Zmiri-many-seeds=0..16");
                let mut command = command(&flags, features);
                command.args(["--test", "stress", "--test", "wake", "--test", "leak"]);
                runs.push(Interpreted { title: format!("{title}, 16 seeds"), command });
            }
            runs.push(Interpreted { title, command: tests(flags, features) });
        }
    }
    interpret(runs)
}

/// Miri runs on one core: has as many runs at the same time as there are cores.
fn interpret(runs: Vec<Interpreted>) -> Result<()> {
    let waiting = Mutex::new(runs.into_iter());
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    let work = || -> Result<()> {
        while let Some(Interpreted { title, mut command }) = next() {
            let started = Instant::now();
            let Said { out, err, code } = cmd::capture_all(&mut command, LIMIT, SEE)?;
            if code != 0 {
                bail!("Miri, {title}:\n{out}{err}");
            }
            let passed = passed(&out).with_context(|| format!("no test was run:\n{out}{err}"))?;
            println!("{title}: {passed} tests passed in {:.0} s", started.elapsed().as_secs_f64());
        }
        Ok(())
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}

/// How many tests have passed, by what all test programs said; `None` when there was none.
fn passed(said: &str) -> Option<u32> {
    let counts = said.lines().filter_map(|line| {
        let rest = line.strip_prefix("test result: ok. ")?;
        rest.split(' ').next()?.parse::<u32>().ok()
    });
    Some(counts.sum()).filter(|&sum| sum > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_added_up() {
        let said = "test a ... ok\ntest result: ok. 12 passed; 0 failed\n\
                    test result: ok. 3 passed; 0 failed\n";
        assert_eq!(passed(said), Some(15));
    }

    #[test]
    fn no_test_is_no_proof() {
        assert_eq!(passed("test result: ok. 0 passed; 0 failed\n"), None);
        assert_eq!(passed(""), None);
    }
}
