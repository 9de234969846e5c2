//! Kippu inside a tokio program, on one thread: tokio's loop turns Kippu's runtime.
//!
//! A tokio task serves HTTP, a Kippu task asks it: neither could finish without the other's
//! progress. Kippu is turned when one of three things happens: its `unpark` waker is rung, its
//! earliest deadline comes, or its I/O is ready. That is all a foreign loop has to know of it.

use std::io;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use kippu::Runtime;
use kippu::time::Instant;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Polls of Kippu's tasks before tokio's tasks get their turn again.
const BUDGET: usize = 128;

/// Rung by Kippu from any thread, heard by [`drive`].
#[derive(Default)]
struct Bell {
    notify: Notify,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.notify.notify_one();
    }
}

/// Turns a Kippu runtime for as long as it is polled.
async fn drive(runtime: &Runtime, bell: &Bell) -> io::Result<()> {
    // SAFETY: the descriptor is borrowed from `runtime`, which outlives the registration and neither closes nor
    // exchanges it.
    let io = unsafe { AsyncFd::register(runtime.as_fd()) }?;
    loop {
        let turn = runtime.turn(BUDGET)?;
        if turn.more {
            tokio::task::yield_now().await;
            continue;
        }
        let deadline = async {
            match turn.deadline {
                Some(deadline) => {
                    tokio::time::sleep(deadline.duration_since(Instant::now())).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = bell.notify.notified() => {}
            () = deadline => {}
            ready = io.readable() => ready?.clear_ready(),
        }
    }
}

/// A tokio task: answers `requests` requests, one a connection, each after 10 ms.
async fn serve(listener: TcpListener, requests: usize) -> io::Result<()> {
    for number in 1..=requests {
        let (mut stream, _) = listener.accept().await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        let body = format!("answer {number} from tokio");
        let head = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
    }
    Ok(())
}

/// A Kippu task: asks `requests` times, with a pause before each, and returns the answers.
async fn ask(url: String, requests: usize) -> Result<Vec<String>, kippu::http::Error> {
    let client = kippu::http::Client::new();
    let mut answers = Vec::new();
    for _ in 0..requests {
        kippu::time::sleep(Duration::from_millis(10)).await;
        answers.push(client.get(&url).send().await?.text().await?);
    }
    Ok(answers)
}

/// Runs both on this thread and returns what Kippu got from tokio.
async fn together(requests: usize) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let bell = Arc::new(Bell::default());
    let runtime = Runtime::with_unpark(Waker::from(bell.clone()))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let served = tokio::spawn(serve(listener, requests));
    // A Kippu task is a future like any other to tokio: its waker is a std `Waker`.
    let asked = runtime.spawn(ask(url, requests));
    let answers = tokio::select! {
        answers = asked => answers??,
        Err(error) = drive(&runtime, &bell) => return Err(error.into()),
    };
    served.await??;
    Ok(answers)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    for answer in together(3).await? {
        println!("kippu got: {answer}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn both_make_progress_on_one_thread() {
        let answers = super::together(3).await.unwrap();
        assert_eq!(answers, ["answer 1 from tokio", "answer 2 from tokio", "answer 3 from tokio"]);
    }
}
