//! Running, cancelling, completing and joining tasks: the safe face of this folder.

use alloc::sync::Arc;
use core::cell::{Cell, UnsafeCell};
use core::future::Future;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::panic::Location;
use core::ptr::NonNull;
use core::sync::atomic::{
    AtomicPtr, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use core::task::{Context, Poll, Waker};

use super::cell::TaskCell;
use super::header::{DONE, Header, Local, REF, SCHEDULED, Stage};
use super::queue::{Batch, RunQueue};
use super::waker;
use crate::JoinError;
use crate::catch::{Payload, catch, discard, resume};
use crate::dump::{TaskInfo, TaskState, WaitsFor};

/// What came of running one entry of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polled {
    /// The task waits.
    Pending,
    /// The task is done, or was done already.
    Done,
}

/// All live tasks of one executor, and the batch that it is working on. Owner only.
pub(crate) struct TaskList {
    first: Cell<Option<NonNull<Header>>>,
    len: Cell<usize>,
    /// The task being polled; of nested polls the innermost.
    current: Cell<Option<NonNull<Header>>>,
    batch: Cell<Batch>,
    queue: Arc<RunQueue>,
    /// Not `Send`: the owner is one thread.
    _owner: PhantomData<*const ()>,
}

impl TaskList {
    pub(crate) fn new(queue: Arc<RunQueue>) -> Self {
        TaskList {
            first: Cell::new(None),
            len: Cell::new(0),
            current: Cell::new(None),
            batch: Cell::new(Batch::EMPTY),
            queue,
            _owner: PhantomData,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.get()
    }

    pub(crate) fn queue(&self) -> &RunQueue {
        &self.queue
    }

    /// Makes a task and links it into the list. It is not in the run queue yet.
    pub(crate) fn spawn<F>(
        &self,
        future: F,
        name: Option<&'static str>,
        location: &'static Location<'static>,
    ) -> TaskRef
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let header = Header {
            // One reference for the list, one for the `TaskRef` that is returned.
            state: AtomicUsize::new(2 * REF),
            queue_next: AtomicPtr::new(core::ptr::null_mut()),
            vtable: const { &TaskCell::<F>::VTABLE },
            shared: self.queue.clone(),
            local: Local {
                stage: Cell::new(Stage::Future),
                joinable: Cell::new(true),
                aborted: Cell::new(false),
                handles: Cell::new(1),
                tally: Cell::new(0),
                joiner: UnsafeCell::new(None),
                prev: Cell::new(None),
                next: Cell::new(self.first.get()),
                name,
                location,
                waits_for: Cell::new(WaitsFor::Unknown),
            },
        };
        let task = TaskCell::allocate(header, future);
        if let Some(old) = self.first.replace(Some(task)) {
            // SAFETY: whatever is linked into the list lives: the list has a reference.
            unsafe { old.as_ref() }.local.prev.set(Some(task));
        }
        self.len.set(self.len.get() + 1);
        TaskRef { task, _owner: PhantomData }
    }

    /// Runs the next woken task; `None` when there is none.
    pub(crate) fn run_next(&self) -> Option<Polled> {
        let mut batch = self.batch.replace(Batch::EMPTY);
        if batch.is_empty() {
            batch = self.queue.take();
        }
        let task = batch.pop();
        self.batch.set(batch);
        let task = task?;
        // SAFETY: an entry of the queue is a live task of this executor.
        let header = unsafe { task.as_ref() };
        if header.state.fetch_and(!SCHEDULED, AcqRel) & DONE != 0 {
            // SAFETY: point 6 of the module: the reference that the entry borrowed is ours to give back.
            unsafe { waker::drop_ref(task) };
            return Some(Polled::Done);
        }
        Some(if header.local.aborted.get() {
            self.cancel(task);
            Polled::Done
        } else {
            self.poll(task)
        })
    }

    /// Polls a task that is not in the queue: one that has just been spawned.
    pub(crate) fn run_new(&self, task: &TaskRef) -> Polled {
        self.poll(task.task)
    }

