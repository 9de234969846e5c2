//! How a program's entries become exports of a component.

#[cfg(feature = "http")]
mod http;
#[cfg(kippu_p2)]
mod p2;
#[cfg(all(kippu_p2, feature = "http"))]
mod p2_http;
#[cfg(kippu_p3)]
mod p3;
#[cfg(all(kippu_p3, feature = "http"))]
mod p3_http;

#[cfg(feature = "http")]
pub use crate::__export_http_handler as export_http_handler;
#[cfg(all(kippu_p2, feature = "http"))]
pub use p2_http::*;
#[cfg(all(kippu_p3, feature = "http"))]
pub use p3_http::*;
#[cfg(kippu_p2)]
pub use wasip2;
#[cfg(kippu_p3)]
pub use {p3::*, wasip3};
