//! What can be a handler, and what becomes of errors and panics.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::process::Command;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use kippu::http::server::{Body, IntoResponse, Request, Response, Server, service};
use tower_service::Service;

use crate::support::{LONG, pieces, start};

#[test]
fn a_handler_need_not_be_send() {
    let server = start(|| {
        let count = Rc::new(Cell::new(0));
        move |_: Request| {
            let count = Rc::clone(&count);
            async move {
                count.set(count.get() + 1);
                kippu::task::yield_now().await;
                count.get().to_string()
            }
        }
    });
    assert_eq!(server.get("/").text(), "1");
    assert_eq!(server.get("/").text(), "2");
}

/// The future of a server is as `Send` as its handler.
#[test]
fn serving_is_send() {
    fn send<T: Send>(_: &T) {}
    async fn hello(_: Request) -> &'static str {
        "Hello!"
    }
    send(&kippu::http::serve("127.0.0.1:0", hello));
    kippu::block_on(async {
        let server = Server::bind("127.0.0.1:0").await.expect("a free port");
        send(&server.serve_until(hello, ready(())));
    })
    .expect("no deadlock");
}

#[test]
fn whatever_is_a_response_may_be_returned() {
    let server = start(|| {
        async |request: Request| match request.uri().path() {
            "/status" => StatusCode::IM_A_TEAPOT.into_response(),
            "/unit" => ().into_response(),
            "/bytes" => vec![1, 2, 3].into_response(),
            "/pair" => (StatusCode::CREATED, "made").into_response(),
            "/other" => http::Response::new(String::from("other body")).into_response(),
            _ => Ok::<_, Infallible>("fine".to_owned()).into_response(),
        }
    });
    let seen = |path| {
        let answer = server.get(path);
        let media_type = answer.header("content-type").map(str::to_owned);
        (answer.status, media_type, answer.body)
    };
    let text = || Some("text/plain; charset=utf-8".to_owned());
    assert_eq!(seen("/status"), (418, None, vec![]));
    assert_eq!(seen("/unit"), (200, None, vec![]));
    assert_eq!(seen("/bytes"), (200, Some("application/octet-stream".to_owned()), vec![1, 2, 3]));
    assert_eq!(seen("/pair"), (201, text(), b"made".to_vec()));
    assert_eq!(seen("/other"), (200, None, b"other body".to_vec()));
    assert_eq!(seen("/"), (200, text(), b"fine".to_vec()));
}

/// A service that may be called only once it has said that it is ready, and only the clone that has said so.
struct Strict {
    polls: u32,
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Strict { polls: 0, ready: false }
    }
}

impl Service<Request> for Strict {
    type Response = http::Response<Body>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.polls += 1;
        if self.polls < 3 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        assert!(self.ready, "called before it was ready");
        ready(match request.uri().path() {
            "/error" => Err(io::Error::other("the secret of the service")),
            path => Ok(Response::new(path.to_owned().into())),
        })
    }
}

#[test]
fn a_tower_service_is_called_when_it_is_ready() {
    for server in [
        start(|| Strict { polls: 0, ready: false }),
        start(|| service(Strict { polls: 0, ready: false })),
    ] {
        assert_eq!(server.get("/path").text(), "/path");
        let error = server.get("/error");
        assert_eq!((error.status, error.text()), (500, "Internal Server Error\n"));
    }
}

#[test]
fn a_panic_is_answered_and_the_server_goes_on() {
    let server = start(|| {
        async |request: Request| {
            if request.uri().path() == "/panic" {
                // Without the hook's message in the output of the tests.
                std::panic::resume_unwind(Box::new("on purpose"));
            }
            "fine"
        }
    });
    let mut client = server.connect();
    client.send("GET /panic HTTP/1.1\r\nhost: test\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (500, "Internal Server Error\n"));
    // Even the same connection.
    client.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(client.answer().text(), "fine");
}

#[test]
fn a_panic_in_a_body_ends_its_connection_only() {
    let server = start(|| {
        async |request: Request| match request.uri().path() {
            "/panic" => Body::stream(pieces(|| -> Option<Result<&str, Infallible>> {
                std::panic::resume_unwind(Box::new("on purpose"))
            })),
            _ => Body::from("fine"),
        }
    });
    let mut client = server.connect();
    client.send("GET /panic HTTP/1.1\r\nhost: test\r\n\r\n");
    assert!(!client.rest().ends_with(b"0\r\n\r\n"), "an incomplete body looks complete");
    assert_eq!(server.get("/").text(), "fine");
}

#[test]
fn a_body_that_fails_is_not_taken_for_complete() {
    let server = start(|| {
        async |_: Request| {
            let mut left = vec![Err(io::Error::other("torn")), Ok("some")];
            Body::stream(pieces(move || left.pop()))
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(client.head().status, 200);
    // What was made before arrives, and no end.
    assert_eq!(client.rest(), b"4\r\nsome\r\n");
}

#[test]
fn tasks_of_a_handler_go_on_after_the_response() {
    let (tell, told) = mpsc::channel();
    let server = start(|| {
        move |_: Request| {
            let tell = tell.clone();
            async move {
                drop(kippu::task::spawn(async move {
                    kippu::time::sleep(Duration::from_millis(50)).await;
                    tell.send("done").expect("the test waits");
                }));
                "answered"
            }
        }
    });
    assert_eq!(server.get("/").text(), "answered");
    assert_eq!(told.recv_timeout(LONG), Ok("done"));
}

/// The variable that makes a test of this program the program under test.
const CHILD: &str = "KIPPU_TEST_CHILD";

/// Runs the test `name` in a process of its own, and gives what it wrote to standard error.
pub(crate) fn in_a_process(name: &str) -> String {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .expect("a process");
    let errors = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{errors}{}", String::from_utf8_lossy(&output.stdout));
    errors
}

/// Whether this is such a process.
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

#[derive(Debug, thiserror::Error)]
#[error("cannot answer")]
struct Outer(#[source] io::Error);

#[test]
fn errors_go_to_standard_error_and_not_to_the_client() {
    if is_child() {
        let server = start(|| {
            async |request: Request| match request.uri().path() {
                "/body" => {
                    let mut left = vec![Err(Outer(io::Error::other("no more paper"))), Ok("some")];
                    Ok(Body::stream(pieces(move || left.pop())))
                }
                _ => Err(Outer(io::Error::other("no more ink"))),
            }
        });
        let answer = server.get("/");
        assert_eq!((answer.status, answer.text()), (500, "Internal Server Error\n"));
        let mut client = server.connect();
        client.send("GET /body HTTP/1.1\r\nhost: test\r\n\r\n");
        client.rest();
        return;
    }
    let errors = in_a_process("handlers::errors_go_to_standard_error_and_not_to_the_client");
    let lines: Vec<_> = errors.lines().collect();
    assert!(lines.contains(&"a handler failed: cannot answer: no more ink"), "{errors}");
    let body = lines.iter().find(|line| line.starts_with("the body of a response failed"));
    assert!(body.is_some_and(|line| line.ends_with("cannot answer: no more paper")), "{errors}");
}
