//! Where a response sends the client, and what of the request goes with it.

use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE,
    LOCATION, PROXY_AUTHORIZATION,
};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::{Error, ErrorKind, Outgoing, Request, request};

/// Where a response of `status` and `headers` to a request of `url` leads, as it says
/// there. `None` if it is no redirect; one without `location` is none.
pub(super) fn location(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    // Servers do send raw UTF-8 here; `Url` encodes it.
    headers.get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Turns `request` into the one that follows a response of `status` that leads to `location`.
///
/// # Errors
/// When `location` is not a URL that can be fetched, or the body is needed again and was a stream.
pub(super) fn follow(
    request: &mut Request,
    status: StatusCode,
    location: &str,
) -> Result<(), Error> {
    let target = target(&request.url, location)?;
    let becomes_get = match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method == Method::POST,
        StatusCode::SEE_OTHER => !matches!(request.method, Method::GET | Method::HEAD),
        _ => false,
    };
    if becomes_get {
        request.method = Method::GET;
        request.body = Outgoing::None;
        for name in [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE] {
            request.headers.remove(name);
        }
    }
    if matches!(request.body, Outgoing::Stream(_) | Outgoing::Sent) {
        let detail = format_args!(
            "{} leads to {target}, and a streamed body cannot be sent again",
            status.as_u16()
        );
        return Err(Error::with_detail(ErrorKind::Redirect, detail).at(&request.url));
    }
    if target.origin() != request.url.origin() {
        for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
            request.headers.remove(name);
        }
    }
    request.url = target;
    Ok(())
}

fn target(from: &Url, location: &str) -> Result<Url, Error> {
    let target = from.join(location).map_err(|error| {
        Error::with_detail(ErrorKind::Url, format_args!("in a redirect: {error}")).at_text(location)
    })?;
    request::checked(target)
}
