//! Random schedules of spawns, wakes from this thread and another, aborts, joins, dropped handles and wakers,
//! panics, nested spawns and deaths of executors: the executor does just what a naive model does, event by event.

#[path = "support/model.rs"]
mod model;
#[path = "support/script.rs"]
mod script;
#[path = "support/steps.rs"]
mod steps;
mod support;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use kippu_executor::{AbortHandle, Executor, JoinHandle, TaskState};
use model::{Model, Outcome, UNPARK};
use proptest::prelude::*;
use script::{End, Op, Script, Use, Where, World, carry_out, op};
use support::{Log, poll_handle, rounds, wake_clone};

/// The executor and what the tasks know of one another. Its `Rc` is held by each future.
#[derive(Clone)]
struct Real(Rc<Shared>);

struct Shared {
    executor: RefCell<Weak<Executor>>,
    log: Log,
    main: Waker,
    tasks: RefCell<Vec<Task>>,
    helper: Helper,
}

#[derive(Default)]
struct Task {
    handle: Option<JoinHandle<Output>>,
    abort: Option<AbortHandle>,
    waker: Option<Waker>,
}

/// Logs its drop, and then panics if it has to.
struct Output {
    id: usize,
    log: Log,
    panics: bool,
}

impl Drop for Output {
    fn drop(&mut self) {
        self.log.add(format!("drop output {}", self.id));
        if self.panics {
            resume_unwind(Box::new("output"));
        }
    }
}

