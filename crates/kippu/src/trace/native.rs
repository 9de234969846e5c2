//! Writes spans and events to the file that the environment names.

use std::{env, fmt, fs, io};

use tracing_chrome::{ChromeLayer, ChromeLayerBuilder, FlushGuard};
use tracing_core::Subscriber;
use tracing_subscriber::registry::LookupSpan;

/// The file that is being written, if there is one.
#[derive(Default)]
pub(super) struct File(Option<FlushGuard>);

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "File" } else { "None" })
    }
}

pub(super) fn layer<S>() -> io::Result<Option<(ChromeLayer<S>, File)>>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let Some(path) = env::var_os("KIPPU_TRACE").filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let file = fs::File::create(&path).map_err(|error| {
        let path = path.display();
        io::Error::new(error.kind(), format!("cannot make the trace file {path}: {error}"))
    })?;
    let (layer, guard) = ChromeLayerBuilder::new().writer(file).include_args(true).build();
    Ok(Some((layer, File(Some(guard)))))
}
