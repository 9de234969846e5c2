//! Files, in a folder of the case's own.

use std::io::ErrorKind;

use kippu::{env, fs};

use crate::support::{Outcome, failed, holds, same};

/// A folder that is there and empty.
async fn folder(name: &str) -> Result<String, String> {
    let base = env::var("KIPPU_CONFORMANCE_DIR").ok_or("the runner gives KIPPU_CONFORMANCE_DIR")?;
    let path = format!("{base}/{name}");
    if fs::metadata(&path).await.is_ok() {
        fs::remove_dir_all(&path).await.map_err(failed)?;
    }
    fs::create_dir_all(&path).await.map_err(failed)?;
    Ok(path)
}

pub(crate) async fn write_read_remove() -> Outcome {
    let path = format!("{}/ä file.txt", folder("write").await?);
    fs::write(&path, "zeile\n").await.map_err(failed)?;
    same(fs::read_to_string(&path).await.map_err(failed)?.as_str(), "zeile\n")?;
    fs::write(&path, [0u8, 255]).await.map_err(failed)?;
    same(fs::read(&path).await.map_err(failed)?, vec![0, 255])?;
    let moved = format!("{path}2");
    fs::rename(&path, &moved).await.map_err(failed)?;
    fs::remove_file(&moved).await.map_err(failed)?;
    same(fs::read(&path).await.err().map(|e| e.kind()), Some(ErrorKind::NotFound))
}

pub(crate) async fn listing_is_sorted() -> Outcome {
    let dir = folder("list").await?;
    for name in ["b", "a", "C", "ä"] {
        fs::write(format!("{dir}/{name}"), name).await.map_err(failed)?;
    }
    fs::create_dir_all(format!("{dir}/d/e")).await.map_err(failed)?;
    let entries = fs::read_dir(&dir).await.map_err(failed)?;
    let found: Vec<(&str, bool)> =
        entries.iter().map(|entry| (entry.name(), entry.is_dir())).collect();
    same(found, vec![("C", false), ("a", false), ("b", false), ("d", true), ("ä", false)])
}

pub(crate) async fn metadata_tells() -> Outcome {
    let dir = folder("metadata").await?;
    let path = format!("{dir}/f");
    fs::write(&path, "12345").await.map_err(failed)?;
    let file = fs::metadata(&path).await.map_err(failed)?;
    same((file.is_file(), file.is_dir(), file.len()), (true, false, 5))?;
    let folder = fs::metadata(&dir).await.map_err(failed)?;
    same((folder.is_file(), folder.is_dir()), (false, true))
}

pub(crate) async fn missing_file_is_not_found() -> Outcome {
    let path = format!("{}/missing", folder("missing").await?);
    let error = fs::read(&path).await.err().ok_or("it is not there")?;
    same(error.kind(), ErrorKind::NotFound)?;
    holds(error.to_string().contains("missing"), &format!("the message names the file: {error}"))
}

pub(crate) async fn directory_is_no_file() -> Outcome {
    let dir = folder("directory").await?;
    holds(fs::read(&dir).await.is_err(), "a folder cannot be read as a file")
}
