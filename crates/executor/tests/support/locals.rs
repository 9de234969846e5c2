//! What the tests of task-locals share.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::future::Future;
use std::panic::{catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use kippu_executor::task_local;

use crate::support::Log;

task_local! {
    pub(crate) static NUMBER: u32;
}

/// The number that is seen here.
pub(crate) fn number() -> Option<u32> {
    NUMBER.try_with(|number| *number).ok()
}

/// Logs the number that is seen when it is dropped.
pub(crate) struct SeenInDrop(pub(crate) Log);

impl Drop for SeenInDrop {
    fn drop(&mut self) {
        self.0.add(format!("drop sees {:?}", number()));
    }
}

pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Two scopes and a reader, one inside another, `depth` times over; the innermost panics if it shall.
pub(crate) fn alternate(depth: u32, panics: bool) {
    if depth == 0 {
        assert!(!panics, "at the bottom");
        return;
    }
    let before = number();
    NUMBER.sync_scope(10 * depth, || {
        NUMBER.sync_scope(10 * depth + 1, || {
            NUMBER.with(|outer| {
                let inner = catch_unwind(|| alternate(depth - 1, panics));
                assert_eq!((*outer, number()), (10 * depth + 1, Some(10 * depth + 1)));
                if let Err(panic) = inner {
                    resume_unwind(panic);
                }
            });
        });
        assert_eq!(number(), Some(10 * depth));
    });
    assert_eq!(number(), before);
}
