//! One measured figure beside a peer's.

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use serde::Serialize;

/// A figure of ours and a peer's of the same case, from the same run. Less is better.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) bench: &'static str,
    pub(crate) case: String,
    pub(crate) host: String,
    pub(crate) ours: f64,
    pub(crate) peer: String,
    pub(crate) peer_value: f64,
    pub(crate) unit: String,
    /// The peer's figure over ours: more than 1 means that ours is better.
    pub(crate) ratio: f64,
}

impl Row {
    /// Compares `ours` with a peer's figure.
    pub(crate) fn new(
        bench: &'static str,
        (case, host): (&str, &str),
        ours: f64,
        (peer, peer_value): (&str, f64),
        unit: &str,
    ) -> Self {
        Self {
            bench,
            case: case.to_owned(),
            host: host.to_owned(),
            ours: round(ours),
            peer: peer.to_owned(),
            peer_value: round(peer_value),
            unit: unit.to_owned(),
            ratio: (peer_value / ours * 1000.0).round() / 1000.0,
        }
    }
}

/// No clock is finer than this, and no reader needs more.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The rows as a Markdown table, which reads well on a terminal too.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(["bench", "case", "host", "ours", "peer", "peer's", "unit", "ratio"]);
    for row in rows {
        table.add_row([
            row.bench.to_owned(),
            row.case.clone(),
            row.host.clone(),
            figure(row.ours),
            row.peer.clone(),
            figure(row.peer_value),
            row.unit.clone(),
            format!("{:.2}", row.ratio),
        ]);
    }
    for index in [3, 5, 7] {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn figure(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_above_one_means_that_ours_is_better() {
        let row = Row::new("b", ("c", "h"), 50.0, ("p", 150.0), "ns");
        assert!((row.ratio - 3.0).abs() < 1e-9);
    }

    #[test]
    fn rows_have_the_published_keys() {
        let row = Row::new("b", ("c", "h"), 1.0, ("p", 2.0), "ns");
        let value = serde_json::to_value(row).unwrap();
        let keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        let mut expected = ["bench", "case", "host", "ours", "peer", "peer_value", "unit", "ratio"];
        expected.sort_unstable();
        let mut keys: Vec<_> = keys.iter().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, expected);
    }
}
