//! A naive executor: what the real one must do, written without regard to memory or time.
//!
//! Where the contract leaves a choice, the model takes the executor's, which it reads from the executor's own
//! log: what another thread does with a waker may ring the bell without need, and a task that another
//! thread wakes may come before its turn.

use std::collections::VecDeque;

use super::script::{Act, End, Script, Use, Where, World, carry_out};

pub(crate) const UNPARK: &str = "unpark";

/// Without `std` the executor cannot tell threads apart, and takes every waker for another thread's.
const LOOSE: bool = !cfg!(feature = "std");

pub(crate) struct Model {
    tasks: Vec<Task>,
    /// What has been woken, in the order of the wakes; and whether another thread has woken it.
    queue: VecDeque<(usize, bool)>,
    /// The driver runs or will run: no need to ring.
    awake: bool,
    /// The bell has rung without need, so the driver will run.
    rung: bool,
    alive: bool,
    /// How many executors there have been before this one.
    life: usize,
    /// What the executor did in this step.
    pub(crate) real: Vec<String>,
    /// What the model did.
    pub(crate) log: Vec<String>,
}

struct Task {
    script: Script,
    life: usize,
    next: usize,
    has_waker: bool,
    scheduled: bool,
    aborted: bool,
    handle: Handle,
    abort_handle: bool,
    joiner: Option<Joiner>,
    outcome: Option<Outcome>,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Handle {
    /// `spawn_polled` has not returned yet.
    NotYet,
    Held,
    Gone,
}

enum Joiner {
    Main,
    Task(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Output,
    Cancelled,
    /// In the poll or in the drop of the future.
    Panicked(String),
}

impl Model {
    pub(crate) fn new() -> Self {
        Model {
            tasks: Vec::new(),
            queue: VecDeque::new(),
            awake: false,
            rung: false,
            alive: true,
            life: 0,
            real: Vec::new(),
            log: Vec::new(),
        }
    }

    fn emit(&mut self, event: impl Into<String>) {
        let event = event.into();
        if LOOSE && event != UNPARK {
            self.may_ring();
        }
        self.log.push(event);
    }

    /// What the executor did where the model is now.
    fn next(&self) -> Option<&str> {
        self.real.get(self.log.len()).map(String::as_str)
    }

    pub(crate) fn run(&mut self, budget: usize) {
        (self.awake, self.rung) = (true, false);
        let mut left = budget;
        loop {
            // Entries of tasks that are done cost nothing.
            self.queue.retain(|&(id, _)| self.tasks[id].outcome.is_none());
            let Some(at) = self.pick().filter(|_| left > 0) else { break };
            left -= 1;
            let (id, _) = self.queue.remove(at).expect("it is there");
            self.tasks[id].scheduled = false;
            if self.tasks[id].aborted {
                self.finish(id, Outcome::Cancelled);
            } else {
                self.poll(id);
            }
        }
        self.emit(format!("more {}", !self.queue.is_empty()));
        (self.awake, self.rung) = (!self.queue.is_empty(), false);
    }

    /// Whose turn it is.
    fn pick(&self) -> Option<usize> {
        let taken = |&(id, _): &(usize, bool)| {
            let does = if self.tasks[id].aborted { "drop" } else { "poll" };
            self.next().is_some_and(|next| next == format!("{does} {id}"))
        };
        let first = self.queue.front()?;
        let early = |entry: &(usize, bool)| entry.1 && taken(entry);
        Some(if taken(first) { 0 } else { self.queue.iter().position(early).unwrap_or(0) })
    }

    pub(crate) fn stay_awake(&mut self) {
        self.awake = true;
    }

    /// The executor is dropped.
    pub(crate) fn die(&mut self) {
        self.alive = false;
        self.awake = true;
        while let Some(id) = self.tasks.iter().rposition(|task| task.outcome.is_none()) {
            self.finish(id, Outcome::Cancelled);
        }
        self.life += 1;
    }

    /// Another executor takes its place.
    pub(crate) fn rebirth(&mut self) {
        self.die();
        self.queue.clear();
        (self.awake, self.rung, self.alive) = (false, false, true);
    }

    /// Whether each live task is in the queue, newest first.
    pub(crate) fn dump(&self) -> Vec<bool> {
        self.live().map(|task| task.scheduled).collect()
    }

    /// Whether the test holds a waker of a live task.
    pub(crate) fn woken_from_outside(&self) -> bool {
        self.live().any(|task| task.has_waker)
    }

    fn live(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().rev().filter(|task| task.outcome.is_none())
    }

    fn schedule(&mut self, id: usize, place: Where) {
        let task = &mut self.tasks[id];
        if task.scheduled || task.outcome.is_some() {
            return;
        }
        task.scheduled = true;
        if !self.awake {
            if self.rung {
                self.may_ring();
            } else {
                self.emit(UNPARK);
                self.awake = true;
            }
        }
        self.queue.push_back((id, LOOSE || place == Where::There));
    }

