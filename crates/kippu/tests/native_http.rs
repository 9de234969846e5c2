//! The HTTP client natively, against a server that sends exactly what a case needs.
#![cfg(not(target_family = "wasm"))]

#[allow(dead_code, reason = "each test binary uses its part")]
mod support;

use std::io::Write;
use std::net::Shutdown;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use kippu::http::{Client, Error, Method, StatusCode};
use support::{Server, respond};

fn run<T>(future: impl Future<Output = T>) -> T {
    kippu::block_on(future).expect("the program can end")
}

#[test]
fn a_get_brings_status_headers_and_body() {
    let server = Server::start(|_, stream| {
        respond(stream, "404 Not Found", "x-a: 1\r\nX-A: 2\r\n", "no such page")
    });
    let url = server.url("/a%20b?q=%C3%A4#part");
    run(async {
        let response = Client::new().get(&url).send().await.expect("a response");
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let values: Vec<_> = response.headers().get_all("x-a").iter().collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(response.url().as_str(), server.url("/a%20b?q=%C3%A4"));
        assert_eq!(response.text().await.expect("a body"), "no such page");
    });
    let log = server.log();
    assert_eq!(log[0].method, "GET");
    assert_eq!(log[0].target, "/a%20b?q=%C3%A4");
    assert_eq!(log[0].header("host"), Some(server.address().to_string().as_str()));
    assert_eq!(log[0].header("accept"), Some("*/*"));
    let agent = concat!("kippu/", env!("CARGO_PKG_VERSION"));
    assert_eq!(log[0].header("user-agent"), Some(agent));
}

#[test]
fn unusual_characters_of_a_url_are_sent() {
    let server = Server::start(|_, stream| respond(stream, "200 OK", "", ""));
    let url = server.url("/a|b^[c]~'ä\"?x={y}|`^[z]'&q=\"");
    run(async { Client::new().get(&url).send().await }).expect("a response");
    assert_eq!(server.log()[0].target, "/a|b^[c]~'%C3%A4%22?x={y}|`^[z]%27&q=%22");
}

#[test]
fn a_post_sends_its_body_and_headers() {
    let server = Server::start(|_, stream| respond(stream, "200 OK", "", ""));
    run(async {
        let client = Client::builder().user_agent("tester/1").build().expect("a client");
        let request = client.post(&server.url("/")).header("accept", "text/plain");
        let response = request.header("x-id", 7).body("hello").send().await.expect("a response");
        assert_eq!(response.bytes().await.expect("a body").len(), 0);
        client.post(&server.url("/")).send().await.expect("a response");
        let own = client.get(&server.url("/")).header("user-agent", "other/2");
        own.send().await.expect("a response");
    });
    let log = server.log();
    assert_eq!(log[0].body, b"hello");
    assert_eq!(log[0].header("accept"), Some("text/plain"));
    assert_eq!(log[0].header("x-id"), Some("7"));
    assert_eq!(log[0].header("user-agent"), Some("tester/1"));
    assert_eq!(log[1].header("content-length"), Some("0"), "a POST says that it is empty");
    assert_eq!(log[2].header("content-length"), None, "a GET does not");
    assert_eq!(log[2].header("user-agent"), Some("other/2"));
}

#[test]
fn a_connection_is_used_again() {
    let server = Server::start(|_, stream| respond(stream, "200 OK", "", "x"));
    run(async {
        let client = Client::new();
        for _ in 0..5 {
            let response = client.get(&server.url("/")).send().await.expect("a response");
            response.bytes().await.expect("a body");
            // The connection is given back by a task of its own.
            kippu::task::yield_now().await;
        }
    });
    let connections: Vec<_> = server.log().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0; 5]);
}

#[test]
fn a_client_works_in_one_runtime_after_another() {
    let server = Server::start(|_, stream| respond(stream, "200 OK", "", "x"));
    let client = Client::new();
    for _ in 0..3 {
        let text = run(async {
            let response = client.get(&server.url("/")).send().await.expect("a response");
            response.text().await.expect("a body")
        });
        assert_eq!(text, "x");
    }
}

