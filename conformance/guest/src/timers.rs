//! Timers: order, cancelling, many of them, and far ones.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, Instant, Sleep, interval, sleep, sleep_until};

use crate::support::{Log, Outcome, cases, failed, holds, poll_once, same};

cases!("timers":
    equal_deadlines_keep_the_order_of_insertion,
    mixed_deadlines_fire_by_deadline_then_insertion,
    deadlines_of_every_scale_fire_in_order,
    cancelled_ones_leave_the_others_in_order,
    cancelled_at_the_same_deadline,
    a_timer_that_is_reset_is_inserted_anew,
    reset_to_earlier_and_later,
    a_past_deadline_is_ready,
    far_ones_do_not_fire,
    the_end_of_time,
    a_sleep_counts_from_when_it_is_made,
    a_sleep_knows_its_deadline,
    a_sleep_moves_between_tasks,
    the_last_waker_counts,
    timers_made_by_timers,
    parts_of_a_millisecond,
    sleep_never_wakes_early,
    ten_thousand_at_once,
    ten_thousand_cancelled,
    instants_are_compared_and_reckoned,
);

const MS: Duration = Duration::from_millis(1);

/// The names in order of their deadlines, which are in so many milliseconds after all have been inserted.
async fn fired(deadlines: &[(u32, u32)], start: Instant) -> Result<Vec<u32>, String> {
    let order = Rc::new(std::cell::RefCell::new(Vec::new()));
    let tasks: Vec<_> = deadlines
        .iter()
        .map(|&(name, ms)| {
            let order = order.clone();
            spawn(async move {
                sleep_until(start + (50 + ms) * MS).await;
                order.borrow_mut().push(name);
            })
        })
        .collect();
    for task in tasks {
        task.await.map_err(failed)?;
    }
    Ok(order.take())
}

async fn equal_deadlines_keep_the_order_of_insertion() -> Outcome {
    let deadlines: Vec<_> = (0..500).map(|i| (i, 20)).collect();
    same(fired(&deadlines, Instant::now()).await?, (0..500).collect())
}

async fn mixed_deadlines_fire_by_deadline_then_insertion() -> Outcome {
    let deadlines: Vec<_> = (0..500).map(|i| (i, 10 + (i * 7) % 50)).collect();
    let found = fired(&deadlines, Instant::now()).await?;
    let mut expected = deadlines;
    expected.sort_by_key(|&(_, ms)| ms);
    same(found, expected.into_iter().map(|(name, _)| name).collect())
}

async fn deadlines_of_every_scale_fire_in_order() -> Outcome {
    let scale = [300, 1, 130, 17, 65, 2, 257, 40, 3, 9, 64, 63, 128, 255, 256];
    let found = fired(&scale.map(|ms| (ms, ms)), Instant::now()).await?;
    let mut expected = scale.to_vec();
    expected.sort_unstable();
    same(found, expected)
}

async fn cancelled_ones_leave_the_others_in_order() -> Outcome {
    let start = Instant::now();
    let log = Log::default();
    let tasks: Vec<_> = (0..20)
        .map(|i| {
            let log = log.clone();
            spawn(async move {
                // Late enough that none fires before it is cancelled, also on a machine that is busy.
                sleep_until(start + (400 - i) * MS).await;
                log.add(i);
            })
        })
        .collect();
    yield_now().await;
    for task in tasks.iter().step_by(2) {
        task.abort();
    }
    for task in tasks {
        let _ = task.await;
    }
    log.says("19 17 15 13 11 9 7 5 3 1")
}

async fn cancelled_at_the_same_deadline() -> Outcome {
    let deadline = Instant::now() + 40 * MS;
    let log = Log::default();
    let tasks: Vec<_> = (0..9)
        .map(|i| {
            let log = log.clone();
            spawn(async move {
                sleep_until(deadline).await;
                log.add(i);
            })
        })
        .collect();
    yield_now().await;
    // The first, one in the middle, and the last.
    for i in [0, 4, 8] {
        tasks[i].abort();
    }
    for task in tasks {
        let _ = task.await;
    }
    log.says("1 2 3 5 6 7")
}

