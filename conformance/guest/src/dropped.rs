//! Exchanges of HTTP that are given up: the server learns of it.

use kippu::http::{Client, ErrorKind};
use kippu::task::spawn;
use kippu::time::{Duration, sleep, timeout};

use crate::exchanges::upload;
use crate::support::{Outcome, cases, failed, holds, same};
use crate::web::{fetch, text, url};

cases!("http" needs "http-drop":
    a_timeout_around_the_request,
    a_timeout_of_a_head_that_stops_midway,
    a_dropped_request_is_taken_back,
    a_dropped_upload_is_taken_back,
    a_body_that_is_dropped_in_the_middle,
    a_body_that_is_dropped_while_it_stalls,
);

/// Waits until so many requests to `/never`, `/swallow` and their like are open.
async fn waiting_for(expected: u32) -> Outcome {
    let mut found = String::new();
    for _ in 0..150 {
        found = text("/waiting").await?;
        if found == expected.to_string() {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Err(format!("the server has {found} open requests, not {expected}"))
}

async fn a_timeout_around_the_request() -> Outcome {
    let request = Client::new().get(&url("/never")?).send();
    holds(timeout(Duration::from_millis(100), request).await.is_err(), "nobody answers")?;
    waiting_for(0).await
}

async fn a_timeout_of_a_head_that_stops_midway() -> Outcome {
    waiting_for(0).await?;
    let request = Client::new().get(&url("/half-head")?).timeout(Duration::from_millis(100));
    same(request.send().await.err().map(|error| error.kind()), Some(ErrorKind::Timeout))?;
    waiting_for(0).await
}

async fn a_dropped_request_is_taken_back() -> Outcome {
    waiting_for(0).await?;
    let address = url("/never")?;
    let task = spawn(async move { Client::new().get(&address).send().await.is_ok() });
    waiting_for(1).await?;
    task.abort();
    holds(task.await.is_err(), "it was aborted")?;
    waiting_for(0).await
}

async fn a_dropped_upload_is_taken_back() -> Outcome {
    waiting_for(0).await?;
    // Pages collect it first, so it has an end.
    let request = Client::new().post(&url("/swallow")?).body_stream(upload(512, 64 << 10));
    let task = spawn(async move { request.send().await.is_ok() });
    waiting_for(1).await?;
    task.abort();
    holds(task.await.is_err(), "it was aborted")?;
    waiting_for(0).await
}

async fn a_body_that_is_dropped_in_the_middle() -> Outcome {
    waiting_for(0).await?;
    let mut response = fetch("/endless").await?;
    let mut seen = 0;
    while seen < 100_000 {
        seen += response.chunk().await.map_err(failed)?.ok_or("it has no end")?.len();
    }
    drop(response);
    waiting_for(0).await
}

async fn a_body_that_is_dropped_while_it_stalls() -> Outcome {
    waiting_for(0).await?;
    let request = Client::new().get(&url("/stalls")?).read_timeout(Duration::from_millis(50));
    let mut response = request.send().await.map_err(failed)?;
    same(response.chunk().await.map_err(failed)?.as_deref(), Some(&b"some"[..]))?;
    same(response.chunk().await.err().map(|error| error.kind()), Some(ErrorKind::Timeout))?;
    waiting_for(1).await?;
    drop(response);
    waiting_for(0).await
}
