//! The standard streams.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;

use crate::HostError;
use crate::io::{Output, Stdio};

mod host {
    use crate::HostError;

    #[kippu::host(module = "kippu:io")]
    pub(super) async fn read(max: u32) -> Result<Vec<u8>, HostError>;
    #[kippu::host(module = "kippu:io")]
    pub(super) async fn write(fd: u32, data: &[u8]) -> Result<(), HostError>;
    #[kippu::host(module = "kippu:io")]
    pub(super) fn print(fd: u32, data: &[u8]) -> Result<(), HostError>;
    #[kippu::host(module = "kippu:io")]
    pub(super) fn is_terminal(fd: u32) -> Result<bool, HostError>;
    #[kippu::host(module = "kippu:io")]
    pub(super) fn columns(fd: u32) -> Result<u32, HostError>;
}

fn fd(output: Output) -> u32 {
    match output {
        Output::Stdout => 1,
        Output::Stderr => 2,
    }
}

type Reading = Pin<Box<dyn Future<Output = Result<Vec<u8>, HostError>>>>;

thread_local! {
    /// Reads that nobody waits for at the moment. The host may have taken their bytes from standard input
    /// already, so the next reader goes on with them.
    static READINGS: RefCell<VecDeque<Reading>> = const { RefCell::new(VecDeque::new()) };
    /// What such a read brought beyond what its reader asked for.
    static REST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Puts the read back when its reader is dropped.
struct Reader(Option<Reading>);

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(reading) = self.0.take() {
            READINGS.with_borrow_mut(|readings| readings.push_front(reading));
        }
    }
}

pub(crate) async fn read(max: usize) -> io::Result<Vec<u8>> {
    if let Some(bytes) = take_rest(max) {
        return Ok(bytes);
    }
    let old = READINGS.with_borrow_mut(VecDeque::pop_front);
    let new = || Box::pin(host::read(u32::try_from(max).unwrap_or(u32::MAX))) as Reading;
    let mut reader = Reader(Some(old.unwrap_or_else(new)));
    let answer = match &mut reader.0 {
        Some(reading) => reading.await,
        None => unreachable!("it was made in the line above"),
    };
    reader.0 = None;
    let bytes = answer?;
    if bytes.len() <= max {
        return Ok(bytes);
    }
    REST.with_borrow_mut(|rest| rest.extend(bytes));
    Ok(take_rest(max).unwrap_or_default())
}

/// At most `max` bytes of what was brought before; `None` when there is nothing.
fn take_rest(max: usize) -> Option<Vec<u8>> {
    REST.with_borrow_mut(|rest| {
        let len = max.min(rest.len());
        (!rest.is_empty()).then(|| rest.drain(..len).collect())
    })
}

pub(crate) async fn write(output: Output, data: &[u8]) -> io::Result<()> {
    Ok(host::write(fd(output), data).await?)
}

pub(crate) fn print(output: Output, data: &[u8]) -> io::Result<()> {
    Ok(host::print(fd(output), data)?)
}

pub(crate) fn is_terminal(stdio: Stdio) -> bool {
    let fd = match stdio {
        Stdio::Stdin => 0,
        Stdio::Stdout => 1,
        Stdio::Stderr => 2,
    };
    host::is_terminal(fd).unwrap_or(false)
}

pub(crate) fn columns(output: Output) -> Option<usize> {
    host::columns(fd(output)).ok().filter(|&columns| columns > 0).map(|columns| columns as usize)
}
