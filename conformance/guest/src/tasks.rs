//! Tasks: spawning, joining, waking, and what can be told of them.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

use kippu::task::{Builder, JoinHandle, TaskInfo, TaskState, dump, spawn, yield_now};
use kippu::time::{Duration, sleep};

use crate::support::{Log, Outcome, cases, failed, holds, same};

cases!("tasks":
    spawn_runs_in_order,
    yields_interleave,
    join_gives_the_output,
    join_after_completion,
    join_by_another_task,
    join_moves_between_tasks,
    joins_are_ready_in_order_of_completion,
    join_handles_may_be_dropped_while_waiting,
    outputs_that_nobody_takes_are_dropped,
    a_task_may_hold_what_cannot_be_sent,
    detached_task_goes_on,
    nested_spawn,
    a_long_chain_of_joins,
    wake_after_done,
    a_waker_may_be_woken_by_another_task,
    futures_of_other_crates,
    ten_thousand_tasks,
    many_generations_of_tasks,
    dump_names_the_waiting,
    dump_tells_states,
    dump_lists_the_newest_first,
    dump_forgets_the_completed,
);

async fn spawn_runs_in_order() -> Outcome {
    let log = Log::default();
    for i in 0..4 {
        let log = log.clone();
        spawn(async move { log.add(i) }).detach();
    }
    log.add("main");
    yield_now().await;
    log.says("main 0 1 2 3")
}

async fn yields_interleave() -> Outcome {
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
    log.says("a0 b0 a1 b1 a2 b2")
}

async fn join_gives_the_output() -> Outcome {
    let task = spawn(async {
        yield_now().await;
        vec![1, 2, 3]
    });
    same(task.await.map_err(failed)?, vec![1, 2, 3])
}

async fn join_after_completion() -> Outcome {
    let task = spawn(async { 7 });
    yield_now().await;
    holds(task.is_finished(), "the task is finished before it is joined")?;
    same(task.await.map_err(failed)?, 7)
}

async fn join_by_another_task() -> Outcome {
    let task = spawn(async {
        sleep(Duration::from_millis(1)).await;
        "output"
    });
    let joiner = spawn(async move { task.await.map(str::len) });
    same(joiner.await.map_err(failed)?.map_err(failed)?, 6)
}

async fn join_moves_between_tasks() -> Outcome {
    // The first joiner waits and hands the handle on; the last one that waits is woken.
    let (send, receive) = async_channel::bounded::<()>(1);
    let mut task = spawn(async move { receive.recv().await.is_ok() });
    let mut joined = 0;
    for _ in 0..3 {
        let joiner = spawn(async move {
            let mut once = task;
            let first = poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut once).poll(cx))).await;
            (once, first.is_pending())
        });
        let (back, pending) = joiner.await.map_err(failed)?;
        joined += u32::from(pending);
        task = back;
    }
    same(joined, 3)?;
    send.send(()).await.map_err(failed)?;
    same(task.await.map_err(failed)?, true)
}

async fn joins_are_ready_in_order_of_completion() -> Outcome {
    let log = Log::default();
    let tasks = [3, 1, 2].map(|turns| {
        spawn(async move {
            for _ in 0..turns {
                yield_now().await;
            }
            turns
        })
    });
    let joiners = tasks.map(|task| {
        let log = log.clone();
        spawn(async move {
            if let Ok(turns) = task.await {
                log.add(turns);
            }
        })
    });
    for joiner in joiners {
        joiner.await.map_err(failed)?;
    }
    log.says("1 2 3")
}

async fn join_handles_may_be_dropped_while_waiting() -> Outcome {
    let log = Log::default();
    let events = log.clone();
    let task = spawn(async move {
        yield_now().await;
        yield_now().await;
        events.add("done");
    });
    let mut join = Box::pin(task);
    holds(crate::support::poll_once(&mut join).await.is_pending(), "it is not done yet")?;
    drop(join);
    for _ in 0..3 {
        yield_now().await;
    }
    log.says("done")
}

async fn outputs_that_nobody_takes_are_dropped() -> Outcome {
    let log = Log::default();
    let (detached, dropped, late) =
        (log.guard("detached"), log.guard("dropped"), log.guard("late"));
    spawn(async move { detached }).detach();
    drop(spawn(async move { dropped }));
    let task = spawn(async move { late });
    yield_now().await;
    log.says("detached dropped")?;
    drop(task);
    log.says("detached dropped late")
}

async fn a_task_may_hold_what_cannot_be_sent() -> Outcome {
    let shared = Rc::new(RefCell::new(String::new()));
    let tasks = ["a", "b", "c"].map(|name| {
        let shared = shared.clone();
        spawn(async move {
            yield_now().await;
            shared.borrow_mut().push_str(name);
            shared
        })
    });
    for task in tasks {
        task.await.map_err(failed)?;
    }
    same((shared.borrow().as_str(), Rc::strong_count(&shared)), ("abc", 1))
}

