//! Where a response sends the client, and what of the request goes with it.

use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE,
    LOCATION, PROXY_AUTHORIZATION,
};
use http::{HeaderMap, Method, StatusCode};

use super::{Error, ErrorKind, Request, request};

/// Turns `request` into the one that follows a response of `status` and `headers`.
/// `false` if the response is no redirect; one without `location` is none.
///
/// # Errors
/// When `location` is not a URL that can be fetched.
pub(super) fn follow(
    request: &mut Request,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<bool, Error> {
    let keeps_method = match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => false,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        _ => return Ok(false),
    };
    let Some(location) = headers.get(LOCATION) else {
        return Ok(false);
    };
    // Servers do send raw UTF-8 here; `Url` encodes it.
    let location = String::from_utf8_lossy(location.as_bytes());
    let target = request.url.join(&location).map_err(|error| {
        Error::with_detail(ErrorKind::Url, format_args!("in a redirect: {error}"))
            .at_text(&location)
    })?;
    let target = request::checked(target)?;
    if !keeps_method && request.method != Method::HEAD {
        request.method = Method::GET;
        request.body = None;
        for name in [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE] {
            request.headers.remove(name);
        }
    }
    if target.origin() != request.url.origin() {
        for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
            request.headers.remove(name);
        }
    }
    request.url = target;
    Ok(true)
}
