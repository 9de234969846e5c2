//! Standard streams.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use wasip2::cli::{stderr, stdin, stdout};
use wasip2::cli::{terminal_stderr, terminal_stdin, terminal_stdout};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::driver::waiters::Waiters;
use crate::driver::wasi_p2::{Source, spend};
use crate::io::{Output, Stdio};

/// The most that one read asks of the host.
const CHUNK: usize = 64 * 1024;

/// The most that `blocking-write-and-flush` takes at once.
const MOST: usize = 4096;

/// Standard input. The host is asked for no more than a reader can take, so that nothing is left over when one is dropped.
struct Input {
    /// It stands before the stream, which has to outlive its pollable.
    source: Source,
    stream: InputStream,
    /// The waker of all that wait; see [`Readers`].
    waker: Waker,
    /// How many wait.
    waiting: usize,
}

thread_local! {
    static INPUT: RefCell<Option<Input>> = const { RefCell::new(None) };
    static READERS: RefCell<Waiters> = const { RefCell::new(Waiters::new()) };
    static STDOUT: OnceCell<OutputStream> = const { OnceCell::new() };
    static STDERR: OnceCell<OutputStream> = const { OnceCell::new() };
}

/// Wakes all readers. The source has one place for a waker, and who was faster than the others gets what is there.
struct Readers;

impl Wake for Readers {
    fn wake(self: Arc<Self>) {
        let waiting: Vec<_> = READERS.with_borrow_mut(|readers| readers.drain().collect());
        for waiter in waiting {
            waiter.wake();
        }
    }
}

fn with_input<R>(f: impl FnOnce(&mut Input) -> R) -> R {
    INPUT.with_borrow_mut(|input| {
        f(input.get_or_insert_with(|| {
            let stream = stdin::get_stdin();
            let source = Source::new(stream.subscribe());
            Input { source, stream, waker: Waker::from(Arc::new(Readers)), waiting: 0 }
        }))
    })
}

/// One that waits. When the last one is dropped, nothing is outstanding any more.
struct Waiting(());

impl Waiting {
    fn new() -> Waiting {
        with_input(|input| input.waiting += 1);
        Waiting(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let is_last = with_input(|input| {
            input.waiting -= 1;
            if input.waiting == 0 {
                input.source.disarm();
            }
            input.waiting == 0
        });
        if is_last {
            let left: Vec<_> = READERS.with_borrow_mut(|readers| readers.drain().collect());
            drop(left);
        }
    }
}

/// Reads without waiting; `None` when nothing is there yet, nothing at the end.
fn try_read(max: usize) -> io::Result<Option<Vec<u8>>> {
    spend(1);
    match with_input(|input| input.stream.read(max.min(CHUNK) as u64)) {
        Ok(bytes) if bytes.is_empty() => Ok(None),
        Ok(bytes) => Ok(Some(bytes)),
        Err(StreamError::Closed) => Ok(Some(Vec::new())),
        Err(error) => Err(error_of(&error)),
    }
}

pub(crate) async fn read(max: usize) -> io::Result<Vec<u8>> {
    if max == 0 {
        return Ok(Vec::new());
    }
    let mut waiting = None;
    poll_fn(|cx| {
        loop {
            if let Some(result) = try_read(max).transpose() {
                return Poll::Ready(result);
            }
            waiting.get_or_insert_with(Waiting::new);
            // In the list before the source is asked, whose answer is for all that are.
            let displaced = READERS.with_borrow_mut(|readers| readers.add(cx.waker(), ()));
            displaced.settle();
            let polled = with_input(|input| {
                let Input { source, waker, .. } = input;
                source.poll_ready(&mut Context::from_waker(waker))
            });
            if polled.is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

pub(crate) async fn write(output: Output, data: &[u8]) -> io::Result<()> {
    print(output, data)
}

/// Waits here when the host does not take everything at once, as an operating system does.
pub(crate) fn print(output: Output, data: &[u8]) -> io::Result<()> {
    let all = |stream: &OutputStream| write_all(stream, data).map_err(|error| error_of(&error));
    match output {
        Output::Stdout => STDOUT.with(|stream| all(stream.get_or_init(stdout::get_stdout))),
        Output::Stderr => STDERR.with(|stream| all(stream.get_or_init(stderr::get_stderr))),
    }
}

fn write_all(stream: &OutputStream, data: &[u8]) -> Result<(), StreamError> {
    if data.is_empty() {
        return Ok(());
    }
    if data.len() <= MOST {
        return stream.blocking_write_and_flush(data);
    }
    let mut rest = data;
    while !rest.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = rest.split_at(room.min(rest.len()));
        stream.write(now)?;
        rest = later;
    }
    stream.blocking_flush()
}

fn error_of(error: &StreamError) -> io::Error {
    match error {
        StreamError::Closed => io::ErrorKind::BrokenPipe.into(),
        StreamError::LastOperationFailed(error) => io::Error::other(Said(error.to_debug_string())),
    }
}

pub(crate) fn is_terminal(stdio: Stdio) -> bool {
    match stdio {
        Stdio::Stdin => terminal_stdin::get_terminal_stdin().is_some(),
        Stdio::Stdout => terminal_stdout::get_terminal_stdout().is_some(),
        Stdio::Stderr => terminal_stderr::get_terminal_stderr().is_some(),
    }
}

/// WASI does not tell.
pub(crate) fn columns(_: Output) -> Option<usize> {
    None
}

/// What the host says of an error. Its `Debug` form is the text, too: that of a string would bring std's escapes into each
/// program that prints.
#[derive(thiserror::Error)]
#[error("{0}")]
struct Said(String);

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
