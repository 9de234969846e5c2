//! The service on its hosts: natively, and as a component of WASI 0.2 and 0.3 under `wasmtime serve`.
//!
//! Each test starts a server of its own. What runs the components is named by environment variables, which
//! `cargo xtask test` sets: `KIPPU_WASMTIME`, the program, `KIPPU_SERVE_P2` and `KIPPU_SERVE_P3`, the components.

mod answers;
mod bodies;
mod clients;
mod instances;
mod support;
mod upstreams;

/// Makes each case a test on each host.
macro_rules! on_all_hosts {
    ($($module:ident: $($case:ident),+;)+) => {
        mod native {
            $($(#[test] fn $case() { crate::$module::$case(crate::support::server::Host::Native); })+)+
        }
        mod wasi_0_2 {
            $($(#[test] fn $case() { crate::$module::$case(crate::support::server::Host::Wasi02); })+)+
        }
        mod wasi_0_3 {
            $($(#[test] fn $case() { crate::$module::$case(crate::support::server::Host::Wasi03); })+)+
        }
    };
}

on_all_hosts! {
    answers: hello, errors_are_answered, requests_at_once;
    bodies: what_comes_in_goes_out, a_body_larger_than_memory, slow_bodies_come_piece_by_piece, trailers_both_ways;
    clients: one_that_goes_away, slow_ones_do_not_slow_others;
    instances: memory_stays_flat, a_panic_costs_one_request, tasks_go_on_after_the_response;
    upstreams: a_hundred_at_once, one_that_never_answers;
}
