//! Standard streams.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

use wasip2::cli::{stderr, stdin, stdout};
use wasip2::cli::{terminal_stderr, terminal_stdin, terminal_stdout};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::driver::wasi_p2::{Source, spend};
use crate::io::{Output, Stdio};

/// The most that `blocking-write-and-flush` takes at once.
const MOST: usize = 4096;

/// The source stands before the stream, which has to outlive its pollable.
struct Input {
    source: Source,
    stream: InputStream,
}

thread_local! {
    static INPUT: RefCell<Option<Input>> = const { RefCell::new(None) };
}

/// Reads without waiting; `None` when nothing is there yet.
fn try_read(input: &Input, max: usize) -> io::Result<Option<Vec<u8>>> {
    spend(1);
    match input.stream.read(max as u64) {
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
    poll_fn(|cx| {
        INPUT.with_borrow_mut(|input| {
            let input = input.get_or_insert_with(|| {
                let stream = stdin::get_stdin();
                Input { source: Source::new(stream.subscribe()), stream }
            });
            loop {
                if let Some(result) = try_read(input, max).transpose() {
                    return Poll::Ready(result);
                }
                if input.source.poll_ready(cx).is_pending() {
                    return Poll::Pending;
                }
            }
        })
    })
    .await
}

pub(crate) async fn write(output: Output, data: &[u8]) -> io::Result<()> {
    print(output, data)
}

pub(crate) fn print(output: Output, data: &[u8]) -> io::Result<()> {
    let stream: OutputStream = match output {
        Output::Stdout => stdout::get_stdout(),
        Output::Stderr => stderr::get_stderr(),
    };
    data.chunks(MOST)
        .try_for_each(|part| stream.blocking_write_and_flush(part))
        .map_err(|error| error_of(&error))
}

/// The error of a stream.
pub(super) fn error_of(error: &StreamError) -> io::Error {
    match error {
        StreamError::Closed => io::ErrorKind::BrokenPipe.into(),
        StreamError::LastOperationFailed(error) => io::Error::other(error.to_debug_string()),
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
