//! Standard input, output and error.
//!
//! Output is not buffered: what is printed is with the system when the call
//! returns, or when its future is ready. The macros [`print!`](crate::print),
//! [`println!`](crate::println), [`eprint!`](crate::eprint) and
//! [`eprintln!`](crate::eprintln) print without waiting. Unlike those of `std` they
//! work on every host, and ignore errors instead of panicking, so that
//! `program | head` ends quietly.

use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sys;

/// How much one read asks of the host when the caller has named no size.
const CHUNK: usize = 8 * 1024;

/// Where text can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

/// The three streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdio {
    Stdin,
    Stdout,
    Stderr,
}

/// What was read from standard input and not asked for yet. One for the program, as
/// there is one standard input.
static BUFFER: Mutex<Buffer> = Mutex::new(Buffer { bytes: Vec::new(), searched: 0 });

struct Buffer {
    bytes: Vec<u8>,
    /// How many bytes at the front are known to hold no end of line, so that a
    /// long line is not searched again with each chunk.
    searched: usize,
}

impl Buffer {
    fn lock() -> MutexGuard<'static, Buffer> {
        BUFFER.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes up to `max` bytes from the front.
    fn take(&mut self, max: usize) -> Vec<u8> {
        let len = max.min(self.bytes.len());
        self.searched = self.searched.saturating_sub(len);
        let rest = self.bytes.split_off(len);
        std::mem::replace(&mut self.bytes, rest)
    }

    /// Removes the first line with its `\n`, if there is a whole one.
    fn take_line(&mut self) -> Option<Vec<u8>> {
        let found = self.bytes[self.searched..].iter().position(|&byte| byte == b'\n');
        let Some(offset) = found else {
            self.searched = self.bytes.len();
            return None;
        };
        Some(self.take(self.searched + offset + 1))
    }
}

/// Standard input. See [`stdin`].
#[derive(Clone, Copy, Debug)]
pub struct Stdin(());

/// The program's standard input.
///
/// All handles share one buffer, so reading lines and reading bytes may be mixed.
/// Dropping a future that reads loses nothing: what it would have brought is there
/// for the next one. Bytes read by [`std::io::stdin`] are not seen here.
#[must_use]
pub fn stdin() -> Stdin {
    Stdin(())
}

impl Stdin {
    /// Reads into `target` what is there, at least one byte, and says how many. 0
    /// means the end, or an empty `target`.
    ///
    /// # Errors
    /// What the host says, and [`Unsupported`](io::ErrorKind::Unsupported) where
    /// there is no standard input.
    pub async fn read(&self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        let mut bytes = Buffer::lock().take(target.len());
        if bytes.is_empty() {
            bytes = sys::io::read(target.len()).await?;
        }
        let (now, later) = bytes.split_at(bytes.len().min(target.len()));
        target[..now.len()].copy_from_slice(now);
        Buffer::lock().bytes.extend_from_slice(later);
        Ok(now.len())
    }

    /// Appends the next line to `line`, with its `\n` if it has one, and says how
    /// many bytes that was. 0 means the end. A line may be of any length.
    ///
    /// # Errors
    /// Those of [`read`](Stdin::read), and
    /// [`InvalidData`](io::ErrorKind::InvalidData) when the line is not UTF-8; that
    /// line is skipped then, and `line` unchanged.
    pub async fn read_line(&self, line: &mut String) -> io::Result<usize> {
        loop {
            let whole = Buffer::lock().take_line();
            if let Some(bytes) = whole {
                return append(line, bytes);
            }
            let bytes = sys::io::read(CHUNK).await?;
            if bytes.is_empty() {
                let rest = Buffer::lock().take(usize::MAX);
                return append(line, rest);
            }
            Buffer::lock().bytes.extend_from_slice(&bytes);
        }
    }

