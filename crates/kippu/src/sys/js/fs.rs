//! Files.

use std::io;
use std::time::{Duration, SystemTime};

use crate::fs::{FileKind, Metadata};

mod host {
    use postcard_schema::Schema;
    use serde::{Deserialize, Serialize};

    use crate::HostError;

    #[derive(Serialize, Deserialize, Schema)]
    pub(super) struct Metadata {
        pub(super) kind: u8,
        pub(super) len: f64,
        pub(super) modified_ms: f64,
    }

    #[kippu::host(module = "kippu:fs")]
    pub(super) async fn read(path: &str) -> Result<Vec<u8>, HostError>;
    #[kippu::host(module = "kippu:fs")]
    pub(super) async fn write(path: &str, data: &[u8]) -> Result<(), HostError>;
    #[kippu::host(module = "kippu:fs")]
    pub(super) async fn metadata(path: &str) -> Result<Metadata, HostError>;
    #[kippu::host(module = "kippu:fs")]
    pub(super) async fn symlink_metadata(path: &str) -> Result<Metadata, HostError>;
    #[kippu::host(module = "kippu:fs")]
    pub(super) async fn read_dir(path: &str) -> Result<Vec<(String, u8)>, HostError>;
    #[kippu::host(module = "kippu:fs")]
    pub(super) async fn create_dir_all(path: &str) -> Result<(), HostError>;
    #[kippu::host(module = "kippu:fs")]
    pub(super) async fn remove_file(path: &str) -> Result<(), HostError>;
    #[kippu::host(module = "kippu:fs")]
    pub(super) async fn remove_dir_all(path: &str) -> Result<(), HostError>;
    #[kippu::host(module = "kippu:fs")]
    pub(super) async fn rename(from: &str, to: &str) -> Result<(), HostError>;
    #[kippu::host(module = "kippu:fs")]
    pub(super) async fn canonicalize(path: &str) -> Result<String, HostError>;
}

fn kind(code: u8) -> FileKind {
    match code {
        0 => FileKind::File,
        1 => FileKind::Dir,
        2 => FileKind::Symlink,
        _ => FileKind::Other,
    }
}

fn seen(found: host::Metadata) -> Metadata {
    let modified = Duration::try_from_secs_f64(found.modified_ms / 1e3)
        .ok()
        .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
    Metadata::new(kind(found.kind), found.len as u64, modified)
}

pub(crate) async fn read(path: &str) -> io::Result<Vec<u8>> {
    Ok(host::read(path).await?)
}

pub(crate) async fn write(path: &str, data: &[u8]) -> io::Result<()> {
    Ok(host::write(path, data).await?)
}

pub(crate) async fn metadata(path: &str) -> io::Result<Metadata> {
    Ok(seen(host::metadata(path).await?))
}

pub(crate) async fn symlink_metadata(path: &str) -> io::Result<Metadata> {
    Ok(seen(host::symlink_metadata(path).await?))
}

pub(crate) async fn read_dir(path: &str) -> io::Result<Vec<(String, FileKind)>> {
    let entries = host::read_dir(path).await?;
    Ok(entries.into_iter().map(|(name, code)| (name, kind(code))).collect())
}

pub(crate) async fn create_dir_all(path: &str) -> io::Result<()> {
    Ok(host::create_dir_all(path).await?)
}

pub(crate) async fn remove_file(path: &str) -> io::Result<()> {
    Ok(host::remove_file(path).await?)
}

pub(crate) async fn remove_dir_all(path: &str) -> io::Result<()> {
    Ok(host::remove_dir_all(path).await?)
}

pub(crate) async fn rename(from: &str, to: &str) -> io::Result<()> {
    Ok(host::rename(from, to).await?)
}

pub(crate) async fn canonicalize(path: &str) -> io::Result<String> {
    Ok(host::canonicalize(path).await?)
}
