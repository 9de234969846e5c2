//! Fairness: who runs when, exactly, and that nobody is forgotten.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, Instant, sleep};

use crate::support::{Log, Outcome, cases, failed, holds, same};

cases!("fairness":
    a_greedy_task_gets_one_turn_in_each_round,
    woken_goes_to_the_end,
    spawned_goes_to_the_end,
    two_wakes_are_one_turn,
    a_wake_within_a_poll_is_one_more_turn,
    wakes_keep_their_order,
    a_joiner_goes_to_the_end,
    ten_thousand_ready_tasks_run_in_order,
    rounds_of_ten_thousand_stay_in_order,
    a_budget_does_not_change_the_order,
    a_hundred_thousand_yields,
    two_tasks_play_ping_pong,
    a_busy_task_does_not_starve_a_timer,
    ten_thousand_busy_tasks_do_not_starve_a_timer,
    a_long_poll_delays_but_loses_nothing,
);

async fn a_greedy_task_gets_one_turn_in_each_round() -> Outcome {
    let log = Log::default();
    let task = |name: &'static str, turns: usize| {
        let log = log.clone();
        spawn(async move {
            for _ in 0..turns {
                log.add(name);
                yield_now().await;
            }
        })
    };
    let tasks = [task("a", 2), task("GREEDY", 5), task("b", 3), task("c", 1)];
    for task in tasks {
        task.await.map_err(failed)?;
    }
    log.says("a GREEDY b c a GREEDY b GREEDY b GREEDY GREEDY")
}

/// Waits until it is woken by what it puts into `slot`.
async fn parked(slot: Rc<RefCell<Option<Waker>>>) {
    let mut first = true;
    poll_fn(|cx| {
        if !std::mem::take(&mut first) {
            return Poll::Ready(());
        }
        slot.replace(Some(cx.waker().clone()));
        Poll::Pending
    })
    .await;
}

async fn woken_goes_to_the_end() -> Outcome {
    let log = Log::default();
    let slot = Rc::new(RefCell::new(None));
    let (events, park) = (log.clone(), slot.clone());
    let sleeper = spawn(async move {
        parked(park).await;
        events.add("woken");
    });
    yield_now().await;
    let add = |name| {
        let log = log.clone();
        spawn(async move { log.add(name) })
    };
    let before = add("before");
    slot.take().ok_or("it waits")?.wake();
    let after = add("after");
    for task in [before, sleeper, after] {
        task.await.map_err(failed)?;
    }
    log.says("before woken after")
}

async fn spawned_goes_to_the_end() -> Outcome {
    let log = Log::default();
    let (events, inner) = (log.clone(), log.clone());
    let outer = spawn(async move {
        events.add("outer");
        let child = spawn(async move { inner.add("child") });
        events.add("spawned");
        child.await
    });
    let events = log.clone();
    let next = spawn(async move { events.add("next") });
    next.await.map_err(failed)?;
    outer.await.map_err(failed)?.map_err(failed)?;
    log.says("outer spawned next child")
}

async fn two_wakes_are_one_turn() -> Outcome {
    let polls = Rc::new(Cell::new(0));
    let slot = Rc::new(RefCell::new(None::<Waker>));
    let (count, keep) = (polls.clone(), slot.clone());
    let task = spawn(poll_fn(move |cx| {
        count.set(count.get() + 1);
        keep.replace(Some(cx.waker().clone()));
        if count.get() < 3 { Poll::Pending } else { Poll::Ready(()) }
    }));
    yield_now().await;
    let waker = slot.take().ok_or("it was polled")?;
    let other = waker.clone();
    waker.wake_by_ref();
    other.wake();
    waker.wake_by_ref();
    yield_now().await;
    yield_now().await;
    same(polls.get(), 2)?;
    waker.wake();
    task.await.map_err(failed)?;
    same(polls.get(), 3)
}

async fn a_wake_within_a_poll_is_one_more_turn() -> Outcome {
    let log = Log::default();
    let (events, mut polls) = (log.clone(), 0);
    let eager = spawn(poll_fn(move |cx| {
        polls += 1;
        events.add(format!("eager{polls}"));
        if polls == 3 {
            return Poll::Ready(());
        }
        // Three wakes, and the task is at the end of the queue once.
        let other = cx.waker().clone();
        cx.waker().wake_by_ref();
        other.wake();
        cx.waker().wake_by_ref();
        Poll::Pending
    }));
    let events = log.clone();
    let other = spawn(async move {
        for i in 1..=3 {
            events.add(format!("other{i}"));
            yield_now().await;
        }
    });
    eager.await.map_err(failed)?;
    other.await.map_err(failed)?;
    log.says("eager1 other1 eager2 other2 eager3 other3")
}

async fn wakes_keep_their_order() -> Outcome {
    let log = Log::default();
    let slots: Vec<_> = (0..5).map(|_| Rc::new(RefCell::new(None::<Waker>))).collect();
    let tasks: Vec<_> = (0..)
        .zip(&slots)
        .map(|(i, slot)| {
            let (log, slot) = (log.clone(), slot.clone());
            spawn(async move {
                parked(slot).await;
                log.add(i);
            })
        })
        .collect();
    yield_now().await;
    for i in [3, 1, 4, 0, 2] {
        let slot: &RefCell<Option<Waker>> = &slots[i];
        slot.take().ok_or("it waits")?.wake();
    }
    for task in tasks {
        task.await.map_err(failed)?;
    }
    log.says("3 1 4 0 2")
}