async fn a_timer_that_is_reset_is_inserted_anew() -> Outcome {
    let deadline = Instant::now() + 40 * MS;
    let log = Log::default();
    let (events, there) = (log.clone(), log.clone());
    let moved = spawn(async move {
        let mut nap = sleep_until(deadline);
        let mut first = Box::pin(async { (&mut nap).await });
        let pending = poll_once(&mut first).await.is_pending();
        drop(first);
        yield_now().await;
        nap.reset(deadline);
        nap.await;
        events.add("moved");
        pending
    });
    let other = spawn(async move {
        sleep_until(deadline).await;
        there.add("other");
    });
    holds(moved.await.map_err(failed)?, "it waited")?;
    other.await.map_err(failed)?;
    log.says("other moved")
}

async fn poll_sleep(nap: &mut Sleep) -> Poll<()> {
    std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *nap).poll(cx))).await
}

async fn reset_to_earlier_and_later() -> Outcome {
    let start = Instant::now();
    let mut nap = sleep(Duration::from_secs(3600));
    holds(poll_sleep(&mut nap).await.is_pending(), "an hour is long")?;
    nap.reset(start + 10 * MS);
    (&mut nap).await;
    holds(start.elapsed() >= 10 * MS && start.elapsed() < 5000 * MS, "it was moved to earlier")?;
    let again = Instant::now();
    nap.reset(again + 10 * MS);
    holds(poll_sleep(&mut nap).await.is_pending(), "it starts anew")?;
    nap.reset(again + 30 * MS);
    nap.await;
    holds(again.elapsed() >= 30 * MS, "it was moved to later")
}

async fn a_past_deadline_is_ready() -> Outcome {
    let start = Instant::now();
    sleep(5 * MS).await;
    let mut nap = sleep_until(start);
    holds(nap.is_elapsed(), "its deadline is past")?;
    holds(poll_sleep(&mut nap).await.is_ready(), "it is ready at its first poll")?;
    let mut now = sleep_until(Instant::now());
    holds(poll_sleep(&mut now).await.is_ready(), "so is one of now")
}

async fn far_ones_do_not_fire() -> Outcome {
    let days = |n: u64| Duration::from_secs(n * 86_400);
    let far = [days(1), days(25), days(50), days(400), days(36_500), Duration::MAX];
    let woken = Rc::new(Cell::new(0));
    let tasks = far.map(|duration| {
        let woken = woken.clone();
        spawn(async move {
            sleep(duration).await;
            woken.set(woken.get() + 1);
        })
    });
    // A host whose timers count in 32 bits must not fire these at once, nor let them hide a near one.
    sleep(30 * MS).await;
    tasks.iter().for_each(|task| task.abort());
    for task in tasks {
        holds(task.await.is_err(), "it was aborted")?;
    }
    same(woken.get(), 0)
}

async fn the_end_of_time() -> Outcome {
    let now = Instant::now();
    same(now.checked_add(Duration::MAX), None)?;
    same(now.checked_sub(Duration::MAX), None)?;
    holds(now.checked_add(Duration::from_secs(1 << 33)).is_some(), "272 years are fine")?;
    let nap = sleep(Duration::MAX);
    holds(!nap.is_elapsed() && nap.deadline() > now, "it is in the future")
}

async fn a_sleep_counts_from_when_it_is_made() -> Outcome {
    let nap = sleep(40 * MS);
    let start = Instant::now();
    sleep(60 * MS).await;
    let middle = Instant::now();
    nap.await;
    holds(middle - start >= 60 * MS, "the first sleep took its time")?;
    holds(middle.elapsed() < 2000 * MS, "the second was over when it was awaited")
}

async fn a_sleep_knows_its_deadline() -> Outcome {
    let deadline = Instant::now() + 5 * MS;
    let mut nap = sleep_until(deadline);
    same((nap.deadline(), nap.is_elapsed()), (deadline, false))?;
    (&mut nap).await;
    same((nap.deadline(), nap.is_elapsed()), (deadline, true))?;
    holds(Instant::now() >= deadline, "the deadline has come")
}

