//! A global allocator that tells the host of a failed allocation.
//!
//! Without it memory that has run out looks like any trap: on this target std can neither print
//! nor be given a hook for it. It is std's allocator otherwise.

#![cfg(feature = "oom-report")]
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};

#[link(wasm_import_module = "kippu")]
unsafe extern "C" {
    #[link_name = "oom"]
    safe fn import_oom(bytes: f64);
}

struct Reporting;

#[global_allocator]
static ALLOCATOR: Reporting = Reporting;

#[cold]
fn failed(bytes: usize) -> *mut u8 {
    import_oom(bytes as f64);
    std::ptr::null_mut()
}

// SAFETY: every method does what `System`'s does, which keeps the trait's contract; the report
// neither allocates nor unwinds.
unsafe impl GlobalAlloc for Reporting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps `alloc`'s contract.
        let ptr = unsafe { System.alloc(layout) };
        if ptr.is_null() { failed(layout.size()) } else { ptr }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps `alloc_zeroed`'s contract.
        let ptr = unsafe { System.alloc_zeroed(layout) };
        if ptr.is_null() { failed(layout.size()) } else { ptr }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller keeps `realloc`'s contract.
        let ptr = unsafe { System.realloc(ptr, layout, new_size) };
        if ptr.is_null() { failed(new_size) } else { ptr }
    }
}
