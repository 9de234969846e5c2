//! Sockets that the driver watches.
//!
//! Interest is armed for one event at a time. The poller looks at the socket's
//! state when interest is armed, not only at later changes, so the order "try,
//! would block, arm, return pending" loses nothing: what arrived in between is
//! reported by the next wait.

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use polling::{AsRawSource, AsSource, Event};
use slab::Slab;

use super::{Hold, Shared, lock};
use crate::driver::waiters;

/// Which way a socket is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// The sockets of one driver, by the key that the poller knows them by.
#[derive(Default)]
pub(super) struct Table {
    entries: Mutex<Slab<Arc<Entry<dyn AsSource + Send + Sync>>>>,
}

struct Entry<S: ?Sized> {
    state: Mutex<State>,
    socket: S,
}

/// The hold is dropped after the waker was rung, as `outstanding` asks.
type Waiter = waiters::Waiter<Option<Hold>>;
type Waiters = waiters::Waiters<Option<Hold>>;

#[derive(Default)]
struct State {
    read: Waiters,
    write: Waiters,
    /// What the poller will report, as (readable, writable).
    armed: (bool, bool),
}

impl State {
    fn wanted(&self) -> (bool, bool) {
        (!self.read.is_empty(), !self.write.is_empty())
    }

    fn of(&mut self, direction: Direction) -> &mut Waiters {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }
}

impl<S: AsSource + ?Sized> Entry<S> {
    /// Makes the poller report what is wanted, for one event.
    fn arm(&self, shared: &Shared, key: usize, state: &mut State) -> io::Result<()> {
        let wanted = state.wanted();
        shared.poller.modify(&self.socket, Event::new(key, wanted.0, wanted.1))?;
        state.armed = wanted;
        Ok(())
    }
}

impl Table {
    /// Takes the waiters that `event` concerns, and arms what is still wanted.
    pub(super) fn dispatch(&self, shared: &Shared, event: Event, woken: &mut Woken) {
        // The key may have been given to another socket since the event was
        // queued. That one is woken for nothing, tries, and waits again.
        let Some(entry) = lock(&self.entries).get(event.key).map(Arc::clone) else {
            return;
        };
        let mut state = lock(&entry.state);
        state.armed = (false, false);
        if event.readable {
            woken.0.extend(state.read.drain());
        }
        if event.writable {
            woken.0.extend(state.write.drain());
        }
        let rearmed = match state.wanted() {
            (false, false) => Ok(()),
            _ => entry.arm(shared, event.key, &mut state),
        };
        if rearmed.is_err() {
            // Nobody would ever report to these: let them try, and meet the error.
            woken.0.extend(state.read.drain());
            woken.0.extend(state.write.drain());
        }
        drop(state);
    }
}

/// Waiters to be woken once nothing is locked.
#[derive(Default)]
pub(super) struct Woken(Vec<Waiter>);

impl Woken {
    /// Wakes and forgets them all.
    pub(super) fn wake(&mut self) {
        self.0.drain(..).for_each(Waiter::wake);
    }
}

/// A non-blocking socket known to a driver. Dropping it ends the watch and closes
/// the socket.
pub(crate) struct Source<S: AsSource + Send + Sync + 'static> {
    shared: Arc<Shared>,
    entry: Arc<Entry<S>>,
    key: usize,
    counts: bool,
}

impl<S: AsSource + Send + Sync + 'static> Source<S> {
    /// Puts `socket`, which must be non-blocking, under the watch of `shared`.
    /// `counts` says whether waiting for it counts as an outstanding operation.
    ///
    /// # Errors
    /// What the system says when the socket cannot be watched.
    pub(crate) fn new(shared: Arc<Shared>, socket: S, counts: bool) -> io::Result<Source<S>>
    where
        for<'a> &'a S: AsRawSource,
    {
        let entry = Arc::new(Entry { socket, state: Mutex::default() });
        let mut entries = lock(&shared.sources.entries);
        let key = entries.vacant_key();
        // SAFETY: the socket must leave the poller before it is closed. `entry` owns
        // it, and the `Source` made below owns a reference to `entry`. Only
        // `Source::drop` gives that reference up, after `Poller::delete`. Between
        // here and there nothing can fail or panic.
        unsafe { shared.poller.add(&entry.socket, Event::none(key)) }?;
        entries.insert(Arc::<Entry<S>>::clone(&entry));
        drop(entries);
        Ok(Source { shared, entry, key, counts })
    }

    /// The socket itself. What is read or written must not block.
    pub(crate) fn socket(&self) -> &S {
        &self.entry.socket
    }

    /// The driver that watches it.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Tries `operation` on the socket. If it would block, the task of `cx` is
    /// woken when trying again makes sense.
    ///
    /// # Errors
    /// Those of `operation`, and of the poller.
    pub(crate) fn poll_io<T>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            match operation(self.socket()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return match self.wait(cx, direction) {
                        Ok(()) => Poll::Pending,
                        Err(error) => Poll::Ready(Err(error)),
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// Wakes the task of `cx` at the next event of `direction`, beside those that wait already.
    pub(crate) fn wait(&self, cx: &mut Context<'_>, direction: Direction) -> io::Result<()> {
        let hold = self.counts.then(|| self.shared.hold());
        let mut state = lock(&self.entry.state);
        let displaced = state.of(direction).add(cx.waker(), hold);
        let armed = match direction {
            Direction::Read => state.armed.0,
            Direction::Write => state.armed.1,
        };
        let result = match armed {
            true => Ok(()),
            false => self.entry.arm(&self.shared, self.key, &mut state),
        };
        // A waker that nobody will ring must not stay; and none may be rung or
        // dropped under the lock.
        let stranded = match &result {
            Ok(()) => Vec::new(),
            Err(_) => state.of(direction).drain().collect(),
        };
        drop(state);
        displaced.settle();
        stranded.into_iter().for_each(Waiter::wake);
        result
    }
}

impl<S: AsSource + Send + Sync + 'static> Drop for Source<S> {
    fn drop(&mut self) {
        // Fails only for a descriptor that somebody else has closed.
        let _ = self.shared.poller.delete(&self.entry.socket);
        let entry = lock(&self.shared.sources.entries).try_remove(self.key);
        let waiters = std::mem::take(&mut *lock(&self.entry.state));
        drop((entry, waiters));
    }
}