    /// Appends all that comes until the end to `target`, and says how many bytes
    /// that was. If the future is dropped, `target` keeps what has come.
    ///
    /// # Errors
    /// Those of [`read`](Stdin::read). What came before is in `target`.
    pub async fn read_to_end(&self, target: &mut Vec<u8>) -> io::Result<usize> {
        let before = target.len();
        target.append(&mut Buffer::lock().take(usize::MAX));
        loop {
            let bytes = sys::io::read(CHUNK).await?;
            if bytes.is_empty() {
                return Ok(target.len() - before);
            }
            target.extend_from_slice(&bytes);
        }
    }

    /// Whether it is a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        sys::io::is_terminal(Stdio::Stdin)
    }
}

fn append(line: &mut String, bytes: Vec<u8>) -> io::Result<usize> {
    let text = String::from_utf8(bytes).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidData, "a line of standard input is not UTF-8")
    })?;
    line.push_str(&text);
    Ok(text.len())
}

macro_rules! output {
    ($(#[$about:meta])* $name:ident, $(#[$make_about:meta])* $make:ident, $output:expr, $stdio:expr) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(());

        $(#[$make_about])*
        #[must_use]
        pub fn $make() -> $name {
            $name(())
        }

        impl $name {
            /// Writes all of `data`. Its place is after everything printed or
            /// written before. Natively it is written during the first poll.
            ///
            /// Dropping the future does not take back what was handed over.
            ///
            /// # Errors
            /// What the host says, such as
            /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) when nobody reads any more.
            pub async fn write_all(&self, data: &[u8]) -> io::Result<()> {
                sys::io::write($output, data).await
            }

            /// Writes all of `data` without waiting, in order with
            /// [`write_all`](Self::write_all).
            ///
            /// # Errors
            /// What the host says at once. Hosts that write later do not tell of
            /// errors that happen then.
            pub fn print(&self, data: &[u8]) -> io::Result<()> {
                sys::io::print($output, data)
            }

            /// Whether it is a terminal.
            #[must_use]
            pub fn is_terminal(&self) -> bool {
                sys::io::is_terminal($stdio)
            }

            /// The width of the terminal in columns; `None` when it is none.
            #[must_use]
            pub fn columns(&self) -> Option<usize> {
                sys::io::columns($output)
            }
        }
    };
}

output! {
    /// Standard output. See [`stdout`].
    Stdout,
    /// The program's standard output.
    stdout, Output::Stdout, Stdio::Stdout
}

output! {
    /// Standard error. See [`stderr`].
    Stderr,
    /// The program's standard error.
    stderr, Output::Stderr, Stdio::Stderr
}

/// What the printing macros call. Not for use elsewhere.
#[doc(hidden)]
pub fn __print(to_stderr: bool, text: fmt::Arguments<'_>) {
    let output = if to_stderr { Output::Stderr } else { Output::Stdout };
    // Nobody could be told; see the module's text.
    let _ = match text.as_str() {
        Some(text) => sys::io::print(output, text.as_bytes()),
        None => sys::io::print(output, text.to_string().as_bytes()),
    };
}

/// Prints to standard output without waiting, like [`std::print!`], on every host.
/// Errors are ignored.
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => {
        $crate::io::__print(false, ::core::format_args!($($arg)*))
    };
}

/// Prints a line to standard output without waiting, like [`std::println!`], on
/// every host. Errors are ignored.
#[macro_export]
macro_rules! println {
    () => {
        $crate::print!("\n")
    };
    ($($arg:tt)*) => {
        $crate::print!("{}\n", ::core::format_args!($($arg)*))
    };
}

/// Prints to standard error without waiting, like [`std::eprint!`], on every host.
/// Errors are ignored.
#[macro_export]
macro_rules! eprint {
    ($($arg:tt)*) => {
        $crate::io::__print(true, ::core::format_args!($($arg)*))
    };
}

/// Prints a line to standard error without waiting, like [`std::eprintln!`], on
/// every host. Errors are ignored.
#[macro_export]
macro_rules! eprintln {
    () => {
        $crate::eprint!("\n")
    };
    ($($arg:tt)*) => {
        $crate::eprint!("{}\n", ::core::format_args!($($arg)*))
    };
}
