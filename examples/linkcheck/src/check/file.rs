//! Files and folders.

use kippu::fs;

use crate::extract::{Anchors, Format, extract, place_of};
use crate::problem::{FileProblem, Problem};

/// The largest document that is read.
const LARGEST_FILE: usize = 64 * 1024 * 1024;

/// The documents that stand for their folder, in order of preference.
const INDEXES: [&str; 4] = ["index.html", "index.htm", "README.md", "index.md"];

/// What the fragments of links to something can be compared with.
#[derive(Clone, Debug)]
pub(crate) enum Fragments {
    /// Nothing: any fragment is fine, as in a PDF or a picture.
    Unknown,
    /// The anchors of a document.
    Known(Anchors),
    /// It is there but cannot be read.
    Unreadable(Problem),
}

/// The text of the document at `path`.
///
/// # Errors
/// When it is no file, cannot be read, is larger than 64 MiB or not UTF-8.
pub(crate) async fn read_document(path: &str) -> Result<String, FileProblem> {
    let metadata = metadata(path).await?;
    // A named pipe would wait for ever for its other end.
    if !metadata.is_file() {
        return Err(FileProblem::NotRegular);
    }
    if metadata.len() > LARGEST_FILE as u64 {
        return Err(FileProblem::TooLarge(LARGEST_FILE));
    }
    let bytes = fs::read(path).await.map_err(|error| FileProblem::from_io(&error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        let start = String::from_utf8_lossy(&error.as_bytes()[..byte]);
        FileProblem::NotUtf8 { place: place_of(&start), byte }
    })?;
    // A byte order mark is no part of the text; before `# Title` it would hide the heading.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// What the path leads to, through symbolic links.
///
/// # Errors
/// When there is nothing, or it cannot be looked at.
pub(crate) async fn metadata(path: &str) -> Result<fs::Metadata, FileProblem> {
    match fs::metadata(path).await {
        Ok(metadata) => Ok(metadata),
        // Hosts report circles of links in different ways, and a dangling link as a missing file.
        Err(error) => match fs::symlink_metadata(path).await {
            Ok(link) if link.is_symlink() => Err(FileProblem::BadLink),
            _ => Err(FileProblem::from_io(&error)),
        },
    }
}

/// Looks at what a link leads to: whether it is there and, if `with_anchors`, what its fragments may be.
/// `known` gives the anchors of documents that were read before.
///
/// # Errors
/// When it is not there.
pub(crate) async fn look(
    path: &str,
    shown: &str,
    with_anchors: bool,
    known: impl Fn(&str) -> Option<Anchors>,
) -> Result<Fragments, Problem> {
    let problem = |reason| Problem::File { path: shown.to_owned(), reason };
    let is_dir = metadata(path).await.map_err(problem)?.is_dir();
    if !with_anchors {
        return Ok(Fragments::Unknown);
    }
    let document = if is_dir { index_of(path).await } else { Some(path.to_owned()) };
    let Some(document) = document else {
        return Ok(Fragments::Unreadable(problem(FileProblem::NoIndex)));
    };
    if let Some(anchors) = known(&document) {
        return Ok(Fragments::Known(anchors));
    }
    let Some(format) = Format::of_path(&document) else {
        return Ok(Fragments::Unknown);
    };
    Ok(match read_document(&document).await {
        Ok(text) => Fragments::Known(extract(&text, format).anchors),
        Err(reason) => Fragments::Unreadable(problem(reason)),
    })
}

/// The document that stands for a folder.
async fn index_of(folder: &str) -> Option<String> {
    for name in INDEXES {
        let path = format!("{}/{name}", folder.trim_end_matches('/'));
        if metadata(&path).await.is_ok_and(|metadata| metadata.is_file()) {
            return Some(path);
        }
    }
    None
}
