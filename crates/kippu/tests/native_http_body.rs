//! Bodies of the HTTP server: who reads what, and in which ways they end.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body as HttpBody, Frame};
use kippu::http::server::Body;
use kippu::http::{Error, ErrorKind};
use kippu::stream::Stream;

/// Gives its frames one by one, and waits once before each.
struct Frames {
    left: VecDeque<Result<Frame<Bytes>, io::Error>>,
    waited: bool,
    dropped: Arc<AtomicBool>,
}

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.left.pop_front())
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

fn frames(
    frames: impl IntoIterator<Item = Result<Frame<Bytes>, io::Error>>,
) -> (Body, Arc<AtomicBool>) {
    let dropped = Arc::new(AtomicBool::new(false));
    let left = frames.into_iter().collect();
    (Body::new(Frames { left, waited: false, dropped: Arc::clone(&dropped) }), dropped)
}

fn data(text: &'static str) -> Result<Frame<Bytes>, io::Error> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn map(value: &'static str) -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert("x-end", HeaderValue::from_static(value));
    map
}

fn trailers(value: &'static str) -> Result<Frame<Bytes>, io::Error> {
    Ok(Frame::trailers(map(value)))
}

fn run<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
    kippu::block_on(future).expect("no deadlock")
}

#[test]
fn empty_pieces_are_left_out() {
    run(async {
        let (mut body, _) = frames([data(""), data("a"), data(""), data("")]);
        assert_eq!(body.chunk().await.expect("no error").expect("a piece"), "a");
        assert_eq!(body.chunk().await.expect("no error"), None);
        assert_eq!(body.chunk().await.expect("no error"), None);
    });
}

#[test]
fn one_reader_goes_on_where_another_stopped() {
    run(async {
        let (mut body, _) = frames([data("a"), data("b"), data("c"), trailers("t")]);
        assert_eq!(body.chunk().await.expect("no error").expect("a piece"), "a");
        // A body made of it is itself.
        let mut body = Body::new(body);
        assert_eq!(body.chunk().await.expect("no error").expect("a piece"), "b");
        let mut rest = body.bytes_stream();
        let next = std::future::poll_fn(|cx| Pin::new(&mut rest).poll_next(cx)).await;
        assert_eq!(next.expect("a piece").expect("no error"), "c");
        let end = std::future::poll_fn(|cx| Pin::new(&mut rest).poll_next(cx)).await;
        assert!(end.is_none());
    });
}

#[test]
fn trailers_wait_for_who_asks_for_them() {
    run(async {
        let (mut body, _) = frames([data("a"), trailers("t")]);
        while body.chunk().await.expect("no error").is_some() {}
        assert!(!body.is_end_stream());
        assert_eq!(body.trailers().await.expect("no error"), Some(map("t")));
        assert!(body.is_end_stream());
        assert_eq!(body.trailers().await.expect("no error"), None);

        // Also when that is who takes frames.
        let (mut body, _) = frames([trailers("t")]);
        assert_eq!(body.chunk().await.expect("no error"), None);
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let frame = frame.expect("a frame").expect("no error");
        assert_eq!(frame.into_trailers().ok(), Some(map("t")));
    });
}

#[test]
fn trailers_alone_may_be_asked_for() {
    run(async {
        let (mut body, _) = frames([data("a"), data("b"), trailers("t")]);
        assert_eq!(body.trailers().await.expect("no error"), Some(map("t")));
        let (mut body, _) = frames([data("a")]);
        assert_eq!(body.trailers().await.expect("no error"), None);
    });
}

#[test]
fn trailers_that_are_added_come_last_and_make_the_length_unknown() {
    run(async {
        let mut body = Body::from("abc").with_trailers(map("t"));
        assert_eq!((body.size_hint().lower(), body.size_hint().exact()), (3, None));
        let mut seen = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            seen.push(frame.expect("no error").is_trailers());
        }
        assert_eq!(seen, [false, true]);
        assert!(body.is_end_stream());
        assert!(!Body::empty().with_trailers(map("t")).is_end_stream());
    });
}

