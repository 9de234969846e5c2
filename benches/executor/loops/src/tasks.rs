//! The loops of the bench "executor", the same for every contestant. Each gives a sum that depends on
//! every operation.

use crate::contest::{Contestant, Driven, Spawner};
use crate::parts::{self, Channel, Countdown, Slot};
use std::hint::black_box;
use std::rc::Rc;

/// How many tasks yield, and how many wait to be completed.
pub const TASKS: u32 = 1_000;

/// Spawns `n` tasks, then awaits every handle in order.
pub fn spawn_join<C: Contestant>(contestant: &mut C, n: u32) -> u64 {
    let spawner = contestant.spawner();
    contestant.block_on(async move {
        let mut handles = Vec::with_capacity(n as usize);
        for i in 0..n {
            handles.push(spawner.spawn(parts::value(i)));
        }
        let mut sum = 0;
        for handle in handles {
            sum += handle.await;
        }
        sum
    })
}

/// Spawns a task and awaits it, `n` times.
pub fn spawn_await<C: Contestant>(contestant: &mut C, n: u32) -> u64 {
    let spawner = contestant.spawner();
    contestant.block_on(async move {
        let mut sum = 0;
        for i in 0..n {
            sum += spawner.spawn(parts::value(i)).await;
        }
        sum
    })
}

/// Spawns `n` tasks that nobody joins, and runs them all.
pub fn detached<C: Contestant>(contestant: &mut C, n: u32) -> u64 {
    let spawner = contestant.spawner();
    contestant.block_on(async move {
        let all = Countdown::new(n);
        for i in 0..n {
            let all = Rc::clone(&all);
            spawner.detach(async move { all.add(i.into()) });
        }
        all.done().await
    })
}

/// 1,000 tasks yield `n` times between them.
pub fn yields<C: Contestant>(contestant: &mut C, n: u32) -> u64 {
    let spawner = contestant.spawner();
    contestant.block_on(async move {
        let mut handles = Vec::with_capacity(TASKS as usize);
        for _ in 0..TASKS {
            handles.push(spawner.spawn(parts::yields(n / TASKS)));
        }
        let mut sum = 0;
        for handle in handles {
            sum += handle.await;
        }
        sum
    })
}

/// One task sends `n` messages to another, which waits for each.
pub fn channel<C: Contestant>(contestant: &mut C, n: u32) -> u64 {
    let spawner = contestant.spawner();
    contestant.block_on(async move {
        let channel = Rc::new(Channel::default());
        let receiver = spawner.spawn(parts::receive(Rc::clone(&channel), n));
        let sender = spawner.spawn(parts::send(channel, n));
        let sum = receiver.await;
        sender.await;
        sum
    })
}

/// 1,000 tasks wait; one is completed, then the executor has a turn: `n` times.
pub fn completion<C: Driven>(contestant: &mut C, n: u32) -> u64 {
    let waiting = Waiting::new(contestant, n);
    let mut next = 0;
    contestant.drive(|| {
        if next == 0 && !waiting.are_all_back() {
            // They have been spawned, but have not run yet.
            return true;
        }
        if next == n {
            return waiting.all.sum().is_none();
        }
        waiting.complete(next);
        next += 1;
        true
    });
    waiting.sum()
}

/// 1,000 tasks wait; all are completed, then the executor has a turn: `n` times in all.
pub fn completions<C: Driven>(contestant: &mut C, n: u32) -> u64 {
    let waiting = Waiting::new(contestant, n);
    let mut next = 0;
    contestant.drive(|| {
        if next == n {
            return waiting.all.sum().is_none();
        }
        if waiting.are_all_back() {
            for _ in 0..TASKS {
                waiting.complete(next);
                next += 1;
            }
        }
        true
    });
    waiting.sum()
}

/// Tasks that wait for slots, until `n` completions have been handed out.
struct Waiting {
    slots: Vec<Rc<Slot>>,
    all: Rc<Countdown>,
}

impl Waiting {
    fn new<C: Contestant>(contestant: &mut C, n: u32) -> Self {
        let slots: Vec<_> = (0..TASKS).map(|_| Rc::new(Slot::default())).collect();
        let all = Countdown::new(TASKS);
        let spawner = contestant.spawner();
        contestant.block_on(async {
            for slot in &slots {
                let (slot, all) = (Rc::clone(slot), Rc::clone(&all));
                spawner.detach(parts::completions(slot, n / TASKS, all));
            }
        });
        Self { slots, all }
    }

    /// Executors run tasks in the order of their wakes: when the last one waits again, all do.
    fn are_all_back(&self) -> bool {
        self.slots[TASKS as usize - 1].is_awaited()
    }

    fn complete(&self, number: u32) {
        self.slots[(number % TASKS) as usize].complete(number.into());
    }

    fn sum(&self) -> u64 {
        self.all.sum().expect("all tasks have ended")
    }
}

/// Blocks on a future that is ready, `n` times.
pub fn block_on<C: Contestant>(contestant: &mut C, n: u32) -> u64 {
    let mut sum = 0;
    for i in 0..n {
        sum += contestant.block_on(parts::value(black_box(i)));
    }
    sum
}
