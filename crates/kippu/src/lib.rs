//! Async Rust across the WebAssembly boundary.
//!
//! One async program, built with plain `cargo build`, runs with the same meaning natively, as
//! `wasm32-unknown-unknown` on JavaScript hosts with the npm package `kippu`, and as a component of WASI 0.2 or 0.3: no
//! generated glue, no tool between the build and the running program.
//!
//! ```no_run
//! use kippu::time::{Duration, sleep, timeout};
//!
//! #[kippu::main]
//! async fn main() {
//!     let task = kippu::task::spawn(async {
//!         sleep(Duration::from_millis(10)).await;
//!         "hello"
//!     });
//!     match timeout(Duration::from_secs(1), task).await {
//!         Ok(Ok(word)) => kippu::println!("{word}"),
//!         Ok(Err(error)) => kippu::eprintln!("{error}"),
//!         Err(error) => kippu::eprintln!("{error}"),
//!     }
//! }
//! ```
//!
//! # What is where
//!
//! | module | what |
//! |---|---|
//! | [`task`] | spawn, join, abort, yield |
//! | [`time`] | sleep, timeout, interval, [`Instant`](time::Instant) |
//! | [`fs`], [`io`], [`env`](mod@env), [`signal`] | files, standard streams, arguments, Ctrl-C |
//! | [`net`] | TCP, UDP and name lookup |
//! | [`http`] | an HTTP client (feature `http`, on by default) |
//! | [`http::server`], [`macro@http_handler`] | HTTP handlers, natively and on WASI; `http::serve` (feature `serve`) gives them a socket |
//! | [`macro@host`], [`macro@export`] | functions across the JavaScript boundary |
//! | [`stream`] | streams across it, both ways |
//! | [`random`] | random bytes fit for keys |
//! | [`block_on`] | from synchronous code into async code |
//! | `wasi`, on WASI only | waiting for imports of your own |
//!
//! Everything outside is a *ticket* (one outstanding operation, which the other side will complete) or a
//! *wake*, and only the driver ever waits. A ticket is a number, so the future of a host
//! function is `Send`, and dropping it cancels the operation on the other side.
//!
//! # Features
//!
//! - `http` (default): the HTTP client, and what HTTP handlers are made of. Natively it brings hyper and rustls, on JavaScript hosts it is
//!   the host's `fetch`.
//! - `serve`: the HTTP server on sockets, `http::serve`. It is hyper.
//! - `dump` (default): on wasm, the list of tasks that the host's `dump()` shows. It costs about 1 KB of a
//!   compressed guest.
//! - `early-heap` (default): for WASI on wasm32-unknown-unknown, a global allocator that takes its first blocks from the memory that a
//!   component has anyway: an instance that lives for one request rarely has to ask the host for more. Turn it off to install
//!   another global allocator.
//! - `js-sys`: on wasm, the module `js`, for programs that move over from wasm-bindgen: its crates' futures are
//!   awaited in Kippu's tasks, and JavaScript's values become errors. Such a guest has to go through
//!   wasm-bindgen's tool, and the host needs `wasmBindgen` of `kippu/wasm-bindgen`. A deadlock of `main` is not found
//!   then: nobody knows what wasm-bindgen's callbacks will wake.
//! - `getrandom`: on wasm, crates that use `getrandom`, such as `rand`, get the host's random bytes: see [`random`].
//! - `json`: JSON bodies in [`http`].
//! - `oom-report` (default): on JavaScript hosts, a global allocator that tells the host of a failed allocation.
//!   Turn it off to install another global allocator.
//! - `panic-report` (default): on wasm, a panic hook that gives the host the panic's message and place. Without it
//!   a panic is a bare trap, and a guest is about 1.5 KB smaller when compressed.
//! - `tracing`: the module `trace`: spans and events of the crate `tracing` in a file for a trace viewer. Not on WASI.
//! - `wasip2`: on wasm32-unknown-unknown, WASI 0.2 instead of a JavaScript host. The target wasm32-wasip2 needs no feature.
//! - `wasip3`: on every wasm target, WASI 0.3.

// The macros name this crate `kippu`, also in here.
extern crate self as kippu;

