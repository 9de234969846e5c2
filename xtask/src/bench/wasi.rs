//! Programs on WASI, beside wstd, wit-bindgen's own tasks, and handlers without a runtime.

mod guests;
mod peers;

use super::Options;
use super::line;
use super::row::Row;
use crate::cmd;
use crate::component::Wasi;
use crate::tools;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use guests::Guest;
use peers::{Served, Service};
use serde::Deserialize;
use std::path::Path;
use std::time::{Duration, Instant};

const BENCH: &str = "wasi";
/// What the runtimes and the lack of one are called.
const OURS: &str = line::OURS;
pub(crate) const WSTD: &str = "wstd";
pub(crate) const WIT_BINDGEN: &str = "wit-bindgen";
/// A handler by hand: what no runtime can be much quicker than.
pub(crate) const RAW: &str = "raw";

pub(crate) const SLEEPS: &str = "10,000 sleeps over 50 ms";
pub(crate) const SPAWN: &str = "spawn 10k and join";
pub(crate) const YIELD: &str = "yield";
pub(crate) const BUSY: &str = "yield, 100 timers pending";
pub(crate) const ECHO: &str = "message, 64 connections";
pub(crate) const GETS: &str = "GET, 100 at once";
pub(crate) const MANY_GETS: &str = "GET, 1,000 at once";
pub(crate) const HELLO: &str = "hello, for size";
pub(crate) const SERVER: &str = "server, for size";
pub(crate) const SERVE: &str = "request";
pub(crate) const REUSE: &str = "request, instances reused";

/// So often a program is started for a case: each time it takes the best of its rounds, and of these the best counts.
const STARTS: usize = 4;
/// So often each server is asked.
const WINDOWS: usize = 6;
/// No program takes as long that does not hang; one that sleeps ends in a fraction of it.
const LIMIT: Duration = Duration::from_secs(30);
const SLEEP_LIMIT: Duration = Duration::from_secs(5);

struct Case {
    name: &'static str,
    /// As the programs call it.
    order: &'static str,
    count: u32,
    /// In each start of the program.
    rounds: u32,
    unit: Unit,
    limit: Duration,
    /// The native server that it needs.
    service: Option<Service>,
}

/// What a figure is shown in.
#[derive(Clone, Copy)]
enum Unit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Microseconds => "µs",
            Self::Milliseconds => "ms",
        }
    }

    fn of(self, nanoseconds: f64) -> f64 {
        match self {
            Self::Nanoseconds => nanoseconds,
            Self::Microseconds => nanoseconds / 1e3,
            Self::Milliseconds => nanoseconds / 1e6,
        }
    }
}

const CASES: &[Case] = &[
    case(SLEEPS, "sleeps", 10_000, 4, Unit::Milliseconds),
    case("100 sleeps over 50 ms", "sleeps", 100, 4, Unit::Milliseconds),
    case(SPAWN, "spawn", 10_000, 50, Unit::Nanoseconds),
    case("spawn and await each", "spawn-each", 10_000, 50, Unit::Nanoseconds),
    case(YIELD, "yields", 1000, 100, Unit::Nanoseconds),
    case(BUSY, "yields-timers", 1000, 15, Unit::Nanoseconds),
    case(ECHO, "echo", 64, 3, Unit::Microseconds).with(Service::Echo),
    case(GETS, "gets", 100, 10, Unit::Microseconds).with(Service::Http),
    case(MANY_GETS, "gets", 1000, 3, Unit::Microseconds).with(Service::Http),
];

const fn case(
    name: &'static str,
    order: &'static str,
    count: u32,
    rounds: u32,
    unit: Unit,
) -> Case {
    let limit = if matches!(unit, Unit::Milliseconds) { SLEEP_LIMIT } else { LIMIT };
    Case { name, order, count, rounds, unit, limit, service: None }
}

impl Case {
    const fn with(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }
}

/// The host of a version's rows.
const fn host(wasi: Wasi) -> &'static str {
    match wasi {
        Wasi::P2 => "WASI 0.2",
        Wasi::P3 => "WASI 0.3",
    }
}

/// Builds everything and measures it.
///
/// # Errors
/// When something does not build, a program fails, one of ours does not end, or one of our requests is lost.
pub(super) fn run(workspace: &Workspace, _: &Options) -> Result<Vec<Row>> {
    let wasmtime = tools::wasmtime_optimised(workspace)?;
    println!("{BENCH}: building the programs");
    let load = guests::build_load(workspace)?;
    // All of them first: a compiler leaves no core to measure on.
    let versions = [Wasi::P2, Wasi::P3];
    let programs = versions.map(|wasi| guests::build(workspace, wasi).map(|built| (wasi, built)));
    let mut rows = Vec::new();
    for built in programs {
        let (wasi, built) = built?;
        rows.extend(sizes(wasi, &built)?);
        let run = Run { workspace, wasmtime: &wasmtime, load: &load, wasi, built: &built };
        for case in CASES.iter().filter(|case| case.service.is_none() || wasi == Wasi::P2) {
            println!("{BENCH}: {}, {}", host(wasi), case.name);
            rows.extend(run.case(case)?);
        }
        println!("{BENCH}: {}, serving", host(wasi));
        rows.extend(run.serve(SERVE, &[])?);
        if wasi == Wasi::P2 {
            // On 0.3 this is what wasmtime does anyway.
            rows.extend(run.serve(REUSE, &["--max-instance-reuse-count", "1000"])?);
        }
    }
    Ok(rows)
}

