//! `cargo xtask bench`: ours beside a peer's, measured in the same run.

mod boundary;
mod goals;
mod row;
mod size;

use crate::readme;
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use clap::Args;
use row::Row;
use std::path::PathBuf;

/// The document, and the place in it, that holds the last results.
const PAGE: &str = "docs/src/benchmarks.md";
const PLACE: &str = "results";

#[derive(Args)]
pub(crate) struct Options {
    /// Only this bench
    name: Option<String>,
    /// Also write the rows to a file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Put the results into docs/src/benchmarks.md
    #[arg(long, conflicts_with = "name")]
    write: bool,
}

/// A bench: its name, and what gives its rows.
type Bench = (&'static str, fn(&Workspace) -> Result<Vec<Row>>);

const BENCHES: &[Bench] = &[("boundary", boundary::run), ("size", size::run)];

/// Runs the benches and prints their rows, and how they stand to the goals.
///
/// # Errors
/// When a bench has an unknown name or cannot be built or run. A goal that is not reached is
/// reported, but is no error: figures of one machine are not those of another.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let benches: Vec<&Bench> = BENCHES
        .iter()
        .filter(|(name, _)| options.name.as_deref().is_none_or(|wanted| wanted == *name))
        .collect();
    if benches.is_empty() {
        let known: Vec<_> = BENCHES.iter().map(|(name, _)| *name).collect();
        bail!("there is no such bench; the benches are {}", known.join(", "));
    }
    setup::guests(workspace)?;
    let mut rows = Vec::new();
    for (name, bench) in benches {
        rows.extend(bench(workspace).with_context(|| format!("bench {name}"))?);
    }
    let table = row::table(&rows);
    let goals = goals::table(&rows);
    println!("{table}\n\n{goals}");
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&rows)?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if options.write {
        readme::replace(workspace, PAGE, PLACE, &format!("{table}\n\n{goals}"))?;
        println!("{PAGE}: the results are in");
    }
    Ok(())
}
