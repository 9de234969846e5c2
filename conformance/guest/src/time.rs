//! Timers and clocks.

use std::future::ready;
use std::pin::pin;
use std::task::Poll;

use kippu::task::{spawn, yield_now};
use kippu::time::{
    Duration, Elapsed, Instant, interval, since_unix_epoch, sleep, sleep_until, timeout,
};

use crate::support::{Log, Outcome, failed, holds, same};

const MS: Duration = Duration::from_millis(1);

pub(crate) async fn sleep_waits() -> Outcome {
    let start = Instant::now();
    sleep(30 * MS).await;
    let took = start.elapsed();
    holds(took >= 30 * MS && took < 5000 * MS, &format!("a sleep of 30 ms took {took:?}"))
}

pub(crate) async fn sleeps_fire_in_order_of_deadline() -> Outcome {
    let log = Log::default();
    let start = Instant::now();
    let tasks = [40u32, 10, 30, 20].map(|ms| {
        let log = log.clone();
        spawn(async move {
            sleep_until(start + ms * MS).await;
            log.add(ms);
        })
    });
    for task in tasks {
        task.await.map_err(failed)?;
    }
    same(log.text().as_str(), "10 20 30 40")
}

pub(crate) async fn equal_deadlines_fire_in_order_of_insertion() -> Outcome {
    let log = Log::default();
    let deadline = Instant::now() + 15 * MS;
    let tasks = [0, 1, 2, 3, 4].map(|i| {
        let log = log.clone();
        spawn(async move {
            sleep_until(deadline).await;
            log.add(i);
        })
    });
    for task in tasks {
        task.await.map_err(failed)?;
    }
    same(log.text().as_str(), "0 1 2 3 4")
}

pub(crate) async fn zero_sleep_is_ready() -> Outcome {
    let mut nap = pin!(sleep(Duration::ZERO));
    let first = std::future::poll_fn(|cx| Poll::Ready(nap.as_mut().poll(cx))).await;
    holds(first.is_ready(), "a sleep of zero is ready at once")
}

pub(crate) async fn timeout_elapses() -> Outcome {
    same(timeout(10 * MS, std::future::pending::<()>()).await, Err(Elapsed))
}

pub(crate) async fn timeout_lets_pass() -> Outcome {
    let value = timeout(5000 * MS, async {
        sleep(5 * MS).await;
        9
    });
    same(value.await, Ok(9))
}

pub(crate) async fn timeout_prefers_the_future() -> Outcome {
    same(timeout(Duration::ZERO, ready(1)).await, Ok(1))
}

pub(crate) async fn interval_ticks() -> Outcome {
    let mut ticks = interval(10 * MS);
    let first = ticks.tick().await;
    let second = ticks.tick().await;
    let apart = second - first;
    let periods = apart.as_nanos() / (10 * MS).as_nanos();
    holds(
        apart.as_nanos().is_multiple_of((10 * MS).as_nanos()) && periods >= 1,
        &format!("{apart:?} apart"),
    )
}

pub(crate) async fn dropped_sleep_wakes_nobody() -> Outcome {
    let mut polls = 0;
    let mut long = pin!(sleep(40 * MS));
    {
        let mut short = pin!(timeout(5000 * MS, sleep(10 * MS)));
        let _ = std::future::poll_fn(|cx| Poll::Ready(short.as_mut().poll(cx).is_ready())).await;
    }
    std::future::poll_fn(|cx| {
        polls += 1;
        long.as_mut().poll(cx)
    })
    .await;
    same(polls, 2)
}

pub(crate) async fn reset_moves_the_deadline() -> Outcome {
    let start = Instant::now();
    let mut nap = sleep(Duration::from_secs(3600));
    let _ = std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut nap).poll(cx))).await;
    nap.reset(start + 10 * MS);
    (&mut nap).await;
    let took = start.elapsed();
    holds(took >= 10 * MS && took < 5000 * MS, &format!("took {took:?}"))
}

pub(crate) async fn thousand_timers() -> Outcome {
    let tasks: Vec<_> = (0..1000u32).map(|i| spawn(sleep((i % 50) * MS))).collect();
    for task in tasks {
        task.await.map_err(failed)?;
    }
    Ok(())
}

pub(crate) async fn clock_is_monotonic() -> Outcome {
    let mut last = Instant::now();
    for _ in 0..1000 {
        let now = Instant::now();
        holds(now >= last, "the clock went back")?;
        last = now;
    }
    yield_now().await;
    holds(Instant::now() >= last, "the clock went back")
}

pub(crate) async fn unix_time_is_now() -> Outcome {
    let years = since_unix_epoch().as_secs() / 31_556_952;
    holds((55..200).contains(&years), &format!("{years} years since 1970"))
}
