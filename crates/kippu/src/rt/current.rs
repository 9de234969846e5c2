//! Which runtime is current on this thread.

use std::cell::RefCell;
use std::rc::Rc;

use super::Inner;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Inner>>> = const { RefCell::new(None) };
}

pub(crate) fn try_with<R>(f: impl FnOnce(&Inner) -> R) -> Option<R> {
    // The count is raised, not the cell borrowed: `f` may come back here, or enter another runtime.
    let inner = CURRENT.try_with(|current| current.borrow().clone()).ok()??;
    Some(f(&inner))
}

/// Makes a runtime current, and the one before it again when dropped.
pub(super) struct Enter {
    before: Option<Rc<Inner>>,
}

impl Enter {
    pub(super) fn new(inner: &Rc<Inner>) -> Enter {
        Enter { before: CURRENT.replace(Some(inner.clone())) }
    }
}

impl Drop for Enter {
    fn drop(&mut self) {
        let inner = CURRENT.replace(self.before.take());
        drop(inner);
    }
}
