//! Header fields and methods of `wasi:http`, from the host and to it.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::bindings::http::types::{Fields, HeaderError, Method as Verb};

/// How many fields there is room for at first, however many the other side says that there are.
const FIRST_FIELDS: usize = 256;

/// Copies the fields in one call. A field that HTTP does not allow is left out: hosts do not let one through.
pub(crate) fn from_host(fields: &Fields) -> HeaderMap {
    #[cfg(kippu_p2)]
    let entries = fields.entries();
    #[cfg(kippu_p3)]
    let entries = fields.copy_all();
    let mut headers = HeaderMap::with_capacity(entries.len().min(FIRST_FIELDS));
    for (name, value) in entries {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_maybe_shared(Bytes::from(value));
        if let (Ok(name), Ok(value)) = (name, value) {
            // More than the map holds, some 24,000, no host lets through; the rest is left out.
            let _ = headers.try_append(name, value);
        }
    }
    headers
}

/// Gives the fields to the host in one call.
///
/// # Errors
/// [`HeaderError::Forbidden`] when there is one that only the host may set, such as `connection`.
pub(crate) fn to_host(headers: &HeaderMap) -> Result<Fields, HeaderError> {
    if headers.is_empty() {
        return Ok(Fields::new());
    }
    let entries: Vec<(String, Vec<u8>)> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    Fields::from_list(&entries)
}

/// The same, but leaves out what the host does not let the program set.
pub(crate) fn to_host_allowed(headers: &HeaderMap) -> Fields {
    to_host(headers).unwrap_or_else(|_| {
        let fields = Fields::new();
        for (name, value) in headers {
            // It is the host's to set, or the host would not send it.
            let _ = fields.append(name.as_str(), value.as_bytes());
        }
        fields
    })
}

/// `None` when it is no method of HTTP.
pub(crate) fn method_from_host(method: Verb) -> Option<Method> {
    Some(match method {
        Verb::Get => Method::GET,
        Verb::Head => Method::HEAD,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Delete => Method::DELETE,
        Verb::Connect => Method::CONNECT,
        Verb::Options => Method::OPTIONS,
        Verb::Trace => Method::TRACE,
        Verb::Patch => Method::PATCH,
        Verb::Other(name) => return Method::from_bytes(name.as_bytes()).ok(),
    })
}

pub(crate) fn method_to_host(method: &Method) -> Verb {
    match *method {
        Method::GET => Verb::Get,
        Method::HEAD => Verb::Head,
        Method::POST => Verb::Post,
        Method::PUT => Verb::Put,
        Method::DELETE => Verb::Delete,
        Method::CONNECT => Verb::Connect,
        Method::OPTIONS => Verb::Options,
        Method::TRACE => Verb::Trace,
        Method::PATCH => Verb::Patch,
        _ => Verb::Other(method.as_str().to_owned()),
    }
}
