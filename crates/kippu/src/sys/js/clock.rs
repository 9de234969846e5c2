//! Clocks.

use std::time::Duration;

use crate::driver::js::abi;

pub(crate) fn now_ns() -> u64 {
    abi::now_ns()
}

pub(crate) fn since_unix_epoch() -> Duration {
    Duration::try_from_secs_f64(abi::unix_ms() / 1e3).unwrap_or_default()
}