/// How large the components are, in KB, of the programs that are built for it.
fn sizes(wasi: Wasi, built: &[Guest]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for name in [HELLO, "hello, for speed", SERVER, "server, for speed"] {
        let (program, profile) = match name.split_once(", for ") {
            Some((program, "size")) => (program, guests::SMALL),
            Some((program, _)) => (program, guests::FAST),
            None => bail!("{name} names no profile"),
        };
        let mut values = Vec::new();
        for guest in guests::of(built, program, profile) {
            let size = std::fs::metadata(&guest.path)
                .with_context(|| format!("cannot read {}", guest.path.display()))?
                .len();
            values.push((guest.runtime.to_owned(), size as f64 / 1000.0));
        }
        // On 0.3 there are programs of fewer kinds.
        if values.len() > 1 {
            rows.extend(line::compare(BENCH, (name, host(wasi)), "KB", &values)?);
        }
    }
    Ok(rows)
}

/// What a program printed.
#[derive(Clone, Copy, Deserialize)]
struct Figures {
    ns: f64,
    lost: u32,
}

struct Run<'a> {
    workspace: &'a Workspace,
    wasmtime: &'a Path,
    load: &'a Path,
    wasi: Wasi,
    built: &'a [Guest],
}

impl Run<'_> {
    /// Runs the programs in turn, and begins with another each time.
    fn case(&self, case: &Case) -> Result<Vec<Row>> {
        let service = case.service.map(|service| Served::native(self.load, service)).transpose()?;
        let port = service.as_ref().map_or(0, Served::port);
        let guests: Vec<&Guest> = guests::of(self.built, "cases", guests::FAST).collect();
        let mut best = vec![Figures { ns: f64::INFINITY, lost: 0 }; guests.len()];
        let mut hangs = vec![false; guests.len()];
        for start in 0..STARTS {
            for place in 0..guests.len() {
                let place = (start + place) % guests.len();
                if hangs[place] {
                    continue;
                }
                match self.start(guests[place], case, port)? {
                    Some(figures) => {
                        best[place].ns = best[place].ns.min(figures.ns);
                        best[place].lost += figures.lost;
                    }
                    None if guests[place].runtime == OURS => {
                        bail!("{OURS} did not end in the case {}", case.name)
                    }
                    None => hangs[place] = true,
                }
            }
        }
        let values = |of: &dyn Fn(&Figures) -> f64| -> Vec<_> {
            let names = guests.iter().map(|guest| guest.runtime.to_owned());
            names.zip(best.iter().map(of)).collect()
        };
        let what = (case.name, host(self.wasi));
        let times = values(&|figures| case.unit.of(figures.ns));
        let mut rows = line::compare(BENCH, what, case.unit.name(), &times)?;
        if matches!(case.service, Some(Service::Http)) {
            let all = f64::from(case.count * case.rounds) * STARTS as f64;
            let lost = values(&|figures| f64::from(figures.lost) / all * 100.0);
            rows.extend(line::compare(BENCH, what, "% lost", &lost)?);
        }
        Ok(rows)
    }

    /// Runs a program once; `None` when it does not end.
    fn start(&self, guest: &Guest, case: &Case, port: u16) -> Result<Option<Figures>> {
        let mut command = self.workspace.command(self.wasmtime);
        command.args(["run", "-Shttp,inherit-network"]).arg(&guest.path).arg(case.order);
        command.args([case.count, case.rounds, u32::from(port)].map(|number| number.to_string()));
        let started = Instant::now();
        let said = match cmd::capture_all(&mut command, case.limit, "is it the right wasmtime?") {
            Ok(said) => said,
            Err(_) if started.elapsed() >= case.limit => return Ok(None),
            Err(error) => return Err(error),
        };
        if said.code != 0 {
            bail!("{} failed in the case {}:\n{}", guest.runtime, case.name, said.err);
        }
        let figures: Figures = serde_json::from_str(&said.out)
            .with_context(|| format!("{} printed {:?}", guest.runtime, said.out))?;
        if guest.runtime == OURS && figures.lost > 0 {
            bail!("{OURS} lost {} requests in the case {}", figures.lost, case.name);
        }
        Ok(Some(figures))
    }

    /// Starts all servers, and asks them in turn.
    fn serve(&self, case: &str, arguments: &[&str]) -> Result<Vec<Row>> {
        let mut servers = Vec::new();
        for guest in guests::of(self.built, "server", guests::FAST) {
            let served = Served::component(self.wasmtime, &guest.path, arguments)?;
            servers.push((guest.runtime, served, f64::INFINITY));
        }
        let count = servers.len();
        for window in 0..WINDOWS {
            for place in 0..count {
                let (_, served, best) = &mut servers[(window + place) % count];
                *best = best.min(served.ask(self.load)?);
            }
        }
        let unit = Unit::Microseconds;
        let values: Vec<_> = servers
            .iter()
            .map(|(runtime, _, best)| ((*runtime).to_owned(), unit.of(*best)))
            .collect();
        line::compare(BENCH, (case, host(self.wasi)), unit.name(), &values)
    }
}
