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

const SOCKETS: Lack = Lack {
    group: "net",
    reason: "JavaScript hosts have no sockets in common: `kippu::net` gives an error there that says so",
    told: true,
};

/// What jco's shim of WASI 0.2 does not let pass: a group or a case.
const fn shim(group: &'static str, reason: &'static str) -> Lack {
    Lack { group, reason, told: true }
}

const NOT_TAKEN_BACK: &str = "jco's shim goes on with a request that the program has dropped";

const CLOSES_BOTH: &str = "jco's shim closes both ways of a connection when one is to be closed";

const READ_DIRECTORY: &str = "jco's shim ends the program when it reads a directory like a file";

const PARENTS: &str =
    "jco's shim leaves out `..` and what is before it without looking whether that is there";

const JCO: &[Lack] = &[
    UNWIND,
    NO_SIGNALS,
    shim("trailers", "jco's shim gives no trailers"),
    shim("net::an_echo_of_1", CLOSES_BOTH),
    shim("net::an_echo_of_126", CLOSES_BOTH),
    shim("net::an_echo_of_127", CLOSES_BOTH),
    shim("net::an_echo_of_128", CLOSES_BOTH),
    shim("net::an_echo_of_129", CLOSES_BOTH),
    shim("net::an_echo_of_500", CLOSES_BOTH),
    shim("net::an_echo_of_900", CLOSES_BOTH),
    shim("net::an_echo_by_ipv6", CLOSES_BOTH),
    shim("net::both_ways_at_once", CLOSES_BOTH),
    shim("net::half_a_close", CLOSES_BOTH),
    shim("net::a_half_that_is_not_read", CLOSES_BOTH),
    shim("net::drop_at_every_await", CLOSES_BOTH),
    shim("net::what_a_dropped_stream_wrote", CLOSES_BOTH),
    shim(
        "net::datagrams_of_one_peer",
        "jco's shim gives a socket of UDP another port when it is connected",
    ),
    shim("files::directory_is_no_file", READ_DIRECTORY),
    shim("paths::directories_are_no_files", READ_DIRECTORY),
    shim("paths::parents_are_those_of_the_file_system", PARENTS),
    shim("paths::parts_on_the_way_are_directories", PARENTS),
    shim("http-drop", NOT_TAKEN_BACK),
];

/// What `host` lacks.
pub(super) const fn of(host: Host) -> &'static [Lack] {
    match host {
        Host::Native => &[],
        Host::Node20 | Host::Node26 | Host::Deno | Host::Bun => &[UNWIND, TRAILERS, SOCKETS],
        Host::Wasip2 | Host::Wasip3 => &[UNWIND, NO_SIGNALS],
        Host::Jco => JCO,
        Host::Chromium | Host::Firefox => &[UNWIND, FILES, SIGNAL, TRAILERS, SOCKETS],
    }
}

/// Why `host` lacks `group`, if it is known.
pub(super) fn reason(host: Host, group: &str) -> Option<&'static str> {
    of(host).iter().find(|lack| lack.group == group).map(|lack| lack.reason)
}
