//! What WASI 0.2 and 0.3 have in common.

pub(crate) mod panics;
