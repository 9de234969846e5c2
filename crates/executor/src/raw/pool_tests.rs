use super::*;

/// Cells in use, each filled with its own number, so that two that overlap are found out.
struct User {
    pool: Pool,
    layout: Layout,
    cells: Vec<(NonNull<u8>, u8)>,
    number: u8,
}

impl User {
    fn new(size: usize, align: usize) -> User {
        let layout = Layout::from_size_align(size, align).expect("a good layout");
        User { pool: Pool::new(), layout, cells: Vec::new(), number: 0 }
    }

    fn allocate(&mut self) -> NonNull<u8> {
        let at = self.pool.allocate(self.layout, Class::of(self.layout));
        assert_eq!(at.addr().get() % self.layout.align(), 0);
        self.number = self.number.wrapping_add(1);
        // SAFETY: it has just been allocated, with this size.
        unsafe { at.as_ptr().write_bytes(self.number, self.layout.size()) };
        self.cells.push((at, self.number));
        at
    }

    fn give_back(&mut self, index: usize) {
        let (at, number) = self.cells.swap_remove(index);
        // SAFETY: it is in use, and `allocate` has written all of it.
        let bytes = unsafe { core::slice::from_raw_parts(at.as_ptr(), self.layout.size()) };
        assert_eq!(bytes, alloc::vec![number; bytes.len()], "another cell overlaps");
        // SAFETY: it came from this pool, and is not used any more.
        unsafe { self.pool.give_back(at, self.layout, Class::of(self.layout)) };
    }

    /// Bytes that the pool has from the allocator.
    fn held(&self) -> usize {
        self.pool.chunks.iter().map(|chunk| chunk.layout.size()).sum()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        while !self.cells.is_empty() {
            self.give_back(0);
        }
    }
}

/// How many cells: enough for every kind of chunk, but few under Miri, which is slow.
const MANY: usize = if cfg!(miri) { 150 } else { 20_000 };

#[test]
fn cells_of_every_size_do_not_overlap() {
    for size in [1, 16, 17, 100, 112, 500, 512, 513, 5000] {
        let mut user = User::new(size, 8);
        for round in 0..if cfg!(miri) { 60 } else { 300 } {
            user.allocate();
            if round % 3 == 2 {
                user.give_back(round / 3);
            }
        }
    }
}

#[test]
fn strict_alignment_is_kept() {
    for align in [1, 16, 32, 64, 4096] {
        let mut user = User::new(200, align);
        for _ in 0..20 {
            user.allocate();
        }
    }
}

#[test]
fn chunks_grow_to_a_limit_and_many_cells_fit() {
    let mut user = User::new(160, 8);
    user.allocate();
    assert_eq!(user.held(), FIRST_CELLS * 160);
    for _ in 0..MANY {
        user.allocate();
    }
    let most = MAX_CHUNK / 160;
    assert!(user.pool.chunks.iter().all(|chunk| chunk.layout.size() <= most * 160));
    assert!(user.held() < (MANY + 1 + most) * 160);
}

#[test]
fn what_was_given_back_last_is_used_first() {
    let mut user = User::new(48, 8);
    let first = user.allocate();
    let second = user.allocate();
    user.give_back(0);
    user.give_back(0);
    assert_eq!(user.allocate(), second);
    assert_eq!(user.allocate(), first);
}

#[test]
fn a_shrunken_pool_keeps_what_is_used_and_nothing_else() {
    let mut user = User::new(64, 8);
    user.pool.shrink();
    for _ in 0..MANY {
        user.allocate();
    }
    let full = user.held();
    user.pool.shrink();
    assert_eq!(user.held(), full, "every chunk is in use");
    // One cell stays in use, in the middle.
    while user.cells.len() > MANY / 2 + 1 {
        user.give_back(user.cells.len() - 1);
    }
    while user.cells.len() > 1 {
        user.give_back(0);
    }
    user.pool.shrink();
    assert!(user.held() <= MAX_CHUNK, "{} of {full} bytes are left", user.held());
    assert!(user.held() > 0);
    for _ in 0..MANY {
        user.allocate();
    }
    while !user.cells.is_empty() {
        user.give_back(0);
    }
    user.pool.shrink();
    assert_eq!(user.held(), 0);
    user.allocate();
    assert_eq!(user.held(), FIRST_CELLS * 64);
}

#[test]
fn a_chunk_that_was_never_used_up_goes_too() {
    let mut user = User::new(64, 8);
    for used in 1..=2 * FIRST_CELLS {
        for _ in 0..used {
            user.allocate();
        }
        user.pool.shrink();
        while !user.cells.is_empty() {
            user.give_back(0);
        }
        user.pool.shrink();
        assert_eq!(user.held(), 0, "after {used} cells");
    }
}