pub mod env;
pub mod fs;
#[cfg(feature = "http")]
pub mod http;
pub mod io;
#[cfg(all(kippu_js, feature = "js-sys"))]
pub mod js;
pub mod net;
pub mod random;
pub mod signal;
pub mod stream;
pub mod task;
pub mod time;
#[cfg(all(feature = "tracing", not(kippu_wasi)))]
pub mod trace;
#[cfg(kippu_wasi)]
pub mod wasi;

mod block_on;
mod driver;
#[cfg(all(feature = "dump", any(kippu_js, test)))]
mod dump;
mod host_error;
#[doc(hidden)]
pub mod macros_rt;
mod rt;
#[doc(hidden)]
pub mod section;
#[cfg(kippu_wasi)]
mod single;
#[cfg(any(kippu_js, test))]
mod strings;
mod sys;
mod termination;
#[cfg(test)]
mod vectors;

pub use block_on::{BlockOnError, block_on};
pub use host_error::HostError;
// The name that the macros' expansions use.
#[doc(hidden)]
pub use macros_rt as __rt;
#[cfg(kippu_parks)]
pub use rt::{Runtime, Turn};
pub use termination::{ExitCode, Termination};

/// Makes an `async fn main()` the program's entry, on every host.
///
/// It may return `()`, [`ExitCode`], or a `Result` of these with any `Debug` error, see [`Termination`]. The
/// program ends when it returns; tasks that are left are dropped. When nothing is runnable and
/// nothing is outstanding that could change this, the program ends with the error `WouldDeadlock`.
///
/// ```no_run
/// #[kippu::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let config = kippu::fs::read_to_string("config.toml").await?;
///     kippu::println!("{config}");
///     Ok(())
/// }
/// ```
pub use kippu_macros::main;

/// Declares a function that the JavaScript host gives, sync or async.
///
/// On a JavaScript host the call crosses when the function is called, not when its future is first polled; a body, which
/// is what other hosts run, starts with the first poll like that of any async function. The future
/// is `Send`; dropping it cancels the operation: the host function's `AbortSignal` aborts.
///
/// ```no_run
/// use kippu::HostError;
/// use serde::{Deserialize, Serialize};
/// use postcard_schema::Schema;
///
/// #[derive(Serialize, Deserialize, Schema)]
/// struct Config { name: String, retries: u32 }
///
/// /// Loads a configuration file written in JavaScript.
/// #[kippu::host]
/// async fn load_config(path: &str) -> Result<Config, HostError>;
///
/// /// With a body, which other hosts than JavaScript's run.
/// #[kippu::host(name = "hostName")]
/// fn host_name() -> String {
///     "native".to_owned()
/// }
/// ```
///
/// Parameters and results: `bool`, the integers up to 32 bits, floats, strings, bytes (`&[u8]`, `Vec<u8>`), and
/// everything else that is `Serialize`, `DeserializeOwned` and `postcard_schema::Schema`, such as `Option`, `Vec`, maps, and your
/// structs and enums. A result may be a [`HostStream`](stream::HostStream), a parameter an `impl Stream<Item = …>`: see
/// [`stream`]. A result may be a `Result` whose error
/// can be made of a [`HostError`]: that is what the host function threw, with its cause, or a `TypeError` when what it gave
/// does not fit.
///
/// A macro sees types by their names only: an alias of `u32` or `String` crosses as a serde value, which costs a
/// little more and means the same.
///
/// ```compile_fail
/// #[kippu::host] // a host function cannot be generic: JavaScript would not know what it gets
/// async fn show<T: serde::Serialize>(value: T);
/// ```
///
/// ```compile_fail
/// #[kippu::host] // the host gives this stream: it is a HostStream<String>
/// async fn lines() -> impl kippu::stream::Stream<Item = String>;
/// ```
///
/// # Panics
/// A function whose result is no `Result` panics on such errors.
pub use kippu_macros::host;

