//! Files, in a folder of the case's own.

use std::io::ErrorKind;

use kippu::task::spawn;
use kippu::{env, fs};

use crate::polls::at_any_await;
use crate::support::{Outcome, cases, failed, holds, poll_once, same};

cases!("files" needs "fs":
    write_read_remove,
    empty_and_large_files,
    writing_replaces,
    renaming_replaces,
    names_of_every_kind,
    listing_is_sorted,
    metadata_tells,
    changes_have_a_time,
    paths_are_resolved,
    folders_are_removed_with_all_in_them,
    missing_file_is_not_found,
    directory_is_no_file,
    errors_name_action_and_path,
    text_that_is_not_utf8,
    paths_that_cannot_be,
    a_hundred_at_once,
    cancelled_at_every_await,
    dropped_while_waiting,
);

/// A folder that is there and empty.
pub(crate) async fn folder(name: &str) -> Result<String, String> {
    let base = env::var("KIPPU_CONFORMANCE_DIR").ok_or("the runner gives KIPPU_CONFORMANCE_DIR")?;
    let path = format!("{base}/{name}");
    if fs::metadata(&path).await.is_ok() {
        fs::remove_dir_all(&path).await.map_err(failed)?;
    }
    fs::create_dir_all(&path).await.map_err(failed)?;
    Ok(path)
}

