//! The boundary itself: imports, exports and shared memory, as `abi/spec.md` says. All unsafe code of
//! the JavaScript driver is here and in `alloc.rs`.

#![allow(unsafe_code)]

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::ptr::NonNull;

use kippu_executor::Ticket;

use super::Answer;
use crate::driver::record::{BYTES, ERROR, NUMBER, Record, Said, UNIT};
use crate::host_error::HostError;

#[cfg(target_feature = "atomics")]
compile_error!(
    "kippu's JavaScript driver is for single-threaded guests: build without the target feature `atomics`"
);

/// The version of `abi/spec.md`.
const VERSION: i32 = 2;
/// In the number of a call: it may be cancelled.
pub(crate) const CANCELLABLE: i32 = 1 << 30;
const CAPACITY: usize = 1024;
const ARENA: usize = 16 * 1024;

#[link(wasm_import_module = "kippu")]
unsafe extern "C" {
    #[link_name = "now"]
    safe fn import_now() -> f64;
    #[link_name = "unix"]
    safe fn import_unix() -> f64;
    #[link_name = "schedule_turn"]
    safe fn import_schedule_turn();
    #[link_name = "cancel"]
    safe fn import_cancel(ticket: u32);
    #[link_name = "stream_next"]
    safe fn import_stream_next(ticket: u32, stream: u32) -> i32;
    #[link_name = "stream_close"]
    safe fn import_stream_close(stream: u32);
    #[link_name = "reply"]
    fn import_reply(call: i32, tag: u32, ptr: *const u8, len: usize, value: f64);
    #[cfg(feature = "tracing")]
    #[link_name = "trace"]
    fn import_trace(kind: i32, id: u32, ptr: *const u8, len: usize) -> i32;
    #[cfg(feature = "panic-report")]
    #[link_name = "panic"]
    fn import_panic(ptr: *const u8, len: usize);
}

#[repr(C, align(8))]
struct Ring {
    capacity: u32,
    records_at: *mut Record,
    arena_at: *mut u8,
    arena_len: u32,
    answer: Record,
    records: [Record; CAPACITY],
    arena: [u8; ARENA],
}

struct Shared(UnsafeCell<Ring>);

// SAFETY: there is one thread (checked above). The host writes between and during calls of imports, never
// while guest code runs, and this file keeps no reference into the ring across an import.
unsafe impl Sync for Shared {}

const NOTHING: Record = Record { ticket: 0, tag: 0, value: 0 };

// All zeros, so that it takes no room in the module; `kippu_ring` fills in the header.
static RING: Shared = Shared(UnsafeCell::new(Ring {
    capacity: 0,
    records_at: std::ptr::null_mut(),
    arena_at: std::ptr::null_mut(),
    arena_len: 0,
    answer: NOTHING,
    records: [NOTHING; CAPACITY],
    arena: [0; ARENA],
}));

