//! Which part of a piece of memory is in use.

use std::alloc::Layout;
use std::cell::Cell;

/// Blocks one behind the other, by their offsets. When none is left in use, or the last one comes back, their room is free again.
pub(super) struct Blocks {
    /// How many bytes are taken, from the start.
    taken: Cell<usize>,
    /// How many blocks are in use.
    count: Cell<usize>,
}

impl Blocks {
    pub(super) const fn new() -> Blocks {
        Blocks { taken: Cell::new(0), count: Cell::new(0) }
    }

    /// The offset of a new block, if there is room for it in the `room` bytes from the address `start`.
    pub(super) fn take(&self, start: usize, room: usize, layout: Layout) -> Option<usize> {
        let taken = self.taken.get();
        let padding = (start + taken).wrapping_neg() & (layout.align() - 1);
        let offset = taken + padding;
        let end = offset.checked_add(layout.size()).filter(|&end| end <= room)?;
        self.taken.set(end);
        self.count.set(self.count.get() + 1);
        Some(offset)
    }

    /// A block of this size comes back.
    pub(super) fn give_back(&self, offset: usize, size: usize) {
        let count = self.count.get() - 1;
        self.count.set(count);
        if count == 0 {
            self.taken.set(0);
        } else if offset + size == self.taken.get() {
            self.taken.set(offset);
        }
    }

    /// Gives a block another size where it is, if it is the last one and there is room.
    pub(super) fn resize(&self, room: usize, offset: usize, before: usize, size: usize) -> bool {
        let fits = offset + before == self.taken.get() && size <= room - offset;
        if fits {
            self.taken.set(offset + size);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Take { size: usize, align: u32 },
        GiveBack { which: usize },
        Resize { which: usize, size: usize },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1..200_usize, 0..7_u32).prop_map(|(size, align)| Step::Take { size, align }),
            any::<usize>().prop_map(|which| Step::GiveBack { which }),
            (any::<usize>(), 1..200_usize).prop_map(|(which, size)| Step::Resize { which, size }),
        ]
    }

    proptest! {
        #[test]
        fn blocks_in_use_are_aligned_and_apart(
            start in 1..5000_usize,
            room in 0..1000_usize,
            steps in prop::collection::vec(step(), 1..200),
        ) {
            let blocks = Blocks::new();
            let mut live: Vec<(usize, usize)> = Vec::new();
            for step in steps {
                match step {
                    Step::Take { size, align } => {
                        let layout = Layout::from_size_align(size, 1 << align).expect("a layout");
                        match blocks.take(start, room, layout) {
                            Some(offset) => {
                                prop_assert_eq!((start + offset) % layout.align(), 0);
                                live.push((offset, size));
                            }
                            None if live.is_empty() => {
                                let padding = start.next_multiple_of(layout.align()) - start;
                                prop_assert!(padding + size > room, "there was room");
                            }
                            None => {}
                        }
                    }
                    Step::GiveBack { which } if !live.is_empty() => {
                        let (offset, size) = live.swap_remove(which % live.len());
                        blocks.give_back(offset, size);
                    }
                    Step::Resize { which, size } if !live.is_empty() => {
                        let which = which % live.len();
                        let (offset, before) = live[which];
                        if blocks.resize(room, offset, before, size) {
                            live[which].1 = size;
                        }
                    }
                    _ => {}
                }
                let mut sorted = live.clone();
                sorted.sort_unstable();
                for pair in sorted.windows(2) {
                    prop_assert!(pair[0].0 + pair[0].1 <= pair[1].0, "they overlap: {:?}", sorted);
                }
                prop_assert!(sorted.last().is_none_or(|(offset, size)| offset + size <= room));
            }
        }
    }
}
