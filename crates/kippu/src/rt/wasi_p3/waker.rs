//! The wakers of a runtime on WASI 0.3.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::single::Single;

/// Rung when there is something to run. Asks the task of the component model for another turn; during a turn it only remembers.
#[derive(Default)]
pub(super) struct Bell(Single<State>);

#[derive(Default)]
struct State {
    turning: Cell<bool>,
    rung: Cell<bool>,
    /// That of the task of the component model.
    outer: RefCell<Option<Waker>>,
}

impl Bell {
    /// A turn begins.
    pub(super) fn enter(&self, outer: &Waker) {
        self.0.turning.set(true);
        self.0.rung.set(false);
        let known = self.0.outer.borrow().as_ref().is_some_and(|known| known.will_wake(outer));
        if !known {
            let before = self.0.outer.replace(Some(outer.clone()));
            drop(before);
        }
    }

    /// Whether it was rung in this turn, since the last time that it was answered.
    pub(super) fn is_rung(&self) -> bool {
        self.0.rung.get()
    }

    /// What it was rung for will be seen to.
    pub(super) fn answer(&self) {
        self.0.rung.set(false);
    }

    /// Asks for another turn.
    pub(super) fn ring(&self) {
        self.0.rung.set(true);
    }

    /// The turn ends. Whether there has to be another one at once.
    pub(super) fn leave(&self) -> bool {
        self.0.turning.set(false);
        self.0.rung.take()
    }

    /// There will be no turn any more: nobody is to be woken.
    pub(super) fn silence(&self) {
        self.0.turning.set(false);
        let outer = self.0.outer.take();
        drop(outer);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.0.turning.get() {
            self.0.rung.set(true);
            return;
        }
        let outer = self.0.outer.borrow().clone();
        if let Some(outer) = outer {
            outer.wake();
        }
    }
}

/// Tells whether one certain future was woken, and rings the bell for it.
pub(super) struct Flag {
    woken: Single<Cell<bool>>,
    bell: Arc<Bell>,
}

impl Flag {
    /// It is woken: the future has not been polled yet.
    pub(super) fn new(bell: Arc<Bell>) -> Flag {
        Flag { woken: Single(Cell::new(true)), bell }
    }

    /// Whether it was woken since the last time.
    pub(super) fn take(&self) -> bool {
        self.woken.take()
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.replace(true) {
            self.bell.wake_by_ref();
        }
    }
}
