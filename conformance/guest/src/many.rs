//! The same things in small and large numbers, also around those at which a host may run out of something.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use async_channel::{Receiver, Sender};
use futures_util::future::join_all;
use kippu::task::{JoinHandle, spawn, yield_now};
use kippu::time::{Duration, Instant, Sleep, interval, sleep, sleep_until};

use crate::support::{Outcome, cases, failed, holds, poll_once, same, settle};

cases!("many":
    timers_1_on_one_deadline,
    timers_126_on_one_deadline,
    timers_127_on_one_deadline,
    timers_128_on_one_deadline,
    timers_129_on_one_deadline,
    timers_1_000_on_one_deadline,
    timers_10_000_on_one_deadline,
    timers_1_spread,
    timers_126_spread,
    timers_127_spread,
    timers_128_spread,
    timers_129_spread,
    timers_1_000_spread,
    timers_10_000_spread,
    timers_of_one_task,
    timers_again_and_again,
    timers_each_earlier_than_the_one_before,
    timers_dropped_in_any_order,
    timers_dropped_when_they_are_due,
    a_busy_task_beside_timers,
    a_busy_task_beside_due_timers,
    ticks_beside_timers,
    tasks_and_wakes,
    wakes_from_one_place,
    a_wake_through_all,
    spawned_and_aborted_in_any_order,
    a_hundred_thousand_spawned,
);

const MS: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(3600);
/// No host takes that long for what the cases do.
const TOO_LONG: Duration = Duration::from_secs(10);
const NUMBERS: [u32; 6] = [1, 126, 127, 128, 129, 1000];

/// Sleeps in `number` tasks whose deadlines are spread over `spread` from 30 ms on. Each is woken once, and not early.
async fn timers(number: u32, spread: Duration) -> Outcome {
    let start = Instant::now();
    let woken = Rc::new(Cell::new(0));
    let tasks: Vec<_> = (0..number)
        .map(|i| {
            let deadline = start + 30 * MS + spread * i / number.max(2).saturating_sub(1);
            let woken = woken.clone();
            spawn(async move {
                sleep_until(deadline).await;
                woken.set(woken.get() + 1);
                Instant::now() >= deadline
            })
        })
        .collect();
    for (i, task) in tasks.into_iter().enumerate() {
        holds(task.await.map_err(failed)?, &format!("timer {i} of {number} was early"))?;
    }
    same(woken.get(), number)?;
    let took = start.elapsed();
    holds(took < spread + TOO_LONG, &format!("{number} timers over {spread:?} took {took:?}"))
}

async fn timers_1_on_one_deadline() -> Outcome {
    timers(1, Duration::ZERO).await
}

async fn timers_126_on_one_deadline() -> Outcome {
    timers(126, Duration::ZERO).await
}

async fn timers_127_on_one_deadline() -> Outcome {
    timers(127, Duration::ZERO).await
}

async fn timers_128_on_one_deadline() -> Outcome {
    timers(128, Duration::ZERO).await
}

async fn timers_129_on_one_deadline() -> Outcome {
    timers(129, Duration::ZERO).await
}

async fn timers_1_000_on_one_deadline() -> Outcome {
    timers(1000, Duration::ZERO).await
}

async fn timers_10_000_on_one_deadline() -> Outcome {
    timers(10_000, Duration::ZERO).await
}

async fn timers_1_spread() -> Outcome {
    timers(1, 100 * MS).await
}

async fn timers_126_spread() -> Outcome {
    timers(126, 100 * MS).await
}

async fn timers_127_spread() -> Outcome {
    timers(127, 100 * MS).await
}

async fn timers_128_spread() -> Outcome {
    timers(128, 100 * MS).await
}

async fn timers_129_spread() -> Outcome {
    timers(129, 100 * MS).await
}

async fn timers_1_000_spread() -> Outcome {
    timers(1000, 100 * MS).await
}

async fn timers_10_000_spread() -> Outcome {
    timers(10_000, 100 * MS).await
}

async fn timers_of_one_task() -> Outcome {
    for number in NUMBERS {
        let start = Instant::now();
        let deadline = start + 10 * MS;
        join_all((0..number).map(|_| sleep_until(deadline))).await;
        let took = start.elapsed();
        holds(took >= 10 * MS, &format!("{number} timers of 10 ms took {took:?}"))?;
        holds(took < TOO_LONG, &format!("{number} timers of 10 ms took {took:?}"))?;
    }
    Ok(())
}

