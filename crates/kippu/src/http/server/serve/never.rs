//! Hosts where nobody can listen: [`Server::bind`](super::Server::bind) gives an error there, so no connection ever comes.

use std::net::SocketAddr;
use std::sync::Arc;

use super::Settings;
use super::connections::Seat;
use crate::http::server::Handler;
use crate::net::TcpStream;

pub(super) async fn run<H: Handler>(_: TcpStream, _: SocketAddr, _: H, _: Arc<Settings>, _: Seat) {}
