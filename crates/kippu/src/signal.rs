//! Ctrl-C.

use std::io;

use crate::sys;

/// Waits for the next Ctrl-C (SIGINT).
///
/// While at least one such future waits, Ctrl-C does not end the program but
/// completes all of them. While none does, it ends the program as it would without
/// Kippu, so a user can always get out by pressing it twice:
/// the exit code is then 130 where the program is told one.
///
/// The future waits from its first poll on; dropping it withdraws it.
///
/// # Errors
/// When the signal cannot be listened for, and
/// [`Unsupported`](io::ErrorKind::Unsupported) when the host has none. On a page, where nobody can press it, the
/// future waits for ever.
pub async fn ctrl_c() -> io::Result<()> {
    sys::signal::ctrl_c().await
}
