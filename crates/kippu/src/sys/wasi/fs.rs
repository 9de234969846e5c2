//! Files, below the directories that the host has opened for the program.
//!
//! The host resolves a path below one of them as an operating system does, symbolic links included, as long as it does not lead out.
//! What leads out, and what has `..` in it, is resolved here, part by part ([`place`]): it may lead into another one.

mod calls;
mod error;
mod paths;
mod place;

use std::io;
use std::path::Path;
use std::vec;

use self::error::error_of;
use self::place::{Last, Place, resolve};
use super::bindings::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags};
use crate::fs::{FileKind, Metadata};
use crate::sys::files;

use self::calls::stat;

pub(crate) use self::calls::{kind, pace};

/// Makes a call at the place where a path leads, and again at another place if the path leads out of the first one.
macro_rules! at {
    ($path:expr, $last:expr, |$place:ident| $call:expr) => {{
        let mut $place = Place::of($path, $last).await?;
        loop {
            match $call.await {
                Ok(answer) => break answer,
                Err(code) => $place = $place.after(code, $path, $last).await?,
            }
        }
    }};
}

/// Opens what is there.
async fn open(path: &str, how: OpenFlags, what_for: DescriptorFlags) -> io::Result<Descriptor> {
    Ok(at!(path, Last::Follow, |place| calls::open(
        place.dir,
        Last::Follow,
        &place.path,
        how,
        what_for
    )))
}

pub(crate) async fn read(path: &str) -> io::Result<Vec<u8>> {
    let file = open(path, OpenFlags::empty(), DescriptorFlags::READ).await?;
    files::read(&file).await.map_err(|code| error_of(&code))
}

pub(crate) async fn write(path: &str, data: &[u8]) -> io::Result<()> {
    let how = OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let file = open(path, how, DescriptorFlags::WRITE).await?;
    files::write(&file, data).await.map_err(|code| error_of(&code))
}

pub(crate) async fn metadata(path: &str) -> io::Result<Metadata> {
    look(path, Last::Follow).await
}

pub(crate) async fn symlink_metadata(path: &str) -> io::Result<Metadata> {
    look(path, Last::Keep).await
}

async fn look(path: &str, last: Last) -> io::Result<Metadata> {
    let stat = at!(path, last, |place| stat(place.dir, last, &place.path));
    Ok(calls::metadata(&stat))
}

pub(crate) async fn read_dir(path: &str) -> io::Result<Vec<(String, FileKind)>> {
    let dir = open(path, OpenFlags::DIRECTORY, DescriptorFlags::READ).await?;
    files::entries(&dir).await.map_err(|code| error_of(&code))
}

pub(crate) async fn create_dir_all(path: &str) -> io::Result<()> {
    // As std has it, the empty path is the directory that is there already.
    if path.is_empty() {
        return Ok(());
    }
    // From the whole path up to the first directory that can be created or is there, and down again.
    let above = Path::new(path).ancestors().filter_map(Path::to_str);
    let mut missing = Vec::new();
    for dir in above.filter(|dir| !dir.is_empty()) {
        match create_dir(dir).await {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(dir),
            Err(error) => {
                if is_dir(dir).await {
                    break;
                }
                return Err(error);
            }
        }
    }
    for dir in missing.into_iter().rev() {
        if let Err(error) = create_dir(dir).await
            && !is_dir(dir).await
        {
            return Err(error);
        }
    }
    Ok(())
}

async fn create_dir(path: &str) -> io::Result<()> {
    at!(path, Last::Keep, |place| calls::create_dir(place.dir, &place.path));
    Ok(())
}

async fn is_dir(path: &str) -> bool {
    metadata(path).await.is_ok_and(|found| found.is_dir())
}

pub(crate) async fn remove_file(path: &str) -> io::Result<()> {
    at!(path, Last::Keep, |place| calls::unlink(place.dir, &place.path));
    Ok(())
}

