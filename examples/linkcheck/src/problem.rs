//! What can be wrong with a link or an input, in words that are the same on every host.

use std::io;

use crate::extract::Place;

/// Why a link is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the link is empty")]
    Empty,
    #[error("malformed URL: {0}")]
    Malformed(#[from] url::ParseError),
    #[error("malformed path: {0}")]
    MalformedPath(&'static str),
    #[error("no definition of [{0}] in this document")]
    Reference(String),
    #[error("begins at the root of the site, and --root DIR does not say where that is")]
    NeedsRoot,
    #[error("{}: {reason}", with_place(path, reason.place()))]
    File { path: String, reason: FileProblem },
    #[error("no anchor #{0} there")]
    Anchor(String),
    #[error("{}", describe_status(*.status, *.asked_wait))]
    Status {
        status: u16,
        /// The seconds that the server's Retry-After asks for, when that was too long.
        asked_wait: Option<u64>,
    },
    #[error("{message}")]
    Request {
        kind: &'static str,
        message: String,
        /// The same in the words of the host, which differ from host to host.
        detail: Option<String>,
    },
    #[error("the page is larger than {} MiB", .0 / (1024 * 1024))]
    TooLarge(usize),
}

impl Problem {
    /// One word for programs.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Malformed(_) | Self::MalformedPath(_) => "malformed",
            Self::Reference(_) => "reference",
            Self::NeedsRoot => "root",
            Self::File { reason: FileProblem::NotFound, .. } => "not_found",
            Self::File { reason: FileProblem::NoIndex, .. } => "anchor",
            Self::File { .. } => "unreadable",
            Self::Anchor(_) => "anchor",
            Self::Status { .. } => "status",
            Self::Request { kind, .. } => kind,
            Self::TooLarge(_) => "too_large",
        }
    }

    /// More about it, in words that differ from host to host.
    pub(crate) fn detail(&self) -> Option<&str> {
        match self {
            Self::Request { detail, .. } => detail.as_deref(),
            _ => None,
        }
    }
}

fn describe_status(status: u16, asked_wait: Option<u64>) -> String {
    let reason = kippu::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("unknown status");
    match asked_wait {
        Some(seconds) => {
            format!("{status} {reason} (asks to wait {seconds} s, longer than --max-wait)")
        }
        None => format!("{status} {reason}"),
    }
}

/// Why a file or folder cannot be used.
///
/// Hosts word their own errors differently; these words are fixed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileProblem {
    #[error("no such file or folder")]
    NotFound,
    #[error("permission denied")]
    Denied,
    #[error("a symbolic link that leads nowhere or in a circle")]
    BadLink,
    #[error("neither a file nor a folder")]
    NotRegular,
    #[error("neither Markdown (.md, .markdown) nor HTML (.html, .htm)")]
    UnknownFormat,
    #[error("no .md, .markdown, .html or .htm file in this folder")]
    NoDocuments,
    #[error("a folder without index.html or README.md, so without anchors")]
    NoIndex,
    #[error("not a folder")]
    NotAFolder,
    #[error("larger than {} MiB", .0 / (1024 * 1024))]
    TooLarge(usize),
    #[error("not valid UTF-8 (byte {byte})")]
    NotUtf8 { place: Place, byte: usize },
    #[error("cannot be read")]
    Unreadable,
}

impl FileProblem {
    /// What the host says, in our words.
    pub(crate) fn from_io(error: &io::Error) -> Self {
        match error.kind() {
            // A file where a folder was expected on the way: nothing is there either.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound,
            io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Unreadable,
        }
    }

    /// Where in the file, when that is known.
    fn place(&self) -> Option<Place> {
        match self {
            Self::NotUtf8 { place, .. } => Some(*place),
            _ => None,
        }
    }
}

/// As compilers name places: `docs/a.md:3:7`.
fn with_place(source: &str, place: Option<Place>) -> String {
    match place {
        Some(place) => format!("{source}:{place}"),
        None => source.to_owned(),
    }
}

/// Why an input could not be checked, or not as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InputProblem {
    #[error(transparent)]
    File(#[from] FileProblem),
    #[error(transparent)]
    Page(#[from] Problem),
    #[error("the content type {0:?} is neither HTML nor Markdown")]
    NoDocument(String),
    #[error("no content type says that this is HTML or Markdown")]
    NoContentType,
    #[error("the character set {0:?} is unknown")]
    UnknownCharset(String),
}

/// An input and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputError {
    /// The path or URL, as given or as found in a folder.
    pub(crate) source: String,
    pub(crate) problem: InputProblem,
}

impl InputError {
    /// Where in the input, when that is known.
    pub(crate) fn place(&self) -> Option<Place> {
        match &self.problem {
            InputProblem::File(problem) => problem.place(),
            _ => None,
        }
    }
}

impl std::fmt::Display for InputError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", with_place(&self.source, self.place()), self.problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_error_names_file_line_and_column() {
        let error = InputError {
            source: "docs/x.md".to_owned(),
            problem: FileProblem::NotUtf8 { place: Place { line: 3, column: 7 }, byte: 120 }.into(),
        };
        assert_eq!(error.to_string(), "docs/x.md:3:7: not valid UTF-8 (byte 120)");
        let error = InputError { source: "y".to_owned(), problem: FileProblem::NotFound.into() };
        assert_eq!(error.to_string(), "y: no such file or folder");
    }

    #[test]
    fn statuses_are_named() {
        let status = |status, asked_wait| Problem::Status { status, asked_wait }.to_string();
        assert_eq!(status(404, None), "404 Not Found");
        assert_eq!(status(799, None), "799 unknown status");
        assert_eq!(
            status(429, Some(3600)),
            "429 Too Many Requests (asks to wait 3600 s, longer than --max-wait)"
        );
    }
}
