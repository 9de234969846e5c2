//! Connections and requests to a native peer on this machine.

use super::{Figures, Order, Runtime, best};
use std::future::Future;

/// The length of a message of the case "echo".
pub const MESSAGE: usize = 64;
/// So many messages go to and fro on each connection in a round.
const MESSAGES: u32 = 100;

/// What the contestants have that can reach the network.
pub trait Network: Runtime {
    type Connection: 'static;

    /// Connects to a port of this machine.
    fn connect(port: u16) -> impl Future<Output = Result<Self::Connection, String>>;

    /// Sends the message, and waits until as much has come back into it.
    fn exchange(
        connection: &mut Self::Connection,
        message: &mut [u8; MESSAGE],
    ) -> impl Future<Output = Result<(), String>>;

    /// Gets a URL: the length of the response's body.
    fn get(url: String) -> impl Future<Output = Result<usize, String>>;
}

/// Measures a case of the network; `None` when there is no such case here.
///
/// # Errors
/// When a connection fails, or what comes back is wrong. A request that fails is only counted.
pub async fn run<N: Network>(order: &Order) -> Option<Result<Figures, String>> {
    Some(match order.case.as_str() {
        "echo" => {
            let messages = order.count * MESSAGES;
            best(order, messages, || echo::<N>(order.count, order.port)).await
        }
        "gets" => best(order, order.count, || gets::<N>(order.count, order.port)).await,
        _ => return None,
    })
}

/// So many connections, each in a task of its own. Connecting is not measured.
async fn echo<N: Network>(connections: u32, port: u16) -> Result<(u64, u32), String> {
    let mut open = Vec::new();
    for _ in 0..connections {
        let mut connection = N::connect(port).await?;
        // The first message is not measured either.
        N::exchange(&mut connection, &mut [0; MESSAGE]).await?;
        open.push(connection);
    }
    let start = N::now();
    let tasks: Vec<_> = open
        .into_iter()
        .map(|mut connection| {
            N::spawn(async move {
                for number in 0..MESSAGES {
                    let byte = number as u8;
                    let mut message = [byte; MESSAGE];
                    N::exchange(&mut connection, &mut message).await?;
                    if message != [byte; MESSAGE] {
                        return Err("another message came back".to_owned());
                    }
                }
                Ok(connection)
            })
        })
        .collect();
    // Connections are closed after the clock has been read.
    let mut done = Vec::new();
    for task in tasks {
        done.push(N::join(task).await?);
    }
    Ok((N::now() - start, 0))
}

/// So many requests at once, each in a task of its own.
async fn gets<N: Network>(count: u32, port: u16) -> Result<(u64, u32), String> {
    let url = format!("http://127.0.0.1:{port}/");
    let start = N::now();
    let tasks: Vec<_> = (0..count).map(|_| N::spawn(N::get(url.clone()))).collect();
    let mut lost = 0;
    for task in tasks {
        if N::join(task).await != Ok(BODY) {
            lost += 1;
        }
    }
    Ok((N::now() - start, lost))
}

/// The length of the body that the native server answers with.
const BODY: usize = 100;
