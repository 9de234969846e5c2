//! Dropping a future after so many polls.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use kippu::task::{JoinHandle, dump, yield_now};

use crate::cancel_at::operations;
use crate::support::{Log, Outcome, holds, same, settle};

/// Polls a future up to so many times, each time when it is woken, and drops it then.
pub(crate) struct Polls<F> {
    future: Option<Pin<Box<F>>>,
    left: usize,
}

impl<F> Polls<F> {
    fn up_to(polls: usize, future: F) -> Polls<F> {
        Polls { future: Some(Box::pin(future)), left: polls }
    }
}

impl<F: Future> Future for Polls<F> {
    /// `None` when it was dropped first.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.left -= 1;
        let Some(future) = &mut self.future else { return Poll::Ready(None) };
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            self.future = None;
            return Poll::Ready(Some(output));
        }
        if self.left == 0 {
            self.future = None;
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

/// Makes a future again and again and drops it after its n-th poll, for every n until it completes. Each time the
/// log must be the next one of `expected`; the last is that of the run that completes.
pub(crate) async fn at_every_await<F>(expected: &[&str], make: impl Fn(Log) -> F) -> Outcome
where
    F: Future<Output = Outcome> + 'static,
{
    settle().await;
    let tasks = dump().len();
    for (i, expected) in expected.iter().enumerate() {
        let after = |error: String| format!("after poll {}: {error}", i + 1);
        let log = Log::default();
        let output = Polls::up_to(i + 1, make(log.clone())).await;
        settle().await;
        if let Some(Err(error)) = output {
            return Err(after(error));
        }
        log.says(expected).map_err(after)?;
        same(("operations", operations()), ("operations", 0)).map_err(after)?;
        same(("tasks", dump().len()), ("tasks", tasks)).map_err(after)?;
        same(("complete", output.is_some()), ("complete", log.text().contains("done")))
            .map_err(after)?;
    }
    // Else an await was not seen.
    let polls = Polls::up_to(expected.len(), make(Log::default()));
    holds(polls.await.is_some(), "it completes with the last poll")?;
    settle().await;
    Ok(())
}

/// The same for what takes another number of polls on each host: nothing may be left behind, wherever it
/// is dropped, and at last it completes.
pub(crate) async fn at_any_await<F>(make: impl Fn() -> F) -> Outcome
where
    F: Future<Output = Outcome> + 'static,
{
    for polls in 1..=1000 {
        if let Some(outcome) = Polls::up_to(polls, make()).await {
            return outcome;
        }
        yield_now().await;
    }
    Err("it did not complete within 1,000 polls".to_owned())
}

/// Ends a task when it is dropped.
pub(crate) struct Owned<T>(pub(crate) JoinHandle<T>);

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
