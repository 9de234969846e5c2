//! Exports and host functions for `boundary.test.mjs`, in the words of a user's program.

mod calls;
mod streams;
