//! Errors of the host's file system as those of std.

use std::io::{Error, ErrorKind};

use crate::sys::wasi::bindings::filesystem::types::ErrorCode;

/// The error with the kind that the same has natively.
pub(super) fn error_of(code: &ErrorCode) -> Error {
    use ErrorKind as Kind;
    let (kind, text) = match code {
        ErrorCode::Access => (Kind::PermissionDenied, "permission denied"),
        ErrorCode::NotPermitted => (Kind::PermissionDenied, "the host does not permit it"),
        ErrorCode::NoEntry => (Kind::NotFound, "no such file or directory"),
        ErrorCode::Exist => (Kind::AlreadyExists, "it exists already"),
        ErrorCode::NotDirectory => (Kind::NotADirectory, "not a directory"),
        ErrorCode::IsDirectory => (Kind::IsADirectory, "it is a directory"),
        ErrorCode::NotEmpty => (Kind::DirectoryNotEmpty, "the directory is not empty"),
        ErrorCode::ReadOnly => (Kind::ReadOnlyFilesystem, "the file system is read-only"),
        ErrorCode::InsufficientSpace => (Kind::StorageFull, "no space left"),
        ErrorCode::Quota => (Kind::QuotaExceeded, "the quota is used up"),
        ErrorCode::FileTooLarge => (Kind::FileTooLarge, "the file is too large"),
        ErrorCode::Busy => (Kind::ResourceBusy, "it is in use"),
        ErrorCode::TextFileBusy => (Kind::ExecutableFileBusy, "the program is running"),
        ErrorCode::CrossDevice => (Kind::CrossesDevices, "it is on another file system"),
        ErrorCode::TooManyLinks => (Kind::TooManyLinks, "too many links to it"),
        ErrorCode::NameTooLong => (Kind::InvalidFilename, "the name is too long"),
        ErrorCode::IllegalByteSequence => (Kind::InvalidData, "a name is not UTF-8"),
        ErrorCode::Invalid => (Kind::InvalidInput, "invalid argument"),
        ErrorCode::Interrupted => (Kind::Interrupted, "interrupted"),
        ErrorCode::InsufficientMemory => (Kind::OutOfMemory, "out of memory"),
        ErrorCode::Unsupported => (Kind::Unsupported, "the host does not support it"),
        ErrorCode::Pipe => (Kind::BrokenPipe, "broken pipe"),
        ErrorCode::InvalidSeek => (Kind::NotSeekable, "it cannot be read from a place"),
        ErrorCode::Deadlock => (Kind::Deadlock, "it would wait for itself"),
        #[cfg(kippu_p2)]
        ErrorCode::WouldBlock => (Kind::WouldBlock, "it would block"),
        // std has no stable kind for it.
        ErrorCode::Loop => (Kind::Other, "too many levels of symbolic links"),
        ErrorCode::Io => (Kind::Other, "input or output failed"),
        #[cfg(kippu_p3)]
        ErrorCode::Other(Some(text)) => return Error::other(text.clone()),
        other => return Error::other(format!("the host says: {other}")),
    };
    Error::new(kind, text)
}
