//! The floor: boxed futures that are polled in order with a waker that does nothing. What an executor
//! adds to this is its price.

use crate::parts::{self, Channel, Countdown, Slot};
use crate::tasks::TASKS;
use std::collections::VecDeque;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

type Task<T> = Pin<Box<dyn Future<Output = T>>>;
type Tasks<T> = VecDeque<Task<T>>;

/// Keeps its queue, as executors keep theirs.
#[derive(Default)]
pub struct Floor {
    values: Tasks<u64>,
    units: Tasks<()>,
}

impl Floor {
    /// Boxes a task that is polled once and then waits.
    pub fn wait(&mut self, task: impl Future<Output = ()> + 'static) {
        let mut task: Task<()> = Box::pin(task);
        assert!(task.as_mut().poll(&mut cx()).is_pending());
        self.units.push_back(task);
    }
}

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// Boxes `n` tasks, then polls each; no handles.
pub fn spawn_join(floor: &mut Floor, n: u32) -> u64 {
    for i in 0..n {
        floor.values.push_back(Box::pin(parts::value(i)));
    }
    run(&mut floor.values)
}

/// Boxes a task and polls it, `n` times.
pub fn spawn_await(floor: &mut Floor, n: u32) -> u64 {
    let mut sum = 0;
    for i in 0..n {
        floor.values.push_back(Box::pin(parts::value(i)));
        // Else the compiler could see that what it pops is what it pushed.
        sum += run(black_box(&mut floor.values));
    }
    sum
}

/// Boxes `n` tasks, then polls each.
pub fn detached(floor: &mut Floor, n: u32) -> u64 {
    let all = Countdown::new(n);
    for i in 0..n {
        let all = Rc::clone(&all);
        floor.units.push_back(Box::pin(async move { all.add(i.into()) }));
    }
    let mut cx = cx();
    while let Some(mut task) = floor.units.pop_front() {
        assert!(task.as_mut().poll(&mut cx).is_ready());
    }
    all.sum().expect("all tasks have ended")
}

/// Polls 1,000 tasks in turn.
pub fn yields(floor: &mut Floor, n: u32) -> u64 {
    for _ in 0..TASKS {
        floor.values.push_back(Box::pin(parts::yields(n / TASKS)));
    }
    run(&mut floor.values)
}

/// Polls the receiver and the sender in turn.
pub fn channel(floor: &mut Floor, n: u32) -> u64 {
    let channel = Rc::new(Channel::default());
    floor.values.push_back(Box::pin(parts::receive(Rc::clone(&channel), n)));
    floor.values.push_back(Box::pin(parts::send(channel, n)));
    run(&mut floor.values)
}

/// Completes a slot and polls its task: nothing has to be found.
pub fn completion(floor: &mut Floor, n: u32) -> u64 {
    let (slots, all) = waiting(floor, n);
    let mut cx = cx();
    for i in 0..n {
        let index = (i % TASKS) as usize;
        slots[index].complete(i.into());
        black_box(floor.units[index].as_mut().poll(&mut cx).is_ready());
    }
    end(floor, &all)
}

/// Completes all slots and polls all tasks.
pub fn completions(floor: &mut Floor, n: u32) -> u64 {
    let (slots, all) = waiting(floor, n);
    let mut cx = cx();
    for i in 0..n {
        slots[(i % TASKS) as usize].complete(i.into());
        if (i + 1) % TASKS == 0 {
            for task in &mut floor.units {
                black_box(task.as_mut().poll(&mut cx).is_ready());
            }
        }
    }
    end(floor, &all)
}

/// Tasks that have been polled and wait.
fn waiting(floor: &mut Floor, n: u32) -> (Vec<Rc<Slot>>, Rc<Countdown>) {
    let slots: Vec<_> = (0..TASKS).map(|_| Rc::new(Slot::default())).collect();
    let all = Countdown::new(TASKS);
    for slot in &slots {
        let (slot, all) = (Rc::clone(slot), Rc::clone(&all));
        floor.wait(parts::completions(slot, n / TASKS, all));
    }
    (slots, all)
}

fn end(floor: &mut Floor, all: &Countdown) -> u64 {
    floor.units.clear();
    all.sum().expect("all tasks have ended")
}

/// Polls a future that is ready, `n` times.
pub fn block_on(_: &mut Floor, n: u32) -> u64 {
    let mut sum = 0;
    for i in 0..n {
        if let Poll::Ready(value) = pin!(parts::value(black_box(i))).poll(&mut cx()) {
            sum += value;
        }
    }
    sum
}

/// Polls the tasks in turn until all have ended.
fn run(tasks: &mut Tasks<u64>) -> u64 {
    let (mut sum, mut cx) = (0, cx());
    while let Some(mut task) = tasks.pop_front() {
        match task.as_mut().poll(&mut cx) {
            Poll::Ready(value) => sum += value,
            Poll::Pending => tasks.push_back(task),
        }
    }
    sum
}
