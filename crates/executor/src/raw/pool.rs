//! Where tasks live: a pool of memory for each executor, with a free list for each size.
//!
//! Spawning is the one operation that cannot do without memory, and most of its time would be the
//! allocator's. The tasks of a program have few sizes and come and go quickly, so what one leaves fits the next.
//! Simple segregated storage, as in Wilson, Johnstone, Neely and Boles, "Dynamic Storage Allocation: A Survey and Critical
//! Review" (1995), section 3.6.

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use alloc::{vec, vec::Vec};
use core::alloc::Layout;
use core::ptr::{self, NonNull};

/// Cells are multiples of this size, in bytes, and aligned to it.
const GRAIN: usize = 16;
/// What is bigger has an allocation of its own.
const MAX_CELL: usize = 512;
const CLASSES: usize = MAX_CELL / GRAIN;
/// Chunks grow from the first of a class up to this, in bytes.
const MAX_CHUNK: usize = 16 * 1024;
/// Cells in the first chunk of a class: small programs stay small.
const FIRST_CELLS: usize = 4;

/// Which free list a layout belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(u8);

impl Class {
    /// Too big or too strictly aligned for the pool.
    const OWN: Class = Class(CLASSES as u8);

    pub(super) const fn of(layout: Layout) -> Class {
        if layout.size() > MAX_CELL || layout.align() > GRAIN {
            return Class::OWN;
        }
        Class((layout.size().div_ceil(GRAIN) - 1) as u8)
    }

    const fn cell(self) -> usize {
        (self.0 as usize + 1) * GRAIN
    }
}

/// A cell that nobody uses.
struct Free {
    next: *mut Free,
}

/// The cells of one size.
#[derive(Clone, Copy)]
struct List {
    /// Cells that were used and given back, the last one first: it is in the cache.
    free: *mut Free,
    /// The part of the newest chunk that was never used.
    fresh: *mut u8,
    end: *mut u8,
    /// How many there are in the newest chunk.
    cells: usize,
}

impl List {
    const EMPTY: List =
        List { free: ptr::null_mut(), fresh: ptr::null_mut(), end: ptr::null_mut(), cells: 0 };

    /// The newest chunk has gone.
    fn forget_fresh(&mut self) {
        *self = List { free: self.free, ..List::EMPTY };
    }
}

struct Chunk {
    start: NonNull<u8>,
    layout: Layout,
    class: Class,
}

/// Memory for the tasks of one executor. Not synchronised: the owner's alone, until the executor is dead.
pub(super) struct Pool {
    lists: [List; CLASSES],
    chunks: Vec<Chunk>,
}

impl Pool {
    pub(super) const fn new() -> Pool {
        Pool { lists: [List::EMPTY; CLASSES], chunks: Vec::new() }
    }

    /// Memory for a value of this layout, whose class is `class`.
    #[inline]
    pub(super) fn allocate(&mut self, layout: Layout, class: Class) -> NonNull<u8> {
        if class == Class::OWN {
            return own(layout);
        }
        let list = &mut self.lists[class.0 as usize];
        if let Some(cell) = NonNull::new(list.free) {
            // SAFETY: a cell on the free list holds a `Free`, which `give_back` wrote.
            list.free = unsafe { cell.as_ref() }.next;
            return cell.cast();
        }
        self.allocate_fresh(class)
    }

    fn allocate_fresh(&mut self, class: Class) -> NonNull<u8> {
        if self.lists[class.0 as usize].fresh == self.lists[class.0 as usize].end {
            self.grow(class);
        }
        let list = &mut self.lists[class.0 as usize];
        let cell = list.fresh;
        // SAFETY: between `fresh` and `end` there is room for whole cells of one chunk, and at least for one.
        unsafe {
            list.fresh = cell.add(class.cell());
            NonNull::new_unchecked(cell)
        }
    }

    #[cold]
    fn grow(&mut self, class: Class) {
        let list = &mut self.lists[class.0 as usize];
        let most = MAX_CHUNK / class.cell();
        list.cells = (list.cells * 2).clamp(FIRST_CELLS, most);
        let size = list.cells * class.cell();
        let layout = Layout::from_size_align(size, GRAIN).expect("a chunk is small");
        let start = own(layout);
        self.chunks.push(Chunk { start, layout, class });
        list.fresh = start.as_ptr();
        // SAFETY: the end of the allocation.
        list.end = unsafe { list.fresh.add(size) };
    }