async fn a_sleep_moves_between_tasks() -> Outcome {
    let mut nap = sleep(15 * MS);
    holds(poll_sleep(&mut nap).await.is_pending(), "it waits in this task")?;
    let other = spawn(async move {
        nap.await;
        "woken in the other"
    });
    same(other.await.map_err(failed)?, "woken in the other")
}

async fn the_last_waker_counts() -> Outcome {
    let polls = Rc::new(Cell::new(0));
    let nap = Rc::new(std::cell::RefCell::new(sleep(15 * MS)));
    let (count, shared) = (polls.clone(), nap.clone());
    // Polls it once and then waits for ever: the timer wakes whoever polled last.
    let first = spawn(std::future::poll_fn(move |cx| {
        count.set(count.get() + 1);
        let _ = Pin::new(&mut *shared.borrow_mut()).poll(cx);
        Poll::<()>::Pending
    }));
    yield_now().await;
    std::future::poll_fn(|cx| Pin::new(&mut *nap.borrow_mut()).poll(cx)).await;
    yield_now().await;
    first.abort();
    same(polls.get(), 1)
}

async fn timers_made_by_timers() -> Outcome {
    let start = Instant::now();
    let mut naps = 0;
    while start.elapsed() < 40 * MS {
        sleep(2 * MS).await;
        let inner = spawn(sleep(MS));
        inner.await.map_err(failed)?;
        naps += 1;
    }
    holds((1..=14).contains(&naps), &format!("{naps} naps of 3 ms in 40 ms"))
}

async fn parts_of_a_millisecond() -> Outcome {
    for nanos in [1, 999, 1000, 250_000, 999_999, 1_000_001] {
        let wait = Duration::from_nanos(nanos);
        let start = Instant::now();
        sleep(wait).await;
        holds(start.elapsed() >= wait, &format!("{wait:?} was cut short"))?;
    }
    Ok(())
}

async fn sleep_never_wakes_early() -> Outcome {
    let tasks: Vec<_> = (1..60u32)
        .map(|i| {
            spawn(async move {
                let wait = i * MS * 7 / 10;
                let start = Instant::now();
                sleep(wait).await;
                (wait, start.elapsed())
            })
        })
        .collect();
    for task in tasks {
        let (wait, took) = task.await.map_err(failed)?;
        holds(took >= wait, &format!("a sleep of {wait:?} took {took:?}"))?;
    }
    Ok(())
}

async fn ten_thousand_at_once() -> Outcome {
    let start = Instant::now();
    let tasks: Vec<_> =
        (0..10_000u32).map(|i| spawn(sleep_until(start + (20 + i % 100) * MS))).collect();
    for task in tasks {
        task.await.map_err(failed)?;
    }
    holds(start.elapsed() >= 119 * MS, "the last one was waited for")
}

async fn ten_thousand_cancelled() -> Outcome {
    {
        let tasks: Vec<_> = (0..10_000u32).map(|i| spawn(sleep((10 + i % 30) * MS))).collect();
        yield_now().await;
        tasks.iter().for_each(|task| task.abort());
    }
    let mut long = pin!(sleep(60 * MS));
    let mut polls = 0;
    std::future::poll_fn(|cx| {
        polls += 1;
        long.as_mut().poll(cx)
    })
    .await;
    same(polls, 2)
}

async fn instants_are_compared_and_reckoned() -> Outcome {
    let start = Instant::now();
    let later = start + 1500 * MS;
    same(later - start, 1500 * MS)?;
    // Never negative.
    same(start - later, Duration::ZERO)?;
    same(start.duration_since(later), Duration::ZERO)?;
    same(later - 1500 * MS, start)?;
    let mut moving = start;
    moving += 2 * MS;
    moving -= MS;
    same(moving, start + MS)?;
    holds(start < later && later > moving, "they are ordered")?;
    let ticks = interval(7 * MS);
    same(ticks.period(), 7 * MS)
}
