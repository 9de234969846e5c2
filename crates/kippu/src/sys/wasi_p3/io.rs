//! Standard streams.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use wasip3::cli::types::ErrorCode;
use wasip3::cli::{stderr, stdin, stdout};
use wasip3::cli::{terminal_stderr, terminal_stdin, terminal_stdout};
use wasip3::wit_stream;
use wit_bindgen::{FutureReader, StreamRead, StreamReader, StreamResult, StreamWriter};

use crate::driver::waiters::Waiters;
use crate::driver::wasi_p3::Op;
use crate::io::{Output, Stdio};

/// The most that one read asks of the host.
const CHUNK: usize = 64 * 1024;

/// How a stream ended.
type Ending = FutureReader<Result<(), ErrorCode>>;

/// Standard input.
struct Input {
    source: Option<(StreamReader<u8>, Ending)>,
    /// The source has said that nothing more will come. It traps when it is asked again.
    is_over: bool,
    /// Read, but not asked for yet.
    bytes: Vec<u8>,
}

impl Input {
    const fn new() -> Input {
        Input { source: None, is_over: false, bytes: Vec::new() }
    }
}

thread_local! {
    /// `None` while somebody reads.
    static INPUT: RefCell<Option<Input>> = const { RefCell::new(Some(Input::new())) };
    /// Who waits for that to end.
    static READERS: RefCell<Waiters> = const { RefCell::new(Waiters::new()) };
}

pub(crate) async fn read(max: usize) -> io::Result<Vec<u8>> {
    if max == 0 {
        return Ok(Vec::new());
    }
    Op::new(async {
        let mut lease = poll_fn(Lease::poll_new).await;
        let input = &mut lease.0;
        if input.bytes.is_empty() {
            input.fill().await?;
        }
        let rest = input.bytes.split_off(max.min(input.bytes.len()));
        Ok(std::mem::replace(&mut input.bytes, rest))
    })
    .await
}

/// Standard input for one reader. Dropping it gives it to the next.
struct Lease(Input);

impl Lease {
    fn poll_new(cx: &mut Context<'_>) -> Poll<Lease> {
        if let Some(input) = INPUT.take() {
            return Poll::Ready(Lease(input));
        }
        let displaced = READERS.with_borrow_mut(|readers| readers.add(cx.waker(), ()));
        displaced.settle();
        Poll::Pending
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        INPUT.set(Some(std::mem::replace(&mut self.0, Input::new())));
        // All of them: the one that was woken might not come.
        let waiting: Vec<_> = READERS.with_borrow_mut(|readers| readers.drain().collect());
        for waiter in waiting {
            waiter.wake();
        }
    }
}

impl Input {
    /// Reads something into `bytes`, or nothing at the end.
    async fn fill(&mut self) -> io::Result<()> {
        let (stream, _) = self.source.get_or_insert_with(stdin::read_via_stream);
        while !self.is_over {
            let mut buf = std::mem::take(&mut self.bytes);
            buf.reserve(CHUNK);
            let operation = pin!(stream.read(buf));
            let (bytes, is_over) = (&mut self.bytes, &mut self.is_over);
            let mut reading = Reading { operation: Some(operation), bytes, is_over };
            poll_fn(|cx| reading.poll(cx)).await;
            drop(reading);
            if !self.bytes.is_empty() {
                return Ok(());
            }
        }
        // A terminal may go on after its end, with another stream.
        self.is_over = false;
        let Some((_, ending)) = self.source.take() else { return Ok(()) };
        ending.await.map_err(error_of)
    }
}

/// A read that keeps what it got when it is dropped.
struct Reading<'a, 'stream> {
    /// `None` once it is complete.
    operation: Option<Pin<&'a mut StreamRead<'stream, u8>>>,
    bytes: &'a mut Vec<u8>,
    is_over: &'a mut bool,
}

impl Reading<'_, '_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(operation) = &mut self.operation else { return Poll::Ready(()) };
        operation.as_mut().poll(cx).map(|result| {
            self.operation = None;
            self.keep(result);
        })
    }

    fn keep(&mut self, (status, bytes): (StreamResult, Vec<u8>)) {
        *self.bytes = bytes;
        *self.is_over = status == StreamResult::Dropped;
    }
}

impl Drop for Reading<'_, '_> {
    fn drop(&mut self) {
        if let Some(operation) = self.operation.take() {
            self.keep(operation.cancel());
        }
    }
}

/// Standard output or standard error.
struct Sink {
    stream: StreamWriter<u8>,
    ending: Ending,
}

thread_local! {
    static STDOUT: Cell<Option<Sink>> = const { Cell::new(None) };
    static STDERR: Cell<Option<Sink>> = const { Cell::new(None) };
}

impl Sink {
    fn open(output: Output) -> Sink {
        let (stream, data) = wit_stream::new();
        let ending = match output {
            Output::Stdout => stdout::write_via_stream(data),
            Output::Stderr => stderr::write_via_stream(data),
        };
        Sink { stream, ending }
    }

    async fn write(mut self, data: &[u8]) -> io::Result<Sink> {
        for part in data.chunks(CHUNK) {
            let rest = self.stream.write_all(part.to_vec()).await;
            if !rest.is_empty() {
                self.finish().await?;
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        Ok(self)
    }

    /// Waits until the host has written everything.
    async fn finish(self) -> io::Result<()> {
        drop(self.stream);
        self.ending.await.map_err(error_of)
    }
}

pub(crate) async fn write(output: Output, data: &[u8]) -> io::Result<()> {
    print(output, data)
}

/// Waits here when the host does not take everything at once: nothing else of the program runs until it has, so that what is printed
/// stays in order, and is out before a panic ends the program.
pub(crate) fn print(output: Output, data: &[u8]) -> io::Result<()> {
    let place = match output {
        Output::Stdout => &STDOUT,
        Output::Stderr => &STDERR,
    };
    let sink = place.take().unwrap_or_else(|| Sink::open(output));
    let sink = wit_bindgen::block_on(sink.write(data))?;
    place.set(Some(sink));
    Ok(())
}

/// Waits until the host has written everything that was printed.
pub(crate) async fn finish() {
    for place in [&STDOUT, &STDERR] {
        if let Some(sink) = place.take() {
            // Nobody is left who could be told.
            let _ = sink.finish().await;
        }
    }
}

fn error_of(error: ErrorCode) -> io::Error {
    match error {
        ErrorCode::Pipe => io::ErrorKind::BrokenPipe.into(),
        ErrorCode::IllegalByteSequence => io::ErrorKind::InvalidData.into(),
        ErrorCode::Io => io::Error::other("the host cannot read or write the standard stream"),
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