    /// Takes memory back.
    ///
    /// # Safety
    /// It came from `allocate` of this pool with the same arguments, and nobody uses it any more.
    #[inline]
    pub(super) unsafe fn give_back(&mut self, at: NonNull<u8>, layout: Layout, class: Class) {
        if class == Class::OWN {
            // SAFETY: the caller says so.
            unsafe { give_back_own(at, layout) };
            return;
        }
        let list = &mut self.lists[class.0 as usize];
        let cell = at.cast::<Free>();
        // SAFETY: a cell is big enough and aligned for a `Free`, and nobody else's.
        unsafe { cell.write(Free { next: list.free }) };
        list.free = cell.as_ptr();
    }

    /// Gives the chunks in which no cell is used back to the allocator. Takes time in proportion to the unused
    /// cells.
    pub(super) fn shrink(&mut self) {
        self.chunks.sort_unstable_by_key(|chunk| chunk.start);
        let mut unused = vec![0_usize; self.chunks.len()];
        for list in &self.lists {
            let mut cell = list.free;
            while let Some(free) = NonNull::new(cell) {
                unused[self.chunk_of(free.cast())] += 1;
                // SAFETY: as in `allocate`.
                cell = unsafe { free.as_ref() }.next;
            }
            if let Some(fresh) = NonNull::new(list.fresh).filter(|_| list.fresh != list.end) {
                let chunk = self.chunk_of(fresh);
                let bytes = list.end.addr() - list.fresh.addr();
                unused[chunk] += bytes / self.chunks[chunk].class.cell();
            }
        }
        let idle =
            |index: usize, chunk: &Chunk| unused[index] == chunk.layout.size() / chunk.class.cell();
        for at in 0..CLASSES {
            let List { mut free, fresh, end, .. } = self.lists[at];
            let mut kept = ptr::null_mut();
            while let Some(cell) = NonNull::new(free) {
                // SAFETY: as in `allocate`.
                free = unsafe { cell.as_ref() }.next;
                let index = self.chunk_of(cell.cast());
                if !idle(index, &self.chunks[index]) {
                    // SAFETY: as in `give_back`.
                    unsafe { cell.write(Free { next: kept }) };
                    kept = cell.as_ptr();
                }
            }
            self.lists[at].free = kept;
            if let Some(fresh) = NonNull::new(fresh).filter(|_| fresh != end) {
                let index = self.chunk_of(fresh);
                if idle(index, &self.chunks[index]) {
                    self.lists[at].forget_fresh();
                }
            } else {
                // It may point to the end of a chunk that goes.
                self.lists[at].forget_fresh();
            }
        }
        let mut index = 0;
        self.chunks.retain(|chunk| {
            let goes = idle(index, chunk);
            index += 1;
            if goes {
                // SAFETY: it came from `own`, and nothing points into it any more.
                unsafe { give_back_own(chunk.start, chunk.layout) };
            }
            !goes
        });
        self.chunks.shrink_to_fit();
    }

    /// The chunk that a cell is in. The chunks are sorted.
    fn chunk_of(&self, cell: NonNull<u8>) -> usize {
        self.chunks.partition_point(|chunk| chunk.start <= cell) - 1
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for chunk in &self.chunks {
            // SAFETY: it came from `own`, and the owner of the pool drops it when no task is left.
            unsafe { give_back_own(chunk.start, chunk.layout) };
        }
    }
}

/// Gives back the memory of a task that has an allocation of its own; nothing to be done for others.
///
/// # Safety
/// As in [`Pool::give_back`].
pub(super) unsafe fn give_back_outside(at: NonNull<u8>, layout: Layout, class: Class) {
    if class == Class::OWN {
        // SAFETY: the caller says so.
        unsafe { give_back_own(at, layout) };
    }
}

fn own(layout: Layout) -> NonNull<u8> {
    // SAFETY: neither a task nor a chunk has the size 0.
    let at = unsafe { alloc(layout) };
    NonNull::new(at).unwrap_or_else(|| handle_alloc_error(layout))
}

/// # Safety
/// `at` came from `own` with this layout, and is not used any more.
unsafe fn give_back_own(at: NonNull<u8>, layout: Layout) {
    // SAFETY: the caller says so.
    unsafe { dealloc(at.as_ptr(), layout) };
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
