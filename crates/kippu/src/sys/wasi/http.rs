//! The errors of `wasi:http`, which are the same in 0.2 and 0.3, as those of the public interface.

use crate::http::{Error, ErrorKind};
use crate::sys::wasi::bindings::http::types::ErrorCode;

/// What `code` is before there is a response.
pub(crate) fn error(code: &ErrorCode) -> Error {
    let kind = match code {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            ErrorKind::Dns
        }
        // A connection that cannot be made in the time that the host allows is what an operating system calls
        // unreachable.
        ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached => ErrorKind::Connect,
        ErrorCode::DestinationIpProhibited | ErrorCode::HttpRequestDenied => ErrorKind::Unsupported,
        // Hosts give the last one to connections that end too early; that an answer is no HTTP, wasmtime tells by the same code,
        // and jco by an internal error. The first is by far the more frequent.
        ErrorCode::ConnectionTerminated
        | ErrorCode::HttpResponseIncomplete
        | ErrorCode::HttpProtocolError => ErrorKind::Closed,
        ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => ErrorKind::Timeout,
        ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => ErrorKind::Tls,
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestUriTooLong => ErrorKind::Url,
        ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::HttpResponseHeaderSize(_)
        | ErrorCode::HttpResponseBodySize(_)
        | ErrorCode::HttpResponseTrailerSectionSize(_)
        | ErrorCode::HttpResponseTrailerSize(_)
        | ErrorCode::HttpResponseTransferCoding(_)
        | ErrorCode::HttpResponseContentCoding(_)
        | ErrorCode::HttpUpgradeFailed => ErrorKind::Protocol,
        ErrorCode::HttpRequestLengthRequired
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_)
        | ErrorCode::LoopDetected
        | ErrorCode::ConfigurationError
        | ErrorCode::InternalError(_) => ErrorKind::Other,
    };
    Error::with_detail(kind, code)
}

/// What `code` is when a body is read. Hosts of 0.2 have no code for a stream that breaks off.
pub(crate) fn body_error(code: &ErrorCode) -> Error {
    match code {
        ErrorCode::InternalError(_) => Error::with_detail(ErrorKind::Closed, code),
        _ => error(code),
    }
}
