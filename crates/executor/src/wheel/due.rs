//! Timers whose tick has come, put in order.

use core::cmp::{Ordering, Reverse};

use super::TimerKey;

/// A timer in front. The greatest is the one that comes first, as a heap gives the greatest.
///
/// A heap and not a sort, because a sort of std's is several KiB of wasm.
pub(super) struct Due {
    /// The deadline, and the order in which they came here, which is that of their insertion.
    order: Reverse<(u64, u64)>,
    /// Stale when the timer was cancelled here.
    pub(super) key: TimerKey,
}

impl Due {
    pub(super) fn new(deadline: u64, seq: u64, key: TimerKey) -> Self {
        Due { order: Reverse((deadline, seq)), key }
    }

    pub(super) fn deadline(&self) -> u64 {
        self.order.0.0
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.cmp(&other.order)
    }
}
