//! A link checker for Markdown and HTML that runs natively, on Node and on WASI from one source.
//!
//! The way through: [`cli`] reads the arguments, [`input`] finds the documents, [`extract`] finds
//! their links, [`mod@check`] looks at what they lead to, [`report`] tells.

mod check;
mod cli;
mod extract;
mod input;
mod problem;
mod progress;
mod report;

use std::future::pending;
use std::pin::pin;

use futures_util::{FutureExt as _, select_biased};
use kippu::io::{stderr, stdout};
use kippu::time::Instant;

use crate::check::{Check, SetupError};
use crate::cli::Options;
use crate::report::{Amount, Report, Style};

/// Usage and I/O errors.
const FAILURE: kippu::ExitCode = kippu::ExitCode(2);

#[kippu::main]
async fn main() -> kippu::ExitCode {
    let options = match Options::from_arguments(kippu::env::args()) {
        Ok(options) => options,
        Err(error) => return usage(&error),
    };
    match check(&options).await {
        Ok(report) => print(&options, &report).await,
        Err(error) => {
            kippu::eprintln!("error: {error}");
            FAILURE
        }
    }
}

/// Checks until there is nothing left to do or Ctrl-C ends it.
async fn check(options: &Options) -> Result<Report, SetupError> {
    let started = Instant::now();
    let check = Check::new(options).await?;
    let interrupted = {
        let mut run = pin!(check.run().fuse());
        let mut interrupt = pin!(interrupt().fuse());
        let mut progress = pin!(show_progress(options, &check).fuse());
        select_biased! {
            () = interrupt => true,
            never = progress => match never {},
            () = run => false,
        }
        // The block's end drops all three: what is in flight is cancelled, the status line is
        // cleared, and from now on Ctrl-C ends the process.
    };
    Ok(Report {
        documents: check.documents(),
        findings: check.findings(),
        errors: check.errors(),
        interrupted,
        elapsed: started.elapsed(),
    })
}

async fn interrupt() {
    if kippu::signal::ctrl_c().await.is_err() {
        // The host has no such thing.
        pending().await
    }
}

async fn show_progress(options: &Options, check: &Check<'_>) -> std::convert::Infallible {
    if options.no_progress || options.quiet || !progress::is_possible() {
        pending().await
    } else {
        progress::show(check).await
    }
}

async fn print(options: &Options, report: &Report) -> kippu::ExitCode {
    let colours = |is_terminal: bool| {
        // https://no-color.org: any value but the empty one.
        let unwanted = kippu::env::var("NO_COLOR").is_some_and(|value| !value.is_empty());
        if is_terminal && !unwanted { Style::coloured() } else { Style::plain() }
    };
    for error in &report.errors {
        let error = report::describe_error(error, colours(stderr().is_terminal()));
        kippu::eprintln!("{error}");
    }
    let text = if options.json {
        report::to_json(report)
    } else {
        let amount = match (options.quiet, options.verbose) {
            (true, _) => Amount::Quiet,
            (_, true) => Amount::Verbose,
            _ => Amount::Normal,
        };
        report::to_text(report, amount, colours(stdout().is_terminal()))
    };
    match stdout().write_all(text.as_bytes()).await {
        // `linkcheck … | head` has seen enough.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            kippu::eprintln!("error: the report cannot be written");
            FAILURE
        }
        _ => kippu::ExitCode(report.exit_code()),
    }
}

/// Answers `--help`, `--version` and wrong usage.
fn usage(error: &clap::Error) -> kippu::ExitCode {
    let text = error.render();
    if error.use_stderr() {
        kippu::eprint!("{text}");
    } else {
        kippu::print!("{text}");
    }
    kippu::ExitCode(u8::try_from(error.exit_code()).unwrap_or(2))
}
