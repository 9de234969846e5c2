//! Errors that cross the boundary.

use std::fmt;
use std::io;

#[cfg(any(kippu_js, test))]
use crate::strings::push_text;

/// An error of the host's: what a JavaScript function threw or rejected with, or what it should not
/// have returned. Also how an exported function's error looks to JavaScript.
///
/// It is one pointer wide, so that a `Result` of it is cheap to move when there is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostError {
    parts: Box<Parts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    name: String,
    message: String,
    stack: String,
    code: String,
    cause: Option<HostError>,
}

/// How many causes of causes cross the boundary. JavaScript's errors may be in a circle.
const MOST_CAUSES: usize = 16;

impl HostError {
    /// An error of class `Error`.
    pub fn new(message: impl Into<String>) -> Self {
        HostError::named("Error", message)
    }

    /// An error of the class `name`.
    pub fn named(name: impl Into<String>, message: impl Into<String>) -> Self {
        HostError::from_parts(name.into(), message.into(), String::new(), String::new())
    }

    /// Gives it a short code for programs, such as Node's `ENOENT`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.parts.code = code.into();
        self
    }

    /// The class, such as `TypeError`. `Error` when nothing better is known.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.parts.message
    }

    /// The JavaScript stack; empty when there is none.
    pub fn stack(&self) -> &str {
        &self.parts.stack
    }

    /// A short code for programs, such as Node's `ENOENT`; empty when there is none.
    pub fn code(&self) -> &str {
        &self.parts.code
    }

    /// What brought it about: `Error.cause` of JavaScript, as far as it is an error itself. Also the
    /// [source](std::error::Error::source).
    pub fn cause(&self) -> Option<&HostError> {
        self.parts.cause.as_ref()
    }

    /// Says what brought it about. JavaScript sees it as `error.cause`; of causes of causes it sees 16.
    #[must_use]
    pub fn with_cause(mut self, cause: HostError) -> Self {
        self.parts.cause = Some(cause);
        self
    }

    /// An error of the class `name` with the text of `error`, and its sources as causes.
    pub(crate) fn from_std(name: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        // As many as cross: nobody would see the others.
        let sources =
            std::iter::successors(Some(error), |error| error.source()).take(MOST_CAUSES + 1);
        let mut made = Vec::new();
        for source in sources {
            if let Some(same) = source.downcast_ref::<HostError>() {
                made.push(same.clone());
                break;
            }
            let name = if made.is_empty() { name } else { "Error" };
            made.push(HostError::named(name, source.to_string()));
        }
        let chained = made.into_iter().rev().reduce(|cause, error| error.with_cause(cause));
        chained.unwrap_or_else(|| HostError::named(name, ""))
    }

    pub(crate) fn from_parts(name: String, message: String, stack: String, code: String) -> Self {
        HostError { parts: Box::new(Parts { name, message, stack, code, cause: None }) }
    }

    /// A value was not of the type that the other side needs.
    #[cfg(kippu_js)]
    pub(crate) fn type_error(message: impl Into<String>) -> Self {
        HostError::named("TypeError", message)
    }

    /// What a host function without a body answers where there is no JavaScript host.
    #[doc(hidden)]
    pub fn unavailable(function: &str) -> Self {
        HostError::named(
            "NotSupportedError",
            format!(
                "host function `{function}` needs a JavaScript host; give it a body to be used elsewhere"
            ),
        )
    }

    /// Decodes section 6 of `abi/spec.md`: four strings in postcard's format, and a byte before a cause.
    #[cfg(any(kippu_js, test))]
    pub(crate) fn from_bytes(mut bytes: &[u8]) -> Self {
        let mut found = Vec::new();
        let mut more = true;
        while more && found.len() <= MOST_CAUSES {
            let mut next = || take_string(&mut bytes).unwrap_or_default();
            let mut name = next();
            if name.is_empty() {
                name.push_str("Error");
            }
            found.push(HostError::from_parts(name, next(), next(), next()));
            more = bytes.split_off_first() == Some(&1);
        }
        let chained = found.into_iter().rev().reduce(|cause, error| error.with_cause(cause));
        chained.unwrap_or_else(|| HostError::new(""))
    }

    /// Encodes section 6 of `abi/spec.md`.
    #[cfg(any(kippu_js, test))]
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut next = Some(self);
        let mut causes = 0;
        while let Some(error) = next {
            for text in [error.name(), error.message(), error.stack(), error.code()] {
                push_text(&mut out, text);
            }
            next = error.cause().filter(|_| causes < MOST_CAUSES);
            causes += 1;
            out.push(u8::from(next.is_some()));
        }
        out
    }
}

