//! Threads for calls that can only block: files, name lookups.
//!
//! One pool serves all runtimes of the process. A thread is started when a job
//! finds none idle, up to [`MAX_THREADS`], and ends after [`IDLE_TIME`] without
//! work; further jobs wait in line, first come first served.

use std::any::Any;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

#[cfg(test)]
mod tests;

use super::{Hold, current, lock};

/// How many jobs may run at the same time. File calls alone would be served by a
/// dozen threads. But a lookup against a dead name server sits on its thread for
/// ten seconds and more, and sixty of those together are rare, while sixty parked
/// threads cost little: an idle one keeps some tens of kilobytes.
const MAX_THREADS: usize = 64;

/// How long a thread waits for more work before it ends.
const IDLE_TIME: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce() + Send>;

struct Pool {
    max_threads: usize,
    idle_time: Duration,
    state: Mutex<State>,
    /// Rung once per job that an idle thread should take.
    work: Condvar,
}

struct State {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

static POOL: Pool = Pool::new(MAX_THREADS, IDLE_TIME);

/// Why a job has no result.
enum Failure {
    Panicked(String),
    NeverRun,
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> io::Error {
        match failure {
            Failure::Panicked(message) => {
                io::Error::other(format!("a blocking call panicked: {message}"))
            }
            Failure::NeverRun => io::Error::new(
                io::ErrorKind::OutOfMemory,
                "the system refuses to start a thread for a blocking call: \
                 too many threads, or too little memory",
            ),
        }
    }
}

/// Runs `f` on a thread of the pool and gives its result.
///
/// The job starts when the future is first polled. Dropping the future detaches
/// it: `f` runs to its end, and its result is dropped. Until then it counts as
/// outstanding.
///
/// # Errors
/// Outside of a runtime; when the system cannot start a single thread; and, of
/// kind `Other`, the message of a panic in `f`.
pub(crate) async fn blocking<T, F>(f: F) -> io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let slot = Arc::new(Slot::<T>::default());
    let promise = Promise { slot: Arc::clone(&slot), kept: false, _hold: current()?.hold() };
    POOL.submit(Box::new(move || {
        let result = catch_unwind(AssertUnwindSafe(f));
        promise.keep(result.map_err(|payload| Failure::Panicked(panic_message(&*payload))));
    }));
    Ok(poll_fn(|cx| slot.poll(cx)).await?)
}

/// The job's end of a [`Slot`]. Whatever becomes of the job, the slot is filled,
/// and only then the job leaves the count of what is outstanding.
struct Promise<T> {
    slot: Arc<Slot<T>>,
    kept: bool,
    _hold: Hold,
}

impl<T> Promise<T> {
    fn keep(mut self, result: Result<T, Failure>) {
        self.kept = true;
        self.slot.fill(result);
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        if !self.kept {
            self.slot.fill(Err(Failure::NeverRun));
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}

/// Where a job leaves its result.
struct Slot<T> {
    state: Mutex<Filling<T>>,
}

enum Filling<T> {
    Empty(Option<Waker>),
    Full(Result<T, Failure>),
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Slot { state: Mutex::new(Filling::Empty(None)) }
    }
}

impl<T> Slot<T> {
    fn fill(&self, result: Result<T, Failure>) {
        let before = std::mem::replace(&mut *lock(&self.state), Filling::Full(result));
        if let Filling::Empty(Some(waker)) = before {
            waker.wake();
        }
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<T, Failure>> {
        let waiting = Filling::Empty(Some(cx.waker().clone()));
        // Dropped, or given, with the lock released.
        let before = std::mem::replace(&mut *lock(&self.state), waiting);
        match before {
            Filling::Full(result) => Poll::Ready(result),
            Filling::Empty(_) => Poll::Pending,
        }
    }
}

impl Pool {
    const fn new(max_threads: usize, idle_time: Duration) -> Pool {
        let state = State { queue: VecDeque::new(), threads: 0, idle: 0 };
        Pool { max_threads, idle_time, state: Mutex::new(state), work: Condvar::new() }
    }

    fn submit(&'static self, job: Job) {
        let mut state = lock(&self.state);
        state.queue.push_back(job);
        if state.idle >= state.queue.len() {
            drop(state);
            self.work.notify_one();
            return;
        }
        if state.threads == self.max_threads {
            return;
        }
        state.threads += 1;
        drop(state);
        let name = "kippu-blocking".to_owned();
        if thread::Builder::new().name(name).spawn(move || self.serve()).is_err() {
            self.thread_refused();
        }
    }

    /// The system gave no thread. Jobs can wait for those that exist; without any
    /// they would wait for ever, so they are dropped, which fails them.
    fn thread_refused(&self) {
        let mut state = lock(&self.state);
        state.threads -= 1;
        if state.threads == 0 {
            let refused = std::mem::take(&mut state.queue);
            drop(state);
            drop(refused);
        }
    }

    /// The life of one thread.
    fn serve(&self) {
        let mut state = lock(&self.state);
        loop {
            while let Some(job) = state.queue.pop_front() {
                drop(state);
                // The job contains the panics of its function. What is left are
                // those of dropping a result that nobody waits for.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = lock(&self.state);
            }
            state.idle += 1;
            let (guard, waited) = self
                .work
                .wait_timeout_while(state, self.idle_time, |state| state.queue.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.idle -= 1;
            if waited.timed_out() && state.queue.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}