#[test]
fn a_kept_connection_that_the_server_closed_is_replaced() {
    let server = Server::start(|_, stream| {
        respond(stream, "200 OK", "", "x");
        false
    });
    run(async {
        let client = Client::new();
        for _ in 0..5 {
            let response = client.get(&server.url("/")).send().await.expect("a response");
            assert_eq!(response.text().await.expect("a body"), "x");
            kippu::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert_eq!(server.log().len(), 5);
}

#[test]
fn requests_run_side_by_side() {
    let server = Server::start(|request, stream| {
        thread::sleep(Duration::from_millis(100));
        respond(stream, "200 OK", "", &request.target)
    });
    let start = Instant::now();
    run(async {
        let client = Client::new();
        let tasks: Vec<_> = (0..20)
            .map(|index| {
                let request = client.get(&server.url(&format!("/{index}")));
                kippu::task::spawn(async move { request.send().await?.text().await })
            })
            .collect();
        for (index, task) in tasks.into_iter().enumerate() {
            let text = task.await.expect("the task ends").expect("a response");
            assert_eq!(text, format!("/{index}"));
        }
    });
    assert!(start.elapsed() < Duration::from_millis(1500), "took {:?}", start.elapsed());
}

#[test]
fn chunks_come_as_they_arrive() {
    let (go, gone) = mpsc::channel::<()>();
    let gone = Mutex::new(gone);
    let server = Server::start(move |_, stream| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\none,\r\n";
        stream.write_all(head.as_bytes()).expect("written");
        gone.lock().expect("one user").recv().expect("the test goes on");
        stream.write_all(b"3\r\ntwo\r\n0\r\nx-trailer: 1\r\n\r\n").expect("written");
        true
    });
    run(async {
        let mut response = Client::new().get(&server.url("/")).send().await.expect("a response");
        assert_eq!(response.chunk().await.expect("a chunk").expect("not the end"), "one,");
        go.send(()).expect("the server waits");
        assert_eq!(response.chunk().await.expect("a chunk").expect("not the end"), "two");
        assert_eq!(response.chunk().await.expect("the end"), None);
        assert_eq!(response.chunk().await.expect("still the end"), None);
    });
}

#[test]
fn a_large_body_arrives_whole() {
    let body: String = (0..300_000).map(|number| format!("{number:06}\n")).collect();
    let sent = body.clone();
    let server = Server::start(move |_, stream| respond(stream, "200 OK", "", &sent));
    let text = run(async {
        Client::new().get(&server.url("/")).send().await.expect("a response").text().await
    });
    assert!(text.expect("a body") == body, "the body changed on the way");
}

#[test]
fn a_body_without_length_ends_with_the_connection() {
    let server = Server::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nto the end").expect("written");
        stream.shutdown(Shutdown::Write).expect("closed");
        false
    });
    let text = run(async { Client::new().get(&server.url("/")).send().await?.text().await });
    assert_eq!(text.expect("a body"), "to the end");
}

#[test]
fn a_head_has_the_headers_only() {
    let server = Server::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n").is_ok()
    });
    run(async {
        let client = Client::new();
        for _ in 0..2 {
            let response = client.head(&server.url("/")).send().await.expect("a response");
            assert_eq!(response.headers()["content-length"], "500");
            assert_eq!(response.bytes().await.expect("no body").len(), 0);
        }
    });
    assert_eq!(server.log()[1].method, "HEAD");
}

#[test]
fn text_is_utf_8_without_a_mark_and_replaces_what_is_not() {
    let server = Server::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n\xEF\xBB\xBFa\xFFb").is_ok()
    });
    let text = run(async { Client::new().get(&server.url("/")).send().await?.text().await });
    assert_eq!(text.expect("a body"), "a\u{FFFD}b");
}