async fn timers_again_and_again() -> Outcome {
    // Each round leaves timers behind that are far away, and some that are dropped.
    let mut kept = Vec::new();
    for round in 1..=20u32 {
        let mut others: Vec<_> =
            (0..30).map(|i| Box::pin(sleep(LONG + (round * 30 + i) * MS))).collect();
        for other in &mut others {
            holds(poll_once(other).await.is_pending(), "an hour is long")?;
        }
        kept.extend(others.drain(..7));
        let start = Instant::now();
        sleep(MS).await;
        let took = start.elapsed();
        holds(took >= MS, &format!("1 ms took {took:?} in round {round}"))?;
        holds(took < TOO_LONG, &format!("1 ms took {took:?} in round {round}"))?;
    }
    same(kept.len(), 140)
}

async fn timers_each_earlier_than_the_one_before() -> Outcome {
    let start = Instant::now();
    let mut tasks = Vec::new();
    for i in 0..150u32 {
        tasks.push(spawn(sleep_until(start + 200 * MS - i * MS)));
        // The host is asked for an earlier time, again and again.
        settle_once().await;
    }
    for task in tasks {
        task.await.map_err(failed)?;
    }
    let took = start.elapsed();
    holds(took >= 200 * MS && took < TOO_LONG, &format!("200 ms took {took:?}"))
}

/// Lets everything run that is runnable.
async fn settle_once() {
    yield_now().await;
    yield_now().await;
}

/// The numbers below `number` in an order that is neither forward nor backward.
fn shuffled(number: usize) -> Vec<usize> {
    // 7919 is a prime that divides no `number` used here.
    (0..number).map(|i| (i * 7919 + 3) % number).collect()
}

/// Forward, backward and shuffled.
fn orders(number: usize) -> [Vec<usize>; 3] {
    [(0..number).collect(), (0..number).rev().collect(), shuffled(number)]
}

async fn timers_dropped_in_any_order() -> Outcome {
    for number in NUMBERS {
        for order in orders(number as usize) {
            let mut naps: Vec<Option<Pin<Box<Sleep>>>> = Vec::new();
            for i in 0..number {
                let mut nap = Box::pin(sleep(LONG + (i % 17) * MS));
                holds(poll_once(&mut nap).await.is_pending(), "an hour is long")?;
                naps.push(Some(nap));
            }
            settle_once().await;
            for i in order {
                naps[i] = None;
            }
            let start = Instant::now();
            sleep(MS).await;
            holds(start.elapsed() < TOO_LONG, "a timer is left that hides another")?;
        }
    }
    Ok(())
}

async fn timers_dropped_when_they_are_due() -> Outcome {
    for order in orders(129) {
        let deadline = Instant::now() + 2 * MS;
        let mut naps: Vec<Option<Pin<Box<Sleep>>>> = Vec::new();
        for _ in 0..129 {
            let mut nap = Box::pin(sleep_until(deadline));
            let _ = poll_once(&mut nap).await;
            naps.push(Some(nap));
        }
        while Instant::now() < deadline {}
        for i in order {
            naps[i] = None;
        }
        settle().await;
    }
    Ok(())
}

/// A task that does nothing but give way, for as long as it is not aborted.
fn busy(turns: &Rc<Cell<u64>>) -> JoinHandle<()> {
    let turns = turns.clone();
    spawn(async move {
        loop {
            turns.set(turns.get() + 1);
            yield_now().await;
        }
    })
}

async fn a_busy_task_beside_timers() -> Outcome {
    for pending in [0, 1, 100, 127, 128, 1000] {
        let turns = Rc::new(Cell::new(0));
        let timers: Vec<_> = (0..pending).map(|i| spawn(sleep(LONG + i * MS))).collect();
        let busy = busy(&turns);
        let start = Instant::now();
        for _ in 0..10_000 {
            yield_now().await;
        }
        busy.abort();
        timers.iter().for_each(|timer| timer.abort());
        holds(turns.get() >= 9_999, &format!("{} turns beside {pending} timers", turns.get()))?;
        holds(start.elapsed() < TOO_LONG, &format!("slow beside {pending} timers"))?;
    }
    Ok(())
}

