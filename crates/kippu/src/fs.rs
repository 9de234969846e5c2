//! Files, asynchronously.
//!
//! The functions are those of [`std::fs`] with a future as their result, the same
//! on every host. Where the host has no files, as in a browser page, they give
//! an error of kind [`Unsupported`](io::ErrorKind::Unsupported).
//!
//! **Paths** are UTF-8; others are refused with
//! [`InvalidInput`](io::ErrorKind::InvalidInput).
//!
//! **On WASI** a program sees the directories that the host opens for it, such as by `wasmtime run --dir .`, under the
//! names that the host gives them; relative paths start from the [working directory](crate::env::current_dir).
//! A path that none of them covers gives [`PermissionDenied`](io::ErrorKind::PermissionDenied) and says so, and so does a
//! symbolic link to an absolute path, as hosts do not tell where it leads. Other links are followed, also from one
//! directory into another. On WASI 0.2 a call of the host is synchronous: other tasks run between two calls, not during one. A
//! long file takes many.
//!
//! **Errors** have the [kind](io::Error::kind) that `std::fs` gives. Their text
//! names what was tried and the path; the host's own words follow.
//!
//! **Cancellation**: dropping a future stops the waiting, not the call that the
//! system has begun. A write that was dropped may have happened, wholly or in
//! part. Two calls that are under way at the same time may happen in any order.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::sys;

/// What an entry of the file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    File,
    Dir,
    Symlink,
    Other,
}

/// What is known of a file: the result of [`metadata`] and [`symlink_metadata`].
#[derive(Clone, Debug)]
pub struct Metadata {
    kind: FileKind,
    len: u64,
    modified: Option<SystemTime>,
}

impl Metadata {
    pub(crate) fn new(kind: FileKind, len: u64, modified: Option<SystemTime>) -> Self {
        Metadata { kind, len, modified }
    }

    /// Whether it is a regular file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Dir
    }

    /// Whether it is a symbolic link. Only [`symlink_metadata`] tells of links.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.kind == FileKind::Symlink
    }

    /// The size in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "the size of a file, as in std::fs::Metadata")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// When the content was last changed, where the host tells. JavaScript hosts
    /// tell milliseconds.
    #[must_use]
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified
    }
}

/// One entry of a directory: an element of the result of [`read_dir`].
#[derive(Clone, Debug)]
pub struct DirEntry {
    name: String,
    path: PathBuf,
    kind: FileKind,
}

impl DirEntry {
    /// The name, without the directory. What is not UTF-8 in it has been replaced
    /// by U+FFFD, and the entry cannot be opened by that name. WASI 0.2 tells nothing of such a
    /// name, which is then U+FFFD alone; on 0.3 the directory cannot be listed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path: the one that was given to [`read_dir`], then the name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a regular file. A symbolic link is none, wherever it leads.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    /// Whether it is a directory. A symbolic link is none, wherever it leads.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Dir
    }

    /// Whether it is a symbolic link.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.kind == FileKind::Symlink
    }
}

/// The cause stays readable for programs as `source()`.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}: {source}")]
struct Failure {
    action: &'static str,
    path: String,
    source: io::Error,
}

fn utf8(path: &Path) -> io::Result<&str> {
    path.to_str().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("the path {} is not UTF-8", path.display()),
        )
    })
}

/// Waits for `call` on `path` and names both in its error.
async fn named<'a, T, F>(
    action: &'static str,
    path: &'a Path,
    call: impl FnOnce(&'a str) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    call(utf8(path)?).await.map_err(|source| {
        let path = path.display().to_string();
        io::Error::new(source.kind(), Failure { action, path, source })
    })
}

/// The whole content of a file.
///
/// # Errors
/// When the file cannot be opened or read, or is a directory.
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    named("read", path.as_ref(), sys::fs::read).await
}

/// The whole content of a file as text.
///
/// # Errors
/// Those of [`read`], and [`InvalidData`](io::ErrorKind::InvalidData) when the
/// content is not UTF-8.
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    named("read", path.as_ref(), async |path| {
        let bytes = sys::fs::read(path).await?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the content is not UTF-8 at byte {at}"),
            )
        })
    })
    .await
}

/// Makes `data` the content of a file, which is created or replaced.
///
/// # Errors
/// When the file cannot be created or written.
pub async fn write(path: impl AsRef<Path>, data: impl AsRef<[u8]>) -> io::Result<()> {
    let data = data.as_ref();
    named("write", path.as_ref(), |path| sys::fs::write(path, data)).await
}

/// What is known of a file. Symbolic links are followed.
///
/// # Errors
/// When there is no such file, or a directory on the way may not be entered.
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    named("look at", path.as_ref(), sys::fs::metadata).await
}

/// What is known of a file, or of the symbolic link itself if it is one.
///
/// # Errors
/// When there is no such file, or a directory on the way may not be entered.
pub async fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    named("look at", path.as_ref(), sys::fs::symlink_metadata).await
}

/// The entries of a directory without `.` and `..`, sorted by name (by code
/// point, so the same on every host).
///
/// # Errors
/// When `path` is no directory or may not be read.
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<Vec<DirEntry>> {
    let dir = path.as_ref();
    let found = named("list", dir, sys::fs::read_dir).await?;
    let mut entries: Vec<DirEntry> = found
        .into_iter()
        .map(|(name, kind)| DirEntry { path: dir.join(&name), name, kind })
        .collect();
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Creates a directory and all that are missing above it. One that exists is fine.
///
/// # Errors
/// When one cannot be created, or something that is no directory is in the way.
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    named("create the directory", path.as_ref(), sys::fs::create_dir_all).await
}

/// Removes a file or a symbolic link.
///
/// # Errors
/// When there is none, or it may not be removed, or is a directory.
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    named("remove", path.as_ref(), sys::fs::remove_file).await
}

/// Removes a directory with all that is in it. Links are removed, not followed.
///
/// # Errors
/// When there is none, or something in it cannot be removed; what came before is
/// gone then.
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    named("remove the directory", path.as_ref(), sys::fs::remove_dir_all).await
}

/// Renames a file or directory. A file at `to` is replaced.
///
/// # Errors
/// When it cannot be renamed, for instance to another file system. The text names
/// `from`.
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let to = utf8(to.as_ref())?;
    named("rename", from.as_ref(), |from| sys::fs::rename(from, to)).await
}

/// The absolute path with all symbolic links, `.` and `..` resolved.
///
/// # Errors
/// When there is no such file, or
/// [`InvalidData`](io::ErrorKind::InvalidData) when the result is not UTF-8.
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    named("resolve", path.as_ref(), sys::fs::canonicalize).await.map(PathBuf::from)
}
