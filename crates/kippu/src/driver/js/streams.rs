//! Streams of both sides: section 11 of `abi/spec.md`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::{Answer, abi};
use crate::HostError;
use crate::macros_rt::{Answered, RawCall, cancel_call, run_call};

/// A stream of the host's, by its number there.
pub(crate) struct Pull<T> {
    /// `None` when the host has forgotten the number.
    stream: Option<u32>,
    /// The pull that is under way.
    call: Option<RawCall>,
    decode: fn(Answer) -> Answered<T>,
}

impl<T> Pull<T> {
    pub(crate) fn new(stream: u32, decode: fn(Answer) -> Answered<T>) -> Self {
        Pull { stream: Some(stream), call: None, decode }
    }

    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, HostError>>> {
        let Some(stream) = self.stream else {
            return Poll::Ready(None);
        };
        let call = self.call.get_or_insert_with(|| {
            RawCall::start(&"the next item of a stream", |ticket| {
                Ok(abi::stream_next(ticket, stream))
            })
        });
        let answer = ready!(call.poll(cx));
        self.call = None;
        Poll::Ready(match answer {
            Answer::Unit => {
                self.stream = None;
                None
            }
            Answer::Error(error) => {
                self.stream = None;
                Some(Err(error))
            }
            answer => Some((self.decode)(answer)),
        })
    }
}

impl<T> Drop for Pull<T> {
    fn drop(&mut self) {
        // First the pull, then what it pulls at.
        drop(self.call.take());
        if let Some(stream) = self.stream {
            abi::stream_close(stream);
        }
    }
}

/// A stream of the guest's, whose items are ready to cross.
type Source = Pin<Box<dyn Stream<Item = Answer>>>;

enum Entry {
    Idle(Source),
    /// The call that waits for the next item. Its task holds the stream.
    Busy(i32),
}

struct Table {
    entries: BTreeMap<u32, Entry>,
    last: u32,
}

thread_local! {
    static TABLE: RefCell<Table> = const { RefCell::new(Table { entries: BTreeMap::new(), last: 0 }) };
    /// Set with the first stream, so that guests without any do not carry the code.
    static OPS: Cell<Option<Ops>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Ops {
    next: fn(i32, u32) -> i32,
    close: fn(u32),
}

// The borrow of the table ends before anything of the stream's is run or dropped: it may come back here.
fn swap(stream: u32, entry: Option<Entry>) -> Option<Entry> {
    TABLE.with_borrow_mut(|table| match entry {
        Some(entry) => table.entries.insert(stream, entry),
        None => table.entries.remove(&stream),
    })
}

/// Gives a stream to the host: its number.
pub(crate) fn give(source: Source) -> u32 {
    OPS.set(Some(Ops { next, close }));
    TABLE.with_borrow_mut(|table| {
        // A number that is in use is passed over.
        loop {
            table.last = table.last.wrapping_add(1);
            if table.last != 0 && !table.entries.contains_key(&table.last) {
                break;
            }
        }
        table.entries.insert(table.last, Entry::Idle(source));
        table.last
    })
}

/// `kippu_stream_next`.
pub(super) fn stream_next(call: i32, stream: u32) -> i32 {
    match OPS.get() {
        Some(ops) => (ops.next)(call, stream),
        None => end(),
    }
}

/// `kippu_stream_close`.
pub(super) fn stream_close(stream: u32) {
    if let Some(ops) = OPS.get() {
        (ops.close)(stream);
    }
}

fn end() -> i32 {
    abi::set_answer(None);
    1
}

fn next(call: i32, stream: u32) -> i32 {
    let id = call & !abi::CANCELLABLE;
    let mut source = match swap(stream, Some(Entry::Busy(id))) {
        Some(Entry::Idle(source)) => source,
        Some(busy) => {
            drop(swap(stream, Some(busy)));
            let message = "the stream was asked for its next item before it gave the last one";
            abi::reply(id, Answer::Error(HostError::new(message)));
            return 0;
        }
        None => {
            drop(swap(stream, None));
            return end();
        }
    };
    // A pull can be cancelled always: by closing the stream.
    let pull = async move {
        let item = poll_fn(|cx| source.as_mut().poll_next(cx)).await;
        let (entry, answer) = match item {
            None => (None, Answer::Unit),
            Some(answer @ Answer::Error(_)) => (None, answer),
            Some(answer) => (Some(Entry::Idle(source)), answer),
        };
        let is_open = TABLE.with_borrow(
            |table| matches!(table.entries.get(&stream), Some(Entry::Busy(busy)) if *busy == id),
        );
        if is_open {
            drop(swap(stream, entry));
        }
        answer
    };
    run_call(call | abi::CANCELLABLE, "stream", pull, |answer| answer)
}

fn close(stream: u32) {
    match swap(stream, None) {
        Some(Entry::Busy(call)) => {
            if cancel_call(call) {
                abi::reply(call, Answer::Unit);
            }
        }
        idle => drop(idle),
    }
}
