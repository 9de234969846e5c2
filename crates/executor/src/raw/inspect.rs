//! What can be told of all live tasks.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::panic::Location;
use core::ptr::NonNull;
use core::task::Waker;

use super::header::{DONE, Header, SCHEDULED};
use super::refs;
use super::task::Tasks;
use super::waker;
use crate::dump::{TaskInfo, TaskState, WaitsFor};

impl Tasks {
    fn iter(&self) -> impl Iterator<Item = &Header> {
        let mut next = self.local().first.get();
        core::iter::from_fn(move || {
            // SAFETY: what is linked into the list lives, and nothing is unlinked while the
            // iterator is used: its users in this file call no foreign code.
            let header = unsafe { next?.as_ref() };
            next = header.local().next.get();
            Some(header)
        })
        .filter(|header| !header.local().has(DONE))
    }

    /// Somebody besides this executor's own tasks and handles, and the holders of the `known` wakers, holds
    /// a waker of a live task.
    ///
    /// Known holders are the executor, the handles, joiners of this executor's live tasks, and those of `known`.
    /// Each has one reference, so there is somebody else when there are more references.
    pub(crate) fn held_outside<'a>(&self, known: impl Iterator<Item = &'a Waker>) -> bool {
        let mut unknown = 0;
        for header in self.iter() {
            let local = header.local();
            if local.has_uncounted_refs() {
                // Nobody can say, and to wait in vain is better than to give up in error.
                return true;
            }
            unknown += local.refs.get() as isize + refs::seen(header) - local.idle_refs();
            // SAFETY: owner only, and nothing changes the place while the reference lives.
            if let Some(waker) = unsafe { &*local.joiner.get() } {
                unknown -= self.wakes_live(waker);
            }
        }
        unknown - known.map(|waker| self.wakes_live(waker)).sum::<isize>() > 0
    }

    /// 1 if `waker` is that of a live task of this executor, else 0.
    fn wakes_live(&self, waker: &Waker) -> isize {
        let ours = waker::target(waker).is_some_and(|target| {
            // SAFETY: the waker owns a reference to it.
            let target = unsafe { target.as_ref() };
            // A task of another executor may belong to another thread: its flags are not ours.
            target.shared == self.shared && !target.local().has(DONE)
        });
        isize::from(ours)
    }

    /// A line about each live task, newest first.
    pub(crate) fn dump(&self) -> impl Iterator<Item = TaskInfo> {
        // Whoever has been woken is in the run queue.
        self.shared().collect();
        let joins = self.joins();
        self.iter().map(move |header| {
            let local = header.local();
            let state = if self.local().current.get() == Some(NonNull::from(header)) {
                TaskState::Running
            } else if local.has(SCHEDULED) {
                TaskState::Scheduled
            } else {
                TaskState::Waiting
            };
            let mut waits_for = local.waits_for();
            if (state, waits_for) == (TaskState::Waiting, WaitsFor::Unknown)
                && let Ok(at) = joins.binary_search_by_key(&NonNull::from(header), |join| join.0)
            {
                waits_for = WaitsFor::Task(joins[at].1);
            }
            TaskInfo { name: local.name, location: local.location, state, waits_for }
        })
    }

    /// Which tasks wait for which others, by who is woken when one is done: sorted by who waits. It is worked out
    /// when somebody asks, so that joining costs nothing for it.
    fn joins(&self) -> Vec<(NonNull<Header>, &'static Location<'static>)> {
        // A heap and not a sort, because a sort of std's is several KiB of wasm.
        let joins: BinaryHeap<_> = self
            .iter()
            .filter_map(|header| {
                let local = header.local();
                // SAFETY: owner only, and nothing changes the place while the reference lives.
                let joiner = unsafe { &*local.joiner.get() }.as_ref()?;
                // Only compared, so it may be of another executor.
                Some((waker::target(joiner)?, local.location))
            })
            .collect();
        joins.into_sorted_vec()
    }
}
