//! From a URL to a connection: name lookup, TCP, TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use http::uri::Scheme;
use rustls::pki_types::ServerName;
use tower_service::Service;

use super::stream::Stream;
use super::tls;
use crate::net;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The name cannot be resolved.
    #[error("cannot look up {host}")]
    Dns { host: String, source: io::Error },
    /// No address of the server answers.
    #[error("cannot connect to {host} port {port}")]
    Connect { host: String, port: u16, source: io::Error },
    /// A secure connection cannot even be tried.
    #[error("cannot prepare a secure connection to {host}")]
    Tls { host: String, source: io::Error },
    /// The two sides do not agree, or the connection ended meanwhile.
    #[error("the TLS handshake with {host} failed")]
    Handshake { host: String, source: io::Error },
}

/// Makes the connections of a pool.
#[derive(Clone)]
pub(super) struct Connector;

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(connect(uri))
    }
}

async fn connect(uri: Uri) -> Result<Stream, ConnectError> {
    let secure = uri.scheme() == Some(&Scheme::HTTPS);
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    // IPv6 addresses are in brackets.
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);

    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => net::resolve(host, port)
            .await
            .map_err(|source| ConnectError::Dns { host: host.to_owned(), source })?,
    };
    let unreachable = |source| ConnectError::Connect { host: host.to_owned(), port, source };
    let tcp = net::connect(&addresses, false).await.map_err(unreachable)?;
    // Requests are written in one piece; waiting for more would only delay them.
    tcp.set_nodelay(true).map_err(unreachable)?;
    if !secure {
        return Ok(Stream::new(tcp));
    }

    let unprepared = |source| ConnectError::Tls { host: host.to_owned(), source };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| unprepared(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let tls = tls::connector().await.map_err(unprepared)?;
    match tls.connect(name, tcp).await {
        Ok(stream) => Ok(Stream::new(stream)),
        Err(source) => Err(ConnectError::Handshake { host: host.to_owned(), source }),
    }
}
