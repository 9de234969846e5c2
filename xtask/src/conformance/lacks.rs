//! What hosts lack, and why: the only reasons for which a case may be left out.

use crate::guests::Host;

/// A group of cases, or a single one, that a host cannot have.
#[derive(Clone, Copy)]
pub(super) struct Lack {
    /// As the program names it; of a single case its name.
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

/// On WASI nobody can be told of a signal either: it ends the engine.
const NO_SIGNALS: Lack = Lack {
    group: "signal",
    reason: "WASI has no signals: an interruption ends the engine",
    told: false,
};

const TRAILERS: Lack =
    Lack { group: "trailers", reason: "`fetch` does not show trailers", told: true };

/// A case that jco's shim of WASI 0.2 does not let pass.
const fn shim(case: &'static str, reason: &'static str) -> Lack {
    Lack { group: case, reason, told: true }
}

const NOT_TAKEN_BACK: &str = "jco's shim goes on with a request that the program has dropped";

const ABORTED: &str =
    "jco's shim ends the program when a connection breaks in the middle of a body";

const READ_DIRECTORY: &str = "jco's shim ends the program when it reads a directory like a file";

const JCO: &[Lack] = &[
    UNWIND,
    NO_SIGNALS,
    shim("http::a_timeout_around_the_request", NOT_TAKEN_BACK),
    shim("http::a_dropped_request_is_taken_back", NOT_TAKEN_BACK),
    shim("http::a_body_that_is_dropped_in_the_middle", NOT_TAKEN_BACK),
    shim("http::a_body_that_breaks_off", ABORTED),
    shim("files::directory_is_no_file", READ_DIRECTORY),
];

/// What `host` lacks.
pub(super) const fn of(host: Host) -> &'static [Lack] {
    match host {
        Host::Native => &[],
        Host::Node20 | Host::Node26 | Host::Deno | Host::Bun => &[UNWIND, TRAILERS],
        Host::Wasip2 | Host::Wasip3 => &[UNWIND, NO_SIGNALS],
        Host::Jco => JCO,
        Host::Chromium | Host::Firefox => &[UNWIND, FILES, SIGNAL, TRAILERS],
    }
}

/// Why `host` lacks `group`, if it is known.
pub(super) fn reason(host: Host, group: &str) -> Option<&'static str> {
    of(host).iter().find(|lack| lack.group == group).map(|lack| lack.reason)
}
