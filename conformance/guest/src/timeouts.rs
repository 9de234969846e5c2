//! Timeouts, and races between a future and its deadline.

use std::cell::Cell;
use std::future::{pending, poll_fn, ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, Elapsed, Instant, interval, sleep, sleep_until, timeout};

use crate::cancel_at::operation;
use crate::host::after;
use crate::support::{Log, Outcome, cases, failed, holds, poll_once, same};

cases!("timeouts":
    of_a_ready_future,
    of_nothing_at_all,
    zero_polls_the_future_once,
    both_ready_at_once,
    equal_deadlines_the_future_wins,
    an_earlier_deadline_wins_when_both_are_late,
    the_future_is_dropped_before_it_returns,
    nested_inner_first,
    nested_outer_first,
    nested_equal_deadlines,
    a_timer_inside_is_dropped_with_it,
    dropped_before_its_first_poll,
    that_were_in_time_leave_no_timer,
    of_a_join,
    of_a_busy_task,
    of_the_host,
    of_the_host_again_and_again,
    for_ever,
    the_error_says_so,
    interval_ticks_at_once_and_then_by_its_period,
    interval_skips_what_it_missed,
    interval_is_not_disturbed_by_a_dropped_tick,
    interval_beside_a_timeout,
);

const MS: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(3600);

/// Lets time pass without giving way to anybody.
fn block(duration: Duration) {
    let start = Instant::now();
    while start.elapsed() < duration {}
}

async fn of_a_ready_future() -> Outcome {
    same(timeout(Duration::ZERO, ready(1)).await, Ok(1))?;
    let late = timeout(MS, ready(2));
    block(3 * MS);
    same(late.await, Ok(2))
}

async fn of_nothing_at_all() -> Outcome {
    same(timeout(5 * MS, pending::<()>()).await, Err(Elapsed))
}

async fn zero_polls_the_future_once() -> Outcome {
    let polls = Cell::new(0);
    let counts = poll_fn(|_| {
        polls.set(polls.get() + 1);
        Poll::<()>::Pending
    });
    same(timeout(Duration::ZERO, counts).await, Err(Elapsed))?;
    same(polls.get(), 1)
}

async fn both_ready_at_once() -> Outcome {
    let (send, receive) = async_channel::bounded::<u32>(1);
    let mut race = Box::pin(timeout(15 * MS, receive.recv()));
    holds(poll_once(&mut race).await.is_pending(), "nobody is ready")?;
    send.send(3).await.map_err(failed)?;
    block(20 * MS);
    same(race.await, Ok(Ok(3)))
}

async fn equal_deadlines_the_future_wins() -> Outcome {
    for _ in 0..5 {
        let start = Instant::now();
        let mut race = Box::pin(timeout(15 * MS, sleep_until(start + 14 * MS)));
        holds(poll_once(&mut race).await.is_pending(), "both wait")?;
        // Both deadlines are past when the timers fire.
        block(20 * MS);
        same(race.await, Ok(()))?;
    }
    Ok(())
}

async fn an_earlier_deadline_wins_when_both_are_late() -> Outcome {
    // The future becomes ready by another task, which the same timers wake, after the deadline was.
    let (send, receive) = async_channel::bounded::<u32>(1);
    let start = Instant::now();
    let sender = spawn(async move {
        sleep_until(start + 20 * MS).await;
        send.send(1).await.map_err(failed)
    });
    let race = spawn(timeout(5 * MS, async move { receive.recv().await }));
    yield_now().await;
    block(30 * MS);
    same(race.await.map_err(failed)?, Err(Elapsed))?;
    holds(sender.await.map_err(failed)?.is_err(), "nobody receives any more")
}

async fn the_future_is_dropped_before_it_returns() -> Outcome {
    let log = Log::default();
    let guard = log.guard("dropped");
    let slow = async move {
        let _guard = guard;
        pending::<()>().await;
    };
    same(timeout(2 * MS, slow).await, Err(Elapsed))?;
    log.add("returned");
    log.says("dropped returned")
}

async fn nested_inner_first() -> Outcome {
    let nested = timeout(LONG, timeout(5 * MS, pending::<()>()));
    same(nested.await, Ok(Err(Elapsed)))?;
    let nested = timeout(LONG, timeout(LONG, sleep(2 * MS)));
    same(nested.await, Ok(Ok(())))
}

async fn nested_outer_first() -> Outcome {
    let log = Log::default();
    let guard = log.guard("dropped");
    let inner = timeout(LONG, async move {
        let _guard = guard;
        pending::<()>().await;
    });
    same(timeout(5 * MS, inner).await, Err(Elapsed))?;
    log.says("dropped")
}

async fn nested_equal_deadlines() -> Outcome {
    let nested = timeout(15 * MS, timeout(14 * MS, pending::<()>()));
    let mut nested = Box::pin(nested);
    holds(poll_once(&mut nested).await.is_pending(), "both wait")?;
    block(20 * MS);
    // The inner one is what the outer one asks first.
    same(nested.await, Ok(Err(Elapsed)))
}

