//! Calls in: exported functions as tasks.

use std::cell::{Cell, RefCell};
use std::future::Future;

use kippu_executor::{AbortHandle, JoinHandle, TaskOptions};

use super::Encode;
use super::value::to_answer;
use crate::HostError;
use crate::driver::js::{Answer, abi};
use crate::macros_rt::Answered;

/// What an exported function that cannot fail returned.
pub fn infallible<T>(value: T) -> Answered<T> {
    Ok(value)
}

/// What an exported function that can fail returned.
pub fn fallible<T, E>(result: Result<T, E>, change: impl FnOnce(E) -> HostError) -> Answered<T> {
    result.map_err(change)
}

thread_local! {
    /// The call whose first poll is going on, and its answer if that fits the answer record.
    static EAGER: Cell<(i32, Option<Option<f64>>)> = const { Cell::new((NO_CALL, None)) };
}

const NO_CALL: i32 = -1;

/// Starts an async export: polls it at once. `make` makes the future, unless an argument is wrong.
pub fn export_async<D, T, F>(
    call: i32,
    name: &'static str,
    make: impl FnOnce() -> Answered<F>,
) -> i32
where
    D: Encode<T> + 'static,
    T: 'static,
    F: Future<Output = Answered<T>> + 'static,
{
    match crate::rt::with(|_| make()) {
        Ok(future) => run_call(call, name, future, to_answer::<D, T>),
        Err(error) => {
            abi::reply(call & !abi::CANCELLABLE, Answer::Error(error));
            0
        }
    }
}

/// Makes a task of a call and polls it at once: 1 when the answer record holds its answer. `finish` makes the answer,
/// unless the call is cancelled.
pub(crate) fn run_call<F>(
    call: i32,
    name: &'static str,
    future: F,
    finish: impl FnOnce(F::Output) -> Answer + 'static,
) -> i32
where
    F: Future + 'static,
{
    let id = call & !abi::CANCELLABLE;
    let outer = EAGER.replace((id, None));
    let token = if call == id { UNCANCELLABLE } else { cancellable::open(id) };
    // One future for both kinds of calls: it is the guest's largest code, and would be there twice.
    let task = crate::rt::with(|inner| {
        let task = inner.executor.spawn_polled(TaskOptions::new().name(name), async move {
            let result = future.await;
            // Nobody waits for the answer of a call that has been cancelled, nor would anybody close a stream in it.
            if token == UNCANCELLABLE || cancellable::take(id, token) {
                answer(id, finish(result));
            }
        });
        inner.driver.arm(&inner.executor);
        task
    });
    if token != UNCANCELLABLE {
        cancellable::started(id, token, &task);
    }
    drop(task);
    let (_, answer) = EAGER.replace(outer);
    // Written last: whatever ran above may have used the record.
    match answer {
        Some(value) => {
            abi::set_answer(value);
            1
        }
        None => 0,
    }
}

fn answer(call: i32, answer: Answer) {
    match (EAGER.get().0 == call, answer) {
        (true, Answer::Unit) => EAGER.set((call, Some(None))),
        (true, Answer::Number(value)) => EAGER.set((call, Some(Some(value)))),
        (_, answer) => abi::reply(call, answer),
    }
}

/// Drops the future of a call. False when the call is over.
pub(crate) fn cancel_call(call: i32) -> bool {
    cancellable::cancel(call)
}

/// The token of a call that was not opened.
const UNCANCELLABLE: u64 = 0;

/// The calls that may be cancelled, from their start to their answer.
mod cancellable {
    use super::{AbortHandle, JoinHandle, RefCell};

    struct Call {
        id: i32,
        /// Tells calls with the same number apart: the host uses a number again at once.
        token: u64,
        /// `None` during the first poll.
        task: Option<AbortHandle>,
    }

    /// A table by number, in so many buckets as there are calls. The maps of std would be a fifth of a small guest.
    struct Calls {
        buckets: Vec<Vec<Call>>,
        len: usize,
        tokens: u64,
    }

    impl Calls {
        fn bucket(&mut self, id: i32) -> &mut Vec<Call> {
            let mask = self.buckets.len() - 1;
            &mut self.buckets[id as usize & mask]
        }

        fn insert(&mut self, call: Call) {
            // A power of two: of a number's bits the lowest say which bucket.
            if self.len == self.buckets.len() {
                let doubled = (self.len * 2).max(8);
                let old = std::mem::take(&mut self.buckets);
                self.buckets.resize_with(doubled, Vec::new);
                for call in old.into_iter().flatten() {
                    self.bucket(call.id).push(call);
                }
            }
            self.len += 1;
            self.bucket(call.id).push(call);
        }

        /// Removes the call with this number, if it has this token or none is asked for.
        fn remove(&mut self, id: i32, token: Option<u64>) -> Option<Call> {
            if self.len == 0 {
                return None;
            }
            let bucket = self.bucket(id);
            let is_it =
                |call: &Call| call.id == id && token.is_none_or(|token| call.token == token);
            let at = bucket.iter().position(is_it)?;
            let call = bucket.swap_remove(at);
            self.len -= 1;
            Some(call)
        }
    }

    thread_local! {
        static CALLS: RefCell<Calls> =
            const { RefCell::new(Calls { buckets: Vec::new(), len: 0, tokens: 0 }) };
    }

    pub(super) fn open(id: i32) -> u64 {
        CALLS.with_borrow_mut(|calls| {
            calls.tokens += 1;
            let token = calls.tokens;
            calls.insert(Call { id, token, task: None });
            token
        })
    }

    /// The first poll is over.
    pub(super) fn started(id: i32, token: u64, task: &JoinHandle<()>) {
        let is_open = CALLS.with_borrow_mut(|calls| {
            if calls.len == 0 {
                return false;
            }
            let call =
                calls.bucket(id).iter_mut().find(|call| call.id == id && call.token == token);
            call.map(|call| call.task = Some(task.abort_handle())).is_some()
        });
        // It is finished, or it was cancelled meanwhile.
        if !is_open {
            task.abort();
        }
    }

    /// Removes a call. False when it is not there any more.
    pub(super) fn take(id: i32, token: u64) -> bool {
        // What is removed is dropped when the table is no longer borrowed.
        CALLS.with_borrow_mut(|calls| calls.remove(id, Some(token))).is_some()
    }

    pub(super) fn cancel(id: i32) -> bool {
        // The borrow ends before the task is touched.
        let call = CALLS.with_borrow_mut(|calls| calls.remove(id, None));
        let is_open = call.is_some();
        if let Some(Call { task: Some(task), .. }) = call {
            task.abort();
        }
        is_open
    }
}

/// Runs a sync export.
pub fn export_sync<D: Encode<T>, T>(run: impl FnOnce() -> Answered<T>) -> i32 {
    let answer = crate::rt::with(|inner| {
        let answer = to_answer::<D, T>(run());
        inner.driver.arm(&inner.executor);
        answer
    });
    match answer {
        Answer::Unit => abi::set_answer(None),
        Answer::Number(value) => abi::set_answer(Some(value)),
        answer => {
            abi::reply(NO_CALL, answer);
            return 0;
        }
    }
    1
}
