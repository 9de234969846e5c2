//! The status line on a terminal.
//!
//! `indicatif` would be the library for this, but it reads `std::time::Instant`, which panics on
//! wasm32-unknown-unknown. One line that is redrawn needs little.

use std::convert::Infallible;
use std::time::Duration;

use kippu::io::stderr;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::check::Check;

/// No more than ten times a second: more is flicker.
const REDRAW: Duration = Duration::from_millis(100);

/// Columns inside of the bar's brackets.
const BAR: usize = 20;

/// To the line's start, then clears it.
const CLEAR: &str = "\r\u{1b}[K";

/// What the line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Snapshot {
    documents: usize,
    total: usize,
    done: usize,
    broken: usize,
    in_flight: usize,
}

/// Shows how far `check` is until dropped; the line is gone then.
pub(crate) async fn show(check: &Check<'_>) -> Infallible {
    let _line = Line;
    let mut interval = kippu::time::interval(REDRAW);
    let mut shown = None;
    loop {
        interval.tick().await;
        let progress = check.progress();
        let snapshot = Snapshot {
            documents: check.documents(),
            total: progress.total,
            done: progress.done,
            broken: progress.broken,
            in_flight: check.in_flight(),
        };
        if shown != Some(snapshot) {
            shown = Some(snapshot);
            // A terminal without a width is treated as an old one.
            let columns = stderr().columns().unwrap_or(80);
            kippu::eprint!("{CLEAR}{}", cut(&describe(snapshot), columns));
        }
    }
}

/// Whether a status line makes sense here.
pub(crate) fn is_possible() -> bool {
    stderr().is_terminal() && kippu::env::var("TERM").as_deref() != Some("dumb")
}

/// Clears the line when the progress ends, however it ends.
struct Line;

impl Drop for Line {
    fn drop(&mut self) {
        kippu::eprint!("{CLEAR}");
    }
}

fn describe(snapshot: Snapshot) -> String {
    let Snapshot { documents, total, done, broken, in_flight } = snapshot;
    let filled = (done * BAR).checked_div(total).unwrap_or(0).min(BAR);
    let bar = format!("[{}{}]", "#".repeat(filled), "-".repeat(BAR - filled));
    let plural = if documents == 1 { "" } else { "s" };
    format!(
        "{bar} {done}/{total} links, {broken} broken, {in_flight} in flight, {documents} document{plural}"
    )
}

/// The start of `line` that fits. The last column stays free: some terminals wrap when it is
/// written to, and a wrapped line cannot be cleared.
fn cut(line: &str, columns: usize) -> String {
    let room = columns.saturating_sub(1);
    if line.width() <= room {
        return line.to_owned();
    }
    let mut used = 0;
    line.chars()
        .take_while(|char| {
            used += char.width().unwrap_or(0);
            used <= room
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_how_far_the_check_is() {
        let mut snapshot = Snapshot { documents: 2, total: 8, done: 6, broken: 1, in_flight: 2 };
        assert_eq!(
            describe(snapshot),
            "[###############-----] 6/8 links, 1 broken, 2 in flight, 2 documents"
        );
        snapshot.total = 0;
        snapshot.done = 0;
        assert!(describe(snapshot).starts_with("[--------------------] 0/0 links"));
    }

    #[test]
    fn the_line_never_wraps() {
        assert_eq!(cut("abc", 4), "abc");
        assert_eq!(cut("abc", 3), "ab");
        assert_eq!(cut("日本語", 6), "日本");
        assert_eq!(cut("abc", 0), "");
    }
}
