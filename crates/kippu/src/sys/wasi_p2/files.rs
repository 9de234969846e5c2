//! Contents of files and directories.

use wasip2::filesystem::types::{Descriptor, DescriptorType, DirectoryEntry, ErrorCode, PathFlags};

use crate::fs::FileKind;
use crate::sys::wasi::fs::{kind, pace};

/// The most that one call asks for. Hosts give less: wasmtime 64 KiB.
const READ: u64 = 1024 * 1024;

/// The most that one call writes.
const WRITE: usize = 256 * 1024;

/// So many entries of a directory cost about as much as another call.
const ENTRIES: usize = 64;

/// The whole content.
pub(crate) async fn read(file: &Descriptor) -> Result<Vec<u8>, ErrorCode> {
    pace().await;
    let stat = file.stat()?;
    // Asked before it is read: not every host says so then, and one throws.
    if kind(&stat.type_) == FileKind::Dir {
        return Err(ErrorCode::IsDirectory);
    }
    let (mut content, mut is_end) = file.read(READ, 0)?;
    if !is_end {
        // Room for the rest, so that it is not copied again and again. What is no file for long, such as one of /proc, says 0.
        let rest = stat.size.saturating_sub(content.len() as u64);
        let rest = usize::try_from(rest).map_err(|_| ErrorCode::InsufficientMemory)?;
        content.try_reserve_exact(rest).map_err(|_| ErrorCode::InsufficientMemory)?;
    }
    while !is_end {
        pace().await;
        let bytes;
        (bytes, is_end) = file.read(READ, content.len() as u64)?;
        is_end |= bytes.is_empty();
        content.try_reserve(bytes.len()).map_err(|_| ErrorCode::InsufficientMemory)?;
        content.extend_from_slice(&bytes);
    }
    Ok(content)
}

/// Writes from the start on.
pub(crate) async fn write(file: &Descriptor, data: &[u8]) -> Result<(), ErrorCode> {
    let mut written = 0;
    while written < data.len() {
        pace().await;
        let part = &data[written..data.len().min(written + WRITE)];
        let taken = file.write(part, written as u64)?;
        if taken == 0 {
            return Err(ErrorCode::InsufficientSpace);
        }
        written += usize::try_from(taken).map_or(part.len(), |taken| taken.min(part.len()));
    }
    Ok(())
}

/// All entries but `.` and `..`.
pub(crate) async fn entries(dir: &Descriptor) -> Result<Vec<(String, FileKind)>, ErrorCode> {
    let mut found = Vec::new();
    pace().await;
    // It goes before `dir`, whose child it is.
    let list = dir.read_directory()?;
    loop {
        if found.len() % ENTRIES == 0 {
            pace().await;
        }
        match list.read_directory_entry() {
            Ok(Some(DirectoryEntry { name, .. })) if name == "." || name == ".." => {}
            Ok(Some(DirectoryEntry { type_: DescriptorType::Unknown, name })) => {
                // As one that may not be looked at, it is still there.
                let stat = dir.stat_at(PathFlags::empty(), &name);
                let kind = stat.map_or(FileKind::Other, |stat| kind(&stat.type_));
                found.push((name, kind));
            }
            Ok(Some(entry)) => found.push((entry.name, kind(&entry.type_))),
            Ok(None) => return Ok(found),
            // The host has no name for it that we could get.
            Err(ErrorCode::IllegalByteSequence) => {
                found.push(("\u{fffd}".to_owned(), FileKind::Other));
            }
            // It was removed while the host listed the directory.
            Err(ErrorCode::NoEntry) => {}
            Err(code) => return Err(code),
        }
    }
}