/// The kind of error that something gave.
pub(crate) fn kind<T>(result: std::io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

async fn write_read_remove() -> Outcome {
    let path = format!("{}/ä file.txt", folder("write").await?);
    fs::write(&path, "zeile\n").await.map_err(failed)?;
    same(fs::read_to_string(&path).await.map_err(failed)?.as_str(), "zeile\n")?;
    fs::write(&path, [0u8, 255]).await.map_err(failed)?;
    same(fs::read(&path).await.map_err(failed)?, vec![0, 255])?;
    let moved = format!("{path}2");
    fs::rename(&path, &moved).await.map_err(failed)?;
    fs::remove_file(&moved).await.map_err(failed)?;
    same(kind(fs::read(&path).await), Some(ErrorKind::NotFound))?;
    same(kind(fs::remove_file(&moved).await), Some(ErrorKind::NotFound))
}

async fn empty_and_large_files() -> Outcome {
    let path = format!("{}/file", folder("sizes").await?);
    for len in [0, 1, 16_384, 65_537, 3 << 20] {
        let data: Vec<u8> = (0..=250).cycle().take(len).collect();
        fs::write(&path, &data).await.map_err(failed)?;
        same(fs::metadata(&path).await.map_err(failed)?.len(), len as u64)?;
        holds(fs::read(&path).await.map_err(failed)? == data, &format!("{len} bytes"))?;
    }
    Ok(())
}

async fn writing_replaces() -> Outcome {
    let path = format!("{}/file", folder("replace").await?);
    for text in ["a long text", "short", ""] {
        fs::write(&path, text).await.map_err(failed)?;
        same(fs::read_to_string(&path).await.map_err(failed)?.as_str(), text)?;
    }
    Ok(())
}

async fn renaming_replaces() -> Outcome {
    let dir = folder("rename").await?;
    let (from, to) = (format!("{dir}/from"), format!("{dir}/to"));
    fs::write(&from, "new").await.map_err(failed)?;
    fs::write(&to, "old").await.map_err(failed)?;
    fs::rename(&from, &to).await.map_err(failed)?;
    same(fs::read_to_string(&to).await.map_err(failed)?.as_str(), "new")?;
    same(kind(fs::rename(&from, &to).await), Some(ErrorKind::NotFound))
}

async fn names_of_every_kind() -> Outcome {
    let dir = folder("names").await?;
    let names = [" ", "#?%20", "-rf", "a.b.c", "ключ", "切符 🎫"];
    for name in names {
        fs::write(format!("{dir}/{name}"), name).await.map_err(failed)?;
    }
    let entries = fs::read_dir(&dir).await.map_err(failed)?;
    same(entries.iter().map(|entry| entry.name()).collect::<Vec<_>>(), names.to_vec())?;
    for entry in &entries {
        same(fs::read_to_string(entry.path()).await.map_err(failed)?.as_str(), entry.name())?;
    }
    Ok(())
}

async fn listing_is_sorted() -> Outcome {
    let dir = folder("list").await?;
    same(fs::read_dir(&dir).await.map_err(failed)?.len(), 0)?;
    for name in ["b", "a", "C", "ä"] {
        fs::write(format!("{dir}/{name}"), name).await.map_err(failed)?;
    }
    fs::create_dir_all(format!("{dir}/d/e")).await.map_err(failed)?;
    let entries = fs::read_dir(&dir).await.map_err(failed)?;
    let found: Vec<(&str, bool, bool)> =
        entries.iter().map(|entry| (entry.name(), entry.is_dir(), entry.is_file())).collect();
    let file = |name| (name, false, true);
    same(found, vec![file("C"), file("a"), file("b"), ("d", true, false), file("ä")])?;
    let path = entries[3].path().to_str().ok_or("it is UTF-8")?;
    same(path, format!("{dir}/d").as_str())
}

async fn metadata_tells() -> Outcome {
    let dir = folder("metadata").await?;
    let path = format!("{dir}/f");
    fs::write(&path, "12345").await.map_err(failed)?;
    for file in [fs::metadata(&path).await, fs::symlink_metadata(&path).await] {
        let file = file.map_err(failed)?;
        same((file.is_file(), file.is_dir(), file.is_symlink()), (true, false, false))?;
        same(file.len(), 5)?;
    }
    let folder = fs::metadata(&dir).await.map_err(failed)?;
    same((folder.is_file(), folder.is_dir(), folder.is_symlink()), (false, true, false))?;
    same(kind(fs::symlink_metadata(format!("{dir}/no")).await), Some(ErrorKind::NotFound))
}

async fn changes_have_a_time() -> Outcome {
    let path = format!("{}/f", folder("time").await?);
    fs::write(&path, "x").await.map_err(failed)?;
    let modified = fs::metadata(&path).await.map_err(failed)?.modified().ok_or("it has one")?;
    let modified = modified.duration_since(std::time::UNIX_EPOCH).map_err(failed)?;
    let now = kippu::time::since_unix_epoch();
    // Clocks of file systems may be coarse.
    let apart = now.abs_diff(modified).as_secs();
    holds(apart < 60, &format!("written {apart} s ago"))
}

async fn paths_are_resolved() -> Outcome {
    let dir = folder("resolve").await?;
    fs::create_dir_all(format!("{dir}/a/b")).await.map_err(failed)?;
    fs::write(format!("{dir}/a/f"), "").await.map_err(failed)?;
    let resolved = fs::canonicalize(format!("{dir}/a/./b/../f")).await.map_err(failed)?;
    same(Some(resolved), fs::canonicalize(format!("{dir}/a/f")).await.ok())?;
    same(kind(fs::canonicalize(format!("{dir}/a/g")).await), Some(ErrorKind::NotFound))
}

async fn folders_are_removed_with_all_in_them() -> Outcome {
    let dir = folder("remove").await?;
    let inner = format!("{dir}/a/b/c");
    fs::create_dir_all(&inner).await.map_err(failed)?;
    fs::create_dir_all(&inner).await.map_err(failed)?;
    fs::write(format!("{inner}/f"), "x").await.map_err(failed)?;
    fs::remove_dir_all(format!("{dir}/a")).await.map_err(failed)?;
    same(kind(fs::metadata(&inner).await), Some(ErrorKind::NotFound))?;
    same(fs::read_dir(&dir).await.map_err(failed)?.len(), 0)?;
    same(kind(fs::remove_dir_all(format!("{dir}/a")).await), Some(ErrorKind::NotFound))
}

async fn missing_file_is_not_found() -> Outcome {
    let path = format!("{}/missing", folder("missing").await?);
    same(kind(fs::read(&path).await), Some(ErrorKind::NotFound))?;
    same(kind(fs::read_to_string(&path).await), Some(ErrorKind::NotFound))?;
    same(kind(fs::read_dir(&path).await), Some(ErrorKind::NotFound))?;
    same(kind(fs::write(format!("{path}/f"), "").await), Some(ErrorKind::NotFound))
}

async fn directory_is_no_file() -> Outcome {
    let dir = folder("directory").await?;
    holds(fs::read(&dir).await.is_err(), "a folder cannot be read as a file")?;
    holds(fs::write(&dir, "").await.is_err(), "nor written")?;
    holds(fs::remove_file(&dir).await.is_err(), "nor removed")?;
    let file = format!("{dir}/f");
    fs::write(&file, "").await.map_err(failed)?;
    same(kind(fs::read_dir(&file).await), Some(ErrorKind::NotADirectory))?;
    holds(fs::create_dir_all(&file).await.is_err(), "a file is in the way")
}

async fn errors_name_action_and_path() -> Outcome {
    let path = format!("{}/missing", folder("errors").await?);
    let error = fs::read(&path).await.err().ok_or("it is not there")?.to_string();
    holds(error.starts_with(&format!("cannot read {path}: ")), &error)?;
    let error = fs::remove_file(&path).await.err().ok_or("it is not there")?.to_string();
    holds(error.starts_with(&format!("cannot remove {path}: ")), &error)
}

async fn text_that_is_not_utf8() -> Outcome {
    let path = format!("{}/f", folder("utf8").await?);
    fs::write(&path, b"abc\xff").await.map_err(failed)?;
    let error = fs::read_to_string(&path).await.err().ok_or("it is not UTF-8")?;
    same(error.kind(), ErrorKind::InvalidData)?;
    holds(error.to_string().ends_with("the content is not UTF-8 at byte 3"), &error.to_string())
}

async fn paths_that_cannot_be() -> Outcome {
    let path = format!("{}/nul\0inside", folder("nul").await?);
    holds(fs::read(&path).await.is_err(), "no path has a zero byte")?;
    holds(fs::write(&path, "").await.is_err(), "no path has a zero byte")?;
    same(kind(fs::metadata("").await), Some(ErrorKind::NotFound))
}

async fn a_hundred_at_once() -> Outcome {
    let dir = folder("many").await?;
    let tasks: Vec<_> = (0..100)
        .map(|i| {
            let path = format!("{dir}/{i}");
            spawn(async move {
                fs::write(&path, i.to_string()).await?;
                fs::read_to_string(&path).await
            })
        })
        .collect();
    for (i, task) in tasks.into_iter().enumerate() {
        same(task.await.map_err(failed)?.map_err(failed)?, i.to_string())?;
    }
    same(fs::read_dir(&dir).await.map_err(failed)?.len(), 100)
}

async fn cancelled_at_every_await() -> Outcome {
    let dir = folder("cancel").await?;
    let attempts = std::cell::Cell::new(0);
    at_any_await(|| {
        // What the system has begun may happen later, so each attempt has a file of its own.
        attempts.set(attempts.get() + 1);
        let path = format!("{dir}/{}", attempts.get());
        async move {
            fs::write(&path, "content").await.map_err(failed)?;
            same(fs::metadata(&path).await.map_err(failed)?.len(), 7)?;
            same(fs::read(&path).await.map_err(failed)?, b"content".to_vec())?;
            fs::remove_file(&path).await.map_err(failed)?;
            same(kind(fs::read(&path).await), Some(ErrorKind::NotFound))
        }
    })
    .await
}

async fn dropped_while_waiting() -> Outcome {
    let path = format!("{}/f", folder("drop").await?);
    fs::write(&path, "content").await.map_err(failed)?;
    for _ in 0..50 {
        let mut read = Box::pin(fs::read(&path));
        let _ = poll_once(&mut read).await;
    }
    same(fs::read_to_string(&path).await.map_err(failed)?.as_str(), "content")
}
