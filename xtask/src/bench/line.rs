//! What the programs print that measure.

use super::row::Row;
use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// How ours is called everywhere.
pub(super) const OURS: &str = "kippu";

/// A line of JSON: the figures of one case, from one run.
#[derive(Deserialize)]
struct Line {
    case: String,
    unit: String,
    values: Vec<(String, f64)>,
}

/// One row per line and peer.
///
/// # Errors
/// When a line is something else, or lacks our figure or any other.
pub(super) fn rows(bench: &'static str, host: &str, text: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for line in text.lines() {
        let line: Line = serde_json::from_str(line)
            .with_context(|| format!("the bench printed something unexpected: {line}"))?;
        rows.extend(compare(bench, (&line.case, host), &line.unit, &line.values)?);
    }
    Ok(rows)
}

/// One row per peer.
///
/// # Errors
/// When our figure is not there, or no other.
pub(super) fn compare(
    bench: &'static str,
    (case, host): (&str, &str),
    unit: &str,
    values: &[(String, f64)],
) -> Result<Vec<Row>> {
    let (ours, peers): (Vec<_>, Vec<_>) = values.iter().partition(|(name, _)| name == OURS);
    let &[(_, ours)] = &ours[..] else {
        bail!("there is no figure of {OURS} for {case}");
    };
    if peers.is_empty() {
        bail!("there is nothing to compare {OURS} with for {case}");
    }
    Ok(peers
        .iter()
        .map(|(peer, value)| Row::new(bench, (case, host), *ours, (peer, *value), unit))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_a_row_per_peer() {
        let text = r#"{"case":"c","unit":"ns","values":[["kippu",10],["peer",60],["floor",5]]}"#;
        let rows = rows("b", "Node 20", text).unwrap();
        let ratios: Vec<_> = rows.iter().map(|row| (row.peer.as_str(), row.ratio)).collect();
        assert_eq!(ratios, [("peer", 6.0), ("floor", 0.5)]);
        assert!(rows.iter().all(|row| (row.bench, row.host.as_str()) == ("b", "Node 20")));
    }

    #[test]
    fn a_line_without_our_figure_or_a_peer_is_an_error() {
        for values in [r#"["peer",60]"#, r#"["kippu",10]"#] {
            let text = format!(r#"{{"case":"c","unit":"ns","values":[{values}]}}"#);
            assert!(rows("b", "h", &text).is_err(), "{text}");
        }
    }
}
