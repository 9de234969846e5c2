//! Bodies of HTTP that stream, up and down.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use futures_io::AsyncRead;
use futures_util::{StreamExt, TryStreamExt, stream};
use kippu::http::{Client, ErrorKind};
use kippu::task::yield_now;
use kippu::time::{Duration, sleep};

use crate::support::{Outcome, cases, failed, same};
use crate::web::{fetch, pattern, text, url};

cases!("http" needs "http":
    a_stream_up,
    a_stream_up_that_takes_time,
    an_empty_stream_up,
    a_stream_up_that_fails,
    large_pieces_up,
    a_stream_down,
    a_reader_down,
    down_and_up_at_once,
);

/// Pieces of a body.
type Piece = Result<Vec<u8>, io::Error>;

async fn counted(pieces: impl stream::Stream<Item = Piece> + Send + 'static) -> Outcome {
    let request = Client::new().post(&url("/count")?).body_stream(pieces);
    let response = request.send().await.map_err(failed)?;
    same(response.text().await.map_err(failed)?.as_str(), "12")
}

async fn a_stream_up() -> Outcome {
    counted(stream::iter([b"one ".to_vec(), b"two ".to_vec(), b"four".to_vec()].map(Ok))).await
}

async fn a_stream_up_that_takes_time() -> Outcome {
    let pieces = stream::unfold(0u8, |i| async move {
        match i {
            0 => yield_now().await,
            1 => sleep(Duration::from_millis(5)).await,
            _ => {}
        }
        (i < 4).then_some((Ok(vec![i; 3]), i + 1))
    });
    counted(pieces.boxed()).await
}

async fn an_empty_stream_up() -> Outcome {
    let request = Client::new().put(&url("/count")?).body_stream(stream::empty::<Piece>());
    let response = request.send().await.map_err(failed)?;
    same(response.text().await.map_err(failed)?.as_str(), "0")
}

async fn a_stream_up_that_fails() -> Outcome {
    let pieces = stream::iter([Ok(b"one".to_vec()), Err(io::Error::other("torn"))]);
    let request = Client::new().post(&url("/count")?).body_stream(pieces);
    let error = request.send().await.err().ok_or("the body is not whole")?;
    same(error.kind(), ErrorKind::Body)?;
    same(text("/hello").await?.as_str(), "hello")
}

async fn large_pieces_up() -> Outcome {
    let pieces = stream::iter((0..8).map(|_| Ok::<_, io::Error>(vec![7; 300_000])));
    let request = Client::new().post(&url("/count")?).body_stream(pieces);
    let response = request.send().await.map_err(failed)?;
    same(response.text().await.map_err(failed)?.as_str(), "2400000")
}

async fn a_stream_down() -> Outcome {
    let mut pieces = fetch("/chunks").await?.bytes_stream();
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().await {
        all.extend_from_slice(&piece.map_err(failed)?);
    }
    same(all.len(), 40)?;
    same(pieces.next().await.is_none(), true)?;
    let big: Vec<_> = fetch("/big").await?.bytes_stream().try_collect().await.map_err(failed)?;
    same(big.concat() == pattern(4 << 20), true)
}

async fn a_reader_down() -> Outcome {
    let mut reader = fetch("/chunks").await?.into_reader();
    let mut all = Vec::new();
    loop {
        let mut buffer = [0; 7];
        let read = poll_fn(|cx| Pin::new(&mut reader).poll_read(cx, &mut buffer)).await;
        match read.map_err(failed)? {
            0 => break,
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
    let text = String::from_utf8(all).map_err(failed)?;
    same(text.as_str(), "chunk 0\nchunk 1\nchunk 2\nchunk 3\nchunk 4\n")
}

async fn down_and_up_at_once() -> Outcome {
    let pieces = fetch("/big").await?.bytes_stream();
    let request = Client::new().put(&url("/echo")?).body_stream(pieces);
    let response = request.send().await.map_err(failed)?;
    let back = response.bytes().await.map_err(failed)?;
    same(back == pattern(4 << 20), true)
}
