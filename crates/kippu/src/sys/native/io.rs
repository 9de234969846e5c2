//! Standard input on a thread of its own, standard output directly.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use super::waiters::Waiters;
use crate::io::{Output, Stdio};

/// The most that one read asks of the system.
const CHUNK: usize = 64 * 1024;

/// Standard input. A read of the system cannot be taken back, and may well never
/// return, so it has a thread for itself instead of one of the pool's. What it
/// brings is kept here until somebody asks, so that a future that is dropped
/// meanwhile loses nothing. The thread never keeps the program from ending.
struct Input {
    /// Asks the thread for one read. `None` until the thread exists.
    requests: Option<Sender<()>>,
    /// A read is under way.
    busy: bool,
    /// Read, but not asked for yet.
    bytes: Vec<u8>,
}

/// What waiting readers are told.
enum News {
    /// Look into `bytes`; somebody may have been faster.
    Bytes,
    End,
    Failed(io::Error),
}

static INPUT: Waiters<Input, News> =
    Waiters::new(Input { requests: None, busy: false, bytes: Vec::new() });

pub(crate) async fn read(max: usize) -> io::Result<Vec<u8>> {
    loop {
        // In line before looking: what arrives in between is told to us.
        let news = INPUT.wait()?;
        if let Some(bytes) = take(max)? {
            return Ok(bytes);
        }
        match news.await {
            News::Bytes => {}
            News::End => return Ok(Vec::new()),
            News::Failed(error) => return Err(error),
        }
    }
}

/// Takes what is there, or sees to it that a read is under way.
fn take(max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut inner = INPUT.lock();
    let input = &mut inner.state;
    if max == 0 {
        return Ok(Some(Vec::new()));
    }
    if !input.bytes.is_empty() {
        let rest = input.bytes.split_off(max.min(input.bytes.len()));
        return Ok(Some(std::mem::replace(&mut input.bytes, rest)));
    }
    if !input.busy {
        let requests = match input.requests.take() {
            Some(requests) => requests,
            None => start()?,
        };
        // The thread lives as long as the sender, so this cannot fail.
        input.busy = requests.send(()).is_ok();
        input.requests = Some(requests);
    }
    Ok(None)
}

fn start() -> io::Result<Sender<()>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().name("kippu-stdin".to_owned()).spawn(move || serve(&receiver))?;
    Ok(sender)
}

fn serve(requests: &Receiver<()>) {
    let mut chunk = vec![0; CHUNK];
    while requests.recv().is_ok() {
        let result = loop {
            match io::stdin().lock().read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let told = {
            let mut inner = INPUT.lock();
            inner.state.busy = false;
            match result {
                Ok(0) => inner.tell(|| News::End),
                Ok(read) => {
                    inner.state.bytes.extend_from_slice(&chunk[..read]);
                    inner.tell(|| News::Bytes)
                }
                Err(error) => inner.tell(|| News::Failed(copy(&error))),
            }
        };
        told.wake();
    }
}

/// Each reader that waits gets the error, and `io::Error` is not `Clone`.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

pub(crate) async fn write(output: Output, data: &[u8]) -> io::Result<()> {
    print(output, data)
}

pub(crate) fn print(output: Output, data: &[u8]) -> io::Result<()> {
    fn all(mut target: impl Write, data: &[u8]) -> io::Result<()> {
        target.write_all(data)?;
        // A prompt without an end of line shall be seen too.
        target.flush()
    }
    match output {
        Output::Stdout => all(io::stdout().lock(), data),
        Output::Stderr => all(io::stderr().lock(), data),
    }
}

pub(crate) fn is_terminal(stdio: Stdio) -> bool {
    match stdio {
        Stdio::Stdin => io::stdin().is_terminal(),
        Stdio::Stdout => io::stdout().is_terminal(),
        Stdio::Stderr => io::stderr().is_terminal(),
    }
}

pub(crate) fn columns(output: Output) -> Option<usize> {
    let size = match output {
        Output::Stdout => terminal_size::terminal_size_of(io::stdout()),
        Output::Stderr => terminal_size::terminal_size_of(io::stderr()),
    };
    size.map(|(width, _)| usize::from(width.0))
}
