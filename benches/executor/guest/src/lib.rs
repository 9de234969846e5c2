//! The executor and timers benches as plain exports, for run.mjs beside this folder: it has the clock.

use executor_loops::{CASES, Measured};
use std::cell::RefCell;

thread_local! {
    static STARTED: RefCell<Vec<Box<dyn Measured>>> = const { RefCell::new(Vec::new()) };
    static LIST: String = serde_json::to_string(CASES).expect("the cases are plain data");
}

/// Where the cases are, as JSON.
// SAFETY: the names of the exports are this crate's own.
#[unsafe(no_mangle)]
pub extern "C" fn list() -> *const u8 {
    LIST.with(|list| list.as_ptr())
}

/// How many bytes that JSON has.
// SAFETY: as for `list`.
#[unsafe(no_mangle)]
pub extern "C" fn list_length() -> usize {
    LIST.with(String::len)
}

/// Makes a contestant of a case, both given by their place in the list, and gives its number.
// SAFETY: as for `list`.
#[unsafe(no_mangle)]
pub extern "C" fn start(case: usize, contender: usize) -> usize {
    let contestant = (CASES[case].contenders[contender].start)();
    STARTED.with_borrow_mut(|started| {
        started.push(contestant);
        started.len() - 1
    })
}

// SAFETY: as for `list`.
#[unsafe(no_mangle)]
pub extern "C" fn prepare(number: usize, n: u32) {
    STARTED.with_borrow_mut(|started| started[number].prepare(n));
}

// SAFETY: as for `list`.
#[unsafe(no_mangle)]
pub extern "C" fn run(number: usize, n: u32) {
    STARTED.with_borrow_mut(|started| started[number].run(n));
}

/// What one round gives, and what it should give when all was done.
// SAFETY: as for `list`.
#[unsafe(no_mangle)]
pub extern "C" fn finish(number: usize) -> f64 {
    STARTED.with_borrow_mut(|started| started[number].finish() as f64)
}

// SAFETY: as for `list`.
#[unsafe(no_mangle)]
pub extern "C" fn right_sum(case: usize, n: u32) -> f64 {
    (CASES[case].sum)(n) as f64
}
