//! Streams that the host gives.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use futures_io::AsyncRead;
use futures_util::StreamExt;
use futures_util::stream;
use kippu::stream::HostStream;
use kippu::task::{spawn, yield_now};
use kippu::time::{Duration, timeout};

use crate::host::add;
use crate::polls::at_every_await;
use crate::sources::*;
use crate::support::{Outcome, cases, failed, poll_once, same, settle};

cases!("streams":
    items_come_in_order,
    every_kind_of_iterable,
    items_of_every_type,
    an_empty_stream,
    after_the_end_comes_nothing,
    nothing_is_made_before_it_is_wanted,
    an_early_drop_stops_the_host,
    a_drop_before_the_first_item_stops_the_host,
    a_drop_while_waiting_stops_the_host,
    an_abort_while_waiting_stops_the_host,
    a_dropped_pull_loses_nothing,
    an_error_in_the_middle,
    an_error_instead_of_a_stream,
    an_item_of_the_wrong_type,
    ten_thousand_items,
    ten_thousand_items_that_take_time,
    large_items,
    bytes_are_read_in_any_pieces,
    an_error_while_reading_bytes,
    two_streams_side_by_side,
    a_stream_moves_to_another_task,
    a_timeout_for_each_item,
    calls_between_items,
    combinators_of_other_crates,
    a_thousand_streams,
    cancelled_at_every_item,
);

async fn all<T>(mut items: HostStream<T>) -> Result<Vec<T>, String> {
    let mut found = Vec::new();
    while let Some(item) = items.next().await {
        found.push(item.map_err(failed)?);
    }
    Ok(found)
}

fn events(expected: &str) -> Outcome {
    same(stream_events().map_err(failed)?.as_str(), expected)
}

async fn items_come_in_order() -> Outcome {
    same(all(counts(20).map_err(failed)?).await?, (0..20).collect())?;
    same(all(counts_later(20).await.map_err(failed)?).await?, (0..20).collect())?;
    stream_events().map(drop).map_err(failed)
}

async fn every_kind_of_iterable() -> Outcome {
    for kind in 0..KINDS {
        same((kind, all(iterables(kind).map_err(failed)?).await?), (kind, vec![1.0, 2.0, 3.0]))?;
    }
    Ok(())
}

async fn items_of_every_type() -> Outcome {
    let expected: Vec<_> = (0..40).map(|i| "切🎫".repeat(i)).collect();
    same(all(texts(40).map_err(failed)?).await?, expected)?;
    same(all(flags().map_err(failed)?).await?, vec![true, false, true])?;
    same(all(leaf_stream().map_err(failed)?).await?, leaves().to_vec())
}

async fn an_empty_stream() -> Outcome {
    same(all(counts(0).map_err(failed)?).await?, vec![])?;
    same(all(counts_later(0).await.map_err(failed)?).await?, vec![])?;
    same(all(texts(0).map_err(failed)?).await?, vec![])?;
    same(all(chunks(&[]).map_err(failed)?).await?, vec![])?;
    events("next end next end")
}

async fn after_the_end_comes_nothing() -> Outcome {
    let mut items = counts(1).map_err(failed)?;
    same(items.next().await, Some(Ok(0)))?;
    for _ in 0..3 {
        same(items.next().await, None)?;
    }
    drop(items);
    settle().await;
    events("next next end")
}

async fn nothing_is_made_before_it_is_wanted() -> Outcome {
    let mut items = counts(1_000_000_000).map_err(failed)?;
    settle().await;
    events("")?;
    same(items.next().await, Some(Ok(0)))?;
    settle().await;
    events("next")?;
    same((items.next().await, items.next().await), (Some(Ok(1)), Some(Ok(2))))?;
    settle().await;
    events("next next")?;
    drop(items);
    settle().await;
    events("return")
}

async fn an_early_drop_stops_the_host() -> Outcome {
    let mut items = counts_later(1_000_000_000).await.map_err(failed)?;
    same(items.next().await, Some(Ok(0)))?;
    drop(items);
    settle().await;
    events("next return")
}

async fn a_drop_before_the_first_item_stops_the_host() -> Outcome {
    // What was never asked for anything need not be told to stop, but it must not be asked either.
    drop(counts(5).map_err(failed)?);
    settle().await;
    let found = stream_events().map_err(failed)?;
    crate::support::holds(found.is_empty() || found == "return", &found)
}