/// The clock in ns.
pub(crate) fn now_ns() -> u64 {
    (import_now() * 1e6) as u64
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> f64 {
    import_unix()
}

/// Asks for a turn at the next microtask checkpoint.
pub(crate) fn schedule_turn() {
    import_schedule_turn();
}

/// Tells the host that nobody waits for a ticket any more.
pub(crate) fn cancel(ticket: Ticket) {
    import_cancel(ticket.to_raw());
}

/// Asks a stream of the host's for its next item: 1 when the answer record holds it.
pub(crate) fn stream_next(ticket: u32, stream: u32) -> i32 {
    import_stream_next(ticket, stream)
}

/// Tells the host that nobody will ask this stream any more.
pub(crate) fn stream_close(stream: u32) {
    import_stream_close(stream);
}

/// Settles a call.
pub(crate) fn reply(call: i32, answer: Answer) {
    let (tag, bytes, value) = match answer {
        Answer::Unit => (UNIT, Vec::new(), 0.0),
        Answer::Number(value) => (NUMBER, Vec::new(), value),
        Answer::Bytes(bytes) => (BYTES, bytes, 0.0),
        Answer::Error(error) => (BYTES | ERROR, error.to_bytes(), 0.0),
    };
    // SAFETY: the bytes live until the call returns, and the host reads them during it only.
    unsafe { import_reply(call, tag, bytes.as_ptr(), bytes.len(), value) };
}

/// Tells the host of a span or an event; whether it records them.
#[cfg(feature = "tracing")]
pub(crate) fn trace(kind: i32, id: u32, strings: &[u8]) -> bool {
    // SAFETY: the bytes live until the call returns, and the host reads them during it only.
    unsafe { import_trace(kind, id, strings.as_ptr(), strings.len()) != 0 }
}

#[cfg(feature = "panic-report")]
/// Announces a panic: `LOCATION\0MESSAGE`.
pub(crate) fn announce_panic(text: &str) {
    // SAFETY: the text lives until the call returns, and the host reads it during it only.
    unsafe { import_panic(text.as_ptr(), text.len()) };
}

/// The answer record, after a host function has said that it filled it.
pub(crate) fn answer() -> Answer {
    // SAFETY: in bounds of the static; the host wrote it before the import returned.
    take(unsafe { (&raw const (*RING.0.get()).answer).read() })
}

/// Fills the answer record, for the export that returns 1 next.
pub(crate) fn set_answer(value: Option<f64>) {
    let tag = if value.is_some() { NUMBER } else { UNIT };
    let record = Record { ticket: 0, tag, value: value.unwrap_or(0.0).to_bits() };
    // SAFETY: in bounds of the static, and nobody has a reference to it.
    unsafe { (&raw mut (*RING.0.get()).answer).write(record) };
}

/// A completion that the host has written: the ticket and its answer. Each is to be taken once a turn.
pub(super) fn record(index: usize) -> (Ticket, Answer) {
    let index = index.min(CAPACITY - 1);
    // SAFETY: in bounds of the static; the host wrote it before it called `kippu_turn`.
    let record = unsafe { (&raw const (*RING.0.get()).records[index]).read() };
    (Ticket::from_raw(record.ticket), take(record))
}

fn take(record: Record) -> Answer {
    match record.said() {
        Said::Unit => Answer::Unit,
        Said::Number(value) => Answer::Number(value),
        Said::Bytes { at, len, owned, error } => {
            let (ptr, len) = (at as usize as *const u8, len as usize);
            let bytes = if owned {
                // SAFETY: the specification says that owned bytes came from `kippu_alloc(len)`.
                unsafe { take_bytes(ptr, len) }
            } else {
                let ptr =
                    if len == 0 { NonNull::<u8>::dangling().as_ptr().cast_const() } else { ptr };
                // SAFETY: the specification says that these are `len` bytes of the arena, written before
                // this call; and no bytes may be anywhere.
                unsafe { std::slice::from_raw_parts(ptr, len) }.to_vec()
            };
            if error { Answer::Error(HostError::from_bytes(&bytes)) } else { Answer::Bytes(bytes) }
        }
        Said::Unknown => {
            Answer::Error(HostError::type_error("the host answered with an unknown tag"))
        }
    }
}

/// Makes a vector of memory that the host got from `kippu_alloc(len)`.
///
/// # Safety
/// `ptr` came from `kippu_alloc(len)`, was filled, and is used no more by the host; or `len` is 0.
pub unsafe fn take_bytes(ptr: *const u8, len: usize) -> Vec<u8> {
    if len == 0 {
        return Vec::new();
    }
    // SAFETY: `kippu_alloc` gives the allocation of a `Vec<u8>` with capacity `len`. The memory has been
    // in the host's hands since, which is how all of a wasm memory's bytes come to have values.
    unsafe { Vec::from_raw_parts(ptr.cast_mut(), len, len) }
}

#[unsafe(no_mangle)]
extern "C" fn kippu_abi() -> i32 {
    VERSION
}

#[unsafe(no_mangle)]
extern "C" fn kippu_ring() -> *const u8 {
    // SAFETY: the static lives for ever, and this is the only reference to it: it ends with this
    // function, which calls nothing.
    let ring = unsafe { &mut *RING.0.get() };
    ring.capacity = CAPACITY as u32;
    ring.records_at = ring.records.as_mut_ptr();
    ring.arena_at = ring.arena.as_mut_ptr();
    ring.arena_len = ARENA as u32;
    std::ptr::from_ref(ring).cast()
}

#[unsafe(no_mangle)]
extern "C" fn kippu_alloc(len: usize) -> *mut u8 {
    match Layout::array::<u8>(len) {
        Ok(_) if len == 0 => NonNull::dangling().as_ptr(),
        // SAFETY: the size is not 0.
        Ok(layout) => unsafe { std::alloc::alloc(layout) },
        Err(_) => std::ptr::null_mut(),
    }
}

/// # Safety
/// As `take_bytes`. Called by the host only.
#[unsafe(no_mangle)]
unsafe extern "C" fn kippu_free(ptr: *mut u8, len: usize) {
    // SAFETY: the caller's contract is the same.
    drop(unsafe { take_bytes(ptr, len) });
}

#[unsafe(no_mangle)]
extern "C" fn kippu_turn(records: usize) -> f64 {
    crate::rt::with(|inner| super::turn(inner, records))
}

// Elsewhere `main` itself starts the program.
#[cfg(feature = "js-sys")]
#[unsafe(no_mangle)]
extern "C" fn kippu_start() -> i32 {
    crate::rt::start_main();
    0
}

#[unsafe(no_mangle)]
extern "C" fn kippu_cancel_call(call: i32) {
    crate::macros_rt::cancel_call(call);
}

#[unsafe(no_mangle)]
extern "C" fn kippu_stream_next(call: i32, stream: u32) -> i32 {
    super::streams::stream_next(call, stream)
}

#[unsafe(no_mangle)]
extern "C" fn kippu_stream_close(stream: u32) {
    super::streams::stream_close(stream);
}

#[cfg(feature = "dump")]
#[unsafe(no_mangle)]
extern "C" fn kippu_dump() -> i32 {
    let tasks = crate::rt::with(|inner| crate::dump::encode(&inner.executor.dump(), now_ns()));
    // -1: the call of a sync function.
    reply(-1, Answer::Bytes(tasks));
    0
}
