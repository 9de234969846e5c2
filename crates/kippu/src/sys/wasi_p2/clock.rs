//! Clocks.

use std::time::Duration;

use wasip2::clocks::{monotonic_clock, wall_clock};

/// Monotonic, in ns from an origin of the host's.
pub(crate) fn now_ns() -> u64 {
    monotonic_clock::now()
}

pub(crate) fn since_unix_epoch() -> Duration {
    let now = wall_clock::now();
    Duration::new(now.seconds, now.nanoseconds)
}
