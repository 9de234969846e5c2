//! `wasi:io/poll.poll` on a list of handles.
//!
//! The binding of the crate `wasip2` takes a list of references and makes a list of handles of it, at each call. The driver keeps
//! the handles in a list already.

#![allow(unsafe_code, reason = "a raw import, and a list that the host has written")]

// The version is the one that the crate `wasip2` imports.
#[link(wasm_import_module = "wasi:io/poll@0.2.12")]
unsafe extern "C" {
    #[link_name = "poll"]
    fn import(handles: *const u32, len: usize, result: *mut [usize; 2]);
}

/// Waits until at least one of the pollables is ready, and gives the indices of those that are. Traps when `handles` is empty.
///
/// The list is allocated by the host's call, as the canonical ABI has it: lists that functions return are the callee's to allocate.
pub(super) fn poll(handles: &[u32]) -> Vec<u32> {
    let mut result = [0_usize; 2];
    // SAFETY: the import has the type that the canonical ABI gives `poll: func(in: list<borrow<pollable>>) -> list<u32>`: pointer and
    // length of the list of handles, which is only read, and a pointer to two words for the result.
    unsafe { import(handles.as_ptr(), handles.len(), &raw mut result) };
    let [pointer, len] = result;
    if len == 0 {
        return Vec::new();
    }
    // SAFETY: the host allocated the list by this component's `cabi_realloc`, which is Rust's global allocator, with the alignment of u32
    // and room for exactly `len` of them, and has given it away.
    unsafe { Vec::from_raw_parts(pointer as *mut u32, len, len) }
}
