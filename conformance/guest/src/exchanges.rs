//! Many exchanges of HTTP at once, servers that stop midway, and exchanges that are dropped at any point.

use std::io;

use futures_util::stream;
use kippu::http::{Client, Error, ErrorKind, Response};
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, sleep};

use crate::polls::at_any_await;
use crate::support::{Outcome, cases, failed, holds, same};
use crate::web::{fetch, pattern, text, url};

cases!("http" needs "http":
    a_thousand_gets_at_once,
    a_hundred_gets_at_once_ten_times,
    a_head_that_stops_midway,
    a_body_that_stalls,
    a_body_that_is_read_slowly,
    an_answer_before_the_body_is_sent,
    a_large_upload_takes_little_memory,
    large_headers,
    an_upload_dropped_at_every_await,
    a_stream_up_dropped_at_every_await,
    a_large_body_dropped_at_every_await,
);

/// So many GETs at once; each must bring its own answer.
async fn gets(count: usize) -> Outcome {
    let client = Client::new();
    let tasks: Vec<_> = (0..count)
        .map(|i| {
            let client = client.clone();
            spawn(async move {
                let response = client.get(&url(&format!("/query?{i}"))?).send().await;
                let text = response.map_err(told)?.text().await.map_err(told)?;
                same(text, i.to_string())
            })
        })
        .collect();
    let mut lost = Vec::new();
    for task in tasks {
        lost.extend(task.await.map_err(failed)?.err());
    }
    same(lost.len(), 0).map_err(|error| format!("{error}: {}", lost.first().map_or("", |x| x)))
}

/// An error with its kind and cause.
fn told(error: Error) -> String {
    format!("{:?}: {error}: {:?}", error.kind(), std::error::Error::source(&error))
}

async fn a_thousand_gets_at_once() -> Outcome {
    gets(1000).await
}

async fn a_hundred_gets_at_once_ten_times() -> Outcome {
    for _ in 0..10 {
        gets(100).await?;
    }
    Ok(())
}

async fn a_head_that_stops_midway() -> Outcome {
    let request = Client::new().get(&url("/half-head")?).timeout(Duration::from_millis(100));
    same(request.send().await.err().map(|error| error.kind()), Some(ErrorKind::Timeout))
}

async fn a_body_that_stalls() -> Outcome {
    let request = Client::new().get(&url("/stalls")?).read_timeout(Duration::from_millis(100));
    let mut response = request.send().await.map_err(failed)?;
    same(response.chunk().await.map_err(failed)?.as_deref(), Some(&b"some"[..]))?;
    for _ in 0..2 {
        let kind = response.chunk().await.err().map(|error| error.kind());
        same(kind, Some(ErrorKind::Timeout))?;
    }
    Ok(())
}

async fn a_body_that_is_read_slowly() -> Outcome {
    let mut response = fetch("/big").await?;
    let mut body = Vec::new();
    let mut reads = 0;
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        reads += 1;
        if reads % 8 == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    }
    holds(body == pattern(4 << 20), "a byte is wrong")
}

/// `pieces` of `size` bytes each, some of them after a turn of other tasks.
pub(crate) fn upload(
    pieces: usize,
    size: usize,
) -> impl stream::Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
    stream::unfold(0, move |sent| async move {
        if sent % 7 == 3 {
            yield_now().await;
        }
        (sent < pieces).then(|| (Ok(vec![7; size]), sent + 1))
    })
}

async fn an_answer_before_the_body_is_sent() -> Outcome {
    let request = Client::new().post(&url("/early")?).body_stream(upload(64, 64 << 10));
    let response = request.send().await.map_err(told)?;
    same(response.status().as_u16(), 413)?;
    same(response.text().await.map_err(told)?.as_str(), "early")
}

/// How many bytes of memory the guest has; nothing natively, where the system knows best.
fn memory() -> usize {
    #[cfg(target_arch = "wasm32")]
    return core::arch::wasm32::memory_size(0) << 16;
    #[cfg(not(target_arch = "wasm32"))]
    0
}

async fn a_large_upload_takes_little_memory() -> Outcome {
    let before = memory();
    let request = Client::new().put(&url("/count")?).body_stream(upload(512, 64 << 10));
    let response = request.send().await.map_err(told)?;
    same(response.text().await.map_err(told)?, (32 << 20).to_string())?;
    let grown = memory() - before;
    holds(grown <= 4 << 20, &format!("32 MiB take {grown} bytes of memory"))
}

async fn large_headers() -> Outcome {
    let large = "v".repeat(8000);
    let request = Client::new().get(&url("/headers")?).header("x-test", large.as_str());
    let response = request.send().await.map_err(told)?;
    let headers: serde_json::Value =
        serde_json::from_str(&response.text().await.map_err(told)?).map_err(failed)?;
    same(headers["x-test"].as_str().map(str::len), Some(8000))
}

async fn counted(response: Result<Response, Error>, expected: usize) -> Outcome {
    let text = response.map_err(told)?.text().await.map_err(told)?;
    same(text, expected.to_string())
}

/// The next exchanges must not notice what became of those before.
async fn all_is_well() -> Outcome {
    for _ in 0..5 {
        same(text("/hello").await?.as_str(), "hello")?;
    }
    Ok(())
}

async fn an_upload_dropped_at_every_await() -> Outcome {
    at_any_await(|| async {
        let request = Client::new().put(&url("/count")?).body(vec![7; 3 << 20]);
        counted(request.send().await, 3 << 20).await
    })
    .await?;
    all_is_well().await
}

async fn a_stream_up_dropped_at_every_await() -> Outcome {
    at_any_await(|| async {
        let request = Client::new().put(&url("/count")?).body_stream(upload(20, 100_000));
        counted(request.send().await, 2_000_000).await
    })
    .await?;
    all_is_well().await
}

async fn a_large_body_dropped_at_every_await() -> Outcome {
    at_any_await(|| async {
        let mut response = fetch("/big").await?;
        let mut seen = 0;
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            seen += chunk.len();
        }
        response.trailers().await.map_err(told)?;
        same(seen, 4 << 20)
    })
    .await?;
    all_is_well().await
}
