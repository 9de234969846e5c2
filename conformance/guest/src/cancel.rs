//! Dropping the future of a host function cancels the operation.

use std::cell::Cell;

use kippu::HostError;
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, sleep, timeout};

use crate::support::{Outcome, cases, failed, holds, same};

cases!("cancel":
    dropped_call_cancels_the_operation,
    dropped_call_before_poll,
    timeout_cancels_the_operation,
    slots_are_used_again,
    abort_cancels_the_operation,
);

thread_local! {
    /// Natively: how many operations were cancelled.
    static CANCELLED: Cell<u32> = const { Cell::new(0) };
}

struct CountDrop;

impl Drop for CountDrop {
    fn drop(&mut self) {
        CANCELLED.set(CANCELLED.get() + 1);
    }
}

/// Waits until it is cancelled, and counts that.
#[kippu::host]
async fn never() -> Result<(), HostError> {
    let _count = CountDrop;
    std::future::pending().await
}

/// How often `never` has been cancelled.
#[kippu::host]
fn cancellations() -> u32 {
    CANCELLED.get()
}

/// Lets the host see what happened.
async fn settle() {
    yield_now().await;
    sleep(Duration::from_millis(2)).await;
}

async fn dropped_call_cancels_the_operation() -> Outcome {
    let before = cancellations();
    let mut call = Box::pin(never());
    let first = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx))).await;
    holds(first.is_pending(), "it waits")?;
    drop(call);
    settle().await;
    same(cancellations() - before, 1)
}

async fn dropped_call_before_poll() -> Outcome {
    // On a JavaScript host the call has crossed already; natively a future that was never polled has
    // not begun. Either way nothing stays behind.
    drop(never());
    settle().await;
    same(timeout(Duration::from_millis(1), never()).await.is_err(), true)
}

async fn timeout_cancels_the_operation() -> Outcome {
    let before = cancellations();
    holds(timeout(Duration::from_millis(5), never()).await.is_err(), "the time is up")?;
    settle().await;
    same(cancellations() - before, 1)
}

async fn slots_are_used_again() -> Outcome {
    for _ in 0..5000 {
        let mut call = Box::pin(never());
        let _ =
            std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_ready()))
                .await;
        drop(call);
    }
    settle().await;
    Ok(())
}

async fn abort_cancels_the_operation() -> Outcome {
    let before = cancellations();
    let task = spawn(never());
    yield_now().await;
    task.abort();
    let error = task.await.err().ok_or("it was aborted")?;
    holds(error.is_cancelled(), &failed(error))?;
    settle().await;
    same(cancellations() - before, 1)
}
