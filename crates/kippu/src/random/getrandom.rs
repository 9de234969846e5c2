//! What the crate `getrandom` calls for its backend `custom`, which it has where std knows no host.

#![allow(unsafe_code, reason = "a function that another crate calls by its name")]

use getrandom::Error;

/// # Safety
/// `dest` is `len` bytes that may be written, as `getrandom` says of this function.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(dest: *mut u8, len: usize) -> Result<(), Error> {
    // SAFETY: the caller gives `len` writable bytes. They may hold no values yet, so they get some first.
    let buf = unsafe {
        dest.write_bytes(0, len);
        std::slice::from_raw_parts_mut(dest, len)
    };
    crate::random::fill(buf).map_err(|_| Error::UNSUPPORTED)
}
