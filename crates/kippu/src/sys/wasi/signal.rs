//! WASI has no signals.

use std::io;

pub(crate) async fn ctrl_c() -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "WASI has no signals: let the host end the program, or stop it by a message of its own",
    ))
}