async fn a_joiner_goes_to_the_end() -> Outcome {
    let log = Log::default();
    let child = spawn(yield_now());
    let events = log.clone();
    let joiner = spawn(async move {
        let _ = child.await;
        events.add("joiner");
    });
    let events = log.clone();
    let other = spawn(async move {
        for i in 1..=3 {
            events.add(i);
            yield_now().await;
        }
    });
    joiner.await.map_err(failed)?;
    other.await.map_err(failed)?;
    // The child completes in the second round and puts its joiner behind the other one.
    log.says("1 2 joiner 3")
}

async fn ten_thousand_ready_tasks_run_in_order() -> Outcome {
    let next = Rc::new(Cell::new(0));
    let tasks: Vec<_> = (0..10_000)
        .map(|i| {
            let next = next.clone();
            spawn(async move {
                let mine = next.get() == i;
                next.set(next.get() + 1);
                mine
            })
        })
        .collect();
    for (i, task) in tasks.into_iter().enumerate() {
        holds(task.await.map_err(failed)?, &format!("task {i} did not run at its turn"))?;
    }
    same(next.get(), 10_000)
}

async fn rounds_of_ten_thousand_stay_in_order() -> Outcome {
    let next = Rc::new(Cell::new(0u32));
    let tasks: Vec<_> = (0..10_000)
        .map(|i| {
            let next = next.clone();
            spawn(async move {
                for round in 0..5 {
                    if next.get() != round * 10_000 + i {
                        return false;
                    }
                    next.set(next.get() + 1);
                    yield_now().await;
                }
                true
            })
        })
        .collect();
    for (i, task) in tasks.into_iter().enumerate() {
        holds(task.await.map_err(failed)?, &format!("task {i} did not run at its turn"))?;
    }
    same(next.get(), 50_000)
}

async fn a_budget_does_not_change_the_order() -> Outcome {
    // Each round takes some milliseconds, so that a host which gives tasks so much time only has to stop in between.
    let order = Rc::new(RefCell::new(Vec::new()));
    let tasks: Vec<_> = (0..300)
        .map(|i| {
            let order = order.clone();
            spawn(async move {
                for _ in 0..2 {
                    let start = Instant::now();
                    while start.elapsed() < Duration::from_micros(100) {}
                    order.borrow_mut().push(i);
                    yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.map_err(failed)?;
    }
    let expected: Vec<i32> = (0..300).chain(0..300).collect();
    holds(*order.borrow() == expected, "the tasks did not run in order")
}

async fn a_hundred_thousand_yields() -> Outcome {
    let others = Rc::new(Cell::new(0));
    let count = others.clone();
    let other = spawn(async move {
        loop {
            count.set(count.get() + 1);
            yield_now().await;
        }
    });
    for _ in 0..100_000 {
        yield_now().await;
    }
    other.abort();
    same(others.get(), 100_000)
}

async fn two_tasks_play_ping_pong() -> Outcome {
    let (to_pong, ping) = async_channel::bounded::<u32>(1);
    let (to_ping, pong) = async_channel::bounded::<u32>(1);
    let player = spawn(async move {
        while let Ok(ball) = ping.recv().await {
            if to_ping.send(ball + 1).await.is_err() {
                break;
            }
        }
    });
    let mut ball = 0;
    for _ in 0..5000 {
        to_pong.send(ball + 1).await.map_err(failed)?;
        ball = pong.recv().await.map_err(failed)?;
    }
    drop(to_pong);
    player.await.map_err(failed)?;
    same(ball, 10_000)
}

async fn a_busy_task_does_not_starve_a_timer() -> Outcome {
    busy_tasks_and_a_timer(1).await
}

async fn ten_thousand_busy_tasks_do_not_starve_a_timer() -> Outcome {
    busy_tasks_and_a_timer(10_000).await
}

async fn busy_tasks_and_a_timer(number: usize) -> Outcome {
    let stop = Rc::new(Cell::new(false));
    let busy: Vec<_> = (0..number)
        .map(|_| {
            let stop = stop.clone();
            spawn(async move {
                let mut turns = 0u64;
                while !stop.get() {
                    turns += 1;
                    yield_now().await;
                }
                turns
            })
        })
        .collect();
    let start = Instant::now();
    sleep(Duration::from_millis(20)).await;
    let took = start.elapsed();
    stop.set(true);
    for task in busy {
        holds(task.await.map_err(failed)? > 0, "a busy task did not run")?;
    }
    holds(took >= Duration::from_millis(20), &format!("a sleep of 20 ms took {took:?}"))?;
    holds(took < Duration::from_secs(5), &format!("a sleep of 20 ms took {took:?}"))
}

async fn a_long_poll_delays_but_loses_nothing() -> Outcome {
    let log = Log::default();
    let task = |name: &'static str, ms| {
        let log = log.clone();
        spawn(async move {
            sleep(Duration::from_millis(ms)).await;
            log.add(name);
        })
    };
    let tasks = [task("b", 40), task("a", 20), task("c", 60)];
    yield_now().await;
    // Nobody else runs meanwhile, and all three are late.
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(80) {}
    log.add("late");
    for task in tasks {
        task.await.map_err(failed)?;
    }
    log.says("late a b c")
}
