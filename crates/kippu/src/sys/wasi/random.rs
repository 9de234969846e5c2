//! Random bytes of the host.

use std::io;

use super::bindings::random::random::get_random_bytes;

/// How many bytes are asked for at once. Hosts refuse, or trap, when it is some megabytes.
const MOST: usize = 64 * 1024;

pub(crate) fn fill(buf: &mut [u8]) -> io::Result<()> {
    let mut rest = buf;
    while !rest.is_empty() {
        // WASI 0.3 lets the host give fewer than it is asked for.
        let bytes = get_random_bytes(rest.len().min(MOST) as u64);
        if bytes.is_empty() || bytes.len() > rest.len() {
            return Err(io::Error::other("the host gave another number of random bytes"));
        }
        let (now, later) = rest.split_at_mut(bytes.len());
        now.copy_from_slice(&bytes);
        rest = later;
    }
    Ok(())
}
