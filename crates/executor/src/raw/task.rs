//! Making, running, cancelling and completing tasks: what the executor does with them.

use core::cell::{Cell, UnsafeCell};
use core::future::Future;
use core::marker::PhantomData;
use core::panic::Location;
use core::ptr::NonNull;
use core::task::{Context, Waker};

use super::cell::TaskCell;
use super::current;
use super::handle::TaskRef;
use super::header::{
    ABORTED, BURIED, DONE, DUE, Header, JOINABLE, Local, ON_TICKET, ON_TIMER, ROOT, SCHEDULED,
    Stage, Wait,
};
use super::refs;
use super::root::RootTask;
use super::shared::{Owned, Shared};
use super::waker;
use crate::JoinError;
use crate::catch::{Payload, catch, discard, resume};

/// Why [`Tasks::run`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    /// Nothing is runnable.
    Idle,
    /// The budget is spent, and there is more.
    More,
    /// It is the turn of the future of `block_on`.
    Root,
}

/// All tasks of one executor. Owner only.
pub(crate) struct Tasks {
    pub(super) shared: NonNull<Shared>,
    /// Not `Send`: the owner is one thread.
    _owner: PhantomData<*const ()>,
}

impl Tasks {
    pub(crate) fn new(unpark: Waker) -> Self {
        Tasks { shared: Shared::new(unpark), _owner: PhantomData }
    }

    /// Calls `f` with the executor that is running on this thread; of nested ones the innermost.
    #[cfg(feature = "std")]
    pub(crate) fn with_current<R>(f: impl FnOnce(&Tasks) -> R) -> Option<R> {
        // It runs, so it outlives this call. Nothing happens when a `Tasks` is dropped.
        let shared = current::get()?;
        Some(f(&Tasks { shared, _owner: PhantomData }))
    }

    pub(super) fn shared(&self) -> &Shared {
        // SAFETY: it lives at least as long as this.
        unsafe { self.shared.as_ref() }
    }

    pub(super) fn local(&self) -> &Owned {
        self.shared().local()
    }

    pub(crate) fn len(&self) -> usize {
        self.local().live.get()
    }

    pub(crate) fn stay_awake(&self) {
        self.shared().stay_awake();
    }

