//! Random bytes of the host.

use std::io;

/// The host may refuse to make more than some megabytes at once.
const MOST: usize = 64 * 1024;

pub(crate) fn fill(buf: &mut [u8]) -> io::Result<()> {
    for part in buf.chunks_mut(MOST) {
        part.copy_from_slice(&wasip2::random::random::get_random_bytes(part.len() as u64));
    }
    Ok(())
}
