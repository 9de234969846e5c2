//! What only whoever runs the program can see: what it reads, how it is interrupted, how it ends.

use std::io;
use std::task::Poll;

use kippu::ExitCode;

use crate::support::poll_once;

/// Writes to standard output what comes from standard input, as it comes; at the end, the number of bytes to standard
/// error. Reads are given up in between, also at the end, and no byte is lost.
///
/// The exit code is 7, or 1 when something fails.
pub(crate) async fn echo() -> ExitCode {
    let mut buffer = vec![0; 10_000];
    let mut count = 0;
    loop {
        let read = match read(&mut buffer).await {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => {
                kippu::eprintln!("cannot read: {error}");
                return ExitCode(1);
            }
        };
        count += read;
        if let Err(error) = kippu::io::stdout().write_all(&buffer[..read]).await {
            kippu::eprintln!("cannot write: {error}");
            return ExitCode(1);
        }
    }
    kippu::eprintln!("{count} bytes");
    ExitCode(7)
}

/// Reads twice, where the first read is given up if it has to wait.
async fn read(buffer: &mut [u8]) -> io::Result<usize> {
    let stdin = kippu::io::stdin();
    let mut first = Box::pin(stdin.read(buffer));
    if let Poll::Ready(read) = poll_once(&mut first).await {
        return read;
    }
    drop(first);
    stdin.read(buffer).await
}

/// Prints `waiting`, waits until it is interrupted (SIGINT), then prints `interrupted` without waiting until that is
/// written.
///
/// The exit code is 8, or 1 when it cannot wait.
pub(crate) async fn interrupt() -> ExitCode {
    let mut interrupted = Box::pin(kippu::signal::ctrl_c());
    // It listens from the first poll on: what is sent when the line is read arrives.
    if poll_once(&mut interrupted).await.is_ready() {
        kippu::eprintln!("it does not wait");
        return ExitCode(1);
    }
    kippu::println!("waiting");
    if let Err(error) = interrupted.await {
        kippu::eprintln!("cannot wait: {error}");
        return ExitCode(1);
    }
    kippu::println!("interrupted");
    ExitCode(8)
}
