//! What the figures are to reach.

use super::row::Row;
use comfy_table::{Table, presets::ASCII_MARKDOWN};

/// A least ratio to a peer, or a greatest figure of ours.
enum Bound {
    Ratio(f64),
    Ours(f64),
}

struct Goal {
    bench: &'static str,
    case: &'static str,
    peer: &'static str,
    bound: Bound,
}

const GOALS: &[Goal] = &[
    goal("boundary", "async number", super::boundary::PEER, Bound::Ratio(6.0)),
    // At most four times the time of plain JavaScript.
    goal("boundary", "async number", super::boundary::FLOOR, Bound::Ratio(0.25)),
    goal("size", super::size::GUEST, super::size::PEER, Bound::Ours(7_500.0)),
    goal("size", super::size::DRIVER, super::size::PEER, Bound::Ours(1_500.0)),
];

const fn goal(bench: &'static str, case: &'static str, peer: &'static str, bound: Bound) -> Goal {
    Goal { bench, case, peer, bound }
}

impl Goal {
    /// What is asked for, and by how much the row misses it, if it does.
    fn judge(&self, row: &Row) -> (String, Option<String>) {
        let percent = |miss: f64| format!("{:.0} %", miss * 100.0);
        match self.bound {
            Bound::Ratio(least) => (
                format!("{least} times as good as {}", row.peer),
                (row.ratio < least).then(|| percent(1.0 - row.ratio / least)),
            ),
            Bound::Ours(most) => (
                format!("at most {most} {}", row.unit),
                (row.ours > most).then(|| percent(row.ours / most - 1.0)),
            ),
        }
    }
}

/// The goals of the benches that were run, and how they were met, as a Markdown table.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(["goal", "host", "asked for", "reached"]);
    for row in rows {
        let goals = GOALS.iter().filter(|goal| {
            (goal.bench, goal.case, goal.peer) == (row.bench, &*row.case, &*row.peer)
        });
        for goal in goals {
            let (asked, miss) = goal.judge(row);
            let figure = match goal.bound {
                Bound::Ratio(_) => format!("{:.3}", row.ratio),
                Bound::Ours(_) => format!("{}", row.ours),
            };
            let reached = match miss {
                None => format!("yes: {figure}"),
                Some(miss) => format!("no: {figure}, short by {miss}"),
            };
            table.add_row([
                format!("{}, {}", row.bench, row.case),
                row.host.clone(),
                asked,
                reached,
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ours: f64, peer_value: f64) -> String {
        let peer = (super::super::boundary::PEER, peer_value);
        table(&[Row::new("boundary", ("async number", "h"), ours, peer, "ns")]).to_string()
    }

    #[test]
    fn a_reached_goal_shows_the_figure() {
        assert!(text(50.0, 300.0).contains("yes: 6.000"));
    }

    #[test]
    fn a_missed_goal_shows_by_how_much() {
        assert!(text(100.0, 300.0).contains("no: 3.000, short by 50 %"));
    }
}