async fn detached_task_goes_on() -> Outcome {
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

async fn nested_spawn() -> Outcome {
    let task = spawn(async { spawn(async { spawn(async { 3 }).await }).await });
    same(task.await.map_err(failed)?.map_err(failed)?.map_err(failed)?, 3)
}

async fn a_long_chain_of_joins() -> Outcome {
    // As deep as this, a recursion would not fit on the stack.
    let mut last: JoinHandle<u32> = spawn(async { 0 });
    for _ in 0..20_000 {
        let before = last;
        last = spawn(async move { before.await.map_or(0, |depth| depth + 1) });
    }
    same(last.await.map_err(failed)?, 20_000)
}

async fn wake_after_done() -> Outcome {
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

async fn a_waker_may_be_woken_by_another_task() -> Outcome {
    let slot = Rc::new(RefCell::new(None::<Waker>));
    let ready = Rc::new(Cell::new(false));
    let (keep, flag) = (slot.clone(), ready.clone());
    let waits = spawn(poll_fn(move |cx| {
        if flag.get() {
            return Poll::Ready("woken");
        }
        let same = keep.borrow().as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if !same {
            keep.replace(Some(cx.waker().clone()));
        }
        Poll::Pending
    }));
    let wakes = spawn(async move {
        yield_now().await;
        ready.set(true);
        if let Some(waker) = slot.take() {
            waker.wake();
        }
    });
    same(waits.await.map_err(failed)?, "woken")?;
    wakes.await.map_err(failed)
}

async fn futures_of_other_crates() -> Outcome {
    use futures_util::stream::{FuturesUnordered, StreamExt};
    // Each future gets a waker of the crate's own, which wakes this task.
    let mut futures: FuturesUnordered<_> = [60, 20, 40]
        .map(|ms| async move {
            sleep(Duration::from_millis(ms)).await;
            ms
        })
        .into_iter()
        .collect();
    let mut found = Vec::new();
    while let Some(ms) = futures.next().await {
        found.push(ms);
    }
    same(found, vec![20, 40, 60])?;
    let (send, receive) = async_channel::bounded::<u32>(2);
    let producer = spawn(async move {
        for i in 0..100 {
            send.send(i).await.map_err(failed)?;
        }
        Ok::<(), String>(())
    });
    let mut sum = 0;
    while let Ok(i) = receive.recv().await {
        sum += i;
    }
    producer.await.map_err(failed)??;
    same(sum, 4950)
}

async fn ten_thousand_tasks() -> Outcome {
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

async fn many_generations_of_tasks() -> Outcome {
    // Memory of tasks is used again, by tasks of other sizes too.
    let mut sum = 0usize;
    for generation in 0..200 {
        let small: Vec<_> = (0..20).map(|i| spawn(async move { i })).collect();
        let large = spawn(async move {
            let block = [generation as u8; 3000];
            yield_now().await;
            block.iter().map(|&byte| usize::from(byte)).sum::<usize>()
        });
        for task in small {
            sum += task.await.map_err(failed)?;
        }
        sum += large.await.map_err(failed)?;
    }
    same(sum, 200 * 190 + 3000 * (0..200).sum::<usize>())
}

/// The live task of a name.
fn find(name: &str) -> Result<TaskInfo, String> {
    dump().into_iter().find(|task| task.name == Some(name)).ok_or(format!("{name} is not listed"))
}

async fn dump_names_the_waiting() -> Outcome {
    let task = Builder::new().name("sleeper").spawn(sleep(Duration::from_secs(60)));
    yield_now().await;
    let sleeper = find("sleeper")?;
    let line = sleeper.to_string();
    task.abort();
    holds(line.starts_with("task \"sleeper\" spawned at "), &line)?;
    holds(line.contains("tasks.rs") && line.contains("waits for the time"), &line)
}

async fn dump_tells_states() -> Outcome {
    let own = Builder::new().name("looks").spawn(async { find("looks").map(|task| task.state) });
    same(own.await.map_err(failed)?, Ok(TaskState::Running))?;
    let task = Builder::new().name("stands").spawn(pending::<()>());
    same(find("stands")?.state, TaskState::Scheduled)?;
    yield_now().await;
    let stands = find("stands")?;
    same(stands.state, TaskState::Waiting)?;
    same(stands.waits_for.to_string().as_str(), "a wake")?;
    task.abort();
    same(find("stands")?.state, TaskState::Scheduled)?;
    yield_now().await;
    holds(find("stands").is_err(), "it is gone")
}

async fn dump_lists_the_newest_first() -> Outcome {
    let tasks =
        ["first", "second", "third"].map(|name| Builder::new().name(name).spawn(pending::<()>()));
    yield_now().await;
    let names: Vec<_> = dump().into_iter().filter_map(|task| task.name).take(3).collect();
    tasks.iter().for_each(|task| task.abort());
    same(names, vec!["third", "second", "first"])
}

async fn dump_forgets_the_completed() -> Outcome {
    let before = dump().len();
    let tasks: Vec<_> = (0..50).map(|_| spawn(yield_now())).collect();
    same(dump().len(), before + 50)?;
    for task in tasks {
        task.await.map_err(failed)?;
    }
    same(dump().len(), before)
}
