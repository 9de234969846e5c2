//! The HTTP client, against `conformance/http-server.mjs`.

use std::future::Future;

use kippu::http::{Client, ErrorKind, Method, Response};
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, Instant};

use crate::polls::at_any_await;
use crate::support::{Outcome, cases, failed, holds, same};

cases!("http" needs "http":
    get,
    a_status_is_no_error,
    an_empty_body,
    post_echoes_text,
    post_echoes_every_byte,
    methods,
    headers_are_sent,
    headers_are_received,
    a_slow_answer,
    slow_answers_side_by_side,
    a_timeout_of_the_request,
    chunks_arrive_one_by_one,
    four_mebibytes,
    four_mebibytes_up_and_down,
    a_body_that_nobody_reads,
    a_body_that_breaks_off,
    a_redirect_is_followed,
    a_redirect_changes_the_method,
    a_redirect_keeps_the_method,
    nobody_listens,
    urls_that_cannot_be_fetched,
    requests_that_are_not_allowed,
    cancelled_at_every_await,
    a_client_is_shared,
);

/// The address of something on the server.
pub(crate) fn url(path: &str) -> Result<String, String> {
    let base = kippu::env::var("KIPPU_CONFORMANCE_HTTP");
    Ok(format!("{}{path}", base.ok_or("the runner gives KIPPU_CONFORMANCE_HTTP")?))
}

pub(crate) async fn fetch(path: &str) -> Result<Response, String> {
    Client::new().get(&url(path)?).send().await.map_err(failed)
}

pub(crate) async fn text(path: &str) -> Result<String, String> {
    fetch(path).await?.text().await.map_err(failed)
}

/// What `/big` gives.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + (i >> 8)) as u8).collect()
}

async fn get() -> Outcome {
    let response = fetch("/hello").await?;
    same(response.status().as_u16(), 200)?;
    let place = response.url().to_string();
    holds(place.ends_with("/hello"), &place)?;
    same(response.text().await.map_err(failed)?.as_str(), "hello")
}

async fn a_status_is_no_error() -> Outcome {
    for status in [201, 400, 404, 418, 500, 503] {
        let response = fetch(&format!("/status/{status}")).await?;
        same(response.status().as_u16(), status)?;
        same(response.text().await.map_err(failed)?, format!("status {status}"))?;
    }
    Ok(())
}

async fn an_empty_body() -> Outcome {
    let mut response = fetch("/status/204").await?;
    same(response.status().as_u16(), 204)?;
    same(response.chunk().await.map_err(failed)?, None)?;
    same(response.chunk().await.map_err(failed)?, None)?;
    let head = Client::new().head(&url("/hello")?).send().await.map_err(failed)?;
    same((head.status().as_u16(), head.bytes().await.map_err(failed)?.len()), (200, 0))
}

async fn echo(method: Method, body: Vec<u8>) -> Result<(String, Vec<u8>), String> {
    let request = Client::new().request(method, &url("/echo")?).body(body);
    let response = request.header("content-type", "application/x-test").send().await;
    let response = response.map_err(failed)?;
    let seen = |name: &str| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned()
    };
    same(seen("content-type").as_str(), "application/x-test")?;
    let method = seen("x-method");
    Ok((method, response.bytes().await.map_err(failed)?.to_vec()))
}

async fn post_echoes_text() -> Outcome {
    for body in ["", "a", "切符 🎫\0\u{feff}"] {
        let (_, back) = echo(Method::POST, body.into()).await?;
        same(String::from_utf8(back).as_deref(), Ok(body))?;
    }
    Ok(())
}

async fn post_echoes_every_byte() -> Outcome {
    let all: Vec<u8> = (0..=255).collect();
    same(echo(Method::POST, all.clone()).await?.1, all)
}

async fn methods() -> Outcome {
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let found = echo(method.clone(), b"body".to_vec()).await?;
        same(found, (method.to_string(), b"body".to_vec()))?;
    }
    Ok(())
}

async fn headers_are_sent() -> Outcome {
    let request = Client::new().get(&url("/headers")?).header("x-test", "one two");
    let response = request.header("accept", "application/json").send().await.map_err(failed)?;
    let text = response.text().await.map_err(failed)?;
    let headers: serde_json::Value = serde_json::from_str(&text).map_err(failed)?;
    same(headers["x-test"].as_str(), Some("one two"))?;
    same(headers["accept"].as_str(), Some("application/json"))
}

async fn headers_are_received() -> Outcome {
    let response = fetch("/headers").await?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    same(header("content-type"), Some("application/json"))?;
    same(header("x-count"), Some("2"))?;
    same(header("x-absent"), None)
}

async fn a_slow_answer() -> Outcome {
    let start = Instant::now();
    same(text("/slow").await?.as_str(), "slow")?;
    let took = start.elapsed();
    holds(took >= Duration::from_millis(150), &format!("200 ms took {took:?}"))
}

async fn slow_answers_side_by_side() -> Outcome {
    let start = Instant::now();
    // Browsers ask for one URL only once at a time.
    let tasks: Vec<_> =
        (0..6).map(|i| spawn(async move { text(&format!("/slow?{i}")).await })).collect();
    for task in tasks {
        same(task.await.map_err(failed)??.as_str(), "slow")?;
    }
    let took = start.elapsed();
    // One after the other they would take 1.2 s.
    holds(took < Duration::from_millis(1100), &format!("six times 200 ms took {took:?}"))
}