    /// Makes a task and puts it into the run queue, without ringing.
    #[inline]
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
        self.make_scheduled(future, JOINABLE, name, location)
    }

    /// Makes a task that is not in the run queue, for [`run_new`](Self::run_new).
    #[inline]
    pub(crate) fn spawn_idle<F>(
        &self,
        future: F,
        name: Option<&'static str>,
        location: &'static Location<'static>,
    ) -> TaskRef
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.make(future, JOINABLE, name, location)
    }

    #[inline]
    pub(super) fn make_scheduled<F: Future>(
        &self,
        future: F,
        flags: u8,
        name: Option<&'static str>,
        location: &'static Location<'static>,
    ) -> TaskRef {
        let shared = self.shared();
        // What woke before on other threads comes before it.
        shared.collect();
        let task = self.make(future, flags | SCHEDULED, name, location);
        // SAFETY: this is the owner, `SCHEDULED` is set, and the task has just been made.
        unsafe { shared.local().queue.push(task.raw()) };
        task
    }

    /// To be called when a task has been spawned, and it would be no harm if this panicked: the bell is foreign code.
    #[inline]
    pub(crate) fn ring_if_asleep(&self) {
        self.shared().ring_if_asleep();
    }

    #[inline]
    fn make<F: Future>(
        &self,
        future: F,
        flags: u8,
        name: Option<&'static str>,
        location: &'static Location<'static>,
    ) -> TaskRef {
        let local = Local {
            // One for the executor, one for the `TaskRef` that is returned.
            refs: Cell::new(2),
            flags: Cell::new(flags),
            stage: Cell::new(Stage::Future),
            wait: Cell::new(Wait { next: None }),
            joiner: UnsafeCell::new(None),
            prev: Cell::new(None),
            next: Cell::new(None),
            aborters: Cell::new(0),
            location,
            name,
        };
        let header = Header::new(const { &TaskCell::<F>::VTABLE }, self.shared, local);
        let shared = self.shared();
        // SAFETY: this is the owner, and the pool runs no foreign code that could borrow it as well.
        let task = TaskCell::allocate(unsafe { &mut *shared.pool() }, header, future);
        // SAFETY: this is the owner, and the task has just been made.
        unsafe { shared.link(task, &shared.local().first) };
        let live = &shared.local().live;
        live.set(live.get() + 1);
        // SAFETY: one of the two references is for it.
        unsafe { TaskRef::new(task) }
    }

    /// Runs woken tasks, at most `budget` of them, which it counts down; up to the turn of `root`, if one is given.
    ///
    /// One `catch` is around all of them and not one around each, as what it costs is a fourth of a short poll.
    /// What panicked is known by `current`.
    pub(crate) fn run(&self, budget: &Cell<usize>, root: Option<&RootTask<'_>>) -> Ran {
        let _entered = current::Entered::new(self.shared);
        self.shared().awake();
        loop {
            let ran = catch(
                || self.run_uncaught(budget, root),
                |ran| match ran {
                    Ok(ran) => Some(ran),
                    Err(payload) => {
                        self.contain(payload);
                        None
                    }
                },
            );
            if let Some(ran) = ran {
                return ran;
            }
        }
    }

    fn run_uncaught(&self, budget: &Cell<usize>, root: Option<&RootTask<'_>>) -> Ran {
        let shared = self.shared();
        let own = shared.local();
        // The cell is for the case of a panic.
        let mut left = budget.get();
        let ran = loop {
            // Before every poll, so that the wakes that came before it are answered by it.
            shared.collect();
            let Some(task) = own.queue.first() else {
                if shared.try_idle() {
                    break Ran::Idle;
                }
                continue;
            };
            // SAFETY: point 4 of the module: what is in the queue lives.
            let flags = &unsafe { task.as_ref() }.local().flags;
            if left == 0 || flags.get() & (DONE | ABORTED | ROOT) != 0 {
                let special = self.run_special(task, budget);
                left = budget.get();
                match special {
                    // Another's, further out on the stack: it finds that its turn has come.
                    Some(Ran::Root) if root.is_none_or(|root| !root.is(task)) => continue,
                    Some(ran) => break ran,
                    None => continue,
                }
            }
            left -= 1;
            budget.set(left);
            flags.set(flags.get() & !SCHEDULED);
            // SAFETY: this is the owner, and it is the first.
            unsafe { own.queue.pop(task) };
            own.current.set(Some(task));
            // SAFETY: a live task whose future is there, on the owner; point 1 of the module.
            if unsafe { poll(task) } {
                own.current.set(None);
                self.complete(task);
            }
        };
        own.current.set(None);
        ran
    }

    /// Deals with an entry of the queue that is not simply to be polled, or not now. `None`: go on.
    #[inline(never)]
    fn run_special(&self, task: NonNull<Header>, budget: &Cell<usize>) -> Option<Ran> {
        let own = self.local();
        own.current.set(None);
        // SAFETY: point 4 of the module: what is in the queue lives.
        let flags = &unsafe { task.as_ref() }.local().flags;
        if flags.get() & DONE != 0 {
            // SAFETY: this is the owner, and the entry has the executor's reference, see point 4.
            unsafe {
                own.queue.pop(task);
                refs::release_local(task);
            }
            return None;
        }
        if budget.get() == 0 {
            return Some(Ran::More);
        }
        budget.set(budget.get() - 1);
        flags.set(flags.get() & !SCHEDULED);
        // SAFETY: this is the owner, and it is the first.
        unsafe { own.queue.pop(task) };
        if flags.get() & ROOT != 0 {
            flags.set(flags.get() | DUE);
            return Some(Ran::Root);
        }
        self.cancel(task);
        None
    }

    /// Something in [`run_uncaught`](Self::run_uncaught) panicked.
    fn contain(&self, payload: Payload) {
        match self.local().current.take() {
            Some(task) => self.fail(task, JoinError::panicked(payload)),
            // It was a foreign waker of a joiner. Its task is complete in every respect.
            None => resume(payload),
        }
    }

    /// Polls a task that is not in the queue: one that has just been spawned.
    pub(crate) fn run_new(&self, task: &TaskRef) {
        let _entered = current::Entered::new(self.shared);
        let task = task.raw();
        let current = &self.local().current;
        let outer = current.replace(Some(task));
        catch(
            // SAFETY: a live task whose future is there, on the owner; point 1 of the module.
            || unsafe { poll(task) },
            |polled| {
                current.set(outer);
                match polled {
                    Ok(false) => {}
                    Ok(true) => self.complete(task),
                    Err(payload) => self.fail(task, JoinError::panicked(payload)),
                }
            },
        );
    }

    /// From now on wakes ring; rings if something is runnable now.
    pub(crate) fn hand_back(&self) {
        if !self.shared().try_idle() {
            self.shared().ring_anyway();
        }
    }

    /// Notes that the task being polled waits for a ticket. Nothing when none is.
    pub(crate) fn note_ticket(&self, ticket: &'static &'static str) {
        self.note_wait(ON_TICKET, Wait { ticket });
    }

    /// Notes that the task being polled waits for a timer. Nothing when none is.
    pub(crate) fn note_timer(&self, deadline: u64) {
        self.note_wait(ON_TIMER, Wait { deadline });
    }

    fn note_wait(&self, flag: u8, wait: Wait) {
        if let Some(task) = self.local().current.get() {
            // SAFETY: the task being polled lives.
            unsafe { task.as_ref() }.local().note_wait(flag, wait);
        }
    }

    /// Drops the future before its time.
    pub(super) fn cancel(&self, task: NonNull<Header>) {
        self.fail(task, JoinError::cancelled());
    }

    /// Ends a task with an error: drops what its union holds, keeps the error for the joiner.
    ///
    /// This and the next two end the task's life, so none of them, nor a closure that is around it, may be
    /// given a `&Header`, which promises that the task lives until the call is over.
    #[cold]
    fn fail(&self, task: NonNull<Header>, error: JoinError) {
        let then = |dropped| {
            let error = match dropped {
                Ok(()) => error,
                Err(payload) => error.or_panicked(payload),
            };
            // SAFETY: the executor's reference is given back only by `complete` below.
            let header = unsafe { task.as_ref() };
            // Also when nobody can ask for it: `complete` then drops it, panicking payloads included.
            // SAFETY: the union is empty now, and this is the owner.
            unsafe { (header.vtable.write_error)(task, error) };
            header.local().stage.set(Stage::Output);
            self.complete(task);
        };
        // SAFETY: a live task, on the owner.
        unsafe { empty(task, then) };
    }

    /// The future is gone: ends the task. Drops an output that nobody can ask for.
    #[inline]
    fn complete(&self, task: NonNull<Header>) {
        let unwanted = {
            // SAFETY: the executor's reference is given back only by `retire` below.
            let local = unsafe { task.as_ref() }.local();
            !local.has(JOINABLE) && local.stage.get() == Stage::Output
        };
        if unwanted {
            self.complete_unwanted(task);
        } else {
            self.retire(task);
        }
    }

    #[inline(never)]
    fn complete_unwanted(&self, task: NonNull<Header>) {
        let then = |dropped| {
            if let Err(payload) = dropped {
                // It is nobody's panic.
                discard(payload);
            }
            self.retire(task);
        };
        // SAFETY: a live task, on the owner.
        unsafe { empty(task, then) };
    }

    /// Gives back the executor's reference, wakes the joiner. Only the last may run foreign code, so the
    /// task is done in every respect when that panics.
    #[inline]
    fn retire(&self, task: NonNull<Header>) {
        let joiner = {
            // SAFETY: the executor's reference is given back below.
            let header = unsafe { task.as_ref() };
            let local = header.local();
            let live = &self.local().live;
            live.set(live.get() - 1);
            local.set(DONE);
            refs::finish(header);
            // SAFETY: owner only, and no reference to the place lives longer than one statement.
            let joiner = unsafe { (*local.joiner.get()).take() };
            if !local.has(SCHEDULED) {
                // SAFETY: point 4 of the module: no entry of the queue has the executor's reference.
                unsafe { refs::release_local(task) };
            }
            joiner
        };
        if let Some(joiner) = joiner {
            joiner.wake();
        }
    }

    /// Cancels every task, newest first, and ends the executor.
    pub(crate) fn shut_down(&self) {
        // From here on nothing rings: nobody will run what wakes.
        self.stay_awake();
        let closing = Closing { tasks: self };
        closing.cancel_all();
    }

    /// Gives memory that no task uses back to the allocator.
    pub(crate) fn shrink_to_fit(&self) {
        // SAFETY: this is the owner, and the pool runs no foreign code that could borrow it as well.
        unsafe { (*self.shared().pool()).shrink() };
    }
}