#[test]
fn trailers_that_are_added_replace_those_of_the_body() {
    run(async {
        let (body, _) = frames([data("a"), trailers("its own")]);
        let mut body = body.with_trailers(map("added"));
        let mut seen = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            seen.extend(frame.expect("no error").into_trailers().ok());
        }
        assert_eq!(seen, [map("added")]);

        let (body, _) = frames([data("a"), trailers("its own")]);
        let mut body = body.with_trailers(map("added"));
        assert_eq!(body.trailers().await.expect("no error"), Some(map("added")));
    });
}

#[test]
fn an_error_is_the_end() {
    run(async {
        let torn = || Err(io::Error::other("torn"));
        let (mut body, dropped) = frames([data("a"), torn(), data("b"), trailers("t")]);
        assert_eq!(body.chunk().await.expect("no error").expect("a piece"), "a");
        let error = body.chunk().await.expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::Body);
        let source = std::error::Error::source(&error).expect("a source");
        assert!(source.is::<io::Error>(), "{source:?}");
        // Nothing is held for what will not be read.
        assert!(dropped.load(Ordering::SeqCst));
        assert_eq!(body.chunk().await.expect("no error"), None);
        assert!(body.trailers().await.expect("the end").is_none());
        assert!(body.is_end_stream());

        let (body, _) = frames([data("a"), torn()]);
        assert!(body.bytes().await.is_err());
        let (mut body, _) = frames([data("a"), torn(), trailers("t")]);
        assert!(body.trailers().await.is_err());
    });
}

#[test]
fn errors_of_this_crate_keep_their_kind() {
    run(async {
        let client = kippu::http::Client::new();
        let error = client.get("no url").send().await.expect_err("no URL");
        assert_eq!(error.kind(), ErrorKind::Url);
        let mut error = Some(error);
        let mut body = Body::stream(Pieces(move || error.take().map(Err::<Bytes, Error>)));
        let error = body.chunk().await.expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::Url);
    });
}

struct Pieces<F>(F);

impl<F> Unpin for Pieces<F> {}

impl<T, F: FnMut() -> Option<T>> Stream for Pieces<F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready((self.0)())
    }
}

#[test]
fn a_body_dropped_early_drops_what_it_is_made_of() {
    let (mut body, dropped) = frames([data("a"), data("b")]);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
    assert!(!dropped.load(Ordering::SeqCst));
    drop(body);
    assert!(dropped.load(Ordering::SeqCst));
}

#[test]
fn dropping_who_reads_loses_nothing() {
    run(async {
        let (mut body, _) = frames([data("a"), data("b")]);
        for expected in ["a", "b"] {
            let mut cx = Context::from_waker(Waker::noop());
            let mut reading = Box::pin(body.chunk());
            assert!(reading.as_mut().poll(&mut cx).is_pending());
            drop(reading);
            assert_eq!(body.chunk().await.expect("no error").expect("a piece"), expected);
        }
    });
}

#[test]
fn text_is_utf_8_without_its_mark() {
    run(async {
        let (body, _) = frames([data("\u{feff}caf"), data("é")]);
        assert_eq!(body.text().await.expect("no error"), "café");
        let body = Body::from(b"\xff!".to_vec());
        assert_eq!(body.text().await.expect("no error"), "\u{fffd}!");
    });
}

#[test]
fn sizes_are_told_where_they_are_known() {
    assert_eq!(Body::empty().size_hint().exact(), Some(0));
    assert_eq!(Body::from("").size_hint().exact(), Some(0));
    assert!(Body::from(String::new()).is_end_stream());
    assert_eq!(Body::from("four").size_hint().exact(), Some(4));
    let (body, _) = frames([data("a")]);
    assert_eq!(body.size_hint().exact(), None);
    fn send<T: Send>(_: &T) {}
    send(&body);
}
