//! UDP.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::udp::{
    IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket as Socket,
};
use wasip2::sockets::udp_create_socket::create_udp_socket;

use super::Gate;
use crate::driver::wasi_p2::{Source, spend};
use crate::single::Single;
use crate::sys::wasi::net::{error_of, family, of_wasi, to_wasi};

pub(crate) struct UdpSocket {
    // The gates have pollables of the streams, which are the socket's.
    receive_gate: Gate,
    send_gate: Gate,
    streams: Single<RefCell<Option<(IncomingDatagramStream, OutgoingDatagramStream)>>>,
    /// What the binding takes a datagram from. Kept, so that sending allocates nothing.
    sent: Single<Cell<Vec<u8>>>,
    peer: Single<Cell<Option<SocketAddr>>>,
    socket: Socket,
}

impl UdpSocket {
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
        let socket = create_udp_socket(family(address)).map_err(error_of)?;
        // Made after the socket, and so dropped before it.
        let mut source = None;
        socket.start_bind(&instance_network(), to_wasi(address)).map_err(error_of)?;
        loop {
            match socket.finish_bind() {
                Ok(()) => break,
                Err(ErrorCode::WouldBlock) => {
                    source.get_or_insert_with(|| Source::new(socket.subscribe())).ready().await;
                }
                Err(code) => return Err(error_of(code)),
            }
        }
        drop(source);
        let streams = socket.stream(None).map_err(error_of)?;
        Ok(UdpSocket {
            receive_gate: Gate::new(),
            send_gate: Gate::new(),
            streams: Single(RefCell::new(Some(streams))),
            sent: Single::default(),
            peer: Single::default(),
            socket,
        })
    }

    /// The streams are those of one peer, so there will be others.
    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<()> {
        self.receive_gate.close();
        self.send_gate.close();
        drop(self.streams.take());
        let result = self.socket.stream(Some(to_wasi(address)));
        let (streams, result) = match result {
            Ok(streams) => {
                self.peer.set(Some(address));
                (Some(streams), Ok(()))
            }
            // As it was.
            Err(code) => {
                (self.socket.stream(self.peer.get().map(to_wasi)).ok(), Err(error_of(code)))
            }
        };
        self.streams.replace(streams);
        self.receive_gate.retry();
        self.send_gate.retry();
        result
    }

    pub(crate) async fn send(&self, data: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        poll_fn(|cx| self.poll_send(cx, data, to)).await
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        data: &[u8],
        to: Option<SocketAddr>,
    ) -> Poll<io::Result<usize>> {
        if to.is_none() && self.peer.get().is_none() {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        let streams = self.streams.borrow();
        let (_, outgoing) = streams.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let attempt = || self.try_send(outgoing, data, to).transpose();
        self.send_gate.poll(cx, true, || outgoing.subscribe(), attempt)
    }

    /// `None` when there is no room.
    fn try_send(
        &self,
        outgoing: &OutgoingDatagramStream,
        data: &[u8],
        to: Option<SocketAddr>,
    ) -> io::Result<Option<usize>> {
        spend(3);
        if outgoing.check_send().map_err(error_of)? == 0 {
            return Ok(None);
        }
        let mut sent = self.sent.take();
        sent.clear();
        sent.extend_from_slice(data);
        let datagram = OutgoingDatagram { data: sent, remote_address: to.map(to_wasi) };
        let count = outgoing.send(std::slice::from_ref(&datagram));
        self.sent.set(datagram.data);
        match count.map_err(error_of)? {
            0 => Ok(None),
            _ => Ok(Some(data.len())),
        }
    }

    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let streams = self.streams.borrow();
        let (incoming, _) = streams.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let attempt = || {
            spend(1);
            let received = incoming.receive(1).map_err(error_of);
            received.map(|mut received| received.pop()).transpose()
        };
        self.receive_gate.poll(cx, true, || incoming.subscribe(), attempt).map_ok(|datagram| {
            let count = buffer.len().min(datagram.data.len());
            buffer[..count].copy_from_slice(&datagram.data[..count]);
            (count, of_wasi(datagram.remote_address))
        })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_address().map(of_wasi).map_err(error_of)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.peer.get().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}
