//! Random schedules of spawns, wakes, aborts, joins, dropped handles, panics and nested spawns: the
//! executor does just what a naive model does, event by event.

#[path = "support/model.rs"]
mod model;
#[path = "support/script.rs"]
mod script;
mod support;

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use kippu_executor::{AbortHandle, Executor, JoinHandle, TaskState};
use model::{Model, Outcome};
use proptest::prelude::*;
use script::{End, Op, Script, World, carry_out, op};
use support::{Log, OnDrop, poll_handle, rounds};

/// The executor and what the tasks know of one another. Its `Rc` is held by each future.
#[derive(Clone)]
struct Real(Rc<Shared>);

struct Shared {
    executor: Weak<Executor>,
    log: Log,
    main: Waker,
    tasks: RefCell<Vec<Task>>,
}

#[derive(Default)]
struct Task {
    handle: Option<JoinHandle<OnDrop>>,
    abort: Option<AbortHandle>,
    waker: Option<Waker>,
}

/// Carries out a script.
struct Scripted {
    id: usize,
    script: Script,
    next: usize,
    world: Real,
}

impl Future for Scripted {
    type Output = OnDrop;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<OnDrop> {
        let (id, mut world) = (self.id, self.world.clone());
        world.0.log.add(format!("poll {id}"));
        world.0.tasks.borrow_mut()[id].waker = Some(cx.waker().clone());
        let step = self.script.steps.get(self.next).cloned();
        self.next += 1;
        let end = step.as_ref().map_or(End::Ready, |step| step.end);
        for act in step.iter().flat_map(|step| &step.acts) {
            carry_out(&mut world, act, Some(id));
        }
        match end {
            End::Pending => Poll::Pending,
            End::Ready => Poll::Ready(world.0.log.on_drop(&format!("output {id}"))),
            // Without the panic hook, which would print.
            End::Panic => std::panic::resume_unwind(Box::new("scripted")),
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.world.0.log.add(format!("drop {}", self.id));
        for act in &self.script.on_drop {
            carry_out(&mut self.world, act, None);
        }
    }
}

impl World for Real {
    fn tasks(&self) -> usize {
        self.0.tasks.borrow().len()
    }

    fn wake(&mut self, id: usize) {
        let waker = self.0.tasks.borrow()[id].waker.clone();
        waker.iter().for_each(Waker::wake_by_ref);
    }

    fn abort(&mut self, id: usize) {
        let abort = self.0.tasks.borrow()[id].abort.clone();
        abort.iter().for_each(AbortHandle::abort);
    }

    fn drop_handle(&mut self, id: usize) {
        let handle = self.0.tasks.borrow_mut()[id].handle.take();
        drop(handle);
    }

    fn join(&mut self, id: usize, by: Option<usize>) {
        let Some(mut handle) = self.0.tasks.borrow_mut()[id].handle.take() else { return };
        let waker = match by {
            Some(by) => self.0.tasks.borrow()[by].waker.clone().expect("it is being polled"),
            None => self.0.main.clone(),
        };
        match poll_handle(&mut handle, &waker) {
            Poll::Pending => self.0.tasks.borrow_mut()[id].handle = Some(handle),
            Poll::Ready(result) => {
                let outcome = match &result {
                    Ok(_) => Outcome::Output,
                    Err(error) if error.is_panic() => Outcome::Panicked,
                    Err(_) => Outcome::Cancelled,
                };
                self.0.log.add(format!("joined {id}: {outcome:?}"));
            }
        }
    }

    fn spawn(&mut self, script: &Script, polled: bool) {
        let Some(executor) = self.0.executor.upgrade() else { return };
        let id = self.tasks();
        self.0.tasks.borrow_mut().push(Task::default());
        let future = Scripted { id, script: script.clone(), next: 0, world: self.clone() };
        let handle = if polled {
            executor.spawn_polled(Default::default(), future)
        } else {
            executor.spawn(future)
        };
        let mut tasks = self.0.tasks.borrow_mut();
        tasks[id].abort = Some(handle.abort_handle());
        tasks[id].handle = Some(handle);
    }
}

/// Does the same with both and compares what happened, after every operation.
fn compare(ops: &[Op]) {
    let log = Log::new();
    let executor = Rc::new(log.executor());
    let mut real = Real(Rc::new(Shared {
        executor: Rc::downgrade(&executor),
        log: log.clone(),
        main: log.waker("wake main"),
        tasks: RefCell::default(),
    }));
    let mut model = Model::new();
    for op in ops {
        match op {
            Op::Act(act) => {
                carry_out(&mut real, act, None);
                carry_out(&mut model, act, None);
            }
            Op::Run(budget) => {
                let more = executor.run_ready(*budget);
                log.add(format!("more {more}"));
                model.run(*budget);
            }
        }
        assert_eq!(log.take(), std::mem::take(&mut model.log), "after {op:?}");
        let scheduled: Vec<bool> =
            executor.dump().iter().map(|task| task.state == TaskState::Scheduled).collect();
        assert_eq!(scheduled, model.dump(), "after {op:?}");
        assert_eq!(executor.live_tasks(), scheduled.len());
    }
    drop(executor);
    model.die();
    assert_eq!(log.take(), std::mem::take(&mut model.log), "at the end");
    // What is left are outputs, of which the handles know.
    for id in 0..real.tasks() {
        real.wake(id);
        real.abort(id);
        real.join(id, None);
        model.join(id, None);
    }
    assert_eq!(log.take(), model.log, "after the end");
    assert_eq!(Rc::strong_count(&real.0), 1, "a future is left");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: rounds(1_000, 6),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_executor_does_what_the_model_does(ops in prop::collection::vec(op(), 1..rounds(40, 15) as usize)) {
        compare(&ops);
    }
}
