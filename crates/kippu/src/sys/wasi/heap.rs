//! The first allocations come out of the memory that a component has anyway.
//!
//! On wasm32-unknown-unknown the standard library's allocator asks the host for memory with its first allocation, and leaves what
//! is free behind the program's data, 32 KiB on average. To give an instance more memory costs a host such as wasmtime as much
//! as ten calls, and many instances of a server live for one request, which needs less.

#![allow(unsafe_code, reason = "an allocator")]

mod blocks;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

use self::blocks::Blocks;
use crate::single::Single;

unsafe extern "C" {
    /// Made by the linker: where the data end, and nothing else begins.
    static __heap_base: u8;
    /// Made by the linker: where the memory ends that an instance begins with.
    static __heap_end: u8;
}

/// Memory comes in pages. The first one that is not full is the component's to its end.
const PAGE: usize = 64 * 1024;

/// Behind the data. What does not fit goes to the standard library's allocator.
struct Early(Blocks);

#[global_allocator]
static HEAP: Single<Early> = Single(Early(Blocks::new()));

impl Early {
    fn start() -> *mut u8 {
        (&raw const __heap_base).cast_mut()
    }

    /// How much there is behind the data. Nothing when it is a page or more, as with a larger initial memory: allocators of the
    /// standard library may take such room for themselves, but none that is smaller than what they ask the host for at least, which
    /// is a page.
    fn room() -> usize {
        let room = (&raw const __heap_end).addr() - Early::start().addr();
        if room < PAGE { room } else { 0 }
    }

    fn take(&self, layout: Layout) -> Option<*mut u8> {
        let offset = self.0.take(Early::start().addr(), Early::room(), layout)?;
        Some(Early::start().wrapping_add(offset))
    }

    /// The place of a block, if it is one of these.
    fn offset(block: *mut u8) -> Option<usize> {
        let offset = block.addr().wrapping_sub(Early::start().addr());
        (offset < Early::room()).then_some(offset)
    }
}

// SAFETY: a block of `take` is aligned and apart from all others that are in use (see `Blocks`, whose test shows it), and lies between the end
// of the data and the end of the first memory: memory that nobody else uses, as the stack and the data are below, and what the standard library's
// allocator gets from the host is above; it takes nothing of what `room` gives, which is less than it would take at once. The linker's
// symbols are the bounds of that memory and not objects, so pointers to all of it may be derived from them. All other blocks are those of `System`, which gets the same calls for them. Nothing here panics:
// offsets and sizes are bounded by the room, and as many blocks come back as were taken.
//
// Not inlined: programs allocate in many places, and a call of this is short.
unsafe impl GlobalAlloc for Single<Early> {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(block) => block,
            // SAFETY: the caller keeps to the same contract.
            None => unsafe { System.alloc(layout) },
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match Early::offset(block) {
            Some(offset) => self.0.0.give_back(offset, layout.size()),
            // SAFETY: the caller keeps to the same contract, and the block came from there.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(block) => {
                // SAFETY: the block has this size, and is new.
                unsafe { block.write_bytes(0, layout.size()) };
                block
            }
            // SAFETY: the caller keeps to the same contract.
            None => unsafe { System.alloc_zeroed(layout) },
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = Early::offset(block) else {
            // SAFETY: the caller keeps to the same contract, and the block came from there.
            return unsafe { System.realloc(block, layout, size) };
        };
        if self.0.0.resize(Early::room(), offset, layout.size(), size) {
            return block;
        }
        // SAFETY: the caller promises that the size is valid for this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the caller promises that the size is not 0.
        let other = unsafe { self.alloc(wanted) };
        if !other.is_null() {
            // SAFETY: both blocks are in use and have at least this size; they are different ones.
            unsafe { ptr::copy_nonoverlapping(block, other, layout.size().min(size)) };
            self.0.0.give_back(offset, layout.size());
        }
        other
    }
}