    /// More entries of the batch at hand are waiting.
    pub(crate) fn has_batch(&self) -> bool {
        let batch = self.batch.replace(Batch::EMPTY);
        let more = !batch.is_empty();
        self.batch.set(batch);
        more
    }

    /// Notes what the task being polled waits for. Nothing when none is.
    pub(crate) fn note_wait(&self, what: WaitsFor) {
        if let Some(task) = self.current.get() {
            // SAFETY: the task being polled lives.
            unsafe { task.as_ref() }.local.waits_for.set(what);
        }
    }

    fn poll(&self, task: NonNull<Header>) -> Polled {
        // SAFETY: the task is live: the list has a reference until `complete`.
        let header = unsafe { task.as_ref() };
        header.local.waits_for.set(WaitsFor::Unknown);
        let poll = header.vtable.poll;
        // SAFETY: the list's reference outlives the poll, as only `complete` below gives it back.
        let waker = unsafe { waker::lend(task) };
        let mut cx = Context::from_waker(&waker);
        let outer = self.current.replace(Some(task));
        catch(
            // SAFETY: this is the owner (`TaskList` is not `Send`), the stage is `Future` (the task is not
            // done), and nobody else polls it (point 1).
            || unsafe { poll(task, &mut cx) },
            |result| {
                self.current.set(outer);
                match result {
                    Ok(false) => return Polled::Pending,
                    Ok(true) => self.complete(task),
                    Err(payload) => self.fail(task, JoinError::panicked(payload)),
                }
                Polled::Done
            },
        )
    }

    /// Drops the future before its time.
    fn cancel(&self, task: NonNull<Header>) {
        self.fail(task, JoinError::cancelled());
    }

    /// Ends a task with an error: drops what its union holds, keeps the error for the joiner.
    ///
    /// This and the next two end the task's life, so none of them, nor a closure that is around it, may be
    /// given a `&Header`, which promises that the task lives until the call is over.
    fn fail(&self, task: NonNull<Header>, error: JoinError) {
        empty(task, |dropped| {
            let error = match dropped {
                Ok(()) => error,
                Err(payload) => error.or_panicked(payload),
            };
            // SAFETY: the list's reference is given back only by `complete` below.
            let header = unsafe { task.as_ref() };
            // Also when nobody can ask for it: `complete` then drops it, panicking payloads included.
            // SAFETY: the union is empty now, and this is the owner.
            unsafe { (header.vtable.write_error)(task, error) };
            header.local.stage.set(Stage::Output);
            self.complete(task);
        });
    }

    /// The future is gone: ends the task. Drops an output that nobody can ask for.
    fn complete(&self, task: NonNull<Header>) {
        // SAFETY: the list's reference is given back only by `retire` below.
        if unsafe { task.as_ref() }.local.joinable.get() {
            self.retire(task);
            return;
        }
        empty(task, |dropped| {
            if let Err(payload) = dropped {
                // It is nobody's panic.
                discard(payload);
            }
            self.retire(task);
        });
    }

    /// Unlinks the task, gives back the list's reference, wakes the joiner. Only the last may run
    /// foreign code, so the task is done in every respect when that panics.
    fn retire(&self, task: NonNull<Header>) {
        // SAFETY: the list's reference is given back below.
        let header = unsafe { task.as_ref() };
        self.unlink(header);
        // SAFETY: owner only, and no reference to the place lives longer than one statement.
        let joiner = unsafe { (*header.local.joiner.get()).take() };
        if header.state.fetch_or(DONE, AcqRel) & SCHEDULED == 0 {
            // SAFETY: point 6 of the module: no entry of the queue borrows the list's reference.
            unsafe { waker::drop_ref(task) };
        }
        if let Some(joiner) = joiner {
            joiner.wake();
        }
    }

