//! Text: every kind of character, at every length where the boundary takes another way.

use kippu::HostError;

use crate::data::{echo_string, echo_string_now};
use crate::support::{Outcome, cases, failed, holds, same};

cases!("unicode":
    around_every_threshold,
    every_length_up_to_a_hundred,
    every_code_point,
    nothing_is_normalised,
    byte_order_marks_are_text,
    zero_bytes_are_text,
    surrogates_alone_are_replaced,
    javascript_counts_the_same_characters,
    javascript_makes_the_same_text,
    text_of_every_representation,
    graphemes_of_many_code_points,
    in_errors,
    in_parallel,
);

/// The code points of a text, as JavaScript sees it.
#[kippu::host]
fn code_points(text: &str) -> Result<Vec<u32>, HostError> {
    Ok(text.chars().map(u32::from).collect())
}

/// The text of these code points, made by JavaScript.
#[kippu::host]
fn text_of(code_points: &[u32]) -> Result<String, HostError> {
    Ok(code_points.iter().filter_map(|&code| char::from_u32(code)).collect())
}

/// JavaScript's length: of code units of UTF-16.
#[kippu::host]
fn utf16_length(text: &str) -> Result<u32, HostError> {
    u32::try_from(text.encode_utf16().count()).map_err(|error| HostError::new(error.to_string()))
}

/// Texts with surrogates alone, which UTF-8 does not have.
#[kippu::host]
async fn lone_surrogates(which: u32) -> Result<String, HostError> {
    Ok(LONE.get(which as usize).copied().unwrap_or_default().to_owned())
}

/// What becomes of them.
const LONE: [&str; 6] =
    ["\u{fffd}", "a\u{fffd}b", "\u{fffd}\u{fffd}", "🎫\u{fffd}", "\u{fffd}🎫", "\u{fffd}"];

/// The text so many times, made by `String.prototype.repeat`.
#[kippu::host]
pub(crate) async fn repeated(text: &str, times: u32) -> Result<String, HostError> {
    Ok(text.repeat(times as usize))
}

/// A part of the text, from and to a code unit of UTF-16, made by `String.prototype.slice`.
#[kippu::host]
fn sliced(text: &str, from: u32, to: u32) -> Result<String, HostError> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let part = units.get(from as usize..to as usize).unwrap_or_default();
    String::from_utf16(part).map_err(|error| HostError::new(error.to_string()))
}

/// The texts one after the other, made by `+`.
#[kippu::host]
fn joined(texts: Vec<String>) -> Result<String, HostError> {
    Ok(texts.concat())
}

async fn echoed(text: &str) -> Outcome {
    let now = echo_string_now(text);
    holds(now.as_deref() == Ok(text), &format!("{} bytes: {text:?} {now:?}", text.len()))?;
    let later = echo_string(text).await;
    holds(later.as_deref() == Ok(text), &format!("{} bytes later: {text:?} {later:?}", text.len()))
}

/// Characters of 1, 2, 3 and 4 bytes.
const WIDTHS: [char; 4] = ['x', 'ß', '切', '🎫'];

async fn around_every_threshold() -> Outcome {
    for threshold in [8usize, 20, 42, 127, 128, 1024, 4096, 5461, 16_384] {
        for bytes in threshold - 5..=threshold + 5 {
            for wide in WIDTHS {
                // A wide character as the last one, so that every boundary falls into one.
                let text = format!("{}{wide}", "x".repeat(bytes.saturating_sub(wide.len_utf8())));
                echoed(&text).await?;
                let first = format!("{wide}{}", "y".repeat(bytes.saturating_sub(wide.len_utf8())));
                echoed(&first).await?;
            }
        }
    }
    Ok(())
}

async fn every_length_up_to_a_hundred() -> Outcome {
    for length in 0..100 {
        for wide in WIDTHS {
            echoed(&wide.to_string().repeat(length)).await?;
        }
    }
    Ok(())
}

async fn every_code_point() -> Outcome {
    let all: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
    let back = echo_string(&all).await.map_err(failed)?;
    let different = all.chars().zip(back.chars()).find(|(a, b)| a != b);
    same(different, None)?;
    same(back.len(), all.len())
}

async fn nothing_is_normalised() -> Outcome {
    for text in [
        "é",
        "e\u{301}",
        "\u{212b}",
        "\u{c5}",
        "A\u{30a}",
        "ﬁ",
        "①",
        "한",
        "\u{1112}\u{1161}\u{11ab}",
    ] {
        echoed(text).await?;
        same(code_points(text), Ok(text.chars().map(u32::from).collect()))?;
    }
    Ok(())
}

