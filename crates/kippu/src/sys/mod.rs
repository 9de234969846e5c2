//! What differs between the platforms, behind one interface.
//!
//! Each platform gives the same modules with the same functions; the public
//! modules of the crate are written against them once. The interface is kept
//! primitive: paths and names are `&str`, errors are `io::Error` (whose kind is
//! what counts; the public module adds the path), and dropping a future cancels
//! or detaches as the function says.
//!
//! ```text
//! clock   now_ns() -> u64                              monotonic, from an origin of its own
//!         since_unix_epoch() -> Duration
//! env     args() -> Vec<String>                        without the program's name
//!         var(name) -> Option<String>
//!         vars() -> Vec<(String, String)>
//!         current_dir() -> io::Result<String>
//! io      async read(max) -> io::Result<Vec<u8>>       standard input; empty at its end.
//!                                                      Dropping the future loses no byte
//!         async write(Output, &[u8]) -> io::Result<()>
//!         print(Output, &[u8]) -> io::Result<()>       without waiting
//!         is_terminal(Stdio) -> bool
//!         columns(Output) -> Option<usize>
//! fs      async read(path) -> io::Result<Vec<u8>>
//!         async write(path, &[u8]) -> io::Result<()>
//!         async metadata(path), symlink_metadata(path) -> io::Result<fs::Metadata>
//!         async read_dir(path) -> io::Result<Vec<(String, fs::FileKind)>>   in any order
//!         async create_dir_all, remove_file, remove_dir_all(path) -> io::Result<()>
//!         async rename(from, to) -> io::Result<()>
//!         async canonicalize(path) -> io::Result<String>
//! net     async lookup(host, port) -> io::Result<Vec<SocketAddr>>   of names only
//!         TcpStream   async connect(SocketAddr, counts), poll_read, poll_write, poll_write_vectored, poll_flush,
//!                     shutdown(Shutdown), local_addr, peer_addr, set_nodelay, nodelay
//!         TcpListener async bind(SocketAddr), poll_accept, local_addr
//!         UdpSocket   async bind(SocketAddr), connect(SocketAddr), async send(data, to), poll_recv, local_addr, peer_addr
//!                                                      all by `&self`; several tasks may wait for the same;
//!                                                      `counts`: whether waiting is a reason to go on
//! random  fill(&mut [u8]) -> io::Result<()>             never called with nothing to fill
//! signal  async ctrl_c() -> io::Result<()>
//! http    Connections: Default + Debug + Send + Sync   what one Client keeps
//!         async exchange(&Connections, http::Request) -> Result<Answer, http::Error>
//!                                                      follows no redirects unless the host insists
//!         Answer { status: StatusCode, headers: HeaderMap, url: Option<Url>, body: Body }
//!         Streamed::new(http::Upload)                  a request's body that is made while it is sent
//!         Body::poll_chunk(&mut self, cx) -> Poll<Result<Option<Bytes>, http::Error>>
//!                                                      never an empty chunk; dropping a Body closes it
//!         Body::poll_trailers(&mut self, cx) -> Poll<Result<Option<HeaderMap>, http::Error>>
//!                                                      after the end of the body, once
//!         hold() -> Result<Hold, http::Error>          keeps the program going while it waits
//! ```

#[cfg(kippu_native)]
mod native;
#[cfg(kippu_native)]
pub(crate) use native::*;

#[cfg(any(kippu_wasi, test))]
mod wasi;
#[cfg(kippu_p2)]
mod wasi_p2;
#[cfg(kippu_p2)]
pub(crate) use wasi_p2::*;
#[cfg(kippu_p3)]
mod wasi_p3;
#[cfg(kippu_p3)]
pub(crate) use wasi_p3::*;

#[cfg(kippu_js)]
mod js;
#[cfg(kippu_js)]
pub(crate) use js::*;
