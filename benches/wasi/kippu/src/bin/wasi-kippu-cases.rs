//! The loops on kippu.

use kippu::http::Client;
use kippu::net::TcpStream;
use kippu::task::JoinHandle;
use kippu::time::{Duration, Instant};
use std::future::Future;
use std::sync::LazyLock;
use wasi_loops::{MESSAGE, Network, Order, Runtime};

struct Kippu;

impl Runtime for Kippu {
    type Task<T: 'static> = JoinHandle<T>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
        kippu::task::spawn(future)
    }

    async fn join<T: 'static>(task: JoinHandle<T>) -> T {
        task.await.expect("no task that is joined is cancelled")
    }

    fn cancel<T: 'static>(task: JoinHandle<T>) {
        task.abort();
    }

    fn sleep(nanoseconds: u64) -> impl Future<Output = ()> {
        kippu::time::sleep(Duration::from_nanos(nanoseconds))
    }

    fn yield_now() -> impl Future<Output = ()> {
        kippu::task::yield_now()
    }

    fn now() -> u64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed().as_nanos() as u64
    }
}

impl Network for Kippu {
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
        let request = Client::new().get(&url);
        let response = request.send().await.map_err(|error| error.to_string())?;
        let body = response.bytes().await.map_err(|error| error.to_string())?;
        Ok(body.len())
    }
}

#[kippu::main]
async fn main() -> Result<(), String> {
    let order = Order::parse(kippu::env::args())?;
    let figures = match wasi_loops::run_tasks::<Kippu>(&order).await {
        Some(figures) => figures,
        None => wasi_loops::run_network::<Kippu>(&order).await.expect("there is such a case"),
    };
    kippu::println!("{}", figures?.line());
    Ok(())
}
