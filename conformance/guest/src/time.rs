//! Timers and clocks.

use std::pin::pin;
use std::task::Poll;

use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, Instant, since_unix_epoch, sleep, sleep_until, timeout};

use crate::support::{Log, Outcome, cases, failed, holds, same};

cases!("time":
    sleep_waits,
    sleeps_fire_in_order_of_deadline,
    zero_sleep_is_ready,
    timeout_lets_pass,
    dropped_sleep_wakes_nobody,
    thousand_timers,
    clock_is_monotonic,
    unix_time_is_now,
);

const MS: Duration = Duration::from_millis(1);

async fn sleep_waits() -> Outcome {
    let start = Instant::now();
    sleep(30 * MS).await;
    let took = start.elapsed();
    holds(took >= 30 * MS && took < 5000 * MS, &format!("a sleep of 30 ms took {took:?}"))
}

async fn sleeps_fire_in_order_of_deadline() -> Outcome {
    let log = Log::default();
    let start = Instant::now();
    let tasks = [80u32, 20, 60, 40].map(|ms| {
        let log = log.clone();
        spawn(async move {
            sleep_until(start + ms * MS).await;
            log.add(ms);
        })
    });
    for task in tasks {
        task.await.map_err(failed)?;
    }
    same(log.text().as_str(), "20 40 60 80")
}

async fn zero_sleep_is_ready() -> Outcome {
    let mut nap = pin!(sleep(Duration::ZERO));
    let first = std::future::poll_fn(|cx| Poll::Ready(nap.as_mut().poll(cx))).await;
    holds(first.is_ready(), "a sleep of zero is ready at once")
}

async fn timeout_lets_pass() -> Outcome {
    let value = timeout(5000 * MS, async {
        sleep(5 * MS).await;
        9
    });
    same(value.await, Ok(9))
}

async fn dropped_sleep_wakes_nobody() -> Outcome {
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

async fn thousand_timers() -> Outcome {
    let tasks: Vec<_> = (0..1000u32).map(|i| spawn(sleep((i % 50) * MS))).collect();
    for task in tasks {
        task.await.map_err(failed)?;
    }
    Ok(())
}

async fn clock_is_monotonic() -> Outcome {
    let mut last = Instant::now();
    for _ in 0..1000 {
        let now = Instant::now();
        holds(now >= last, "the clock went back")?;
        last = now;
    }
    yield_now().await;
    holds(Instant::now() >= last, "the clock went back")
}

async fn unix_time_is_now() -> Outcome {
    let years = since_unix_epoch().as_secs() / 31_556_952;
    holds((55..200).contains(&years), &format!("{years} years since 1970"))
}
