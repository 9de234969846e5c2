//! Writes spans and events to the file that the environment names.

use std::ffi::OsString;
use std::{env, fmt, fs, io};

use tracing_chrome::{ChromeLayer, ChromeLayerBuilder, FlushGuard};
use tracing_core::Subscriber;
use tracing_subscriber::registry::LookupSpan;

/// The file that is being written; dropping it writes the rest.
pub(super) struct File {
    _guard: FlushGuard,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("File")
    }
}

fn path() -> Option<OsString> {
    env::var_os("KIPPU_TRACE").filter(|path| !path.is_empty())
}

pub(super) fn recording() -> bool {
    path().is_some()
}

pub(super) fn layer<S>() -> io::Result<Option<(ChromeLayer<S>, File)>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let Some(path) = path() else { return Ok(None) };
    let file = fs::File::create(&path).map_err(|error| {
        let path = path.display();
        io::Error::new(error.kind(), format!("cannot make the trace file {path}: {error}"))
    })?;
    let (layer, guard) = ChromeLayerBuilder::new().writer(file).include_args(true).build();
    Ok(Some((layer, File { _guard: guard })))
}
