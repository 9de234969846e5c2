//! Cancellation at every await: a future is dropped after its first poll, after its second, and so on until it
//! completes. Each time the right guards have run, in the right order, and nothing is left behind:
//! no task, no operation of the host.

use std::cell::Cell;
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;

use async_channel::{Receiver, bounded};
use futures_util::future::{Either, join3, select};
use kippu::HostError;
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, interval, sleep, timeout};

use crate::polls::{Owned, at_every_await};
use crate::support::{Log, LogDrop, Outcome, cases, failed, holds, same, settle};

cases!("cancel_at":
    every_sleep,
    every_yield,
    every_spawn_and_join,
    every_call_of_the_host,
    every_wait_for_a_channel,
    every_wait_for_a_lock,
    every_timeout,
    every_tick,
    every_await_of_a_join,
    every_await_of_a_race,
    every_await_by_abort,
    a_loop_of_calls,
    many_at_once,
);

/// Long enough that it is not over before it is first polled.
const NAP: Duration = Duration::from_millis(4);

thread_local! {
    /// Natively: how many operations are under way.
    static OPERATIONS: Cell<u32> = const { Cell::new(0) };
}

pub(crate) struct Operation;

impl Operation {
    pub(crate) fn start() -> Operation {
        OPERATIONS.set(OPERATIONS.get() + 1);
        Operation
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        OPERATIONS.set(OPERATIONS.get() - 1);
    }
}

/// `x` after `ms` milliseconds. The host stops waiting when it is cancelled.
#[kippu::host]
pub(crate) async fn operation(ms: u32, x: u32) -> Result<u32, HostError> {
    let _operation = Operation::start();
    sleep(Duration::from_millis(ms.into())).await;
    Ok(x)
}

/// How many operations are under way: neither complete nor cancelled.
#[kippu::host]
pub(crate) fn operations() -> u32 {
    OPERATIONS.get()
}

async fn every_sleep() -> Outcome {
    at_every_await(&["a", "b a", "c b a", "done c b a"], |log| async move {
        let _a = log.guard("a");
        sleep(NAP).await;
        let _b = log.guard("b");
        sleep(2 * NAP).await;
        let _c = log.guard("c");
        sleep(NAP).await;
        log.add("done");
        Ok(())
    })
    .await
}

async fn every_yield() -> Outcome {
    at_every_await(&["a", "b a", "done b a"], |log| async move {
        let _a = log.guard("a");
        yield_now().await;
        let _b = log.guard("b");
        yield_now().await;
        log.add("done");
        Ok(())
    })
    .await
}

async fn every_spawn_and_join() -> Outcome {
    // An aborted task is dropped at its turn, which is after its joiner is gone.
    let expected = ["joiner child", "child second joiner grandchild", "child done second joiner"];
    at_every_await(&expected, |log| async move {
        let _joiner = log.guard("joiner");
        let child = log.guard("child");
        let mut first = Owned(spawn(async move {
            let _child = child;
            sleep(NAP).await;
        }));
        (&mut first.0).await.map_err(failed)?;
        let _second = log.guard("second");
        let grandchild = log.guard("grandchild");
        let mut call = Owned(spawn(async move {
            let answer = operation(4, 5).await;
            if answer == Ok(5) {
                std::mem::forget(grandchild);
            }
            answer
        }));
        same((&mut call.0).await.map_err(failed)?, Ok(5))?;
        log.add("done");
        Ok(())
    })
    .await
}

async fn every_call_of_the_host() -> Outcome {
    at_every_await(&["a", "b a", "done b a"], |log| async move {
        let _a = log.guard("a");
        same(operation(4, 1).await, Ok(1))?;
        let _b = log.guard("b");
        same(operation(4, 2).await, Ok(2))?;
        log.add("done");
        Ok(())
    })
    .await
}

async fn every_wait_for_a_channel() -> Outcome {
    let expected = ["receiver sender", "first receiver sender", "done first receiver sender"];
    at_every_await(&expected, |log| async move {
        let (send, receive) = bounded::<u32>(1);
        let sender = log.guard("sender");
        let _sender = Owned(spawn(async move {
            let _sender = sender;
            for i in 1..=2 {
                sleep(i * NAP).await;
                send.send(i).await.map_err(failed)?;
            }
            pending::<Outcome>().await
        }));
        let _receiver = log.guard("receiver");
        same(receive.recv().await, Ok(1))?;
        let _first = log.guard("first");
        same(receive.recv().await, Ok(2))?;
        log.add("done");
        Ok(())
    })
    .await
}

async fn every_wait_for_a_lock() -> Outcome {
    let lock = Rc::new(async_lock::Mutex::new(0));
    let shared = lock.clone();
    at_every_await(&["a holder", "a holder", "done a holder"], move |log| {
        let lock = shared.clone();
        async move {
            let held = lock.try_lock().ok_or("who was dropped has left the lock")?;
            let (there, holder) = (lock.clone(), log.guard("holder"));
            let _waits = Owned(spawn(async move {
                let _holder = holder;
                *there.lock().await += 1;
                pending::<()>().await;
            }));
            let _a = log.guard("a");
            yield_now().await;
            drop(held);
            yield_now().await;
            *lock.lock().await += 1;
            log.add("done");
            Ok(())
        }
    })
    .await?;
    holds(lock.try_lock().is_some(), "nobody holds the lock")
}