async fn a_busy_task_beside_due_timers() -> Outcome {
    let turns = Rc::new(Cell::new(0));
    let busy = busy(&turns);
    let start = Instant::now();
    let timers: Vec<_> =
        (0..100u32).map(|i| spawn(sleep_until(start + (5 + i / 2) * MS))).collect();
    for timer in timers {
        timer.await.map_err(failed)?;
    }
    let took = start.elapsed();
    busy.abort();
    holds(took >= 54 * MS && took < TOO_LONG, &format!("54 ms took {took:?}"))?;
    holds(turns.get() > 100, &format!("the busy task had {} turns", turns.get()))
}

async fn ticks_beside_timers() -> Outcome {
    let timers: Vec<_> = (0..100).map(|i| spawn(sleep(LONG + i * MS))).collect();
    let start = Instant::now();
    let mut ticks = interval(2 * MS);
    for _ in 0..20 {
        ticks.tick().await;
    }
    let took = start.elapsed();
    timers.iter().for_each(|timer| timer.abort());
    // The first tick is at once.
    holds(took >= 38 * MS && took < TOO_LONG, &format!("19 times 2 ms took {took:?}"))
}

async fn tasks_and_wakes() -> Outcome {
    for number in [1, 126, 127, 128, 129, 1000, 10_000] {
        let (send, receive) = async_channel::bounded::<u32>(1);
        let tasks: Vec<_> = (0..number)
            .map(|i| {
                let send = send.clone();
                spawn(async move { send.send(i).await })
            })
            .collect();
        drop(send);
        let mut sum = 0;
        while let Ok(i) = receive.recv().await {
            sum += u64::from(i);
        }
        for task in tasks {
            task.await.map_err(failed)?.map_err(failed)?;
        }
        same(sum, u64::from(number) * (u64::from(number) - 1) / 2)?;
    }
    Ok(())
}

async fn wakes_from_one_place() -> Outcome {
    for number in [1, 126, 127, 128, 129, 1000, 10_000] {
        let (send, receive) = async_channel::bounded::<()>(1);
        let tasks: Vec<_> = (0..number)
            .map(|_| {
                let receive = receive.clone();
                spawn(async move { receive.recv().await.is_err() })
            })
            .collect();
        settle_once().await;
        // Closes the channel, which wakes all that wait.
        drop(send);
        for task in tasks {
            holds(task.await.map_err(failed)?, "the channel was closed")?;
        }
    }
    Ok(())
}

type Ends = (Sender<u32>, Receiver<u32>);

async fn a_wake_through_all() -> Outcome {
    let (first, mut last) = async_channel::bounded::<u32>(1);
    let mut tasks = Vec::new();
    for _ in 0..1000 {
        let (send, receive): Ends = async_channel::bounded(1);
        let before = std::mem::replace(&mut last, receive);
        tasks.push(spawn(async move {
            while let Ok(count) = before.recv().await {
                send.send(count + 1).await.map_err(failed)?;
            }
            Ok::<(), String>(())
        }));
    }
    for round in 0..10 {
        first.send(round).await.map_err(failed)?;
        same(last.recv().await, Ok(round + 1000))?;
    }
    drop(first);
    for task in tasks {
        task.await.map_err(failed)??;
    }
    Ok(())
}

async fn spawned_and_aborted_in_any_order() -> Outcome {
    for number in [1, 127, 128, 1000] {
        for order in orders(number) {
            let dropped = Rc::new(Cell::new(0));
            let tasks: Vec<_> = (0..number)
                .map(|i| {
                    let guard = CountDrop(dropped.clone());
                    spawn(async move {
                        // Some wait for a timer, some for nothing, and some have not run yet when they are aborted.
                        match i % 3 {
                            0 => sleep(LONG).await,
                            1 => std::future::pending().await,
                            _ => yield_now().await,
                        }
                        drop(guard);
                    })
                })
                .collect();
            if number % 2 == 0 {
                yield_now().await;
            }
            for i in order {
                tasks[i].abort();
            }
            for task in tasks {
                let _ = task.await;
            }
            same(dropped.get(), number)?;
        }
    }
    Ok(())
}

/// Counts its drops.
struct CountDrop(Rc<Cell<usize>>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

async fn a_hundred_thousand_spawned() -> Outcome {
    let mut sum = 0u64;
    for _ in 0..100 {
        let tasks: Vec<_> = (0..1000u64).map(|i| spawn(async move { i })).collect();
        for task in tasks {
            sum += task.await.map_err(failed)?;
        }
    }
    same(sum, 100 * 499_500)
}
