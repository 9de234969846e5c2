//! The atomics of the crate: core's, or under `--cfg loom` those of loom, which tries every order in which
//! threads can meet.

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicPtr, AtomicUsize};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicUsize};
