//! The driver on WASI 0.3: the host calls back.
//!
//! An exported async function is a task of the component model, which wit-bindgen runs: its one future is the whole runtime (see
//! `rt/wasi_p3.rs`). The futures of wit-bindgen's imports are polled inside of our tasks, with our wakers: the host's event wakes our
//! task, which goes to our run queue. So there is nothing here that waits, only the count of what is waited for.

mod watch;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use self::watch::Watch;
use crate::single::Single;

/// The driver of a runtime on WASI 0.3.
pub(crate) struct P3Driver {
    watch: Watch,
}

impl P3Driver {
    pub(crate) const fn new() -> P3Driver {
        P3Driver { watch: Watch::new() }
    }

    /// Runs tasks: what they wait for counts as outstanding.
    pub(crate) fn turn<R>(&self, run: impl FnOnce() -> R) -> R {
        self.watch.counted(run)
    }

    /// Whether operations of the host are pending that the program should go on for.
    pub(crate) fn has_outstanding(&self) -> bool {
        self.watch.has_operations()
    }
}

pin_project_lite::pin_project! {
    /// A future of wit-bindgen's imports, which are not `Send`, made so. It is polled inside of a task; while it is pending it is an
    /// outstanding operation.
    ///
    /// Dropping it drops the future, which cancels what the host has not done yet.
    #[must_use = "futures do nothing unless they are awaited"]
    #[derive(Debug)]
    pub(crate) struct Op<F> {
        counts: bool,
        #[pin]
        future: Single<F>,
    }
}

impl<F: Future> Op<F> {
    pub(crate) fn new(future: F) -> Op<F> {
        Op { counts: true, future: Single(future) }
    }

    /// One that is no reason for the program to go on.
    pub(crate) fn unref(future: F) -> Op<F> {
        Op { counts: false, future: Single(future) }
    }
}

impl<F: Future> Future for Op<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if *this.counts { this.future.poll(cx) } else { watch::uncounted(|| this.future.poll(cx)) }
    }
}