async fn a_timer_inside_is_dropped_with_it() -> Outcome {
    let polls = Rc::new(Cell::new(0));
    let count = polls.clone();
    let outer = spawn(async move {
        let _ = timeout(5 * MS, sleep(15 * MS)).await;
        // If the inner timer were left, it would wake this once more.
        let mut nap = pin!(sleep(40 * MS));
        poll_fn(|cx| {
            count.set(count.get() + 1);
            nap.as_mut().poll(cx)
        })
        .await;
    });
    outer.await.map_err(failed)?;
    same(polls.get(), 2)
}

async fn dropped_before_its_first_poll() -> Outcome {
    let log = Log::default();
    let guard = log.guard("dropped");
    drop(timeout(MS, async move {
        let _guard = guard;
    }));
    log.says("dropped")
}

async fn that_were_in_time_leave_no_timer() -> Outcome {
    let mut polls = 0;
    for _ in 0..2000 {
        // In time, unless the machine is so busy that the program stands still; other cases look at that.
        let _ = timeout(20 * MS, yield_now()).await;
    }
    let mut nap = pin!(sleep(60 * MS));
    poll_fn(|cx| {
        polls += 1;
        nap.as_mut().poll(cx)
    })
    .await;
    same(polls, 2)
}

async fn of_a_join() -> Outcome {
    let mut task = spawn(async {
        sleep(80 * MS).await;
        8
    });
    same(timeout(2 * MS, &mut task).await.is_err(), true)?;
    // The task was only not waited for.
    same(timeout(LONG, task).await.map_err(failed)?.map_err(failed)?, 8)
}

async fn of_a_busy_task() -> Outcome {
    let turns = Cell::new(0u64);
    let busy = async {
        loop {
            turns.set(turns.get() + 1);
            yield_now().await;
        }
    };
    same(
        timeout::<std::pin::Pin<Box<dyn Future<Output = ()>>>>(10 * MS, Box::pin(busy)).await,
        Err(Elapsed),
    )?;
    holds(turns.get() > 1, "it ran meanwhile")
}

async fn of_the_host() -> Outcome {
    same(timeout(LONG, after(5, 1)).await, Ok(Ok(1)))?;
    same(timeout(5 * MS, operation(60_000, 2)).await, Err(Elapsed))
}

async fn of_the_host_again_and_again() -> Outcome {
    // Answers and deadlines at about the same time: whoever wins, nothing is lost or mixed up.
    let tasks: Vec<_> =
        (0..400).map(|i| spawn(async move { (i, timeout(5 * MS, after(5, i)).await) })).collect();
    for task in tasks {
        match task.await.map_err(failed)? {
            (_, Err(Elapsed)) => {}
            (i, Ok(answer)) => same(answer, Ok(i))?,
        }
    }
    same(after(1, 7).await, Ok(7))
}

async fn for_ever() -> Outcome {
    same(timeout(Duration::MAX, sleep(2 * MS)).await, Ok(()))?;
    same(timeout(Duration::MAX, after(2, 9)).await, Ok(Ok(9)))
}

async fn the_error_says_so() -> Outcome {
    same(Elapsed.to_string().as_str(), "the time was up")
}

async fn interval_ticks_at_once_and_then_by_its_period() -> Outcome {
    let start = Instant::now();
    let mut ticks = interval(10 * MS);
    let first = ticks.tick().await;
    holds(first - start < 5 * MS || first.elapsed() < 1000 * MS, "the first tick comes at once")?;
    let mut last = first;
    for _ in 0..4 {
        let due = ticks.tick().await;
        holds(due <= Instant::now(), "a tick is not early")?;
        let apart = (due - last).as_nanos();
        holds(apart > 0 && apart.is_multiple_of(10_000_000), &format!("{apart} ns apart"))?;
        last = due;
    }
    Ok(())
}

async fn interval_skips_what_it_missed() -> Outcome {
    let mut ticks = interval(10 * MS);
    let first = ticks.tick().await;
    block(55 * MS);
    // The one that was due meanwhile comes at once, the others never.
    let late = ticks.tick().await;
    same(late - first, 10 * MS)?;
    let next = ticks.tick().await;
    let apart = (next - first).as_nanos();
    holds(apart >= 60_000_000 && apart.is_multiple_of(10_000_000), &format!("{apart} ns apart"))
}

async fn interval_is_not_disturbed_by_a_dropped_tick() -> Outcome {
    let mut ticks = interval(20 * MS);
    let first = ticks.tick().await;
    for _ in 0..3 {
        let mut tick = Box::pin(ticks.tick());
        let _ = poll_once(&mut tick).await;
    }
    let apart = (ticks.tick().await - first).as_nanos();
    holds(apart > 0 && apart.is_multiple_of(20_000_000), &format!("{apart} ns apart"))
}

async fn interval_beside_a_timeout() -> Outcome {
    let mut ticks = interval(5 * MS);
    let mut count = 0;
    let endless = timeout(60 * MS, async {
        loop {
            ticks.tick().await;
            count += 1;
        }
    });
    let ended: Result<(), Elapsed> = endless.await;
    same(ended, Err(Elapsed))?;
    holds((2..=13).contains(&count), &format!("{count} ticks of 5 ms in 60 ms"))
}
