//! Large messages, and many at once: what does not fit into the boundary's buffers takes other ways.

use kippu::HostError;
use kippu::task::spawn;

use crate::data::{echo_bytes, echo_string, echo_string_now};
use crate::host::double_later;
use crate::support::{Outcome, cases, failed, holds, same};
use crate::unicode::repeated;

cases!("large":
    a_mebibyte_of_text,
    sixteen_mebibytes_of_text,
    a_mebibyte_of_bytes,
    sixteen_mebibytes_of_bytes,
    bytes_made_by_the_host,
    bytes_read_by_the_host,
    sizes_around_the_arena,
    more_completions_than_the_ring_holds,
    more_text_than_the_arena_holds,
    small_and_large_answers_mixed,
    large_answers_that_nobody_takes,
    memory_that_grows_during_a_call,
    a_hundred_large_ones_in_a_row,
);

/// So many bytes of a pattern, made by the host.
#[kippu::host]
async fn made_bytes(len: u32, seed: u32) -> Result<Vec<u8>, HostError> {
    Ok(pattern(len, seed))
}

/// A checksum of the bytes, made by the host.
#[kippu::host]
fn checksum(bytes: &[u8]) -> Result<u32, HostError> {
    Ok(sum_of(bytes))
}

/// A block of a length that is no power of two, again and again, so that a part that is missing or misplaced shows.
fn pattern(len: u32, seed: u32) -> Vec<u8> {
    let block: Vec<u8> =
        (0..4093).map(|i| ((i + seed).wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut bytes = block.repeat(len as usize / block.len());
    bytes.extend_from_slice(&block[..len as usize % block.len()]);
    bytes
}

/// Of every 89th byte and the length.
fn sum_of(bytes: &[u8]) -> u32 {
    let sum = |sum: u32, &byte: &u8| sum.wrapping_mul(31).wrapping_add(byte.into());
    bytes.iter().step_by(89).fold(bytes.len() as u32, sum)
}

const MIB: u32 = 1 << 20;

async fn text_of(bytes: usize) -> Outcome {
    let text = "切符 🎫 ab".repeat(bytes / 14);
    holds(echo_string(&text).await.as_ref() == Ok(&text), "it came back later")?;
    holds(echo_string_now(&text).as_ref() == Ok(&text), "it came back at once")?;
    let ascii = "x".repeat(bytes);
    holds(echo_string(&ascii).await.as_ref() == Ok(&ascii), "plain text came back later")?;
    let times = u32::try_from(bytes / 3).map_err(failed)?;
    holds(repeated("切", times).await == Ok("切".repeat(bytes / 3)), "the host made it")
}

async fn a_mebibyte_of_text() -> Outcome {
    text_of(MIB as usize).await
}

async fn sixteen_mebibytes_of_text() -> Outcome {
    text_of(16 * MIB as usize).await
}

async fn a_mebibyte_of_bytes() -> Outcome {
    let bytes = pattern(MIB, 1);
    holds(echo_bytes(&bytes).await == Ok(bytes), "they came back")
}

async fn sixteen_mebibytes_of_bytes() -> Outcome {
    let bytes = pattern(16 * MIB, 2);
    holds(echo_bytes(&bytes).await == Ok(bytes), "they came back")
}

async fn bytes_made_by_the_host() -> Outcome {
    for (seed, len) in (0..).zip([0, 1, 1000, 16_384, 65_537, MIB, 8 * MIB]) {
        let bytes = made_bytes(len, seed).await.map_err(failed)?;
        holds(bytes == pattern(len, seed), &format!("{len} bytes are not the host's"))?;
    }
    Ok(())
}

async fn bytes_read_by_the_host() -> Outcome {
    for (seed, len) in (7..).zip([0, 1, 1000, 16_384, 65_537, MIB]) {
        let bytes = pattern(len, seed);
        same((len, checksum(&bytes)), (len, Ok(sum_of(&bytes))))?;
    }
    Ok(())
}

async fn sizes_around_the_arena() -> Outcome {
    // The arena has 16 KiB; text needs three bytes for each unit to be sure that it fits.
    for size in [5461, 5462, 8192, 16_383, 16_384, 16_385, 32_768, 49_152, 49_153] {
        let bytes = pattern(size, size);
        holds(echo_bytes(&bytes).await == Ok(bytes), &format!("{size} bytes"))?;
        let text = "ß".repeat(size as usize / 2);
        holds(echo_string(&text).await == Ok(text), &format!("{size} bytes of text"))?;
    }
    Ok(())
}

async fn more_completions_than_the_ring_holds() -> Outcome {
    // The ring has 1,024 records.
    let calls: Vec<_> =
        (0..3000u32).map(|i| spawn(async move { double_later(f64::from(i)).await })).collect();
    for (i, call) in (0..).zip(calls) {
        same(call.await.map_err(failed)?, Ok(2.0 * f64::from(i)))?;
    }
    let at_once: Vec<_> = (0..3000).map(|i| double_later(f64::from(i))).collect();
    let answers = futures_util::future::join_all(at_once).await;
    same(answers.into_iter().map(Result::unwrap_or_default).sum::<f64>(), 8_997_000.0)
}

async fn more_text_than_the_arena_holds() -> Outcome {
    let calls: Vec<_> = (0..2500u32)
        .map(|i| {
            spawn(async move {
                let text = format!("text number {i} of many, and long enough to fill the arena");
                echo_string(&text).await == Ok(text)
            })
        })
        .collect();
    for (i, call) in calls.into_iter().enumerate() {
        holds(call.await.map_err(failed)?, &format!("text {i} was mixed up"))?;
    }
    Ok(())
}

async fn small_and_large_answers_mixed() -> Outcome {
    let calls: Vec<_> = (0..300u32)
        .map(|i| {
            spawn(async move {
                let len = if i % 7 == 0 { 40_000 } else { i };
                let bytes = pattern(len, i);
                echo_bytes(&bytes).await == Ok(bytes)
            })
        })
        .collect();
    for (i, call) in calls.into_iter().enumerate() {
        holds(call.await.map_err(failed)?, &format!("answer {i} was mixed up"))?;
    }
    Ok(())
}

async fn large_answers_that_nobody_takes() -> Outcome {
    for i in 0..50 {
        let mut call = Box::pin(made_bytes(MIB, i));
        let _ = crate::support::poll_once(&mut call).await;
    }
    kippu::time::sleep(kippu::time::Duration::from_millis(5)).await;
    holds(made_bytes(MIB, 3).await == Ok(pattern(MIB, 3)), "the next one is right")
}

async fn memory_that_grows_during_a_call() -> Outcome {
    // Each is larger than all before, so that the guest's memory grows while an answer crosses.
    let mut kept = Vec::new();
    for i in 0..6 {
        let len = MIB << i.min(3);
        let bytes = made_bytes(len, i).await.map_err(failed)?;
        same(checksum(&bytes), Ok(sum_of(&bytes)))?;
        kept.push(bytes);
    }
    for (i, bytes) in (0..).zip(kept) {
        holds(bytes == pattern(MIB << i.min(3), i), &format!("what was kept of call {i}"))?;
    }
    Ok(())
}

async fn a_hundred_large_ones_in_a_row() -> Outcome {
    let text = "zwölf ".repeat(20_000);
    for _ in 0..100 {
        holds(echo_string(&text).await.as_ref() == Ok(&text), "it came back")?;
    }
    Ok(())
}
