//! From a path to a directory that the host has opened for the program, and a path from there.

use std::io::{Error, ErrorKind, Result};
use std::sync::OnceLock;

use super::calls;
use super::error::error_of;
use super::paths::{Cover, absolute, covering, is_above, named, says_directory};
use crate::fs::FileKind;
use crate::sys::wasi::bindings::filesystem::preopens::get_directories;
use crate::sys::wasi::bindings::filesystem::types::{Descriptor, ErrorCode};
use crate::sys::wasi::env::current_dir;

/// How many symbolic links a path may lead through, as on Linux.
const MOST_LINKS: usize = 40;

/// What paths start from.
struct Root {
    /// The working directory.
    cwd: String,
    opened: Vec<Opened>,
}

/// A directory that the host has opened for the program.
struct Opened {
    dir: Descriptor,
    /// Its name for the program, in parts from the root.
    name: Vec<String>,
}

/// Asked for once, and never closed: each answer of the host would be new descriptors.
fn root() -> Result<&'static Root> {
    static ROOT: OnceLock<Root> = OnceLock::new();
    if let Some(known) = ROOT.get() {
        return Ok(known);
    }
    let cwd = current_dir()?;
    Ok(ROOT.get_or_init(|| {
        let parts = |name: &str| absolute(&cwd, name).into_iter().map(str::to_owned).collect();
        let opened = get_directories()
            .into_iter()
            .map(|(dir, name)| Opened { dir, name: parts(&name) })
            .collect();
        Root { cwd, opened }
    }))
}

fn names(opened: &[Opened]) -> impl Iterator<Item = &[String]> {
    opened.iter().map(|one| one.name.as_slice())
}

/// What to do with a symbolic link that is the last part of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Follow,
    Keep,
}

/// Where something is, or will be.
pub(super) struct Place {
    pub(super) dir: &'static Descriptor,
    /// From `dir`.
    pub(super) path: String,
    /// There are no links in `path` any more.
    is_real: bool,
}

impl Place {
    /// Where `path` leads.
    ///
    /// # Errors
    /// When it cannot be a path, or no directory covers it.
    pub(super) async fn of(path: &str, last: Last) -> Result<Place> {
        if path.is_empty() {
            return Err(error_of(&ErrorCode::NoEntry));
        }
        if path.contains('\0') {
            return Err(Error::new(ErrorKind::InvalidInput, "there is a zero byte in the path"));
        }
        let Root { cwd, opened } = root()?;
        let parts = absolute(cwd, path);
        match covering(names(opened), &parts) {
            Cover::By(index, rest) => {
                let is_marked = says_directory(path) && rest != ".";
                let path = if is_marked { rest + "/" } else { rest };
                Ok(Place { dir: &opened[index].dir, path, is_real: false })
            }
            Cover::Unclear => Ok(resolve(path, last).await?.place),
            Cover::Nothing => Err(uncovered(opened, path, &parts)),
        }
    }

    /// Where to try again after the host has said `code` of this place. The host does not follow links out of a directory that it has
    /// opened; they may lead into another one.
    ///
    /// # Errors
    /// `code` as an error, when there is nowhere else to try.
    pub(super) async fn after(self, code: ErrorCode, path: &str, last: Last) -> Result<Place> {
        if !matches!(code, ErrorCode::NotPermitted) || self.is_real {
            return Err(error_of(&code));
        }
        let found = resolve(path, last).await?.place;
        if std::ptr::eq(found.dir, self.dir) && found.path == self.path {
            return Err(error_of(&code));
        }
        Ok(found)
    }
}

/// A path without links.
pub(super) struct Real {
    /// From the root.
    pub(super) parts: Vec<String>,
    pub(super) place: Place,
}

/// Follows `path` part by part, by itself: through links from one opened directory into another, and through `..`. Its last part
/// need not be there.
///
/// # Errors
/// When a part on the way is missing or no directory, a link cannot be followed, or no directory covers where the path leads.
pub(super) async fn resolve(path: &str, last: Last) -> Result<Real> {
    let Root { cwd, opened } = root()?;
    let is_directory = says_directory(path);
    // The next part is the last one here.
    let mut todo: Vec<String> = absolute(cwd, path).into_iter().rev().map(str::to_owned).collect();
    let mut parts: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == ".." {
            parts.pop();
            continue;
        }
        parts.push(part);
        if is_above(names(opened), &parts) {
            continue;
        }
        let is_last = todo.is_empty();
        let here = place(opened, path, &parts)?;
        let stat = match calls::stat(here.dir, Last::Keep, &here.path).await {
            Ok(stat) => stat,
            Err(ErrorCode::NoEntry) if is_last => break,
            Err(code) => return Err(error_of(&code)),
        };
        let kind = calls::kind(&stat.type_);
        if kind == FileKind::Symlink && (!is_last || is_directory || last == Last::Follow) {
            links += 1;
            if links > MOST_LINKS {
                return Err(error_of(&ErrorCode::Loop));
            }
            let target = match calls::read_link(here.dir, &here.path).await {
                Ok(target) => target,
                Err(ErrorCode::NotPermitted) => return Err(absolute_link(&parts)),
                Err(code) => return Err(error_of(&code)),
            };
            if target.starts_with('/') {
                parts.clear();
            } else {
                parts.pop();
            }
            todo.extend(named(&target).rev().map(str::to_owned));
        } else if kind != FileKind::Dir && (!is_last || is_directory) {
            return Err(error_of(&ErrorCode::NotDirectory));
        }
    }
    let mut place = place(opened, path, &parts)?;
    if is_directory && place.path != "." {
        place.path.push('/');
    }
    Ok(Real { parts, place })
}

/// The place of a path without links.
fn place(opened: &'static [Opened], path: &str, parts: &[String]) -> Result<Place> {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match covering(names(opened), &parts) {
        Cover::By(index, rest) => Ok(Place { dir: &opened[index].dir, path: rest, is_real: true }),
        Cover::Unclear | Cover::Nothing => Err(uncovered(opened, path, &parts)),
    }
}

/// Says how the program gets what it asked for.
fn uncovered(opened: &[Opened], path: &str, parts: &[&str]) -> Error {
    let first = parts.first().copied().unwrap_or_default();
    let wanted = if path.starts_with('/') { format!("/{first}") } else { ".".to_owned() };
    let text = if opened.is_empty() {
        format!(
            "the host has opened no directory for this program; with wasmtime, run it with `--dir {wanted}`"
        )
    } else {
        format!(
            "the host has opened no directory for this program that has /{} in it; with wasmtime, run it with `--dir {wanted}` too",
            parts.join("/")
        )
    };
    Error::new(ErrorKind::PermissionDenied, text)
}

fn absolute_link(parts: &[String]) -> Error {
    let text = format!(
        "the host does not tell where the symbolic link /{} leads, as it leads to an absolute path; make it a relative one",
        parts.join("/")
    );
    Error::new(ErrorKind::PermissionDenied, text)
}
