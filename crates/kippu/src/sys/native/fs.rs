//! Files: each call is `std::fs` on a thread of the blocking pool. Dropping a
//! future detaches the call, it does not undo it.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::driver::native::blocking::blocking;
use crate::fs::{FileKind, Metadata};

/// Runs `f(path)` on the pool.
async fn on_pool<T: Send + 'static>(
    path: &str,
    f: impl FnOnce(&str) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let path = path.to_owned();
    blocking(move || f(&path)).await?
}

/// `path` as text.
///
/// # Errors
/// `InvalidData` when it is not UTF-8.
pub(super) fn path_text(path: PathBuf) -> io::Result<String> {
    path.into_os_string().into_string().map_err(|path| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the path {} is not UTF-8", path.display()),
        )
    })
}

fn kind(kind: fs::FileType) -> FileKind {
    if kind.is_symlink() {
        FileKind::Symlink
    } else if kind.is_dir() {
        FileKind::Dir
    } else if kind.is_file() {
        FileKind::File
    } else {
        FileKind::Other
    }
}

fn convert(metadata: &fs::Metadata) -> Metadata {
    Metadata::new(kind(metadata.file_type()), metadata.len(), metadata.modified().ok())
}

pub(crate) async fn read(path: &str) -> io::Result<Vec<u8>> {
    on_pool(path, |path| fs::read(path)).await
}

pub(crate) async fn write(path: &str, data: &[u8]) -> io::Result<()> {
    let data = data.to_vec();
    on_pool(path, move |path| fs::write(path, data)).await
}

pub(crate) async fn metadata(path: &str) -> io::Result<Metadata> {
    on_pool(path, |path| fs::metadata(path).map(|found| convert(&found))).await
}

pub(crate) async fn symlink_metadata(path: &str) -> io::Result<Metadata> {
    on_pool(path, |path| fs::symlink_metadata(path).map(|found| convert(&found))).await
}

pub(crate) async fn read_dir(path: &str) -> io::Result<Vec<(String, FileKind)>> {
    on_pool(path, |path| {
        fs::read_dir(path)?
            .map(|entry| {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                Ok((name, kind(entry.file_type()?)))
            })
            .collect()
    })
    .await
}

pub(crate) async fn create_dir_all(path: &str) -> io::Result<()> {
    on_pool(path, |path| fs::create_dir_all(path)).await
}

pub(crate) async fn remove_file(path: &str) -> io::Result<()> {
    on_pool(path, |path| fs::remove_file(path)).await
}

pub(crate) async fn remove_dir_all(path: &str) -> io::Result<()> {
    on_pool(path, |path| fs::remove_dir_all(path)).await
}

pub(crate) async fn rename(from: &str, to: &str) -> io::Result<()> {
    let to = to.to_owned();
    on_pool(from, move |from| fs::rename(from, to)).await
}

pub(crate) async fn canonicalize(path: &str) -> io::Result<String> {
    on_pool(path, |path| path_text(fs::canonicalize(path)?)).await
}
