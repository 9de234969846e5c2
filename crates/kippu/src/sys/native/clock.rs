//! Clocks.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

/// Monotonic, in ns since its first use.
pub(crate) fn now_ns() -> u64 {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    // An ns-count of u64 lasts 584 years.
    ORIGIN.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

pub(crate) fn since_unix_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
