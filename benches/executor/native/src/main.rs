//! The executor and timers benches on this machine itself. `cargo xtask bench` starts it; by hand:
//!
//! ```text
//! executor-native run                          all cases, one JSON line each
//! executor-native run CASE kippu tokio         one case, some contestants
//! executor-native count CASE CONTESTANT N      N operations, for an instruction counter
//! executor-native list                         all cases and contestants
//! ```
//!
//! CASE and CONTESTANT may be parts of a name.

use anyhow::{Result, bail, ensure};
use clap::{Parser, Subcommand};
use executor_loops::{CASES, Case, Contender, Measured};
use serde_json::json;
use std::time::{Duration, Instant};

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Subcommand)]
enum Mode {
    /// Print the cases as JSON
    List,
    /// Measure, and print a JSON line per case: the least nanoseconds per operation of each contestant
    Run {
        /// Only the cases of this bench
        #[arg(long)]
        bench: Option<String>,
        /// How many rounds count
        #[arg(long, default_value_t = 40)]
        rounds: u32,
        /// How many rounds go before them
        #[arg(long, default_value_t = 5)]
        warm_up: u32,
        /// Only cases whose name contains this
        case: Option<String>,
        /// Only these contestants
        contestants: Vec<String>,
    },
    /// Do N operations in the function `measured`, after as many that are not counted
    Count { case: String, contestant: String, n: u32 },
}

fn main() -> Result<()> {
    keep_freed_memory();
    match Args::parse().mode {
        Mode::List => println!("{}", serde_json::to_string(CASES)?),
        Mode::Run { bench, rounds, warm_up, case: part, contestants } => {
            for case in CASES {
                let wanted = bench.as_deref().is_none_or(|bench| bench == case.bench)
                    && part.as_deref().is_none_or(|part| case.name.contains(part));
                if wanted {
                    run(case, &contestants, warm_up, rounds)?;
                }
            }
        }
        Mode::Count { case, contestant, n } => {
            let Some(case) = named(CASES, |case| case.name, &case) else {
                bail!("there is no case {case:?}");
            };
            let Some(contender) = named(case.contenders, |other| other.name, &contestant) else {
                bail!("{contestant:?} does not take part in {:?}", case.name);
            };
            count(case, contender, n)?;
        }
    }
    Ok(())
}

/// Has the allocator keep what is freed. Else it gives the memory of 100,000 tasks back after each round and
/// gets it anew in the next, and those who allocate each task would be measured with the system's page faults.
fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (parameter, bytes) in [(libc::M_TRIM_THRESHOLD, 1 << 30), (libc::M_MMAP_THRESHOLD, 1 << 25)]
    {
        // SAFETY: it changes a setting of the allocator, and no other thread is there yet.
        let is_done = unsafe { libc::mallopt(parameter, bytes) };
        assert_eq!(is_done, 1, "mallopt({parameter})");
    }
}

/// Measures a case: in every round each contestant has its turn, and another one begins.
fn run(case: &Case, wanted: &[String], warm_up: u32, rounds: u32) -> Result<()> {
    let mut contenders: Vec<_> = case
        .contenders
        .iter()
        .filter(|other| wanted.is_empty() || wanted.iter().any(|part| other.name.contains(part)))
        .enumerate()
        .map(|(place, contender)| (place, contender.name, (contender.start)(), Duration::MAX))
        .collect();
    for round in 0..warm_up + rounds {
        let count = contenders.len().max(1);
        contenders.rotate_left(1 % count);
        for (_, name, measured, least) in &mut contenders {
            let took = once(case, name, measured.as_mut(), |measured| {
                let started = Instant::now();
                measured.run(case.n);
                started.elapsed()
            })?;
            if round >= warm_up {
                *least = took.min(*least);
            }
        }
    }
    contenders.sort_by_key(|(place, ..)| *place);
    let values: Vec<_> = contenders
        .iter()
        .map(|(_, name, _, least)| (name, least.as_secs_f64() * 1e9 / f64::from(case.n)))
        .collect();
    println!(
        "{}",
        json!({ "bench": case.bench, "case": case.name, "unit": "ns", "values": values })
    );
    Ok(())
}

/// The one of this name, else the first whose name contains it.
fn named<'a, T>(all: &'a [T], name: fn(&T) -> &'static str, part: &str) -> Option<&'a T> {
    let exact = all.iter().find(|one| name(one) == part);
    exact.or_else(|| all.iter().find(|one| name(one).contains(part)))
}

/// One round of one contestant, with its check.
fn once<T>(
    case: &Case,
    name: &str,
    measured: &mut dyn Measured,
    run: impl FnOnce(&mut dyn Measured) -> T,
) -> Result<T> {
    measured.prepare(case.n);
    let result = run(measured);
    let (sum, right) = (measured.finish(), (case.sum)(case.n));
    ensure!(sum == right, "{}, {name}: {sum} is not {right}", case.name);
    Ok(result)
}

fn count(case: &Case, contender: &Contender, n: u32) -> Result<()> {
    let mut contestant = (contender.start)();
    for is_counted in [false, true] {
        contestant.prepare(n);
        if is_counted {
            measured(contestant.as_mut(), n);
        } else {
            contestant.run(n);
        }
        let (sum, right) = (contestant.finish(), (case.sum)(n));
        ensure!(sum == right, "{}, {}: {sum} is not {right}", case.name, contender.name);
    }
    Ok(())
}

/// What `--toggle-collect` of callgrind knows by its name.
#[inline(never)]
// SAFETY: no other function of this name is in the program.
#[unsafe(no_mangle)]
fn measured(contestant: &mut dyn Measured, n: u32) {
    contestant.run(n);
}
