//! Where there are no sockets, a program is told so by an error's kind, and what to do instead.

use std::fmt::Debug;
use std::io::ErrorKind;

use kippu::net::{TcpListener, TcpStream, ToAddrs, UdpSocket, lookup};

use crate::support::{Outcome, cases, failed, holds};

cases!("no_net":
    sockets_are_there_or_missed_by_kind,
    numbers_need_no_network,
);

/// Whether it was refused for want of sockets.
fn is_missing<T: Debug>(result: std::io::Result<T>) -> Result<bool, String> {
    match result {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            holds(error.to_string().contains("kippu::http"), &error.to_string())?;
            Ok(true)
        }
        Ok(_) => Ok(false),
        // A host that has sockets refuses this one connection.
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(false),
        Err(error) => Err(format!("{error:?}")),
    }
}

async fn sockets_are_there_or_missed_by_kind() -> Outcome {
    let missing = [
        is_missing(TcpListener::bind("127.0.0.1:0").await)?,
        is_missing(UdpSocket::bind("127.0.0.1:0").await)?,
        is_missing(TcpStream::connect("127.0.0.1:1").await)?,
        is_missing(lookup("localhost", 80).await)?,
    ];
    holds(missing == [true; 4] || missing == [false; 4], &format!("{missing:?}: all or nothing"))
}

async fn numbers_need_no_network() -> Outcome {
    let address = "[::1]:80".to_addrs().await.map_err(failed)?;
    holds(address == ["[::1]:80".parse().map_err(failed)?], &format!("{address:?}"))?;
    holds(lookup("10.0.0.1", 1).await.is_ok(), "it is an address already")
}
