//! Long random runs: how many steps they make, from which seeds, and which step failed.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::support::rounds;

/// How many random steps a long test makes; a variable of the environment.
const STEPS: &str = "KIPPU_TEST_STEPS";
/// The seed of the one life to be repeated; the same.
const SEED: &str = "KIPPU_TEST_SEED";

/// One life: a random walk from a seed.
pub(crate) struct Steps {
    runner: TestRunner,
    seed: u64,
    made: u32,
    of: u32,
}

impl Steps {
    fn new(seed: u64, of: u32) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        // Not all 0, which this generator cannot start from.
        bytes[8..].copy_from_slice(&(!seed).to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::XorShift, &bytes);
        Steps { runner: TestRunner::new_with_rng(Config::default(), rng), seed, made: 0, of }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The next random value; `None` at the end of this life.
    pub(crate) fn next<T: Debug>(&mut self, from: &impl Strategy<Value = T>) -> Option<T> {
        if self.made == self.of {
            return None;
        }
        self.made += 1;
        let tree = from.new_tree(&mut self.runner).expect("nothing is filtered");
        Some(tree.current())
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Steps { seed, made, of, .. } = self;
            eprintln!("at step {made} of {of} from seed {seed}; to repeat it alone: {SEED}={seed}");
        }
    }
}

/// Lives of `length` steps each until enough are made: as many as the environment says, or `miri` under
/// Miri, or 50,000.
pub(crate) fn lives(length: u32, miri: u32, mut live: impl FnMut(&mut Steps)) {
    let number = |name| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
    };
    if let Some(seed) = number(SEED) {
        return live(&mut Steps::new(seed, length));
    }
    let mut left = number(STEPS).unwrap_or(rounds(50_000, miri).into());
    let first = RandomState::new().hash_one(0);
    let mut lives = 0;
    while left > 0 {
        let now = left.min(length.into());
        live(&mut Steps::new(first.wrapping_add(lives), now as u32));
        left -= now;
        lives += 1;
    }
}
