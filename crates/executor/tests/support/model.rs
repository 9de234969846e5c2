//! A naive executor: what the real one must do, written without regard to memory or time.

use std::collections::VecDeque;

use super::script::{Act, End, Script, World, carry_out};

pub(crate) struct Model {
    tasks: Vec<Task>,
    /// What has been woken, and the part of it that is being run.
    queue: VecDeque<usize>,
    /// The driver runs or will run: no need to ring.
    awake: bool,
    alive: bool,
    pub(crate) log: Vec<String>,
}

struct Task {
    script: Script,
    next: usize,
    polled: bool,
    scheduled: bool,
    aborted: bool,
    handle: Handle,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Output,
    Cancelled,
    Panicked,
}

impl Model {
    pub(crate) fn new() -> Self {
        Model {
            tasks: Vec::new(),
            queue: VecDeque::new(),
            awake: false,
            alive: true,
            log: Vec::new(),
        }
    }

    pub(crate) fn run(&mut self, budget: usize) {
        self.awake = true;
        let mut left = budget;
        loop {
            // Entries of tasks that are done cost nothing.
            while let Some(&id) = self.queue.front()
                && self.tasks[id].outcome.is_some()
            {
                self.queue.pop_front();
                self.tasks[id].scheduled = false;
            }
            if left == 0 {
                break;
            }
            let Some(id) = self.queue.pop_front() else { break };
            left -= 1;
            self.tasks[id].scheduled = false;
            if self.tasks[id].aborted {
                self.finish(id, Outcome::Cancelled);
            } else {
                self.poll(id);
            }
        }
        let more = !self.queue.is_empty();
        self.awake = more;
        self.log.push(format!("more {more}"));
    }

    /// The executor is dropped.
    pub(crate) fn die(&mut self) {
        self.alive = false;
        self.awake = true;
        while let Some(id) = self.tasks.iter().rposition(|task| task.outcome.is_none()) {
            self.finish(id, Outcome::Cancelled);
        }
    }

    /// Whether each live task is in the queue, newest first.
    pub(crate) fn dump(&self) -> Vec<bool> {
        let live = self.tasks.iter().rev().filter(|task| task.outcome.is_none());
        live.map(|task| task.scheduled).collect()
    }

    fn schedule(&mut self, id: usize) {
        let task = &mut self.tasks[id];
        if task.scheduled || task.outcome.is_some() {
            return;
        }
        task.scheduled = true;
        if self.queue.is_empty() && !self.awake {
            self.log.push("unpark".into());
        }
        self.queue.push_back(id);
    }

    fn poll(&mut self, id: usize) {
        self.log.push(format!("poll {id}"));
        let task = &mut self.tasks[id];
        task.polled = true;
        let step = task.script.steps.get(task.next).cloned();
        task.next += 1;
        let end = step.as_ref().map_or(End::Ready, |step| step.end);
        self.carry_out_all(step.map_or(Vec::new(), |step| step.acts), Some(id));
        match end {
            End::Pending => {}
            End::Ready => self.finish(id, Outcome::Output),
            End::Panic => self.finish(id, Outcome::Panicked),
        }
    }

    fn finish(&mut self, id: usize, outcome: Outcome) {
        self.log.push(format!("drop {id}"));
        self.carry_out_all(self.tasks[id].script.on_drop.clone(), None);
        let task = &mut self.tasks[id];
        task.outcome = Some(outcome);
        if task.handle == Handle::Gone && outcome == Outcome::Output {
            self.log.push(format!("drop output {id}"));
        }
        match self.tasks[id].joiner.take() {
            Some(Joiner::Main) => self.log.push("wake main".into()),
            Some(Joiner::Task(joiner)) => self.schedule(joiner),
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

    fn wake(&mut self, id: usize) {
        if self.tasks[id].polled {
            self.schedule(id);
        }
    }

    fn abort(&mut self, id: usize) {
        let task = &mut self.tasks[id];
        if task.handle != Handle::NotYet && task.outcome.is_none() {
            task.aborted = true;
            self.schedule(id);
        }
    }

    fn drop_handle(&mut self, id: usize) {
        let task = &mut self.tasks[id];
        if task.handle == Handle::Held {
            task.handle = Handle::Gone;
            task.joiner = None;
            if task.outcome == Some(Outcome::Output) {
                self.log.push(format!("drop output {id}"));
            }
        }
    }

    fn join(&mut self, id: usize, by: Option<usize>) {
        let task = &mut self.tasks[id];
        if task.handle != Handle::Held {
            return;
        }
        let Some(outcome) = task.outcome else {
            task.joiner = Some(by.map_or(Joiner::Main, Joiner::Task));
            return;
        };
        self.log.push(format!("joined {id}: {outcome:?}"));
        self.drop_handle(id);
    }

    fn spawn(&mut self, script: &Script, polled: bool) {
        if !self.alive {
            return;
        }
        let id = self.tasks.len();
        self.tasks.push(Task {
            script: script.clone(),
            next: 0,
            polled: false,
            scheduled: false,
            aborted: false,
            handle: Handle::NotYet,
            joiner: None,
            outcome: None,
        });
        if polled {
            self.poll(id);
        } else {
            self.schedule(id);
        }
        self.tasks[id].handle = Handle::Held;
    }
}
