//! Signals.

use std::io;

mod host {
    use crate::HostError;

    #[kippu::host(module = "kippu:signal")]
    pub(super) async fn ctrl_c() -> Result<(), HostError>;
}

pub(crate) async fn ctrl_c() -> io::Result<()> {
    Ok(host::ctrl_c().await?)
}