async fn byte_order_marks_are_text() -> Outcome {
    for text in [
        "\u{feff}",
        "\u{feff}\u{feff}",
        "\u{feff}text that is longer than twenty bytes",
        "a\u{feff}",
    ] {
        echoed(text).await?;
        same(code_points(text), Ok(text.chars().map(u32::from).collect()))?;
    }
    same(text_of(&[0xfeff, 0xfeff, 0x61]), Ok("\u{feff}\u{feff}a".to_owned()))
}

async fn zero_bytes_are_text() -> Outcome {
    for text in ["\0", "\0\0\0", "a\0", "\0a", "twenty bytes and more, with one \0 in between"] {
        echoed(text).await?;
        same(utf16_length(text), Ok(text.len() as u32))?;
    }
    echoed(&"\0".repeat(1000)).await
}

async fn surrogates_alone_are_replaced() -> Outcome {
    for (which, expected) in (0..).zip(LONE) {
        same(lone_surrogates(which).await.as_deref(), Ok(expected))?;
    }
    Ok(())
}

async fn javascript_counts_the_same_characters() -> Outcome {
    for (text, units) in
        [("", 0), ("abc", 3), ("ß", 1), ("切符", 2), ("🎫", 2), ("e\u{301}", 2), ("\u{10ffff}", 2)]
    {
        same(utf16_length(text), Ok(units))?;
    }
    let mixed = "x ß 切 🎫 ".repeat(50);
    same(utf16_length(&mixed), Ok(450))?;
    same(code_points(&mixed), Ok(mixed.chars().map(u32::from).collect()))
}

async fn javascript_makes_the_same_text() -> Outcome {
    for text in ["", "a", "ß", "切符 🎫", "\u{10ffff}\u{10000}", "\u{ffff}\u{fffe}\u{e000}\u{d7ff}"]
    {
        let codes: Vec<u32> = text.chars().map(u32::from).collect();
        same(text_of(&codes).as_deref(), Ok(text))?;
    }
    let all: Vec<u32> = (1..0x3000).collect();
    same(text_of(&all), Ok(all.iter().filter_map(|&code| char::from_u32(code)).collect()))
}

async fn text_of_every_representation() -> Outcome {
    // Engines keep text in one byte or in two a character, as ropes and as slices of other text.
    for text in ["x", "ÿ", "ß", "Ā", "切", "🎫"] {
        for times in [1, 5, 21, 100, 3000] {
            same(repeated(text, times).await, Ok(text.repeat(times as usize)))?;
        }
    }
    let latin = "zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich";
    same(sliced(latin, 2, 30), Ok(latin.chars().skip(2).take(28).collect()))?;
    let wide = "切符".repeat(40);
    same(sliced(&wide, 1, 61), Ok(wide.chars().skip(1).take(60).collect()))?;
    let parts: Vec<String> = (0..200).map(|i| format!("{i}ß切🎫")).collect();
    same(joined(parts.clone()), Ok(parts.concat()))
}

async fn graphemes_of_many_code_points() -> Outcome {
    let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
    let zalgo = format!("Z{}", "\u{300}\u{36f}\u{489}".repeat(100));
    for text in [family, "🇩🇪🇯🇵", "👍🏽", "नमस्ते", "שָׁלוֹם", "مرحبا", &zalgo, "\u{202e}abc\u{202c}"]
    {
        echoed(text).await?;
        echoed(&text.repeat(30)).await?;
    }
    Ok(())
}

async fn in_errors() -> Outcome {
    for text in ["", "\0", "\u{feff}x", "切符 🎫", &"ß".repeat(200), &"🎫".repeat(10_000)] {
        let error = crate::host::fails(text).await.err().ok_or("it fails")?;
        holds(error.message() == text, &format!("a message of {} bytes", text.len()))?;
        let error = crate::host::fails_now(text).err().ok_or("it fails")?;
        holds(error.message() == text, &format!("a message of {} bytes", text.len()))?;
    }
    Ok(())
}

async fn in_parallel() -> Outcome {
    // Answers of all lengths in one turn: each must come back to whoever asked.
    let calls: Vec<_> = (0..600usize)
        .map(|i| {
            let text = WIDTHS[i % 4].to_string().repeat(i / 4);
            kippu::task::spawn(async move { echo_string(&text).await.as_deref() == Ok(&*text) })
        })
        .collect();
    for (i, call) in calls.into_iter().enumerate() {
        holds(call.await.map_err(failed)?, &format!("text {i} was mixed up"))?;
    }
    Ok(())
}
