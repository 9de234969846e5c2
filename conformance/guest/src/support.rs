//! What cases share.

use std::cell::RefCell;
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use kippu::task::yield_now;
use kippu::time::{Duration, Instant, sleep};

/// `Err` says what did not hold.
pub(crate) type Outcome = Result<(), String>;

/// A named case.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What of the host it needs; empty when every host has it.
    pub(crate) group: &'static str,
    pub(crate) run: fn() -> Pin<Box<dyn Future<Output = Outcome>>>,
}

/// Lists the async functions of a module as its `CASES`.
macro_rules! cases {
    ($module:literal: $($name:ident),* $(,)?) => {
        cases!($module needs "": $($name),*);
    };
    ($module:literal needs $group:literal: $($name:ident),* $(,)?) => {
        pub(crate) const CASES: &[$crate::support::Case] = &[$($crate::support::Case {
            name: concat!($module, "::", stringify!($name)),
            group: $group,
            run: || Box::pin($name()),
        }),*];
    };
}
pub(crate) use cases;

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

/// Polls a future once, for the current task.
pub(crate) async fn poll_once<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// Lets the host see what was dropped.
pub(crate) async fn settle() {
    yield_now().await;
    sleep(Duration::from_millis(2)).await;
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

    /// Fails unless this happened, in this order.
    pub(crate) fn says(&self, expected: &str) -> Outcome {
        same(self.text().as_str(), expected)
    }

    /// Waits until this has happened, in this order, for up to five seconds.
    pub(crate) async fn becomes(&self, expected: &str) -> Outcome {
        let start = Instant::now();
        while self.text() != expected && start.elapsed() < Duration::from_secs(5) {
            sleep(Duration::from_millis(2)).await;
        }
        self.says(expected)
    }

    /// Something that logs when it is dropped.
    pub(crate) fn guard(&self, what: &'static str) -> LogDrop {
        LogDrop(self.clone(), what)
    }
}

/// Logs when it is dropped.
pub(crate) struct LogDrop(pub(crate) Log, pub(crate) &'static str);

impl Drop for LogDrop {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}
