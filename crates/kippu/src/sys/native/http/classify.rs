//! From the errors of hyper, rustls and the system to the kinds of the public
//! interface. The kinds are those that a JavaScript host's `fetch` leads to for
//! the same cause.

use std::error::Error as StdError;
use std::io;
use std::iter::successors;

use super::connector::ConnectError;
use crate::http::ErrorKind;

/// `error` and its causes, outermost first.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    successors(Some(error), |&error| {
        // `io::Error::source` leaves out the error that it was made from.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// What went wrong, by the first link of the chain that tells.
pub(super) fn kind(error: &(dyn StdError + 'static)) -> ErrorKind {
    let mut fallback = ErrorKind::Other;
    for link in chain(error) {
        if let Some(error) = link.downcast_ref::<ConnectError>() {
            match error {
                ConnectError::Dns { .. } => return ErrorKind::Dns,
                ConnectError::Connect { .. } => return ErrorKind::Connect,
                ConnectError::Tls { .. } => return ErrorKind::Tls,
                // The connection may have broken during the handshake; the cause tells.
                ConnectError::Handshake { .. } => {}
            }
        } else if link.is::<rustls::Error>() {
            return ErrorKind::Tls;
        } else if let Some(error) = link.downcast_ref::<hyper::Error>() {
            if error.is_parse() {
                return ErrorKind::Protocol;
            } else if error.is_incomplete_message() {
                return ErrorKind::Closed;
            } else if error.is_closed() || error.is_canceled() {
                fallback = ErrorKind::Closed;
            } else if !error.is_user() && error.source().is_none() {
                // What is left is a server that speaks before it is asked; hyper has no
                // name for it. Failures of the connection have a source.
                fallback = ErrorKind::Protocol;
            }
        } else if let Some(error) = link.downcast_ref::<io::Error>() {
            match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::NotConnected
                | io::ErrorKind::TimedOut => return ErrorKind::Closed,
                // Of a chunked body, by hyper; or of TLS, which the next link tells.
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                    fallback = ErrorKind::Protocol;
                }
                _ => {}
            }
        }
    }
    fallback
}

/// All that the chain says, in one line.
pub(super) fn text(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for link in chain(error) {
        let link = link.to_string();
        // Some links repeat their cause.
        if text.ends_with(&link) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&link);
    }
    text
}