/// A directory that is being emptied.
struct Level {
    dir: Descriptor,
    /// In the directory above.
    name: String,
    entries: vec::IntoIter<(String, FileKind)>,
}

impl Level {
    /// Not through a link: what was a directory when it was listed may have been replaced by one.
    async fn enter(parent: &Descriptor, name: String) -> calls::Result<Level> {
        // Not to change it as well: who may is decided by the directory above, and jco refuses that flag.
        let what_for = DescriptorFlags::READ;
        let dir = calls::open(parent, Last::Keep, &name, OpenFlags::DIRECTORY, what_for).await?;
        let entries = files::entries(&dir).await?.into_iter();
        Ok(Level { dir, name, entries })
    }
}

pub(crate) async fn remove_dir_all(path: &str) -> io::Result<()> {
    let place = {
        let mut place = Place::of(path, Last::Keep).await?;
        loop {
            match stat(place.dir, Last::Keep, &place.path).await {
                Ok(stat) if kind(&stat.type_) == FileKind::Symlink => {
                    return calls::unlink(place.dir, &place.path)
                        .await
                        .map_err(|code| error_of(&code));
                }
                Ok(_) => break place,
                Err(code) => place = place.after(code, path, Last::Keep).await?,
            }
        }
    };
    empty_and_remove(&place).await.map_err(|code| error_of(&code))
}

/// With a stack of its own: the depth of directories is anybody's choice.
async fn empty_and_remove(place: &Place) -> calls::Result<()> {
    // Hosts need not remove a directory whose name ends with a slash.
    let name = place.path.trim_end_matches('/').to_owned();
    let mut levels = vec![Level::enter(place.dir, name).await?];
    while let Some(level) = levels.last_mut() {
        match level.entries.next() {
            Some((name, FileKind::Dir)) => match Level::enter(&level.dir, name.clone()).await {
                Ok(below) => levels.push(below),
                // It has become something else since it was listed.
                Err(ErrorCode::NotDirectory | ErrorCode::Loop) => {
                    gone(calls::unlink(&level.dir, &name).await)?;
                }
                Err(code) => gone(Err(code))?,
            },
            Some((name, _)) => gone(calls::unlink(&level.dir, &name).await)?,
            None => {
                let done = levels.pop().map(|level| level.name).unwrap_or_default();
                let parent = levels.last().map_or(place.dir, |level| &level.dir);
                calls::remove_dir(parent, &done).await?;
            }
        }
    }
    Ok(())
}

/// What somebody else has removed meanwhile is gone, as it shall be.
fn gone(removed: calls::Result<()>) -> calls::Result<()> {
    match removed {
        Err(ErrorCode::NoEntry) => Ok(()),
        other => other,
    }
}

pub(crate) async fn rename(from: &str, to: &str) -> io::Result<()> {
    let mut old = Place::of(from, Last::Keep).await?;
    let mut new = Place::of(to, Last::Keep).await?;
    match calls::rename(old.dir, &old.path, new.dir, &new.path).await {
        Ok(()) => return Ok(()),
        // Either may lead out of its directory.
        Err(ErrorCode::NotPermitted) => {
            old = resolve(from, Last::Keep).await?.place;
            new = resolve(to, Last::Keep).await?.place;
        }
        Err(code) => return Err(error_of(&code)),
    }
    calls::rename(old.dir, &old.path, new.dir, &new.path).await.map_err(|code| error_of(&code))
}

pub(crate) async fn canonicalize(path: &str) -> io::Result<String> {
    if path.is_empty() {
        return Err(error_of(&ErrorCode::NoEntry));
    }
    let real = resolve(path, Last::Follow).await?;
    // Its last part need not be there for the others.
    stat(real.place.dir, Last::Keep, &real.place.path).await.map_err(|code| error_of(&code))?;
    Ok(format!("/{}", real.parts.join("/")))
}