/// Polls a task; whether it is ready.
///
/// # Safety
/// A live task of this thread's executor, whose future is there and is not being polled.
#[inline]
unsafe fn poll(task: NonNull<Header>) -> bool {
    // SAFETY: the executor's reference is given back only when the task is complete.
    let waker = unsafe { waker::lend(task) };
    // SAFETY: as above.
    let vtable = unsafe { task.as_ref() }.vtable;
    // SAFETY: the caller says so.
    unsafe { (vtable.poll)(task, &mut Context::from_waker(&waker)) }
}

/// Drops what the union of a task holds, then goes on with `then`. `Err`: the drop panicked.
///
/// # Safety
/// The task lives at least until `then` is called, and this is its owner.
pub(super) unsafe fn empty<R>(
    task: NonNull<Header>,
    then: impl FnOnce(Result<(), Payload>) -> R,
) -> R {
    let (stage, vtable) = {
        // SAFETY: the caller says that it lives.
        let header = unsafe { task.as_ref() };
        (header.local().stage.replace(Stage::Empty), header.vtable)
    };
    match stage {
        // SAFETY: the caller is the owner, with a live task; the stage said future, and says empty now.
        Stage::Future => catch(|| unsafe { (vtable.drop_future)(task) }, then),
        // SAFETY: the same with the output.
        Stage::Output => catch(|| unsafe { (vtable.drop_output)(task) }, then),
        Stage::Empty => then(Ok(())),
    }
}