async fn a_drop_while_waiting_stops_the_host() -> Outcome {
    let mut items = stalls().map_err(failed)?;
    {
        let mut next = Box::pin(items.next());
        same(poll_once(&mut next).await, Poll::Pending)?;
    }
    drop(items);
    settle().await;
    events("next return")
}

async fn an_abort_while_waiting_stops_the_host() -> Outcome {
    let task = spawn(all(stalls().map_err(failed)?));
    settle().await;
    task.abort();
    same(task.await.is_err(), true)?;
    settle().await;
    events("next return")
}

async fn a_dropped_pull_loses_nothing() -> Outcome {
    let mut items = counts_later(10).await.map_err(failed)?;
    let mut found = Vec::new();
    loop {
        // The first one waits and is dropped; what it waited for is the next one's.
        let mut next = Box::pin(items.next());
        let first = poll_once(&mut next).await;
        drop(next);
        let item = match first {
            Poll::Ready(item) => item,
            Poll::Pending => items.next().await,
        };
        match item {
            Some(item) => found.push(item.map_err(failed)?),
            None => break,
        }
    }
    same(found, (0..10).collect())?;
    stream_events().map(drop).map_err(failed)
}

async fn an_error_in_the_middle() -> Outcome {
    for after in [0, 1, 5] {
        let mut items = breaks(after).map_err(failed)?;
        for i in 0..after {
            same(items.next().await, Some(Ok(i)))?;
        }
        let error = items.next().await.and_then(Result::err).ok_or("it breaks")?;
        let found = (error.name(), error.message(), error.code());
        same(found, ("RangeError", "broken", "ENOENT"))?;
        same(items.next().await, None)?;
        same(items.next().await, None)?;
    }
    Ok(())
}

async fn an_error_instead_of_a_stream() -> Outcome {
    let error = iterables(KINDS).err().ok_or("there is no such kind")?;
    same((error.name(), error.message()), ("RangeError", "no such kind"))
}

async fn an_item_of_the_wrong_type() -> Outcome {
    let mut items = strays().map_err(failed)?;
    same(items.next().await, Some(Ok(1)))?;
    let error = items.next().await.and_then(Result::err).ok_or("a text is no number")?;
    same(error.name(), "TypeError")?;
    same(items.next().await, None)?;
    drop(items);
    settle().await;
    events("next next return")
}

async fn ten_thousand_items() -> Outcome {
    let found = all(counts(10_000).map_err(failed)?).await?;
    same(found.into_iter().map(u64::from).sum::<u64>(), 49_995_000)?;
    stream_events().map(drop).map_err(failed)
}

async fn ten_thousand_items_that_take_time() -> Outcome {
    let found = all(counts_later(10_000).await.map_err(failed)?).await?;
    same(found.into_iter().map(u64::from).sum::<u64>(), 49_995_000)?;
    stream_events().map(drop).map_err(failed)
}

async fn large_items() -> Outcome {
    let lengths = [100_000, 0, 1, 16_384, 16_385, 1 << 20];
    let found = all(chunks(&lengths).map_err(failed)?).await?;
    same(found.iter().map(|chunk| chunk.len() as u32).collect(), lengths.to_vec())?;
    let right = found.concat().into_iter().zip(0u32..).all(|(byte, i)| byte == i as u8);
    crate::support::holds(right, "a byte is wrong")
}

/// Reads up to `len` bytes.
async fn read(from: &mut HostStream<Vec<u8>>, len: usize) -> std::io::Result<Vec<u8>> {
    let mut buffer = vec![0; len];
    let count = poll_fn(|cx| Pin::new(&mut *from).poll_read(cx, &mut buffer)).await?;
    buffer.truncate(count);
    Ok(buffer)
}

async fn bytes_are_read_in_any_pieces() -> Outcome {
    for len in [1, 2, 3, 7, 64, 1000] {
        let mut bytes = chunks(&[3, 0, 1, 10, 0, 500]).map_err(failed)?;
        let mut found = Vec::new();
        loop {
            let piece = read(&mut bytes, len).await.map_err(failed)?;
            if piece.is_empty() {
                break;
            }
            found.extend(piece);
        }
        same((len, found), (len, (0..514).map(|i: u32| i as u8).collect()))?;
        same(read(&mut bytes, len).await.map_err(failed)?, vec![])?;
    }
    Ok(())
}

