//! What cases share.

use std::cell::RefCell;
use std::fmt::Debug;
use std::rc::Rc;

/// `Err` says what did not hold.
pub(crate) type Outcome = Result<(), String>;

/// Fails unless both are equal.
pub(crate) fn same<T: PartialEq + Debug>(found: T, expected: T) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("found {found:?}, expected {expected:?}")) }
}

/// Fails with `what` unless it holds.
pub(crate) fn holds(condition: bool, what: &str) -> Outcome {
    if condition { Ok(()) } else { Err(what.to_owned()) }
}

/// Any error as a case's.
pub(crate) fn failed(error: impl ToString) -> String {
    error.to_string()
}

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, what: impl ToString) {
        self.0.borrow_mut().push(what.to_string());
    }

    pub(crate) fn text(&self) -> String {
        self.0.borrow().join(" ")
    }
}

/// Logs when it is dropped.
pub(crate) struct LogDrop(pub(crate) Log, pub(crate) &'static str);

impl Drop for LogDrop {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}
