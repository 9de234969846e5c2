//! `cargo xtask bench`: ours beside a peer's, measured in the same run.

mod boundary;
mod count;
mod executor;
mod goals;
mod line;
mod matrix;
mod plot;
mod row;
mod size;
mod wasi;

use crate::readme;
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use clap::Args;
use plot::Picture;
use row::Row;
use std::path::PathBuf;

/// The document that holds the last results, each bench's between marks of its own, and its folder.
const PAGE: &str = "docs/src/benchmarks.md";
const FOLDER: &str = "docs/src";

#[derive(Args)]
pub(crate) struct Options {
    /// Only this bench
    name: Option<String>,
    /// Also write the rows to a file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Put the results into docs/src/benchmarks.md, and their pictures beside it
    #[arg(long)]
    write: bool,
    /// Do not count instructions, for which valgrind is needed
    #[arg(long, conflicts_with = "write")]
    no_counts: bool,
}

struct Bench {
    name: &'static str,
    run: fn(&Workspace, &Options) -> Result<Vec<Row>>,
    show: fn(&[Row]) -> String,
    pictures: &'static [Picture],
}

const BENCHES: &[Bench] = &[
    Bench { name: "boundary", run: boundary::run, show: row::table, pictures: &[] },
    Bench { name: "size", run: size::run, show: row::table, pictures: &[] },
    Bench {
        name: "executor",
        run: executor::tasks,
        show: matrix::tables,
        pictures: &[
            Picture { file: "executor.svg", title: "Tasks, natively", host: executor::NATIVE },
            Picture {
                file: "executor-wasm.svg",
                title: "Tasks in WebAssembly, on Node 26",
                host: executor::NODE_HOST,
            },
        ],
    },
    Bench {
        name: "timers",
        run: executor::timers,
        show: matrix::tables,
        pictures: &[Picture {
            file: "timers.svg",
            title: "Timers, natively",
            host: executor::NATIVE,
        }],
    },
    Bench { name: "wasi", run: wasi::run, show: matrix::tables, pictures: &[] },
];

/// Runs the benches and prints their rows, and how they stand to the goals.
///
/// # Errors
/// When a bench has an unknown name or cannot be built or run. A goal that is not reached is
/// reported, but is no error: figures of one machine are not those of another.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let benches: Vec<&Bench> = BENCHES
        .iter()
        .filter(|bench| options.name.as_deref().is_none_or(|wanted| wanted == bench.name))
        .collect();
    if benches.is_empty() {
        let known: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        bail!("there is no such bench; the benches are {}", known.join(", "));
    }
    setup::guests(workspace)?;
    let mut all = Vec::new();
    for bench in benches {
        let rows =
            (bench.run)(workspace, options).with_context(|| format!("bench {}", bench.name))?;
        let mut text = (bench.show)(&rows);
        if let Some(goals) = goals::table(&rows) {
            text.push_str(&format!("\n\n{goals}"));
        }
        println!("\n{text}\n");
        if options.write {
            write(workspace, bench, &rows, &text)?;
        }
        all.extend(rows);
    }
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&all)?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Puts the results of a bench into the documents.
fn write(workspace: &Workspace, bench: &Bench, rows: &[Row], text: &str) -> Result<()> {
    readme::replace(workspace, PAGE, &format!("results {}", bench.name), text)?;
    for picture in bench.pictures {
        workspace.write(&format!("{FOLDER}/{}", picture.file), &picture.draw(rows))?;
    }
    println!("{PAGE}: the results of {} are in", bench.name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_place_for_every_bench_and_shows_every_picture() {
        let page = Workspace::find().unwrap().read(PAGE).unwrap();
        for bench in BENCHES {
            for mark in ["<!-- results", "<!-- /results"] {
                let mark = format!("{mark} {} -->", bench.name);
                assert_eq!(page.matches(&mark).count(), 1, "{mark}");
            }
            for picture in bench.pictures {
                assert!(page.contains(&format!("]({})", picture.file)), "{}", picture.file);
            }
        }
    }
}