async fn an_error_while_reading_bytes() -> Outcome {
    let mut bytes = broken_chunks().map_err(failed)?;
    same(read(&mut bytes, 2).await.map_err(failed)?, vec![1, 2])?;
    same(read(&mut bytes, 2).await.map_err(failed)?, vec![3])?;
    let error = read(&mut bytes, 2).await.err().ok_or("it breaks")?;
    same(error.kind(), std::io::ErrorKind::NotFound)?;
    same(error.to_string().as_str(), "RangeError: broken")
}

async fn two_streams_side_by_side() -> Outcome {
    let (mut a, mut b) = (counts(5).map_err(failed)?, counts_later(5).await.map_err(failed)?);
    for i in 0..5 {
        same((a.next().await, b.next().await), (Some(Ok(i)), Some(Ok(i))))?;
    }
    same((a.next().await, b.next().await), (None, None))?;
    let tasks: Vec<_> = (0..50)
        .map(|i| spawn(async move { all(counts_later(i).await.map_err(failed)?).await }))
        .collect();
    for (i, task) in (0..).zip(tasks) {
        same(task.await.map_err(failed)??, (0..i).collect())?;
    }
    stream_events().map(drop).map_err(failed)
}

async fn a_stream_moves_to_another_task() -> Outcome {
    let mut items = counts_later(4).await.map_err(failed)?;
    same(items.next().await, Some(Ok(0)))?;
    let mut next = Box::pin(items.next());
    let _ = poll_once(&mut next).await;
    drop(next);
    let task = spawn(all(items));
    same(task.await.map_err(failed)??, vec![1, 2, 3])?;
    stream_events().map(drop).map_err(failed)
}

async fn a_timeout_for_each_item() -> Outcome {
    let mut items = stalls().map_err(failed)?;
    for _ in 0..3 {
        same(timeout(Duration::from_millis(2), items.next()).await.is_err(), true)?;
    }
    drop(items);
    settle().await;
    // It was one pull all the time.
    events("next return")
}

async fn calls_between_items() -> Outcome {
    let mut items = counts(10).map_err(failed)?;
    let mut sum = 0.0;
    while let Some(item) = items.next().await {
        sum = add(sum, item.map_err(failed)?.into());
        yield_now().await;
    }
    same(sum, 45.0)?;
    stream_events().map(drop).map_err(failed)
}

async fn combinators_of_other_crates() -> Outcome {
    let items = counts(100).map_err(failed)?.filter_map(|item| async move { item.ok() });
    let found: Vec<_> = items.filter(|i| std::future::ready(i % 10 == 3)).take(3).collect().await;
    same(found, vec![3, 13, 23])?;
    let merged = stream::select(counts(5).map_err(failed)?, counts(5).map_err(failed)?);
    same(merged.count().await, 10)?;
    settle().await;
    stream_events().map(drop).map_err(failed)
}

async fn a_thousand_streams() -> Outcome {
    for i in 0..1000 {
        let mut items = counts(i % 3 + 1).map_err(failed)?;
        same(items.next().await, Some(Ok(0)))?;
    }
    let open: Vec<_> = (0..1000).map(|_| counts(2)).collect::<Result<_, _>>().map_err(failed)?;
    let sums = Rc::new(Cell::new(0));
    for items in open {
        sums.set(sums.get() + all(items).await?.len());
    }
    same(sums.get(), 2000)?;
    settle().await;
    stream_events().map(drop).map_err(failed)
}

async fn cancelled_at_every_item() -> Outcome {
    at_every_await(&["a", "b a", "c b a", "done c b a"], |log| async move {
        let _a = log.guard("a");
        let mut items = ticking().map_err(failed)?;
        same(items.next().await, Some(Ok(0)))?;
        let _b = log.guard("b");
        same(items.next().await, Some(Ok(1)))?;
        let _c = log.guard("c");
        same(items.next().await, Some(Ok(2)))?;
        log.add("done");
        Ok(())
    })
    .await
}