    fn unlink(&self, header: &Header) {
        let (prev, next) = (header.local.prev.take(), header.local.next.take());
        match prev {
            // SAFETY: neighbours in the list live.
            Some(prev) => unsafe { prev.as_ref() }.local.next.set(next),
            None => self.first.set(next),
        }
        if let Some(next) = next {
            // SAFETY: as above.
            unsafe { next.as_ref() }.local.prev.set(prev);
        }
        self.len.set(self.len.get() - 1);
    }

    /// Cancels every task, newest first, and closes the queue.
    pub(crate) fn shut_down(&self) {
        let closing = Closing {
            list: self,
            // From here on nothing rings: nobody will run what wakes.
            woken: self.queue.take(),
        };
        closing.cancel_all();
    }

    fn iter(&self) -> impl Iterator<Item = &Header> {
        let mut next = self.first.get();
        core::iter::from_fn(move || {
            // SAFETY: what is linked into the list lives, and nothing is unlinked while the
            // iterator is used: its users in this file call no foreign code.
            let header = unsafe { next?.as_ref() };
            next = header.local.next.get();
            Some(header)
        })
    }

    /// Somebody besides this executor's own tasks and handles, and the holders of the `known` wakers, holds
    /// a waker of a live task.
    ///
    /// Known holders are taken off each task's count: the list, the handles, the wakers that
    /// joiners of this executor's live tasks have left there, and `known`.
    pub(crate) fn held_outside<'a>(&self, known: impl Iterator<Item = &'a Waker>) -> bool {
        for header in self.iter() {
            header.local.tally.set(1 + header.local.handles.get());
        }
        for header in self.iter() {
            // SAFETY: owner only, and nothing changes the place while the reference lives: `tally` touches
            // counts and nothing else.
            if let Some(waker) = unsafe { &*header.local.joiner.get() } {
                self.tally(waker);
            }
        }
        known.for_each(|waker| self.tally(waker));
        self.iter().any(|header| header.state.load(Acquire) / REF > header.local.tally.get())
    }

    /// Notes that the holder of `waker` is known, if it is one of this executor's.
    fn tally(&self, waker: &Waker) {
        if let Some(target) = waker::target(waker) {
            // SAFETY: the waker owns a reference to it.
            let target = unsafe { target.as_ref() };
            // A task of another executor may belong to another thread: its tally is not ours.
            if Arc::ptr_eq(&target.shared, &self.queue) {
                target.local.tally.set(target.local.tally.get() + 1);
            }
        }
    }

    /// A line about each live task, newest first.
    pub(crate) fn dump(&self) -> impl Iterator<Item = TaskInfo> {
        self.iter().map(|header| TaskInfo {
            name: header.local.name,
            location: header.local.location,
            state: if self.current.get() == Some(NonNull::from(header)) {
                TaskState::Running
            } else if header.state.load(Relaxed) & SCHEDULED != 0 {
                TaskState::Scheduled
            } else {
                TaskState::Waiting
            },
            waits_for: header.local.waits_for.get(),
        })
    }
}

/// The second half of `shut_down`, which runs also when a panic (of a future's drop without `std`, or
/// of a foreign joiner's wake) has cut short the first. A second panic aborts, as in the drop of a `Vec`.
struct Closing<'a> {
    list: &'a TaskList,
    woken: Batch,
}

impl Closing<'_> {
    fn cancel_all(&self) {
        while let Some(task) = self.list.first.get() {
            self.list.cancel(task);
        }
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.cancel_all();
        for mut batch in [
            self.list.batch.replace(Batch::EMPTY),
            core::mem::replace(&mut self.woken, Batch::EMPTY),
            self.list.queue.close(),
        ] {
            while let Some(task) = batch.pop() {
                // SAFETY: point 7 of the module: all tasks are done, so each entry's borrowed
                // reference is ours to give back.
                unsafe { waker::drop_ref(task) };
            }
        }
    }
}