/// The second half of `shut_down`, which runs also when a panic (of a future's drop without `std`, or
/// of a foreign joiner's wake) has cut short the first. A second panic aborts, as in the drop of a `Vec`.
struct Closing<'a> {
    tasks: &'a Tasks,
}

impl Closing<'_> {
    /// Cancels what lives, and buries what is done.
    fn cancel_all(&self) {
        let shared = self.tasks.shared();
        while let Some(task) = shared.local().first.get() {
            // SAFETY: whatever is in the list lives.
            if unsafe { task.as_ref() }.local().has(DONE) {
                // SAFETY: this is the owner, and the task goes from one list to the other.
                unsafe {
                    shared.unlink(task);
                    task.as_ref().local().set(BURIED);
                    shared.link(task, &shared.local().buried);
                }
            } else {
                self.tasks.cancel(task);
            }
        }
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.cancel_all();
        let queue = &self.tasks.local().queue;
        while let Some(task) = queue.first() {
            // SAFETY: this is the owner. Point 4 of the module: the task is done, so the entry has the executor's
            // reference.
            unsafe {
                queue.pop(task);
                refs::release_local(task);
            }
        }
        // SAFETY: this is the owner, all tasks are done and buried, and the queue is empty. `Tasks` is not used
        // after `shut_down`.
        unsafe { Shared::bury(self.tasks.shared) };
    }
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
