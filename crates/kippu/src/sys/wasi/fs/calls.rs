//! Calls of the host's file system, one for one. On WASI 0.2 they are synchronous, on 0.3 asynchronous.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use super::place::Last;
use crate::fs::{FileKind, Metadata};
use crate::sys::wasi::bindings::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

pub(super) type Result<T> = std::result::Result<T, ErrorCode>;

/// After so many calls other tasks get their turn. A call takes some microseconds, or reads or writes a part of a file.
const BATCH: u32 = 16;

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

/// To be called before each call of the host. The host answers most calls at once, so that a task that makes many of them, one after
/// the other, would keep all others waiting.
pub(crate) async fn pace() {
    let calls = CALLS.get() + 1;
    CALLS.set(calls % BATCH);
    if calls == BATCH {
        crate::task::yield_now().await;
    }
}

/// Makes the call.
#[cfg(kippu_p2)]
macro_rules! call {
    ($dir:ident.$function:ident($($argument:expr),*)) => {{
        pace().await;
        $dir.$function($($argument),*)
    }};
}

/// Makes the call and waits for its answer.
#[cfg(kippu_p3)]
macro_rules! call {
    ($dir:ident.$function:ident($($argument:expr),*)) => {{
        pace().await;
        crate::driver::wasi_p3::Op::new($dir.$function($($argument),*)).await
    }};
}

/// A path as the bindings take it.
#[cfg(kippu_p2)]
fn text(path: &str) -> &str {
    path
}

/// A path as the bindings take it.
#[cfg(kippu_p3)]
fn text(path: &str) -> String {
    path.to_owned()
}

fn flags(last: Last) -> PathFlags {
    match last {
        Last::Follow => PathFlags::SYMLINK_FOLLOW,
        Last::Keep => PathFlags::empty(),
    }
}

pub(super) async fn open(
    dir: &Descriptor,
    last: Last,
    path: &str,
    how: OpenFlags,
    what_for: DescriptorFlags,
) -> Result<Descriptor> {
    call!(dir.open_at(flags(last), text(path), how, what_for))
}

pub(super) async fn stat(dir: &Descriptor, last: Last, path: &str) -> Result<DescriptorStat> {
    call!(dir.stat_at(flags(last), text(path)))
}

pub(super) async fn read_link(dir: &Descriptor, path: &str) -> Result<String> {
    call!(dir.readlink_at(text(path)))
}

pub(super) async fn create_dir(dir: &Descriptor, path: &str) -> Result<()> {
    call!(dir.create_directory_at(text(path)))
}

pub(super) async fn remove_dir(dir: &Descriptor, path: &str) -> Result<()> {
    call!(dir.remove_directory_at(text(path)))
}

pub(super) async fn unlink(dir: &Descriptor, path: &str) -> Result<()> {
    call!(dir.unlink_file_at(text(path)))
}

pub(super) async fn rename(
    from_dir: &Descriptor,
    from: &str,
    to_dir: &Descriptor,
    to: &str,
) -> Result<()> {
    call!(from_dir.rename_at(text(from), to_dir, text(to)))
}

pub(crate) fn kind(found: &DescriptorType) -> FileKind {
    match found {
        DescriptorType::RegularFile => FileKind::File,
        DescriptorType::Directory => FileKind::Dir,
        DescriptorType::SymbolicLink => FileKind::Symlink,
        _ => FileKind::Other,
    }
}

pub(super) fn metadata(stat: &DescriptorStat) -> Metadata {
    let modified = stat.data_modification_timestamp.as_ref();
    // 0.2 counts seconds without a sign, 0.3 with one.
    let modified =
        modified.and_then(|time| system_time(i128::from(time.seconds), time.nanoseconds));
    Metadata::new(kind(&stat.type_), stat.size, modified)
}

/// `None` for what `SystemTime` cannot hold.
fn system_time(seconds: i128, nanoseconds: u32) -> Option<SystemTime> {
    let whole = Duration::from_secs(u64::try_from(seconds.unsigned_abs()).ok()?);
    let start = if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(whole)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(whole)
    };
    start?.checked_add(Duration::from_nanos(nanoseconds.into()))
}
