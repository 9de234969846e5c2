//! Calls in both directions on a JavaScript host.

mod export;
mod out;
mod value;

pub(crate) use self::export::{cancel_call, run_call};
pub use self::export::{export_async, export_sync, fallible, infallible};
pub(crate) use self::out::RawCall;
pub use self::out::{HostCall, call_sync};
use self::value::open;
pub use self::value::*;
pub use crate::driver::js::abi::take_bytes;
