//! UDP.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};

use wasip3::sockets::types::{ErrorCode, IpSocketAddress, UdpSocket as Socket};

use super::{Pump, wanted};
use crate::driver::wasi_p3::Op;
use crate::single::Single;
use crate::sys::wasi::net::{Crowd, error_of, family, of_wasi, to_wasi};

pub(crate) struct UdpSocket {
    pump: Pump,
    state: Single<Rc<State>>,
    crowd: Crowd,
}

type Received = Result<(Vec<u8>, IpSocketAddress), ErrorCode>;

struct State {
    wanted: Cell<bool>,
    /// Received and not asked for yet.
    received: Cell<Option<Received>>,
    peer: Cell<Option<SocketAddr>>,
    socket: Socket,
}

/// Receives when somebody wants to.
async fn receive(state: Rc<State>) {
    loop {
        wanted(|| state.wanted.get()).await;
        let received = state.socket.receive().await;
        state.received.set(Some(received));
        state.wanted.set(false);
    }
}

impl UdpSocket {
    /// Does not wait; the signature is that of other platforms.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
        let socket = Socket::create(family(address)).map_err(error_of)?;
        socket.bind(to_wasi(address)).map_err(error_of)?;
        let state = Rc::new(State {
            wanted: Cell::new(false),
            received: Cell::new(None),
            peer: Cell::new(None),
            socket,
        });
        let pump = Pump::new(receive(state.clone()));
        Ok(UdpSocket { pump, state: Single(state), crowd: Crowd::new() })
    }

    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<()> {
        self.state.socket.connect(to_wasi(address)).map_err(error_of)?;
        self.state.peer.set(Some(address));
        Ok(())
    }

    pub(crate) async fn send(&self, data: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        if to.is_none() && self.state.peer.get().is_none() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let sending = self.state.socket.send(data.to_vec(), to.map(to_wasi));
        Op::new(sending).await.map_err(error_of)?;
        Ok(data.len())
    }

    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        loop {
            if let Some(received) = self.state.received.take() {
                let (data, from) = received.map_err(error_of)?;
                let from = of_wasi(from);
                // It may have come before the socket had a peer.
                let is_strange =
                    |peer: SocketAddr| (peer.ip(), peer.port()) != (from.ip(), from.port());
                if self.state.peer.get().is_some_and(is_strange) {
                    continue;
                }
                let count = buffer.len().min(data.len());
                buffer[..count].copy_from_slice(&data[..count]);
                return Poll::Ready(Ok((count, from)));
            }
            self.state.wanted.set(true);
            self.pump.turn(&mut Context::from_waker(self.crowd.waker()), true);
            if self.state.wanted.get() {
                self.crowd.join(cx);
                return Poll::Pending;
            }
        }
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.state.socket.get_local_address().map(of_wasi).map_err(error_of)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.state.peer.get().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}