#[test]
fn each_redirect_keeps_or_changes_the_method() {
    let server = Server::start(|request, stream| {
        let has_body = request.method != "HEAD";
        if request.target == "/end" {
            return respond(stream, "200 OK", "", if has_body { "end" } else { "" });
        }
        let status = format!("{} Elsewhere", &request.target[1..]);
        let body = if has_body { "body of the redirect" } else { "" };
        respond(stream, &status, "location: end\r\n", body)
    });
    let cases = [
        (Method::POST, 301, "GET"),
        (Method::POST, 302, "GET"),
        (Method::POST, 303, "GET"),
        (Method::PUT, 303, "GET"),
        (Method::PUT, 301, "PUT"),
        (Method::DELETE, 302, "DELETE"),
        (Method::POST, 307, "POST"),
        (Method::PUT, 308, "PUT"),
        (Method::HEAD, 302, "HEAD"),
        (Method::GET, 301, "GET"),
    ];
    for (method, status, then) in cases {
        let case = format!("{method} and {status}");
        let has_body = !matches!(method, Method::GET | Method::HEAD);
        run(async {
            let mut request = Client::new()
                .request(method, &server.url(&format!("/{status}")))
                .header("authorization", "secret")
                .header("content-type", "text/plain");
            if has_body {
                request = request.body("data");
            }
            let response = request.send().await.expect("a response");
            assert_eq!(response.status(), StatusCode::OK, "{case}");
            assert_eq!(response.url().path(), "/end", "{case}");
        });
        let last = server.log().pop().expect("a request");
        assert_eq!(last.method, then, "{case}");
        assert_eq!(last.header("authorization"), Some("secret"), "{case}: the same origin");
        let keeps_body = has_body && then != "GET";
        assert_eq!(last.body, if keeps_body { &b"data"[..] } else { b"" }, "{case}");
        let keeps_type = keeps_body || !has_body;
        assert_eq!(last.header("content-type").is_some(), keeps_type, "{case}");
    }
}

#[test]
fn secrets_stay_with_their_origin() {
    let other = Server::start(|_, stream| respond(stream, "200 OK", "", ""));
    let location = format!("location: {}\r\n", other.url("/there"));
    let server = Server::start(move |_, stream| respond(stream, "307 Elsewhere", &location, ""));
    let url = run(async {
        let request = Client::new().post(&server.url("/")).body("data");
        let request = request.header("authorization", "a").header("cookie", "b");
        let request = request.header("proxy-authorization", "c").header("x-kept", "d");
        request.send().await.expect("a response").url().to_string()
    });
    assert_eq!(url, other.url("/there"));
    let log = other.log();
    assert_eq!(log[0].body, b"data");
    for secret in ["authorization", "cookie", "proxy-authorization"] {
        assert_eq!(log[0].header(secret), None);
    }
    assert_eq!(log[0].header("x-kept"), Some("d"));
    let host = other.address().to_string();
    assert_eq!(log[0].header("host"), Some(host.as_str()));
}

#[test]
fn dropping_closes_the_connection() {
    let (sender, receiver) = mpsc::channel();
    let server = Server::start(move |request, stream| {
        if request.target == "/body" {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx").expect("written");
        }
        let end = std::io::Read::read(stream, &mut [0; 1]);
        sender.send(end.unwrap_or(0)).expect("the test listens");
        false
    });
    let closed = || receiver.recv_timeout(Duration::from_secs(20)).expect("closed in time");
    run(async {
        let client = Client::new();
        let sending = client.get(&server.url("/head")).send();
        let limit = Duration::from_millis(100);
        assert!(kippu::time::timeout(limit, sending).await.is_err());
        // Closing is the work of a background task.
        kippu::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(closed(), 0);

        let response = client.get(&server.url("/body")).send().await.expect("a response");
        drop(response);
        kippu::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(closed(), 0);
    });
}

#[test]
fn the_name_localhost_and_ipv6_work() {
    let v4 = Server::start(|_, stream| respond(stream, "200 OK", "", "v4"));
    let v6 = Server::start_on("::1", |_, stream| respond(stream, "200 OK", "", "v6"));
    let by_name = format!("http://localhost:{}/", v4.address().port());
    run(async {
        for (url, text) in [(by_name, "v4"), (v6.url("/"), "v6")] {
            let response = Client::new().get(&url).send().await.expect("a response");
            assert_eq!(response.text().await.expect("a body"), text);
        }
    });
}

#[test]
fn the_futures_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    fn is_sync<T: Sync>() {}
    is_sync::<Client>();
    is_sync::<Error>();
    let server = Server::start(|_, stream| respond(stream, "200 OK", "", "x"));
    let text = run(is_send(async {
        let client = is_send(Client::new());
        let mut response = is_send(is_send(client.get(&server.url("/")).send()).await?);
        is_send(response.chunk()).await?;
        is_send(response.bytes()).await?;
        let response = client.get(&server.url("/")).timeout(Duration::from_secs(9)).send().await?;
        is_send(response.text()).await
    }));
    assert_eq!(text.expect("a body"), "x");
}
