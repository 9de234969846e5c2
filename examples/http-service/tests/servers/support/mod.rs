//! Servers, clients and an upstream for the tests.

pub(crate) mod client;
pub(crate) mod server;
pub(crate) mod upstream;