async fn every_timeout() -> Outcome {
    let expected = ["quick a", "quick slow a", "quick slow done a"];
    at_every_await(&expected, |log| async move {
        let _a = log.guard("a");
        let quick = log.guard("quick");
        let in_time = timeout(1000 * NAP, async move {
            let _quick = quick;
            operation(4, 3).await
        });
        same(in_time.await, Ok(Ok(3)))?;
        let slow = log.guard("slow");
        let too_late = timeout(2 * NAP, async move {
            let _slow = slow;
            operation(60_000, 4).await
        });
        holds(too_late.await.is_err(), "the time is up")?;
        log.add("done");
        Ok(())
    })
    .await
}

async fn every_tick() -> Outcome {
    at_every_await(&["one a", "one two a", "one two three done a"], |log| async move {
        let _a = log.guard("a");
        let mut ticks = interval(5 * NAP);
        for name in ["one", "two", "three"] {
            ticks.tick().await;
            log.add(name);
        }
        log.add("done");
        Ok(())
    })
    .await
}

/// Waits for a message, and logs when its part is done or dropped.
async fn part(log: Log, name: &'static str, receive: Receiver<u32>) -> Result<u32, String> {
    let _part = log.guard(name);
    receive.recv().await.map_err(failed)
}

async fn every_await_of_a_join() -> Outcome {
    let expected = [
        "one two three",
        "two one three",
        "two three one",
        "two three one sum a",
        "two three one done sum a",
    ];
    at_every_await(&expected, |log| async move {
        let ((to_one, one), (to_two, two), (to_three, three)) =
            (bounded(1), bounded(1), bounded(1));
        let _feeder = Owned(spawn(async move {
            for (i, send) in (1..).zip([to_two, to_three, to_one]) {
                // The one that joins has its turn in between.
                yield_now().await;
                yield_now().await;
                send.send(i).await.map_err(failed)?;
            }
            Ok::<(), String>(())
        }));
        let (one, two, three) = join3(
            part(log.clone(), "one", one),
            part(log.clone(), "two", two),
            part(log.clone(), "three", three),
        )
        .await;
        let _a = log.guard("a");
        let _sum = log.guard("sum");
        same((one, two, three), (Ok(3), Ok(1), Ok(2)))?;
        same(operation(4, 6).await, Ok(6))?;
        log.add("done");
        Ok(())
    })
    .await
}

async fn every_await_of_a_race() -> Outcome {
    let expected = ["loser winner", "winner a loser", "winner done a loser"];
    at_every_await(&expected, |log| async move {
        let winner = log.guard("winner");
        let loser = log.guard("loser");
        let fast = pin!(async move {
            let _winner = winner;
            sleep(NAP).await;
        });
        let slow = pin!(async move {
            let _loser = loser;
            operation(60_000, 1).await
        });
        let won = select(fast, slow).await;
        holds(matches!(won, Either::Left(_)), "the sleep ends first")?;
        drop(won);
        let _a = log.guard("a");
        same(operation(4, 2).await, Ok(2))?;
        log.add("done");
        Ok(())
    })
    .await
}

async fn every_await_by_abort() -> Outcome {
    // The task is aborted after so many turns; with none it is never polled.
    for (turns, expected) in ["held", "a held", "b a held", "done b a held"].iter().enumerate() {
        let log = Log::default();
        let (events, held) = (log.clone(), log.guard("held"));
        let task = spawn(async move {
            let _held = held;
            let _a = events.guard("a");
            yield_now().await;
            let _b = events.guard("b");
            yield_now().await;
            events.add("done");
        });
        for _ in 0..turns {
            yield_now().await;
        }
        task.abort();
        let joined = task.await;
        same(joined.is_ok(), turns == 3)?;
        log.says(expected).map_err(|error| format!("after {turns} turns: {error}"))?;
    }
    Ok(())
}

async fn a_loop_of_calls() -> Outcome {
    let expected = ["1", "2 1", "3 2 1", "4 3 2 1", "5 4 3 2 1", "done 5 4 3 2 1"];
    at_every_await(&expected, |log| async move {
        // Dropped from the last to the first, as locals are.
        let mut guards = Guards(Vec::new());
        for (i, name) in (1..).zip(["1", "2", "3", "4", "5"]) {
            guards.0.push(log.guard(name));
            same(operation(4, i).await, Ok(i))?;
        }
        log.add("done");
        Ok(())
    })
    .await
}

/// Drops from the last to the first.
struct Guards(Vec<LogDrop>);

impl Drop for Guards {
    fn drop(&mut self) {
        while self.0.pop().is_some() {}
    }
}

async fn many_at_once() -> Outcome {
    // A thousand operations, of which every second is dropped while it waits.
    let tasks: Vec<_> = (0..1000).map(|i| spawn(operation(20, i))).collect();
    yield_now().await;
    for task in tasks.iter().skip(1).step_by(2) {
        task.abort();
    }
    let mut sum = 0;
    for (i, task) in (0..).zip(tasks) {
        match task.await {
            Ok(answer) => sum += answer.map_err(failed)?,
            Err(error) => holds(error.is_cancelled() && i % 2 == 1, &format!("{i}: {error}"))?,
        }
    }
    settle().await;
    same((sum, operations()), (249_500, 0))
}
