//! Faults on purpose, one for each argument. The tools that look for faults in the executor's tests have to find these
//! first: a tool that finds nothing here is not looking. Not run with the other tests.

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;

struct Racy(UnsafeCell<u64>);

// SAFETY: it is not. Two threads write at the same time, which is the fault.
unsafe impl Sync for Racy {}

/// Two threads write to the same place, and nothing orders them but that both have started.
fn race() {
    static PLACE: Racy = Racy(UnsafeCell::new(0));
    let start = Barrier::new(2);
    let write = || {
        start.wait();
        for number in 0..100 {
            // SAFETY: it is not, see above.
            unsafe { *black_box(&PLACE).0.get() += number };
        }
    };
    thread::scope(|scope| {
        scope.spawn(write);
        scope.spawn(write);
    });
}

/// Memory that nobody knows any more.
fn leak() {
    black_box(Box::leak(black_box(Box::new([1_u64; 100]))));
    overwrite_stack();
}

/// Leaves no copy of a pointer where a tool could take it for one in use.
#[inline(never)]
fn overwrite_stack() {
    black_box([0_u64; 1_000]);
}

/// Reads memory that has been freed.
fn stale() {
    let place: *mut u64 = Box::into_raw(black_box(Box::new(1)));
    // SAFETY: it came from a `Box`.
    drop(unsafe { Box::from_raw(place) });
    // SAFETY: it is not, the memory is gone, which is the fault.
    black_box(unsafe { place.read_volatile() });
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("race") => race(),
        Some("leak") => leak(),
        Some("stale") => stale(),
        _ => {
            eprintln!("which fault? race, leak or stale");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
