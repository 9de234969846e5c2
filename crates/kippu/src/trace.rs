//! Spans and events of the crate [`tracing`](https://docs.rs/tracing), in a trace file that
//! `chrome://tracing` and [Perfetto](https://ui.perfetto.dev) show (feature `tracing`).
//!
//! ```no_run
//! #[tracing::instrument]
//! async fn load(path: &str) -> std::io::Result<String> {
//!     kippu::fs::read_to_string(path).await
//! }
//!
//! #[kippu::main]
//! async fn main() -> std::io::Result<()> {
//!     let _guard = kippu::trace::init()?;
//!     load("config.toml").await?;
//!     Ok(())
//! }
//! ```
//!
//! On a JavaScript host the spans go to the host, which records them beside its own: turns of the guest,
//! calls of host functions, calls of exports. It does so when it was given a trace (`createTrace` of `kippu/trace`);
//! otherwise nothing is recorded, and spans cost as much as they do without a subscriber. Natively the file is
//! written that the environment variable `KIPPU_TRACE` names.
//!
//! A span of an async function is entered at each poll and left when the poll ends, as
//! `tracing`'s attribute `instrument` and its trait `Instrument` do it. Do not hold a guard of `Span::enter` across
//! an `await`: other tasks run there, and would be shown inside of it.

#[cfg_attr(kippu_js, path = "trace/js.rs")]
#[cfg_attr(not(kippu_js), path = "trace/native.rs")]
mod sys;

use std::io;

use tracing_core::dispatcher;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;

/// Ends the recording when it is dropped: keep it until the end of `main`. What a trace file still lacks then is
/// written; `std::process::exit` skips that.
#[derive(Debug)]
#[must_use = "recording ends when the guard is dropped"]
pub struct Guard {
    _file: Option<sys::File>,
}

/// Makes this the process's subscriber of spans and events. Without anybody who records them it does nothing.
///
/// # Errors
/// When the file that `KIPPU_TRACE` names cannot be made, or there is a subscriber already.
pub fn init() -> io::Result<Guard> {
    if sys::recording() && dispatcher::has_been_set() {
        // Before a file is made, which may be the one that the other subscriber writes.
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "spans and events have a subscriber already",
        ));
    }
    let Some((layer, guard)) = layer::<Registry>()? else {
        return Ok(Guard { _file: None });
    };
    tracing_subscriber::registry().with(layer).try_init().map_err(io::Error::other)?;
    Ok(guard)
}

/// The layer that [`init`] installs, to be put together with others, such as filters: `None` when nobody records.
///
/// # Errors
/// When the file that `KIPPU_TRACE` names cannot be made.
pub fn layer<S>() -> io::Result<Option<(impl Layer<S> + Send + Sync, Guard)>>
where
    S: tracing_core::Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    Ok(sys::layer()?.map(|(layer, file)| (layer, Guard { _file: Some(file) })))
}