#[cfg(any(kippu_js, test))]
/// A varint length and that much UTF-8; `None` when the bytes end before it. Text that is not UTF-8 is replaced.
fn take_string(bytes: &mut &[u8]) -> Option<String> {
    let mut len = 0usize;
    for shift in (0..32).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        len |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            let (text, rest) = bytes.split_at_checked(len)?;
            *bytes = rest;
            return Some(str::from_utf8(text).unwrap_or("(not UTF-8)").to_owned());
        }
    }
    None
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        f.write_str(": ")?;
        f.write_str(self.message())
    }
}

impl std::error::Error for HostError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause().map(|cause| cause as _)
    }
}

impl From<HostError> for io::Error {
    /// The kind follows Node's error codes.
    fn from(error: HostError) -> Self {
        let kind = match error.code() {
            "ENOENT" => io::ErrorKind::NotFound,
            "EACCES" | "EPERM" => io::ErrorKind::PermissionDenied,
            "EEXIST" => io::ErrorKind::AlreadyExists,
            "ENOTDIR" => io::ErrorKind::NotADirectory,
            "EISDIR" => io::ErrorKind::IsADirectory,
            "ENOTEMPTY" => io::ErrorKind::DirectoryNotEmpty,
            "EROFS" => io::ErrorKind::ReadOnlyFilesystem,
            "ENOSPC" => io::ErrorKind::StorageFull,
            "EPIPE" => io::ErrorKind::BrokenPipe,
            "EINVAL" => io::ErrorKind::InvalidInput,
            "ETIMEDOUT" => io::ErrorKind::TimedOut,
            "EFBIG" => io::ErrorKind::FileTooLarge,
            "EBUSY" => io::ErrorKind::ResourceBusy,
            "EXDEV" => io::ErrorKind::CrossesDevices,
            "ENOSYS" => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_its_encoding() {
        let error = HostError::named("TypeError", "é".repeat(200)).with_code("E1");
        assert_eq!(HostError::from_bytes(&error.to_bytes()), error);
    }

    #[test]
    fn causes_survive_up_to_the_sixteenth() {
        let inner = HostError::named("RangeError", "inner").with_code("E2");
        let error = HostError::named("TypeError", "outer").with_cause(inner.clone());
        let back = HostError::from_bytes(&error.to_bytes());
        assert_eq!(back, error);
        assert_eq!(back.cause(), Some(&inner));

        let deep = (0..40)
            .fold(HostError::new("0"), |cause, n| HostError::new(n.to_string()).with_cause(cause));
        let back = HostError::from_bytes(&deep.to_bytes());
        let texts = std::iter::successors(Some(&back), |error| error.cause());
        let texts: Vec<_> = texts.map(HostError::message).collect();
        assert_eq!(texts.len(), 17);
        assert_eq!((texts[0], texts[16]), ("39", "23"));
    }

    #[test]
    fn sources_of_other_errors_become_causes() {
        let parse = "x".parse::<u8>().expect_err("no number");
        let error = io::Error::new(io::ErrorKind::InvalidData, parse);
        let made = HostError::from_std("ConfigError", &error);
        assert_eq!(made.to_string(), "ConfigError: invalid digit found in string");
        let same: Box<dyn std::error::Error> = Box::new(made.clone());
        assert_eq!(HostError::from_std("Error", &*same), made);
    }

    #[test]
    fn bytes_that_end_early_give_what_was_there() {
        let error = HostError::named("RangeError", "too far");
        let bytes = error.to_bytes();
        assert_eq!(HostError::from_bytes(&bytes[..11]).name(), "RangeError");
        assert_eq!(HostError::from_bytes(&bytes[..14]).message(), "");
        assert_eq!(HostError::from_bytes(&[]).name(), "Error");
        assert_eq!(HostError::from_bytes(&[0xff; 12]).name(), "Error");
    }
}
