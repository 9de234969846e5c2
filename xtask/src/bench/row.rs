//! One measured figure beside a peer's.

use super::{boundary, executor, wasi};
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
    /// The peer's figure over ours: more than 1 means that ours is better. `null` in JSON when there is none, as it is
    /// of the figure of a peer that hangs.
    pub(crate) ratio: f64,
}

impl Row {
    /// Whether the peer is no library: a floor that shows what no library can go below, or what one does without
    /// any.
    pub(crate) fn is_floor(&self) -> bool {
        [boundary::FLOOR, executor::FLOOR, executor::MAP, wasi::RAW].contains(&&*self.peer)
    }

    /// The ratio, if there is one: not to what is nothing or never ends.
    pub(crate) fn ratio_text(&self) -> String {
        if self.ratio.is_finite() { format!("{:.2}", self.ratio) } else { String::new() }
    }

    /// Whether both are about the same figure of ours.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        let what = |row: &Self| (row.bench, row.case.clone(), row.host.clone(), row.unit.clone());
        what(self) == what(other)
    }

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

/// No reader needs more.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The row whose peer comes nearest to ours or is best ahead of it. Floors are not counted.
pub(crate) fn best_peer<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Option<&'a Row> {
    let peers = rows.into_iter().filter(|row| !row.is_floor());
    peers.min_by(|a, b| a.peer_value.total_cmp(&b.peer_value))
}

/// The rows as a Markdown table, which reads well on a terminal too.
pub(crate) fn table(rows: &[Row]) -> String {
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
            row.ratio_text(),
        ]);
    }
    for index in [3, 5, 7] {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// A figure with three digits that count, as far as there are so many before the point. What never ends hangs.
pub(crate) fn figure(value: f64) -> String {
    if value.is_infinite() {
        return "hangs".to_owned();
    }
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$}")
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
    fn the_best_peer_is_no_floor() {
        let peers = [("slow", 9.0), ("fast", 3.0), ("slower", 10.0), (executor::FLOOR, 1.0)];
        let rows = peers.map(|peer| Row::new("b", ("c", "h"), 2.0, peer, "ns"));
        assert_eq!(best_peer(&rows).map(|row| &*row.peer), Some("fast"));
        assert!(best_peer(&rows[3..]).is_none());
    }

    #[test]
    fn rows_are_beside_each_other_when_only_the_peer_differs() {
        let row = |host, unit, peer| Row::new("b", ("c", host), 1.0, (peer, 2.0), unit);
        assert!(row("h", "ns", "p").is_beside(&row("h", "ns", "q")));
        assert!(!row("h", "ns", "p").is_beside(&row("i", "ns", "p")));
        assert!(!row("h", "ns", "p").is_beside(&row("h", "instr", "p")));
    }

    #[test]
    fn figures_have_three_digits() {
        assert_eq!([2.345, 23.45, 234.5, 2345.0].map(figure), ["2.35", "23.4", "234", "2345"]);
    }

    #[test]
    fn a_peer_that_hangs_has_no_ratio() {
        let row = Row::new("b", ("c", "h"), 50.0, ("p", f64::INFINITY), "ms");
        let text = table(&[row]);
        assert!(text.contains("|  hangs | ms   |       |"), "{text}");
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
