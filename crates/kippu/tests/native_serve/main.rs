//! The HTTP server, by what clients see on raw sockets.

mod clients;
mod handlers;
mod limits;
mod messages;
mod pipelines;
mod stops;
mod support;
