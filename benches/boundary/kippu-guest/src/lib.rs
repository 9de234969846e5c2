//! The boundary bench's loops on kippu.

#[path = "../../loops.rs"]
mod loops;

use futures_util::{Stream, stream};
use kippu::HostError;
use kippu::stream::HostStream;

mod host {
    mod raw {
        use kippu::HostError;

        #[kippu::host]
        pub(crate) async fn number() -> Result<f64, HostError>;
        #[kippu::host]
        pub(crate) async fn text() -> Result<String, HostError>;
        #[kippu::host]
        pub(crate) async fn take(bytes: &[u8]) -> Result<f64, HostError>;
        #[kippu::host]
        pub(crate) async fn give() -> Result<Vec<u8>, HostError>;
        #[kippu::host]
        pub(crate) async fn later() -> Result<f64, HostError>;
        #[kippu::host]
        pub(crate) fn sync_number() -> Result<f64, HostError>;
    }

    pub(crate) async fn number() -> f64 {
        raw::number().await.expect("number")
    }

    pub(crate) async fn text() -> String {
        raw::text().await.expect("text")
    }

    pub(crate) async fn take(bytes: &[u8]) -> f64 {
        raw::take(bytes).await.expect("take")
    }

    pub(crate) async fn give() -> Vec<u8> {
        raw::give().await.expect("give")
    }

    pub(crate) async fn later() -> f64 {
        raw::later().await.expect("later")
    }

    pub(crate) fn sync_number() -> f64 {
        raw::sync_number().expect("sync_number")
    }
}

fn spawn(future: impl Future<Output = ()> + 'static) {
    drop(kippu::task::spawn(future));
}

#[kippu::export]
async fn numbers(n: u32) -> f64 {
    loops::numbers(n).await
}

#[kippu::export]
async fn texts(n: u32) -> f64 {
    loops::texts(n).await
}

#[kippu::export]
async fn bytes_out(n: u32) -> f64 {
    loops::bytes_out(n).await
}

#[kippu::export]
async fn bytes_in(n: u32) -> f64 {
    loops::bytes_in(n).await
}

#[kippu::export]
async fn in_flight(n: u32) -> f64 {
    loops::in_flight(n).await
}

#[kippu::export]
async fn spawns(n: u32) -> f64 {
    loops::spawns(n).await
}

#[kippu::export]
fn sync_numbers(n: u32) -> f64 {
    loops::sync_numbers(n)
}

#[kippu::export]
async fn echo(value: f64) -> f64 {
    value
}

#[kippu::export]
async fn stream_in(mut numbers: HostStream<f64>) -> Result<f64, HostError> {
    let mut sum = 0.0;
    while let Some(number) = numbers.next().await {
        sum += number?;
    }
    Ok(sum)
}

#[kippu::export]
fn stream_out(n: u32) -> impl Stream<Item = f64> {
    stream::iter((0..n).map(|_| 1.0))
}
