//! What the crate `getrandom` calls for its backend `custom`.

#![cfg(feature = "getrandom")]
#![allow(unsafe_code)]

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
