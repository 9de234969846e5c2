//! Random bytes of the host.

use std::io;

use crate::HostError;

mod host {
    use super::HostError;

    #[kippu::host(module = "kippu:random")]
    pub(super) fn bytes(len: u32) -> Result<Vec<u8>, HostError>;
}

/// How many bytes are asked for at once.
const MOST: usize = 1 << 20;

pub(crate) fn fill(buf: &mut [u8]) -> io::Result<()> {
    for part in buf.chunks_mut(MOST) {
        let bytes = host::bytes(part.len() as u32)?;
        if bytes.len() != part.len() {
            return Err(io::Error::other("the host gave another number of random bytes"));
        }
        part.copy_from_slice(&bytes);
    }
    Ok(())
}
