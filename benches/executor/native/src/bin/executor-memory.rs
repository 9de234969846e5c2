//! How much memory tasks take, and how often the allocator is asked. Prints the same JSON lines as
//! executor-native. A program of its own: counting costs time.

use executor_loops::FOOTPRINTS;
use serde_json::json;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const TASKS: u32 = 100_000;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which is counted. A contestant that starts threads would be counted with them.
struct Counting;

impl Counting {
    fn grown(bytes: usize) {
        CALLS.fetch_add(1, Relaxed);
        let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
        PEAK.fetch_max(live, Relaxed);
    }
}

// SAFETY: every call is handed on to `System` as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::grown(layout.size());
        // SAFETY: the caller keeps what `GlobalAlloc` asks of it.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::grown(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // The old and the new block may be there at the same time, as when the content is copied.
        Self::grown(new_size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let per_task = |count: usize| count as f64 / f64::from(TASKS);
    let (mut bytes, mut calls) = (Vec::new(), Vec::new());
    for footprint in FOOTPRINTS {
        let mut looks = Vec::with_capacity(2);
        (footprint.wait)(TASKS, &mut || {
            looks.push((LIVE.load(Relaxed), PEAK.load(Relaxed)));
            PEAK.store(LIVE.load(Relaxed), Relaxed);
        });
        let [(before, _), (_, peak)] = looks[..] else {
            panic!("{} was looked at {} times instead of twice", footprint.name, looks.len());
        };
        bytes.push((footprint.name, per_task(peak - before)));

        let before = CALLS.load(Relaxed);
        (footprint.join)(TASKS);
        calls.push((footprint.name, per_task(CALLS.load(Relaxed) - before)));
    }
    for (case, unit, values) in
        [("a waiting task", "B", bytes), ("spawn and join", "allocations", calls)]
    {
        let line = json!({ "bench": "executor", "case": case, "unit": unit, "values": values });
        println!("{line}");
    }
}
