//! Instructions per operation, counted by callgrind: they do not hang on the machine's load, and are the
//! same in every run.

use super::executor::{Case, NATIVE};
use super::line;
use super::row::Row;
use crate::cmd;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// The function in which instructions are counted, as executor-native calls it.
const MEASURED: &str = "measured";
/// One count takes less than a second.
const LIMIT: Duration = Duration::from_secs(120);

/// Counts the instructions of all cases of a bench.
///
/// # Errors
/// When a count fails.
pub(super) fn rows(
    workspace: &Workspace,
    bench: &'static str,
    cases: &[Case],
    valgrind: &Path,
    native: &Path,
) -> Result<Vec<Row>> {
    let jobs: Vec<_> = cases
        .iter()
        .flat_map(|case| case.contenders.iter().map(move |contender| (case, contender)))
        .filter(|(_, contender)| contender.counted)
        .collect();
    let counts = in_parallel(&jobs, |place, (case, contender)| {
        let count = |n: u32| {
            // Each of those that run at the same time needs a file of its own.
            let out = workspace.target().join(format!("benches/callgrind-{bench}-{place}.out"));
            let mut command = workspace.command(valgrind);
            command.args(["--tool=callgrind", &format!("--toggle-collect={MEASURED}")]);
            command.arg(format!("--callgrind-out-file={}", out.display())).arg(native);
            command.args(["count", &case.name, &contender.name, &n.to_string()]);
            let said = cmd::capture_all(&mut command, LIMIT, "see its messages")?;
            if said.code != 0 {
                bail!("callgrind failed for {}, {}: {}", case.name, contender.name, said.err);
            }
            let text = std::fs::read_to_string(&out)
                .with_context(|| format!("cannot read {}", out.display()))?;
            std::fs::remove_file(&out)?;
            total(&text)
        };
        let [few, many] = case.counted;
        per_operation(case.counted, [count(few)?, count(many)?])
    })?;

    let mut rows = Vec::new();
    for case in cases {
        let values: Vec<_> = jobs
            .iter()
            .zip(&counts)
            .filter(|((of, _), _)| of.name == case.name)
            .map(|((_, contender), count)| (contender.name.clone(), *count))
            .collect();
        rows.extend(line::compare(bench, (&case.name, NATIVE), "instr", &values)?);
    }
    Ok(rows)
}

/// What is the same whatever the number of operations falls out.
fn per_operation([few, many]: [u32; 2], [of_few, of_many]: [u64; 2]) -> Result<f64> {
    let instructions = of_many.checked_sub(of_few).filter(|more| *more > 0);
    let instructions = instructions
        .with_context(|| format!("{of_many} instructions for {many}, {of_few} for {few}"))?;
    Ok(instructions as f64 / f64::from(many - few))
}

/// The sum in a file of callgrind's.
fn total(text: &str) -> Result<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix("totals: "))
        .and_then(|total| total.trim().parse().ok())
        .context("callgrind's file has no line `totals:`")
}

/// Does all jobs, as many at a time as there are processors, and gives their results in order.
fn in_parallel<J: Sync, R: Send>(
    jobs: &[J],
    work: impl Fn(usize, &J) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = Mutex::new(jobs.iter().enumerate());
    let done = Mutex::new(Vec::with_capacity(jobs.len()));
    let take = || next.lock().ok().and_then(|mut jobs| jobs.next());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while let Some((place, job)) = take() {
                    let result = work(place, job);
                    if let Ok(mut done) = done.lock() {
                        done.push((place, result));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().ok().context("a thread panicked")?;
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_run_costs_falls_out() {
        assert_eq!(per_operation([10, 30], [1_100, 1_300]).unwrap(), 10.0);
        assert!(per_operation([10, 30], [1_100, 1_100]).is_err());
    }

    #[test]
    fn the_total_is_found() {
        let text = "version: 1\nevents: Ir\n\nfn=(1) measured\n0 5\n\ntotals: 123456\n";
        assert_eq!(total(text).unwrap(), 123_456);
        assert!(total("events: Ir\n").is_err());
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..20).collect();
        let results = in_parallel(&jobs, |place, job| {
            thread::sleep(Duration::from_millis(20 - job));
            Ok((place, *job))
        });
        let expected: Vec<_> = (0..20_usize).zip(0..20).collect();
        assert_eq!(results.unwrap(), expected);
    }

    #[test]
    fn one_failure_fails_all() {
        let result = in_parallel(&[1, 2, 3], |_, job| {
            if *job == 2 {
                bail!("no")
            }
            Ok(*job)
        });
        assert_eq!(result.unwrap_err().to_string(), "no");
    }
}
