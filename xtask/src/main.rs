//! Kippu's own tasks, run as `cargo xtask TASK`.
//!
//! Everything that a contributor or CI does to this repository beyond plain `cargo build` is here,
//! so that there is one way to do it and it works on every machine that has Rust and Node.

mod bench;
mod cmd;
mod component;
mod conformance;
mod demo;
mod guests;
mod imports;
mod interop;
mod proof;
mod readme;
mod setup;
mod spec;
mod test;
mod tools;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about, disable_help_subcommand = true)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the other tasks need and is missing; quick when nothing is
    Setup,
    /// Run linkcheck natively and on Node over this repository's documents, side by side
    Demo(demo::Options),
    /// Build a component of WASI, and say where it is and what runs it
    Component(component::Options),
    /// Run all checks and tests
    Test(test::Options),
    /// Measure against peers
    Bench(bench::Options),
    /// Run the conformance cases on every host and compare them
    Conformance(conformance::Options),
    /// Look for faults in the executor with Miri, loom, ThreadSanitizer, valgrind and models
    Proof(proof::Options),
}

/// Cases with a thousand connections need more files than login shells let programs open. What xtask starts inherits this.
#[cfg(unix)]
fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Systems that do not let it leave the limit as it was, and such a case says what is missing.
    let _ = setrlimit(Resource::Nofile, limit);
}

#[cfg(not(unix))]
fn allow_many_files() {}

fn main() -> ExitCode {
    let args = Args::parse();
    allow_many_files();
    let outcome = Workspace::find().and_then(|workspace| match args.task {
        Task::Setup => setup::run(&workspace),
        Task::Demo(options) => demo::run(&workspace, &options),
        Task::Component(options) => component::run(&workspace, &options),
        Task::Test(options) => test::run(&workspace, &options),
        Task::Bench(options) => bench::run(&workspace, &options),
        Task::Conformance(options) => conformance::run(&workspace, &options),
        Task::Proof(options) => proof::run(&workspace, &options),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
