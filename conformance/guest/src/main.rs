//! The conformance cases: one program, run on every host, that says of each case whether it holds.
//!
//! # What it prints
//!
//! One JSON object a line to standard output: `{"case": …, "ok": …, "detail": …}` for a case that ran,
//! `{"case": …, "skip": GROUP}` for one that this host cannot run, and at last `{"done": COUNT}`, which counts both.
//! The exit code is 0 when all that ran hold. With arguments only the cases whose names contain one of
//! them are run.
//!
//! # What the runner gives
//!
//! - The host functions of `conformance/host.mjs`; natively their bodies are here.
//! - `KIPPU_CONFORMANCE_VAR`: `切 = 1`; and no `KIPPU_CONFORMANCE_UNSET`.
//! - `KIPPU_CONFORMANCE_DIR`: a folder where the cases may write.
//! - `KIPPU_CONFORMANCE_HTTP`: where `conformance/http-server.mjs` listens, such as `http://127.0.0.1:8080`.
//! - An empty standard input.
//! - `KIPPU_CONFORMANCE_LACKS`, on hosts that lack something: the groups of cases, with commas between them, that are
//!   skipped. The groups are `env`, `fs`, `http`, `http-drop`, `net`, `stdin` and `trailers`; a case alone is listed by its
//!   name. What is missing and not listed fails.
//!
//! The group `unwind` needs panics that can be caught. The program knows by itself whether it was built so;
//! no guest of WebAssembly is.
//!
//! # What only the runner can judge
//!
//! - Standard error has a line `0123456789`, which two kinds of output share.
//! - `--deadlock`: see [`program::deadlock`].
//! - `--panic`: see [`panics::escape`].
//! - `--echo`, which gets a standard input: see [`process::echo`].
//! - `--interrupt`: see [`process::interrupt`].

// JavaScript hosts give the host functions, so what only the bodies in here use is unused there.
#![cfg_attr(all(target_family = "wasm", target_os = "unknown"), allow(dead_code, unused_imports))]

mod abort;
mod calls;
mod cancel;
mod cancel_at;
mod data;
mod dropped;
mod env;
mod errors;
mod exchanges;
mod exports;
mod fairness;
mod files;
mod given;
mod host;
mod large;
mod locals;
mod many;
mod net;
mod no_net;
mod panics;
mod paths;
mod polls;
mod process;
mod program;
mod sources;
mod stdin;
mod streams;
mod support;
mod tasks;
mod time;
mod timeouts;
mod timers;
mod trailers;
mod transfers;
mod types;
mod unicode;
mod values;
mod web;

use kippu::ExitCode;
use kippu::time::{Duration, timeout};
use serde::Serialize;

use support::{Case, Outcome};

/// In the order in which they run.
const CASES: &[&[Case]] = &[
    tasks::CASES,
    abort::CASES,
    fairness::CASES,
    locals::CASES,
    panics::CASES,
    time::CASES,
    timers::CASES,
    timeouts::CASES,
    many::CASES,
    cancel::CASES,
    cancel_at::CASES,
    host::CASES,
    calls::CASES,
    errors::CASES,
    data::CASES,
    values::CASES,
    unicode::CASES,
    large::CASES,
    streams::CASES,
    given::CASES,
    files::CASES,
    paths::CASES,
    net::CASES,
    net::errors::CASES,
    net::datagrams::CASES,
    no_net::CASES,
    web::CASES,
    transfers::CASES,
    exchanges::CASES,
    trailers::CASES,
    dropped::CASES,
    program::CASES,
    env::CASES,
    stdin::CASES,
];

#[derive(Serialize)]
struct Ran<'a> {
    case: &'a str,
    ok: bool,
    detail: String,
}

#[derive(Serialize)]
struct Skipped<'a> {
    case: &'a str,
    skip: &'a str,
}

#[kippu::main]
async fn main() -> ExitCode {
    let wanted = kippu::env::args();
    if wanted.iter().any(|arg| arg == "--deadlock") {
        program::deadlock().await;
    }
    if wanted.iter().any(|arg| arg == "--panic") {
        panics::escape().await;
    }
    if wanted.iter().any(|arg| arg == "--echo") {
        return process::echo().await;
    }
    if wanted.iter().any(|arg| arg == "--interrupt") {
        return process::interrupt().await;
    }
    let lacks = lacking();
    let chosen = CASES.iter().copied().flatten().filter(|case| {
        wanted.is_empty() || wanted.iter().any(|part| case.name.contains(part.as_str()))
    });
    let (mut done, mut failed) = (0, 0);
    for case in chosen {
        done += 1;
        if let Some(lack) = lacks.iter().find(|lack| *lack == case.group || *lack == case.name) {
            print(&Skipped { case: case.name, skip: lack });
            continue;
        }
        let outcome = run(case).await;
        failed += u32::from(outcome.is_err());
        print(&Ran {
            case: case.name,
            ok: outcome.is_ok(),
            detail: outcome.err().unwrap_or_default(),
        });
    }
    kippu::println!("{{\"done\":{done}}}");
    ExitCode(u8::from(failed > 0 || done == 0))
}

/// The groups, and single cases, that this host cannot run.
fn lacking() -> Vec<String> {
    let listed = kippu::env::var("KIPPU_CONFORMANCE_LACKS").unwrap_or_default();
    let groups = listed.split(',').map(str::trim).filter(|group| !group.is_empty());
    let mut lacks: Vec<String> = groups.map(str::to_owned).collect();
    if !cfg!(panic = "unwind") {
        lacks.push("unwind".to_owned());
    }
    lacks
}

/// Runs a case as a task of its own: a panic, where it can be contained, fails one case only.
async fn run(case: &Case) -> Outcome {
    let task = kippu::task::Builder::new().name(case.name).spawn((case.run)());
    match timeout(Duration::from_secs(20), task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("not done within 20 s".to_owned()),
    }
}

fn print(line: &impl Serialize) {
    match serde_json::to_string(line) {
        Ok(line) => kippu::println!("{line}"),
        Err(error) => kippu::eprintln!("{error}"),
    }
}