/// Gives a Rust function, sync or async, to JavaScript.
///
/// An async function is polled at once, within the call, and gives JavaScript a promise; a sync one gives its value.
/// Calls may overlap and nest: each async call is a task of its own.
///
/// ```
/// #[kippu::export]
/// async fn greet(name: String) -> String {
///     format!("Hello, {name}!")
/// }
/// ```
///
/// Parameters and results are those of [`macro@host`], streams the other way round: a parameter may be a
/// [`HostStream`](stream::HostStream), the result an `impl Stream<Item = …> + 'static`.
///
/// # Errors
/// `Err` becomes an exception or a rejection. What JavaScript sees depends on the error's type:
///
/// | type | `name` | `message` | `cause` |
/// |---|---|---|---|
/// | [`HostError`], and types that it is `From` | its own | its own | its own |
/// | other `std::error::Error`s | the type's name, such as `ConfigError` | `Display` | the `source()`s |
/// | `Box<dyn Error>`, `anyhow::Error` and the like | `Error` | `Display` | the `source()`s |
/// | what is only `Display`, such as a `String` | `Error` | `Display` | – |
///
/// # Cancellation
/// JavaScript may give an `AbortSignal` as one argument more than the function has: when it aborts, the promise rejects with the
/// signal's reason and the future is dropped, at the next turn. Without a signal the call goes on, whatever
/// becomes of the promise.
///
/// # Panics
/// A panic ends the instance: all that is pending rejects, and later calls throw, until JavaScript calls
/// `restart()`.
///
/// ```compile_fail
/// #[kippu::export] // here the host gives the stream: it is a HostStream<u32>
/// fn sum(numbers: impl kippu::stream::Stream<Item = u32>) -> u32 { 0 }
/// ```
///
/// ```compile_fail
/// #[kippu::export] // a stream of nothing carries nothing
/// fn ticks() -> impl kippu::stream::Stream<Item = ()> { futures_util::stream::empty() }
/// ```
pub use kippu_macros::export;

/// Makes a function the HTTP handler of a component for WASI: it exports `wasi:http/incoming-handler` of WASI 0.2, or
/// `wasi:http/handler` of WASI 0.3, which hosts such as `wasmtime serve` call.
///
/// On other hosts the function stays as it is, so that the same handler also runs natively by
/// [`http::serve`](http::server). The program is a library of type `cdylib`; it has one handler.
///
/// In its first form the function is the handler:
///
/// ```
/// use kippu::http::server::{IntoResponse, Request};
///
/// #[kippu::http_handler]
/// async fn handle(request: Request) -> impl IntoResponse {
///     format!("You asked for {}.\n", request.uri().path())
/// }
/// ```
///
/// A handler that gives all requests the same answer takes none, which spares the host the telling:
///
/// ```
/// #[kippu::http_handler]
/// async fn hello() -> &'static str {
///     "Hello!\n"
/// }
/// ```
///
/// In its second form it is not async, takes nothing and makes the handler, once per instance of the component. That may be a
/// [`Handler`](http::server::Handler), such as a closure, or a tower service, such as an `axum::Router`:
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use kippu::http::server::{Handler, Request};
///
/// #[kippu::http_handler]
/// fn app() -> impl Handler {
///     let count = Rc::new(Cell::new(0));
///     move |_: Request| {
///         let count = Rc::clone(&count);
///         async move {
///             count.set(count.get() + 1);
///             format!("{} requests came to this instance.\n", count.get())
///         }
///     }
/// }
/// ```
///
/// Hosts choose how many requests an instance gets, from one to all, and whether at once or one after another. Requests share what is in
/// statics and in the handler, but tasks and timers belong to one request: see [`http::server`] for when these end.
///
/// ```compile_fail
/// #[kippu::http_handler] // it must be async
/// fn handle(request: kippu::http::server::Request) -> &'static str { "Hello!" }
/// ```
///
/// ```compile_fail
/// #[kippu::http_handler] // a number is no request
/// async fn handle(request: u32) -> &'static str { "Hello!" }
/// ```
///
/// ```compile_fail
/// #[kippu::http_handler] // a number is no response
/// async fn handle(request: kippu::http::server::Request) -> u32 { 0 }
/// ```
///
/// ```compile_fail
/// #[kippu::http_handler] // this makes a string, not a handler
/// fn app() -> String { String::new() }
/// ```
#[cfg(feature = "http")]
pub use kippu_macros::http_handler;
