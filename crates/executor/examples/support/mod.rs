//! What the examples share: a sleep, as a runtime on this executor would offer it.

use std::pin::Pin;
use std::rc::Weak;
use std::task::{Context, Poll};

use kippu_executor::{Executor, TimerKey};

/// Ready when the executor's timers have been fired at `deadline` ns or later. Dropping it cancels the timer.
///
/// It knows the executor weakly: a task that owned its executor would keep it, and so itself, alive for ever.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Sleep {
    executor: Weak<Executor>,
    deadline: u64,
    timer: Option<TimerKey>,
}

pub(crate) fn sleep_until(executor: &Weak<Executor>, deadline: u64) -> Sleep {
    Sleep { executor: executor.clone(), deadline, timer: None }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(executor) = self.executor.upgrade() else { return Poll::Pending };
        let pending = match self.timer {
            // `false` once it has fired.
            Some(timer) => executor.update_timer(timer, cx.waker()),
            None => {
                self.timer = Some(executor.insert_timer(self.deadline, cx.waker().clone()));
                true
            }
        };
        if pending { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(timer), Some(executor)) = (self.timer, self.executor.upgrade()) {
            executor.cancel_timer(timer);
        }
    }
}
