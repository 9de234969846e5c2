//! Clocks.

use std::time::Duration;

use wasip3::clocks::{monotonic_clock, system_clock};

/// Monotonic, in ns from an origin of the host's.
pub(crate) fn now_ns() -> u64 {
    monotonic_clock::now()
}

/// Zero when the host's clock stands before 1970.
pub(crate) fn since_unix_epoch() -> Duration {
    let now = system_clock::now();
    match u64::try_from(now.seconds) {
        Ok(seconds) => Duration::new(seconds, now.nanoseconds),
        Err(_) => Duration::ZERO,
    }
}
