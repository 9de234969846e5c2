//! What can be meant by an address.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::lookup;

/// What names one or more addresses; names of hosts are looked up.
///
/// | type | example |
/// |---|---|
/// | `str`, `String` | `"example.com:80"`, `"127.0.0.1:80"`, `"[::1]:80"`, `"[fe80::1%2]:80"` |
/// | `(host, port)`, the host a `&str`, `String`, `IpAddr`, `Ipv4Addr` or `Ipv6Addr` | `("::1", 80)` |
/// | `SocketAddr`, `SocketAddrV4`, `SocketAddrV6` | |
/// | slices, arrays and `Vec`s of `SocketAddr` | |
/// | references to these | |
///
/// ```
/// use kippu::net::ToAddrs;
///
/// # kippu::block_on(async {
/// assert_eq!("127.0.0.1:80".to_addrs().await?, ("127.0.0.1", 80).to_addrs().await?);
/// # std::io::Result::Ok(())
/// # }).unwrap().unwrap();
/// ```
pub trait ToAddrs {
    /// The addresses, in the order in which to try them.
    ///
    /// # Errors
    /// Those of [`lookup`]; `InvalidInput` when a string is not a host and a port.
    fn to_addrs(&self) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

impl<T: ToAddrs + Sync + ?Sized> ToAddrs for &T {
    fn to_addrs(&self) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send {
        (**self).to_addrs()
    }
}

/// Types that are addresses already.
macro_rules! known {
    ($($type:ty),*) => {$(
        impl ToAddrs for $type {
            async fn to_addrs(&self) -> io::Result<Vec<SocketAddr>> {
                Ok(vec![SocketAddr::from(*self)])
            }
        }
    )*};
}

known!(SocketAddr, SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));

impl ToAddrs for [SocketAddr] {
    async fn to_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        Ok(self.to_vec())
    }
}

impl<const N: usize> ToAddrs for [SocketAddr; N] {
    async fn to_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        Ok(self.to_vec())
    }
}

impl ToAddrs for Vec<SocketAddr> {
    async fn to_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        Ok(self.clone())
    }
}

impl ToAddrs for (&str, u16) {
    async fn to_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        lookup(self.0, self.1).await
    }
}

impl ToAddrs for (String, u16) {
    async fn to_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        lookup(&self.0, self.1).await
    }
}

impl ToAddrs for str {
    async fn to_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = self.parse::<SocketAddr>() {
            return Ok(vec![address]);
        }
        let invalid = |what| {
            let text = format!("{self:?} {what}, such as example.com:80");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        };
        let (host, port) = self.rsplit_once(':').ok_or_else(|| invalid("is not HOST:PORT"))?;
        let port = port.parse().map_err(|_| invalid("does not end with a port of 0 to 65535"))?;
        // `parse` has taken the addresses: this would be one without brackets, and it is anybody's guess where its port begins.
        if host.contains(':') {
            return Err(invalid("is neither [IPV6]:PORT nor HOST:PORT"));
        }
        lookup(host, port).await
    }
}

impl ToAddrs for String {
    async fn to_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        self.as_str().to_addrs().await
    }
}

/// The address that `host` is, if it is one and no name. IPv6 may have a scope, a number.
pub(super) fn numeric(host: &str, port: u16) -> Option<SocketAddr> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some(SocketAddr::new(ip, port));
    }
    let (ip, scope) = host.split_once('%')?;
    let address = SocketAddrV6::new(ip.parse().ok()?, port, 0, scope.parse().ok()?);
    Some(SocketAddr::V6(address))
}
