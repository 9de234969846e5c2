//! HTTP over `wasi:http`.

pub(crate) mod call;
pub(crate) mod read;
pub(crate) mod write;

pub(crate) use crate::sys::wasi::http::body_error;
pub(crate) use crate::sys::wasi::http_client::{Body, Connections, Hold, Streamed, exchange, hold};
pub(crate) use crate::sys::wasi::http_fields as fields;
