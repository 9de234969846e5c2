//! What follows the body of a response.

use futures_util::StreamExt;
use kippu::http::HeaderMap;

use crate::support::{Outcome, cases, failed, same};
use crate::web::fetch;

cases!("http" needs "trailers":
    trailers_follow_the_body,
    trailers_of_a_body_that_is_not_read,
    trailers_after_a_stream,
);

fn sum_is_there(trailers: &HeaderMap) -> Outcome {
    same(trailers.get("x-sum").map(|value| value.as_bytes()), Some(&b"42"[..]))
}

async fn trailers_follow_the_body() -> Outcome {
    let mut response = fetch("/trailers").await?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
    }
    same(body, b"hello".to_vec())?;
    for _ in 0..2 {
        sum_is_there(response.trailers().await.map_err(failed)?)?;
    }
    let mut without = fetch("/hello").await?;
    same(without.trailers().await.map_err(failed)?.len(), 0)
}

async fn trailers_of_a_body_that_is_not_read() -> Outcome {
    let mut response = fetch("/trailers").await?;
    sum_is_there(response.trailers().await.map_err(failed)?)?;
    same(response.chunk().await.map_err(failed)?, None)
}

async fn trailers_after_a_stream() -> Outcome {
    let mut pieces = fetch("/trailers").await?.bytes_stream();
    while let Some(piece) = pieces.next().await {
        piece.map_err(failed)?;
    }
    sum_is_there(pieces.trailers().await.map_err(failed)?)
}
