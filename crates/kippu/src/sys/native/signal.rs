//! Ctrl-C, through the handler thread of the crate `ctrlc`.

use std::io;

use super::waiters::Waiters;

/// The state says whether the handler is installed.
static WAITERS: Waiters<bool, ()> = Waiters::new(false);

/// What a shell reports for a program that SIGINT has ended: 128 + 2.
const EXIT_CODE: i32 = 130;

pub(crate) async fn ctrl_c() -> io::Result<()> {
    let signal = WAITERS.wait()?;
    install()?;
    signal.await;
    Ok(())
}

fn install() -> io::Result<()> {
    // The handler is not run while it is installed, and takes the lock on a thread
    // of its own, so holding the lock here is safe.
    let mut inner = WAITERS.lock();
    if !inner.state {
        ctrlc::set_handler(interrupted).map_err(|error| match error {
            ctrlc::Error::System(error) => error,
            other => io::Error::other(format!("cannot listen for Ctrl-C: {other}")),
        })?;
        inner.state = true;
    }
    Ok(())
}

/// Runs on the handler's own thread, not in signal context.
fn interrupted() {
    let told = {
        let mut inner = WAITERS.lock();
        if !inner.is_awaited() {
            drop(inner);
            // Installing a handler took the system's default away: give it back.
            std::process::exit(EXIT_CODE);
        }
        inner.tell(|| ())
    };
    told.wake();
}