/// Another thread, which uses wakers while this one waits for it.
struct Helper {
    wakers: Option<mpsc::Sender<(Waker, Use)>>,
    back: mpsc::Receiver<Option<Waker>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Helper {
    fn new() -> Self {
        let (wakers, jobs) = mpsc::channel();
        let (done, back) = mpsc::channel();
        let thread = thread::spawn(move || {
            jobs.iter().for_each(|(waker, usage)| done.send(use_waker(waker, usage)).unwrap());
        });
        Helper { wakers: Some(wakers), back, thread: Some(thread) }
    }

    fn use_waker(&self, waker: Waker, usage: Use) -> Option<Waker> {
        self.wakers.as_ref().unwrap().send((waker, usage)).unwrap();
        self.back.recv().unwrap()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.wakers.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Gives back what is left.
fn use_waker(waker: Waker, usage: Use) -> Option<Waker> {
    match usage {
        Use::WakeByRef => waker.wake_by_ref(),
        Use::WakeByValue => {
            waker.wake();
            return None;
        }
        Use::WakeClone => wake_clone(&waker),
        Use::Renew => {
            let clone = waker.clone();
            drop(waker);
            return Some(clone);
        }
        Use::Drop => return None,
    }
    Some(waker)
}

/// Carries out a script.
struct Scripted {
    id: usize,
    script: Script,
    next: usize,
    world: Real,
}

impl Future for Scripted {
    type Output = Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Output> {
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
            End::Ready => {
                let (log, panics) = (world.0.log.clone(), self.script.output_panics);
                Poll::Ready(Output { id, log, panics })
            }
            // Without the panic hook, which would print.
            End::Panic => resume_unwind(Box::new("poll")),
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.world.0.log.add(format!("drop {}", self.id));
        for act in &self.script.on_drop {
            carry_out(&mut self.world, act, None);
        }
        if self.script.drop_panics {
            resume_unwind(Box::new("drop"));
        }
    }
}

impl Real {
    /// Does what may drop the output of a task.
    fn drops_output(&self, id: usize, f: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(f)).is_err() {
            self.0.log.add(format!("panic of output {id}"));
        }
    }
}

impl World for Real {
    fn tasks(&self) -> usize {
        self.0.tasks.borrow().len()
    }

    fn waker(&mut self, id: usize, usage: Use, place: Where) {
        let waker = self.0.tasks.borrow_mut()[id].waker.take();
        let Some(waker) = waker else { return };
        let left = match place {
            Where::Here => use_waker(waker, usage),
            Where::There => self.0.helper.use_waker(waker, usage),
        };
        self.0.tasks.borrow_mut()[id].waker = left;
    }

    fn abort(&mut self, id: usize) {
        let abort = self.0.tasks.borrow_mut()[id].abort.take();
        let Some(abort) = abort else { return };
        self.0.log.add(format!("finished {id}: {}", abort.is_finished()));
        abort.abort();
        self.0.tasks.borrow_mut()[id].abort = Some(abort);
    }

    fn forget_abort(&mut self, id: usize) {
        let abort = self.0.tasks.borrow_mut()[id].abort.take();
        drop(abort);
    }

    fn drop_handle(&mut self, id: usize, detach: bool) {
        let handle = self.0.tasks.borrow_mut()[id].handle.take();
        let Some(handle) = handle else { return };
        self.drops_output(id, || if detach { handle.detach() } else { drop(handle) });
    }

    fn join(&mut self, id: usize, by: Option<usize>) {
        let waker = match by {
            Some(by) => self.0.tasks.borrow()[by].waker.clone(),
            None => Some(self.0.main.clone()),
        };
        let Some(waker) = waker else { return };
        let Some(mut handle) = self.0.tasks.borrow_mut()[id].handle.take() else { return };
        match poll_handle(&mut handle, &waker) {
            Poll::Pending => self.0.tasks.borrow_mut()[id].handle = Some(handle),
            Poll::Ready(result) => {
                let outcome = match &result {
                    Ok(_) => Outcome::Output,
                    Err(error) => match error.panic_message() {
                        Some(message) => Outcome::Panicked(message.into()),
                        None => Outcome::Cancelled,
                    },
                };
                self.0.log.add(format!("joined {id}: {outcome:?}"));
                self.drops_output(id, || drop(result));
            }
        }
    }

    fn spawn(&mut self, script: &Script, polled: bool) {
        let executor = self.0.executor.borrow().upgrade();
        let Some(executor) = executor else { return };
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

/// Logs that it has been rung. It lives as long as anything of its executor does.
struct Bell(Log);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.add(UNPARK);
    }
}

/// Does the same with both and compares what happened.
struct Pair {
    executor: Rc<Executor>,
    real: Real,
    model: Model,
    bells: Vec<std::sync::Weak<Bell>>,
}

impl Pair {
    fn new() -> Self {
        let log = Log::new();
        let bell = Arc::new(Bell(log.clone()));
        let bells = vec![Arc::downgrade(&bell)];
        let executor = Rc::new(Executor::new(Waker::from(bell)));
        let shared = Shared {
            executor: RefCell::new(Rc::downgrade(&executor)),
            main: log.waker("wake main"),
            log,
            tasks: RefCell::default(),
            helper: Helper::new(),
        };
        Pair { executor, real: Real(Rc::new(shared)), model: Model::new(), bells }
    }

    /// Has the model do what the executor has done.
    #[track_caller]
    fn compare(&mut self, when: &dyn std::fmt::Debug, act: impl FnOnce(&mut Model)) {
        self.model.real = self.real.0.log.take();
        act(&mut self.model);
        self.model.settle();
        assert_eq!(self.model.real, std::mem::take(&mut self.model.log), "{when:?}");
    }

    fn apply(&mut self, op: &Op) {
        let log = self.real.0.log.clone();
        match op {
            Op::Act(act) => {
                carry_out(&mut self.real, act, None);
                self.compare(op, |model| carry_out(model, act, None));
            }
            Op::Run(budget) => {
                let more = self.executor.run_ready(*budget);
                log.add(format!("more {more}"));
                self.compare(op, |model| model.run(*budget));
            }
            Op::StayAwake => {
                self.executor.stay_awake();
                self.compare(op, Model::stay_awake);
            }
            Op::Rebirth => {
                let bell = Arc::new(Bell(log));
                self.bells.push(Arc::downgrade(&bell));
                let unborn = Rc::new(Executor::new(Waker::from(bell)));
                drop(std::mem::replace(&mut self.executor, unborn));
                *self.real.0.executor.borrow_mut() = Rc::downgrade(&self.executor);
                self.compare(op, Model::rebirth);
            }
        }
        let scheduled: Vec<bool> =
            self.executor.dump().iter().map(|task| task.state == TaskState::Scheduled).collect();
        assert_eq!(scheduled, self.model.dump(), "after {op:?}");
        assert_eq!(self.executor.live_tasks(), scheduled.len());
        let held = self.model.woken_from_outside();
        assert_eq!(self.executor.woken_from_outside(), held, "after {op:?}");
    }

    /// The end of the executor, then of all that its tasks have left; and nothing stays.
    fn end(self) {
        let Pair { executor, real, model, bells } = self;
        drop(executor);
        let mut pair = Pair { executor: Rc::new(support::silent_executor()), real, model, bells };
        pair.compare(&"at the end", Model::die);
        for id in 0..pair.real.tasks() {
            let carry_out = |world: &mut dyn World| {
                world.waker(id, Use::WakeByRef, Where::There);
                world.waker(id, Use::WakeByRef, Where::Here);
                world.abort(id);
                world.join(id, None);
                // Which of the three is the last to know the task is left to chance.
                world.waker(id, Use::Drop, if id % 2 == 0 { Where::Here } else { Where::There });
                world.forget_abort(id);
            };
            carry_out(&mut pair.real);
            pair.compare(&"after the end", |model| carry_out(model));
        }
        assert_eq!(Rc::strong_count(&pair.real.0), 1, "a future is left");
        let left = pair.bells.iter().filter(|bell| bell.strong_count() > 0).count();
        assert_eq!(left, 0, "something of an executor is left");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: rounds(1_000, 2),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Short ones, which proptest shortens further when they fail.
    #[test]
    fn the_executor_does_what_the_model_does(ops in prop::collection::vec(op(), 1..rounds(40, 12) as usize)) {
        let mut pair = Pair::new();
        ops.iter().for_each(|op| pair.apply(op));
        pair.end();
    }
}

#[test]
fn an_executor_with_a_past_does_what_the_model_does() {
    let ops = op();
    steps::lives(500, 40, |steps| {
        let mut pair = Pair::new();
        while let Some(op) = steps.next(&ops) {
            pair.apply(&op);
        }
        pair.end();
    });
}
