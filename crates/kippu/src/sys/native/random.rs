//! Random bytes of the operating system.

use std::io;

pub(crate) fn fill(buf: &mut [u8]) -> io::Result<()> {
    Ok(getrandom::fill(buf)?)
}