async fn a_timeout_of_the_request() -> Outcome {
    let request = Client::new().get(&url("/never")?).timeout(Duration::from_millis(100));
    let error = request.send().await.err().ok_or("nobody answers")?;
    same(error.kind(), ErrorKind::Timeout)
}

async fn chunks_arrive_one_by_one() -> Outcome {
    let start = Instant::now();
    let mut response = fetch("/chunks").await?;
    let mut all = Vec::new();
    let mut first = None;
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        holds(!chunk.is_empty(), "a chunk is never empty")?;
        first.get_or_insert_with(|| start.elapsed());
        all.extend_from_slice(&chunk);
    }
    same(response.chunk().await.map_err(failed)?, None)?;
    same(String::from_utf8(all).as_deref(), Ok("chunk 0\nchunk 1\nchunk 2\nchunk 3\nchunk 4\n"))?;
    let (first, last) = (first.ok_or("there are chunks")?, start.elapsed());
    holds(first < last, "the first one came before the last")
}

async fn four_mebibytes() -> Outcome {
    let bytes = fetch("/big").await?.bytes().await.map_err(failed)?;
    same(bytes.len(), 4 << 20)?;
    holds(bytes == pattern(4 << 20), "a byte is wrong")
}

async fn four_mebibytes_up_and_down() -> Outcome {
    let body = pattern(4 << 20);
    let (_, back) = echo(Method::PUT, body.clone()).await?;
    holds(back == body, "a byte is wrong")
}

async fn a_body_that_nobody_reads() -> Outcome {
    for _ in 0..5 {
        drop(fetch("/big").await?);
    }
    same(text("/hello").await?.as_str(), "hello")
}

async fn a_body_that_breaks_off() -> Outcome {
    let error = fetch("/broken").await?.bytes().await.err().ok_or("it is not whole")?;
    same(error.kind(), ErrorKind::Closed)?;
    same(text("/hello").await?.as_str(), "hello")
}

async fn a_redirect_is_followed() -> Outcome {
    let response = fetch("/redirect").await?;
    let place = response.url().to_string();
    holds(place.ends_with("/hello"), &place)?;
    same(response.text().await.map_err(failed)?.as_str(), "hello")
}

async fn a_redirect_changes_the_method() -> Outcome {
    let request = Client::new().post(&url("/redirect-post")?).body("gone");
    let response = request.send().await.map_err(failed)?;
    same(response.text().await.map_err(failed)?.as_str(), "hello")
}

async fn a_redirect_keeps_the_method() -> Outcome {
    let request = Client::new().post(&url("/redirect-same")?).body("kept");
    let response = request.send().await.map_err(failed)?;
    let method = response.headers().get("x-method").and_then(|value| value.to_str().ok());
    same(method, Some("POST"))?;
    same(response.text().await.map_err(failed)?.as_str(), "kept")
}

async fn nobody_listens() -> Outcome {
    let port = text("/closed-port").await?;
    let error = Client::new().get(&format!("http://127.0.0.1:{port}/")).send().await;
    same(error.err().ok_or("nobody listens there")?.kind(), ErrorKind::Connect)
}

async fn urls_that_cannot_be_fetched() -> Outcome {
    for url in [
        "",
        "hello",
        "/hello",
        "ftp://127.0.0.1/",
        "http://",
        "http://a:b@127.0.0.1/",
        "file:///etc",
    ] {
        let error =
            Client::new().get(url).send().await.err().ok_or(format!("{url:?} was taken"))?;
        same((url, error.kind()), (url, ErrorKind::Url))?;
    }
    Ok(())
}

async fn requests_that_are_not_allowed() -> Outcome {
    let client = Client::new();
    let address = url("/echo")?;
    let refused = [
        client.get(&address).body("a GET has none"),
        client.request(Method::CONNECT, &address),
        client.request(Method::TRACE, &address),
        client.post(&address).header("host", "elsewhere"),
        client.post(&address).header("content-length", "1"),
        client.post(&address).header("x-test", "a\r\nb: c"),
        client.post(&address).header("not a name", "x"),
    ];
    for (which, request) in refused.into_iter().enumerate() {
        let error = request.send().await.err().ok_or(format!("request {which} was sent"))?;
        same((which, error.kind()), (which, ErrorKind::Other))?;
    }
    Ok(())
}

async fn cancelled_at_every_await() -> Outcome {
    at_any_await(|| async {
        let mut response = fetch("/chunks").await?;
        let mut seen = 0;
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            seen += chunk.len();
        }
        same(seen, 40)?;
        same(echo(Method::POST, b"after".to_vec()).await?.1, b"after".to_vec())
    })
    .await?;
    // Connections that were in use when they were dropped must not be used again.
    for _ in 0..5 {
        same(text("/hello").await?.as_str(), "hello")?;
    }
    Ok(())
}

async fn a_client_is_shared() -> Outcome {
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    let client = Client::new();
    let tasks: Vec<_> = (0..20)
        .map(|i| {
            let (client, address) = (client.clone(), url("/echo"));
            spawn(async move {
                let body = format!("body {i}");
                let request = is_send(client.post(&address?).body(body.as_str()).send());
                yield_now().await;
                let back = request.await.map_err(failed)?.text().await.map_err(failed)?;
                Ok::<bool, String>(back == body)
            })
        })
        .collect();
    for (i, task) in tasks.into_iter().enumerate() {
        holds(task.await.map_err(failed)??, &format!("answer {i} is another one's"))?;
    }
    Ok(())
}