    /// The end of a step.
    pub(crate) fn settle(&mut self) {
        if LOOSE {
            self.may_ring();
        }
    }

    /// The bell rings now if the executor's did.
    fn may_ring(&mut self) {
        if self.next() == Some(UNPARK) {
            self.log.push(UNPARK.into());
            self.rung = true;
        }
    }

    fn poll(&mut self, id: usize) {
        self.emit(format!("poll {id}"));
        let task = &mut self.tasks[id];
        task.has_waker = true;
        let step = task.script.steps.get(task.next).cloned();
        task.next += 1;
        let end = step.as_ref().map_or(End::Ready, |step| step.end);
        self.carry_out_all(step.map_or(Vec::new(), |step| step.acts), Some(id));
        match end {
            End::Pending => {}
            End::Ready => self.finish(id, Outcome::Output),
            End::Panic => self.finish(id, Outcome::Panicked("poll".into())),
        }
    }

    fn finish(&mut self, id: usize, outcome: Outcome) {
        self.emit(format!("drop {id}"));
        self.carry_out_all(self.tasks[id].script.on_drop.clone(), None);
        let outcome = match outcome {
            // The first panic is the one that tells.
            Outcome::Output | Outcome::Cancelled if self.tasks[id].script.drop_panics => {
                if outcome == Outcome::Output {
                    self.emit(format!("drop output {id}"));
                }
                Outcome::Panicked("drop".into())
            }
            outcome => outcome,
        };
        let task = &mut self.tasks[id];
        task.outcome = Some(outcome.clone());
        if task.handle == Handle::Gone && outcome == Outcome::Output {
            self.emit(format!("drop output {id}"));
        }
        match self.tasks[id].joiner.take() {
            Some(Joiner::Main) => self.emit("wake main"),
            Some(Joiner::Task(joiner)) => self.schedule(joiner, Where::Here),
            None => {}
        }
    }

    fn carry_out_all(&mut self, acts: Vec<Act>, by: Option<usize>) {
        acts.iter().for_each(|act| carry_out(self, act, by));
    }
}

impl World for Model {
    fn tasks(&self) -> usize {
        self.tasks.len()
    }

    fn waker(&mut self, id: usize, usage: Use, place: Where) {
        let task = &mut self.tasks[id];
        if !task.has_waker {
            return;
        }
        task.has_waker = !usage.uses_up();
        let before = self.log.len();
        if usage.wakes() {
            self.schedule(id, place);
        }
        let lives = self.tasks[id].life == self.life;
        if place == Where::There && lives && self.log.len() == before {
            self.may_ring();
        }
    }

    fn abort(&mut self, id: usize) {
        let task = &mut self.tasks[id];
        if task.handle == Handle::NotYet || !task.abort_handle {
            return;
        }
        let finished = task.outcome.is_some();
        self.emit(format!("finished {id}: {finished}"));
        if !finished {
            self.tasks[id].aborted = true;
            self.schedule(id, Where::Here);
        }
    }

    fn forget_abort(&mut self, id: usize) {
        let task = &mut self.tasks[id];
        if task.handle != Handle::NotYet {
            task.abort_handle = false;
        }
    }

    fn drop_handle(&mut self, id: usize, _detach: bool) {
        let task = &mut self.tasks[id];
        if task.handle == Handle::Held {
            task.handle = Handle::Gone;
            task.joiner = None;
            if task.outcome == Some(Outcome::Output) {
                self.emit(format!("drop output {id}"));
                if self.tasks[id].script.output_panics {
                    self.emit(format!("panic of output {id}"));
                }
            }
        }
    }

    fn join(&mut self, id: usize, by: Option<usize>) {
        if by.is_some_and(|by| !self.tasks[by].has_waker) {
            return;
        }
        let task = &mut self.tasks[id];
        if task.handle != Handle::Held {
            return;
        }
        let Some(outcome) = task.outcome.clone() else {
            task.joiner = Some(by.map_or(Joiner::Main, Joiner::Task));
            return;
        };
        self.emit(format!("joined {id}: {outcome:?}"));
        self.drop_handle(id, false);
    }

    fn spawn(&mut self, script: &Script, polled: bool) {
        if !self.alive {
            return;
        }
        let id = self.tasks.len();
        self.tasks.push(Task {
            script: script.clone(),
            life: self.life,
            next: 0,
            has_waker: false,
            scheduled: false,
            aborted: false,
            handle: Handle::NotYet,
            abort_handle: true,
            joiner: None,
            outcome: None,
        });
        if polled {
            self.poll(id);
        } else {
            self.schedule(id, Where::Here);
        }
        self.tasks[id].handle = Handle::Held;
    }
}
