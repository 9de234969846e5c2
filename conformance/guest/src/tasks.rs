//! Tasks: order, joining, aborting, fairness.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

use kippu::task::{JoinError, spawn, yield_now};
use kippu::time::{Duration, Instant, sleep};

use crate::support::{Log, LogDrop, Outcome, failed, holds, same};

pub(crate) async fn spawn_runs_in_order() -> Outcome {
    let log = Log::default();
    for i in 0..4 {
        let log = log.clone();
        spawn(async move { log.add(i) }).detach();
    }
    log.add("main");
    yield_now().await;
    same(log.text().as_str(), "main 0 1 2 3")
}

pub(crate) async fn yields_interleave() -> Outcome {
    let log = Log::default();
    let tasks = ["a", "b"].map(|name| {
        let log = log.clone();
        spawn(async move {
            for i in 0..3 {
                log.add(format!("{name}{i}"));
                yield_now().await;
            }
        })
    });
    for task in tasks {
        task.await.map_err(failed)?;
    }
    same(log.text().as_str(), "a0 b0 a1 b1 a2 b2")
}

pub(crate) async fn join_gives_the_output() -> Outcome {
    let task = spawn(async {
        yield_now().await;
        vec![1, 2, 3]
    });
    same(task.await.map_err(failed)?, vec![1, 2, 3])
}

pub(crate) async fn join_after_completion() -> Outcome {
    let task = spawn(async { 7 });
    yield_now().await;
    holds(task.is_finished(), "the task is finished before it is joined")?;
    same(task.await.map_err(failed)?, 7)
}

pub(crate) async fn detached_task_goes_on() -> Outcome {
    let done = Rc::new(Cell::new(false));
    let flag = done.clone();
    drop(spawn(async move {
        yield_now().await;
        flag.set(true);
    }));
    yield_now().await;
    yield_now().await;
    holds(done.get(), "the task went on after its handle was dropped")
}

pub(crate) async fn nested_spawn() -> Outcome {
    let task = spawn(async { spawn(async { spawn(async { 3 }).await }).await });
    same(task.await.map_err(failed)?.map_err(failed)?.map_err(failed)?, 3)
}

fn cancelled<T>(result: Result<T, JoinError>) -> Outcome {
    match result {
        Err(error) if error.is_cancelled() => Ok(()),
        Err(error) => Err(format!("not cancelled, but {error}")),
        Ok(_) => Err("the aborted task gave an output".to_owned()),
    }
}

pub(crate) async fn abort_waiting() -> Outcome {
    let task = spawn(pending::<()>());
    yield_now().await;
    task.abort();
    cancelled(task.await)
}

pub(crate) async fn abort_queued_is_never_polled() -> Outcome {
    let polled = Rc::new(Cell::new(false));
    let flag = polled.clone();
    let task = spawn(async move { flag.set(true) });
    task.abort();
    cancelled(task.await)?;
    holds(!polled.get(), "it was not polled")
}

pub(crate) async fn abort_self() -> Outcome {
    let own = Rc::new(RefCell::new(None::<kippu::task::AbortHandle>));
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
    same(log.text().as_str(), "goes on")
}

pub(crate) async fn abort_completed_does_nothing() -> Outcome {
    let task = spawn(async { 5 });
    yield_now().await;
    task.abort();
    same(task.await.map_err(failed)?, 5)
}

pub(crate) async fn abort_drops_the_future() -> Outcome {
    let log = Log::default();
    let guard = LogDrop(log.clone(), "dropped");
    let task = spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    yield_now().await;
    task.abort();
    log.add("aborted");
    cancelled(task.await)?;
    same(log.text().as_str(), "aborted dropped")
}

pub(crate) async fn wake_after_done() -> Outcome {
    let slot = Rc::new(RefCell::new(None::<Waker>));
    let keep = slot.clone();
    let task = spawn(poll_fn(move |cx| {
        keep.replace(Some(cx.waker().clone()));
        Poll::Ready(1)
    }));
    same(task.await.map_err(failed)?, 1)?;
    let waker = slot.take().ok_or("the waker was kept")?;
    waker.wake_by_ref();
    waker.wake();
    yield_now().await;
    Ok(())
}

pub(crate) async fn busy_task_does_not_starve_a_timer() -> Outcome {
    let stop = Rc::new(Cell::new(false));
    let flag = stop.clone();
    let busy = spawn(async move {
        let mut turns = 0u64;
        while !flag.get() {
            turns += 1;
            yield_now().await;
        }
        turns
    });
    let start = Instant::now();
    sleep(Duration::from_millis(20)).await;
    let took = start.elapsed();
    stop.set(true);
    let turns = busy.await.map_err(failed)?;
    holds(turns > 0, "the busy task ran")?;
    holds(took < Duration::from_secs(5), &format!("a sleep of 20 ms took {took:?}"))
}

pub(crate) async fn ten_thousand_tasks() -> Outcome {
    let tasks: Vec<_> = (0..10_000u64)
        .map(|i| {
            spawn(async move {
                yield_now().await;
                i
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.map_err(failed)?;
    }
    same(sum, 49_995_000)
}

pub(crate) async fn dump_names_the_waiting() -> Outcome {
    let task = kippu::task::Builder::new().name("sleeper").spawn(sleep(Duration::from_secs(60)));
    yield_now().await;
    let dump = kippu::task::dump();
    let sleeper = dump.iter().find(|task| task.name == Some("sleeper")).ok_or("it is listed")?;
    let line = sleeper.to_string();
    task.abort();
    holds(line.contains("tasks.rs") && line.contains("waits for the time"), &line)
}
