//! Contents of files and directories, as streams.
//!
//! Each function is one [`Op`] from its start to its end: in it a stream stands after the descriptor that it is of, and goes before
//! it, however the future ends.

use wasip3::filesystem::types::{Descriptor, ErrorCode};
use wasip3::wit_stream;
use wit_bindgen::StreamResult;

use crate::driver::wasi_p3::Op;
use crate::fs::FileKind;
use crate::sys::wasi::fs::{kind, pace};
use crate::task::yield_now;

/// The most that is read or written at once; then other tasks get their turn. The host may do it all without a break.
const PART: usize = 64 * 1024;

/// How many entries of a directory are asked for at once.
const ENTRIES: usize = 256;

/// The whole content.
pub(crate) async fn read(file: &Descriptor) -> Result<Vec<u8>, ErrorCode> {
    pace().await;
    Op::new(async {
        // Room for all, so that it is not copied again and again, and to see its end. What is no file for long, such as one of /proc,
        // says 0.
        let stat = file.stat().await?;
        if kind(&stat.type_) == FileKind::Dir {
            return Err(ErrorCode::IsDirectory);
        }
        let size = usize::try_from(stat.size).map_err(|_| ErrorCode::InsufficientMemory)?;
        let mut content = Vec::new();
        reserve(&mut content, size.saturating_add(1))?;
        let mut part = Vec::new();
        let (mut stream, result) = file.read_via_stream(0);
        loop {
            if content.len() == content.capacity() {
                let more = PART.max(content.len());
                reserve(&mut content, more)?;
            }
            let status;
            if content.capacity() - content.len() <= PART {
                (status, content) = stream.read(content).await;
            } else {
                part.reserve_exact(PART);
                (status, part) = stream.read(part).await;
                content.append(&mut part);
            }
            match status {
                StreamResult::Complete(_) => yield_now().await,
                StreamResult::Dropped | StreamResult::Cancelled => break,
            }
        }
        drop(stream);
        result.await?;
        Ok(content)
    })
    .await
}

fn reserve(content: &mut Vec<u8>, more: usize) -> Result<(), ErrorCode> {
    content.try_reserve_exact(more).map_err(|_| ErrorCode::InsufficientMemory)
}

/// Writes from the start on.
pub(crate) async fn write(file: &Descriptor, data: &[u8]) -> Result<(), ErrorCode> {
    if data.is_empty() {
        return Ok(());
    }
    pace().await;
    Op::new(async {
        let (mut writer, reader) = wit_stream::new();
        let result = file.write_via_stream(reader, 0);
        // The bindings want a list of their own; one serves for all parts.
        let mut part = Vec::new();
        for bytes in data.chunks(PART) {
            part.clear();
            part.extend_from_slice(bytes);
            part = writer.write_all(part).await;
            if !part.is_empty() {
                // The host takes no more; `result` says why.
                break;
            }
            yield_now().await;
        }
        drop(writer);
        let is_rest = !part.is_empty();
        result.await?;
        if is_rest { Err(ErrorCode::InsufficientSpace) } else { Ok(()) }
    })
    .await
}

/// All entries but `.` and `..`.
pub(crate) async fn entries(dir: &Descriptor) -> Result<Vec<(String, FileKind)>, ErrorCode> {
    pace().await;
    Op::new(async {
        let mut found = Vec::new();
        let mut batch = Vec::with_capacity(ENTRIES);
        let (mut stream, result) = dir.read_directory();
        loop {
            let status;
            (status, batch) = stream.read(batch).await;
            found.extend(batch.drain(..).map(|entry| (entry.name, kind(&entry.type_))));
            match status {
                StreamResult::Complete(_) => yield_now().await,
                StreamResult::Dropped | StreamResult::Cancelled => break,
            }
        }
        drop(stream);
        result.await?;
        found.retain(|(name, _)| name != "." && name != "..");
        Ok(found)
    })
    .await
}
