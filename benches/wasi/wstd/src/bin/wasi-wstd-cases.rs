//! The loops on wstd.

use std::future::Future;
use std::sync::LazyLock;
use std::time::Instant;
use wasi_loops::{MESSAGE, Network, Order, Runtime};
use wstd::http::{Body, Client, Request};
use wstd::io::{AsyncRead, AsyncWrite};
use wstd::net::TcpStream;
use wstd::runtime::Task;
use wstd::time::Duration;

struct Wstd;

impl Runtime for Wstd {
    type Task<T: 'static> = Task<T>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Task<T> {
        wstd::runtime::spawn(future)
    }

    fn join<T: 'static>(task: Task<T>) -> impl Future<Output = T> {
        task
    }

    fn cancel<T: 'static>(task: Task<T>) {
        // Dropping it does.
        drop(task);
    }

    async fn sleep(nanoseconds: u64) {
        wstd::task::sleep(Duration::from_nanos(nanoseconds)).await;
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }

    fn now() -> u64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed().as_nanos() as u64
    }
}

impl Network for Wstd {
    type Connection = TcpStream;

    async fn connect(port: u16) -> Result<TcpStream, String> {
        TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| error.to_string())
    }

    async fn exchange(
        connection: &mut TcpStream,
        message: &mut [u8; MESSAGE],
    ) -> Result<(), String> {
        connection.write_all(message).await.map_err(|error| error.to_string())?;
        let mut filled = 0;
        while filled < message.len() {
            match connection.read(&mut message[filled..]).await {
                Ok(0) => return Err("the connection was closed".to_owned()),
                Ok(length) => filled += length,
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }

    async fn get(url: String) -> Result<usize, String> {
        let request = Request::get(url).body(Body::empty()).map_err(|error| error.to_string())?;
        let response = Client::new().send(request).await.map_err(|error| error.to_string())?;
        let mut body = response.into_body();
        body.contents().await.map(<[u8]>::len).map_err(|error| error.to_string())
    }
}

#[wstd::main]
async fn main() -> anyhow::Result<()> {
    let order = Order::parse(std::env::args().skip(1)).map_err(anyhow::Error::msg)?;
    let figures = match wasi_loops::run_tasks::<Wstd>(&order).await {
        Some(figures) => figures,
        None => wasi_loops::run_network::<Wstd>(&order).await.expect("there is such a case"),
    };
    println!("{}", figures.map_err(anyhow::Error::msg)?.line());
    Ok(())
}
