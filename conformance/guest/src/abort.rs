//! Aborting: when the future is dropped, in which order, and what joiners see.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use kippu::task::{AbortHandle, JoinError, spawn, yield_now};
use kippu::time::{Duration, sleep};

use crate::support::{Log, Outcome, cases, failed, holds, same};

cases!("abort":
    waiting,
    queued_is_never_polled,
    oneself,
    oneself_in_the_last_poll,
    completed_does_nothing,
    drops_the_future,
    queued_keeps_its_place,
    waiting_goes_to_the_end,
    woken_and_aborted_is_dropped_once,
    twice,
    in_any_order,
    locals_are_dropped_in_reverse,
    a_joiner_leaves_what_it_joins,
    by_a_handle_after_detaching,
    a_handle_outlives_its_task,
    in_a_drop,
    within_a_drop_one_may_spawn,
    a_chain_of_owners,
    a_thousand,
    kinds_of_join_errors,
);

fn cancelled<T>(result: Result<T, JoinError>) -> Outcome {
    match result {
        Err(error) if error.is_cancelled() => Ok(()),
        Err(error) => Err(format!("not cancelled, but {error}")),
        Ok(_) => Err("the aborted task gave an output".to_owned()),
    }
}

async fn waiting() -> Outcome {
    let task = spawn(pending::<()>());
    yield_now().await;
    task.abort();
    holds(!task.is_finished(), "its turn has not come yet")?;
    cancelled(task.await)
}

async fn queued_is_never_polled() -> Outcome {
    let polled = Rc::new(Cell::new(false));
    let flag = polled.clone();
    let task = spawn(async move { flag.set(true) });
    task.abort();
    cancelled(task.await)?;
    holds(!polled.get(), "it was not polled")
}

async fn oneself() -> Outcome {
    let own = Rc::new(RefCell::new(None::<AbortHandle>));
    let handle = own.clone();
    let log = Log::default();
    let events = log.clone();
    let task = spawn(async move {
        if let Some(own) = handle.borrow().as_ref() {
            own.abort();
        }
        events.add("goes on");
        yield_now().await;
        events.add("never");
    });
    own.replace(Some(task.abort_handle()));
    cancelled(task.await)?;
    log.says("goes on")
}

async fn oneself_in_the_last_poll() -> Outcome {
    let own = Rc::new(RefCell::new(None::<AbortHandle>));
    let handle = own.clone();
    let task = spawn(async move {
        if let Some(own) = handle.borrow().as_ref() {
            own.abort();
        }
        6
    });
    own.replace(Some(task.abort_handle()));
    same(task.await.map_err(failed)?, 6)
}

async fn completed_does_nothing() -> Outcome {
    let task = spawn(async { 5 });
    yield_now().await;
    task.abort();
    holds(task.is_finished(), "it is complete")?;
    same(task.await.map_err(failed)?, 5)
}

async fn drops_the_future() -> Outcome {
    let log = Log::default();
    let guard = log.guard("dropped");
    let task = spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    yield_now().await;
    task.abort();
    log.add("aborted");
    cancelled(task.await)?;
    log.says("aborted dropped")
}

/// A task that logs when it runs and when it is dropped.
fn logging(log: &Log, runs: &'static str, drops: &'static str) -> kippu::task::JoinHandle<()> {
    let (log, guard) = (log.clone(), log.guard(drops));
    spawn(async move {
        let _guard = guard;
        log.add(runs);
        pending::<()>().await;
    })
}

async fn queued_keeps_its_place() -> Outcome {
    let log = Log::default();
    let a = logging(&log, "a", "-a");
    let b = logging(&log, "b", "-b");
    let c = logging(&log, "c", "-c");
    b.abort();
    yield_now().await;
    log.says("a -b c")?;
    a.abort();
    c.abort();
    yield_now().await;
    log.says("a -b c -a -c")
}

async fn waiting_goes_to_the_end() -> Outcome {
    let log = Log::default();
    let waits = logging(&log, "waits", "-waits");
    yield_now().await;
    let before = logging(&log, "before", "-before");
    waits.abort();
    let after = logging(&log, "after", "-after");
    yield_now().await;
    log.says("waits before -waits after")?;
    before.abort();
    after.abort();
    Ok(())
}

async fn woken_and_aborted_is_dropped_once() -> Outcome {
    let log = Log::default();
    let waker = Rc::new(RefCell::new(None));
    let (keep, events, guard) = (waker.clone(), log.clone(), log.guard("dropped"));
    let task = spawn(async move {
        let _guard = guard;
        poll_fn(|cx| {
            events.add("polled");
            keep.replace(Some(cx.waker().clone()));
            Poll::<()>::Pending
        })
        .await;
    });
    yield_now().await;
    let waker = waker.take().ok_or("it was polled")?;
    waker.wake_by_ref();
    task.abort();
    waker.wake_by_ref();
    cancelled(task.await)?;
    waker.wake();
    yield_now().await;
    log.says("polled dropped")
}

async fn twice() -> Outcome {
    let log = Log::default();
    let task = logging(&log, "runs", "-runs");
    yield_now().await;
    let handle = task.abort_handle();
    task.abort();
    handle.abort();
    handle.clone().abort();
    cancelled(task.await)?;
    handle.abort();
    yield_now().await;
    log.says("runs -runs")
}

