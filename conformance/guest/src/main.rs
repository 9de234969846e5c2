//! The conformance cases: one program, run on every host, that says of each case whether it holds.
//!
//! It prints one JSON object a line, `{"case": …, "ok": …, "detail": …}`, and at last
//! `{"done": COUNT}`. The exit code is 0 when all hold. With arguments only the cases whose names contain one of them are run.

// The bodies of host functions are compiled natively only, so what only they use is unused here.
#![cfg_attr(target_family = "wasm", allow(dead_code, unused_imports))]

mod cancel;
mod data;
mod exports;
mod files;
mod host;
mod program;
mod support;
mod tasks;
mod time;

use std::future::Future;
use std::pin::Pin;

use kippu::ExitCode;
use kippu::time::{Duration, timeout};
use serde::Serialize;

use support::Outcome;

type Run = fn() -> Pin<Box<dyn Future<Output = Outcome>>>;

/// A named case.
struct Case {
    name: &'static str,
    run: Run,
}

/// Lists async functions as cases, by their paths.
macro_rules! cases {
    ($($module:ident :: $name:ident),* $(,)?) => {
        &[$(Case { name: concat!(stringify!($module), "::", stringify!($name)), run: || Box::pin($module::$name()) }),*]
    };
}

const CASES: &[Case] = cases![
    tasks::spawn_runs_in_order,
    tasks::yields_interleave,
    tasks::join_gives_the_output,
    tasks::join_after_completion,
    tasks::detached_task_goes_on,
    tasks::nested_spawn,
    tasks::abort_waiting,
    tasks::abort_queued_is_never_polled,
    tasks::abort_self,
    tasks::abort_completed_does_nothing,
    tasks::abort_drops_the_future,
    tasks::wake_after_done,
    tasks::busy_task_does_not_starve_a_timer,
    tasks::ten_thousand_tasks,
    tasks::dump_names_the_waiting,
    time::sleep_waits,
    time::sleeps_fire_in_order_of_deadline,
    time::equal_deadlines_fire_in_order_of_insertion,
    time::zero_sleep_is_ready,
    time::timeout_elapses,
    time::timeout_lets_pass,
    time::timeout_prefers_the_future,
    time::interval_ticks,
    time::dropped_sleep_wakes_nobody,
    time::reset_moves_the_deadline,
    time::thousand_timers,
    time::clock_is_monotonic,
    time::unix_time_is_now,
    cancel::dropped_call_cancels_the_operation,
    cancel::dropped_call_before_poll,
    cancel::timeout_cancels_the_operation,
    cancel::slots_are_used_again,
    cancel::abort_cancels_the_operation,
    host::sync_number,
    host::async_number,
    host::answer_within_the_call,
    host::order_of_settling,
    host::ten_thousand_in_flight,
    host::busy_tasks_do_not_starve_the_host,
    host::error_keeps_name_message_code,
    host::error_of_sync_function,
    host::wrong_type_is_a_type_error,
    host::out_of_range_is_a_type_error,
    host::call_is_send,
    data::numbers,
    data::floats,
    data::booleans,
    data::strings,
    data::large_strings,
    data::bytes,
    data::large_bytes,
    data::structs,
    data::enums,
    data::options_and_maps,
    data::big_integers,
    files::write_read_remove,
    files::listing_is_sorted,
    files::metadata_tells,
    files::missing_file_is_not_found,
    files::directory_is_no_file,
    program::arguments,
    program::environment,
    program::print_keeps_its_order,
    program::block_on_within_a_task_is_nested,
];

#[derive(Serialize)]
struct Line<'a> {
    case: &'a str,
    ok: bool,
    detail: String,
}

#[kippu::main]
async fn main() -> ExitCode {
    let wanted = kippu::env::args();
    if wanted.iter().any(|arg| arg == "--deadlock") {
        program::deadlock().await;
    }
    let chosen = CASES.iter().filter(|case| {
        wanted.is_empty() || wanted.iter().any(|part| case.name.contains(part.as_str()))
    });
    let (mut done, mut failed) = (0, 0);
    for case in chosen {
        // A task of its own: a panic, where it can be contained, fails one case only.
        let task = kippu::task::Builder::new().name(case.name).spawn((case.run)());
        let outcome = match timeout(Duration::from_secs(20), task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("not done within 20 s".to_owned()),
        };
        done += 1;
        failed += u32::from(outcome.is_err());
        let line = Line {
            case: case.name,
            ok: outcome.is_ok(),
            detail: outcome.err().unwrap_or_default(),
        };
        match serde_json::to_string(&line) {
            Ok(line) => kippu::println!("{line}"),
            Err(error) => kippu::eprintln!("{}: {error}", case.name),
        }
    }
    kippu::println!("{{\"done\":{done}}}");
    ExitCode(u8::from(failed > 0 || done == 0))
}
