//! A server that the service is a client of.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Answers each request with 100 bytes, or none at all. Ends with the test.
pub(crate) struct Upstream {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Upstream {
    pub(crate) fn start() -> Upstream {
        Upstream::serve(true)
    }

    pub(crate) fn that_never_answers() -> Upstream {
        Upstream::serve(false)
    }

    fn serve(answers: bool) -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let requests = Arc::new(AtomicUsize::new(0));
        let ended = Arc::new(AtomicBool::new(false));
        let (count, end) = (requests.clone(), ended.clone());
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let count = count.clone();
                thread::spawn(move || {
                    // Ends when the client does.
                    let _ = answer(stream, answers, &count);
                });
            }
        });
        Upstream { address, requests, ended }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// How many requests have come.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread.
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(mut stream: TcpStream, answers: bool, count: &AtomicUsize) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let response = [&b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"[..], &[b'y'; 100]].concat();
    while let Some(line) = lines.next().transpose()? {
        if line.is_empty() {
            count.fetch_add(1, Ordering::SeqCst);
            if answers {
                stream.write_all(&response)?;
            }
        }
    }
    Ok(())
}