async fn in_any_order() -> Outcome {
    let log = Log::default();
    let tasks = [("a", "-a"), ("b", "-b"), ("c", "-c"), ("d", "-d")]
        .map(|(runs, drops)| logging(&log, runs, drops));
    yield_now().await;
    for i in [2, 0, 3, 1] {
        tasks[i].abort();
    }
    log.add("aborted");
    for task in tasks {
        cancelled(task.await)?;
    }
    log.says("a b c d aborted -c -a -d -b")
}

async fn locals_are_dropped_in_reverse() -> Outcome {
    let log = Log::default();
    let events = log.clone();
    let task = spawn(async move {
        let _first = events.guard("first");
        let _second = events.guard("second");
        let inner = async {
            let _third = events.guard("third");
            pending::<()>().await;
        };
        inner.await;
    });
    yield_now().await;
    task.abort();
    cancelled(task.await)?;
    log.says("third second first")
}

async fn a_joiner_leaves_what_it_joins() -> Outcome {
    let done = Rc::new(Cell::new(false));
    let flag = done.clone();
    let child = spawn(async move {
        sleep(Duration::from_millis(20)).await;
        flag.set(true);
    });
    let joiner = spawn(child);
    yield_now().await;
    joiner.abort();
    holds(joiner.await.is_err(), "the joiner was aborted")?;
    holds(!done.get(), "the child still sleeps")?;
    sleep(Duration::from_millis(60)).await;
    holds(done.get(), "the child went on by itself")
}

async fn by_a_handle_after_detaching() -> Outcome {
    let log = Log::default();
    let task = logging(&log, "runs", "-runs");
    let handle = task.abort_handle();
    task.detach();
    yield_now().await;
    holds(!handle.is_finished(), "it waits")?;
    handle.abort();
    yield_now().await;
    holds(handle.is_finished(), "it was dropped")?;
    log.says("runs -runs")
}

async fn a_handle_outlives_its_task() -> Outcome {
    let task = spawn(async { vec![1, 2, 3] });
    let handle = task.abort_handle();
    same(task.await.map_err(failed)?, vec![1, 2, 3])?;
    holds(handle.is_finished(), "it is complete")?;
    handle.abort();
    let other = spawn(async { 4 });
    handle.abort();
    same(other.await.map_err(failed)?, 4)
}

/// Aborts a task when it is dropped.
struct Aborts(AbortHandle);

impl Drop for Aborts {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn in_a_drop() -> Outcome {
    let log = Log::default();
    let second = logging(&log, "second", "-second");
    let (guard, owned) = (log.guard("-first"), Aborts(second.abort_handle()));
    let first = spawn(async move {
        let _owned = owned;
        let _guard = guard;
        pending::<()>().await;
    });
    yield_now().await;
    first.abort();
    cancelled(first.await)?;
    cancelled(second.await)?;
    log.says("second -first -second")
}

async fn within_a_drop_one_may_spawn() -> Outcome {
    struct Spawns(Log);
    impl Drop for Spawns {
        fn drop(&mut self) {
            let log = self.0.clone();
            log.add("dropped");
            spawn(async move { log.add("spawned") }).detach();
        }
    }
    let log = Log::default();
    let spawns = Spawns(log.clone());
    let task = spawn(async move {
        let _spawns = spawns;
        pending::<()>().await;
    });
    yield_now().await;
    task.abort();
    cancelled(task.await)?;
    yield_now().await;
    log.says("dropped spawned")
}

async fn a_chain_of_owners() -> Outcome {
    // Each task owns the next one: aborting the first ends them all, one turn after the other.
    let mut last = spawn(pending::<()>());
    let watched = last.abort_handle();
    for _ in 0..100 {
        let owned = Aborts(last.abort_handle());
        last = spawn(async move {
            let _owned = owned;
            let _ = last.await;
        });
    }
    yield_now().await;
    last.abort();
    cancelled(last.await)?;
    for _ in 0..100 {
        yield_now().await;
    }
    holds(watched.is_finished(), "the last of the chain is gone")
}

async fn a_thousand() -> Outcome {
    let dropped = Rc::new(Cell::new(0));
    struct Counts(Rc<Cell<u32>>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let counts = Counts(dropped.clone());
            spawn(async move {
                let _counts = counts;
                sleep(Duration::from_secs(3600)).await;
            })
        })
        .collect();
    yield_now().await;
    tasks.iter().for_each(|task| task.abort());
    same(dropped.get(), 0)?;
    for task in tasks {
        cancelled(task.await)?;
    }
    same(dropped.get(), 1000)
}

async fn kinds_of_join_errors() -> Outcome {
    let task = spawn(pending::<()>());
    task.abort();
    let error = task.await.err().ok_or("it was aborted")?;
    holds(error.is_cancelled() && !error.is_panic(), "it is cancelled and nothing else")?;
    same(error.panic_message(), None)?;
    same(error.to_string().as_str(), "task was cancelled")?;
    let back = error.try_into_panic().err().ok_or("it did not panic")?;
    holds(back.is_cancelled(), "the error comes back")
}
