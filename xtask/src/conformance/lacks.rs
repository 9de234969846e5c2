//! What hosts lack, and why: the only reasons for which a case may be left out.

use crate::guests::Host;

/// A group of cases that a host cannot have.
#[derive(Clone, Copy)]
pub(super) struct Lack {
    /// As the program names it.
    pub(super) group: &'static str,
    /// Shown below the table.
    pub(super) reason: &'static str,
    /// Whether the program is told. Else it knows by itself.
    pub(super) told: bool,
}

const UNWIND: Lack = Lack {
    group: "unwind",
    reason: "a panic cannot be caught in WebAssembly as stable Rust builds it: it ends the instance, \
             which `runner::a_panic_is_an_error_that_names_its_place` checks",
    told: false,
};

const FILES: Lack = Lack { group: "fs", reason: "pages have no file system", told: true };

/// Of a case that the runner judges, so the program need not be told.
const SIGNAL: Lack =
    Lack { group: "signal", reason: "nobody can interrupt a page's program", told: false };

/// What `host` lacks.
pub(super) const fn of(host: Host) -> &'static [Lack] {
    match host {
        Host::Native => &[],
        Host::Node20 | Host::Node26 | Host::Deno | Host::Bun => &[UNWIND],
        Host::Chromium | Host::Firefox => &[UNWIND, FILES, SIGNAL],
    }
}

/// Why `host` lacks `group`, if it is known.
pub(super) fn reason(host: Host, group: &str) -> Option<&'static str> {
    of(host).iter().find(|lack| lack.group == group).map(|lack| lack.reason)
}