/// Drops what the union of a live task holds, then goes on with `then`. `Err`: the drop panicked.
fn empty<R>(task: NonNull<Header>, then: impl FnOnce(Result<(), Payload>) -> R) -> R {
    let (stage, vtable) = {
        // SAFETY: the callers give a live task.
        let header = unsafe { task.as_ref() };
        (header.local.stage.replace(Stage::Empty), header.vtable)
    };
    match stage {
        // SAFETY: the caller is the owner, with a live task; the stage said future, and says empty now.
        Stage::Future => catch(|| unsafe { (vtable.drop_future)(task) }, then),
        // SAFETY: the same with the output.
        Stage::Output => catch(|| unsafe { (vtable.drop_output)(task) }, then),
        Stage::Empty => then(Ok(())),
    }
}

/// A reference to a task, from the owner's thread: what join and abort handles hold.
pub(crate) struct TaskRef {
    task: NonNull<Header>,
    _owner: PhantomData<*const ()>,
}

impl TaskRef {
    fn header(&self) -> &Header {
        // SAFETY: this owns a reference.
        unsafe { self.task.as_ref() }
    }

    /// Puts the task into the run queue.
    pub(crate) fn schedule(&self) {
        // SAFETY: this owns a reference.
        unsafe { waker::schedule(self.task) };
    }

    pub(crate) fn is_done(&self) -> bool {
        self.header().state.load(Acquire) & DONE != 0
    }

    /// Has the task cancelled when its turn comes.
    pub(crate) fn abort(&self) {
        if !self.is_done() {
            self.header().local.aborted.set(true);
            self.schedule();
        }
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.header().local.location
    }

    /// The output, once.
    ///
    /// # Safety
    /// `T` is the output type of the future that this task was spawned with.
    ///
    /// # Panics
    /// When the output has been taken before.
    pub(crate) unsafe fn poll_join<T>(&self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let header = self.header();
        if !self.is_done() {
            self.set_joiner(Some(cx.waker()));
            // The clone and drop of a waker may be foreign code, and that may turn the executor.
            if !self.is_done() {
                return Poll::Pending;
            }
        }
        assert!(
            header.local.stage.replace(Stage::Empty) == Stage::Output,
            "JoinHandle polled after it gave its output"
        );
        let mut output = MaybeUninit::<Result<T, JoinError>>::uninit();
        // SAFETY: the stage was `Output` and is `Empty` now; the caller vouches for `T`.
        unsafe { (header.vtable.read_output)(self.task, output.as_mut_ptr().cast()) };
        // SAFETY: `read_output` has written it.
        Poll::Ready(unsafe { output.assume_init() })
    }

    /// Nobody will ask for the output.
    pub(crate) fn detach(&self) {
        // First of all, so that the output is dropped by somebody even if a foreign waker's drop panics.
        self.header().local.joinable.set(false);
        self.set_joiner(None);
        if self.is_done() {
            // A panic in the drop of an output passes to whoever drops the handle, as with a Box.
            empty(self.task, |dropped| {
                if let Err(payload) = dropped {
                    resume(payload);
                }
            });
        }
    }

    fn set_joiner(&self, waker: Option<&Waker>) {
        let place = self.header().local.joiner.get();
        // SAFETY: owner only, and no reference to the place lives longer than this statement.
        // `will_wake` is a comparison of pointers and runs no foreign code.
        let same = unsafe {
            match (&*place, waker) {
                (Some(old), Some(new)) => old.will_wake(new),
                (None, None) => true,
                _ => false,
            }
        };
        if !same {
            // Clone and drop of a waker may be foreign code, so the place is not borrowed meanwhile.
            let new = waker.cloned();
            // SAFETY: as above; the old waker is dropped after the exchange.
            let old = unsafe { core::mem::replace(&mut *place, new) };
            drop(old);
        }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        let header = self.header();
        waker::add_ref(header);
        header.local.handles.set(header.local.handles.get() + 1);
        TaskRef { task: self.task, _owner: PhantomData }
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        let handles = &self.header().local.handles;
        handles.set(handles.get() - 1);
        // SAFETY: this owned a reference, and is gone.
        unsafe { waker::drop_ref(self.task) };
    }
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
