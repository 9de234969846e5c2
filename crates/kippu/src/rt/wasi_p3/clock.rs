//! The one operation of the host that stands for all timers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::waker::{Bell, Flag};

pin_project_lite::pin_project! {
    /// Waits for the earliest deadline. The operation is kept as long as it is not too late: when its deadline has become a later one, it
    /// ends early, which is once for nothing, where another one for each deadline would cost the host each time.
    pub(super) struct Clock<M, F> {
        make: M,
        deadline: u64,
        #[pin]
        operation: Option<F>,
        flag: Arc<Flag>,
        waker: Waker,
    }
}

/// Rings at a time.
pub(super) trait Alarm {
    /// Ready when a deadline may have come. Otherwise the bell is rung at `deadline`, or earlier.
    fn poll(self: Pin<&mut Self>, deadline: Option<u64>) -> Poll<()>;
}

impl<M, F> Clock<M, F> {
    /// `make` waits until a time, in ns of the monotonic clock.
    pub(super) fn new(make: M, bell: &Arc<Bell>) -> Clock<M, F> {
        let flag = Arc::new(Flag::new(bell.clone()));
        Clock { make, deadline: u64::MAX, operation: None, waker: Waker::from(flag.clone()), flag }
    }
}

impl<M: Fn(u64) -> F, F: Future<Output = ()>> Alarm for Clock<M, F> {
    fn poll(self: Pin<&mut Self>, deadline: Option<u64>) -> Poll<()> {
        let mut this = self.project();
        let is_woken = this.flag.take();
        if let Some(deadline) = deadline
            && (this.operation.is_none() || *this.deadline > deadline)
        {
            let operation = (this.make)(deadline);
            *this.deadline = deadline;
            this.operation.set(Some(operation));
        } else if !is_woken {
            return Poll::Pending;
        }
        let Some(operation) = this.operation.as_mut().as_pin_mut() else { return Poll::Pending };
        let polled = operation.poll(&mut Context::from_waker(this.waker));
        if polled.is_ready() {
            this.operation.set(None);
        }
        polled
    }
}
