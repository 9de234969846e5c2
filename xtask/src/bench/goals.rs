//! What the figures are to reach.

use super::executor::{self, NATIVE, NODE_HOST};
use super::row::{Row, best_peer};
use super::{boundary, size, wasi};
use comfy_table::{Table, presets::ASCII_MARKDOWN};

/// Whose figure ours is held against.
enum Peer {
    Named(&'static str),
    /// Whichever peer of the case is best in this run; floors are no peers.
    Best,
}

/// A least ratio, a greatest share of what the peer takes, or a greatest figure of ours.
enum Bound {
    Ratio(f64),
    Within(f64),
    Ours(f64),
}

struct Goal {
    bench: &'static str,
    case: &'static str,
    peer: Peer,
    bound: Bound,
    /// `None` means all.
    host: Option<&'static str>,
    unit: Option<&'static str>,
}

const GOALS: &[Goal] = &[
    goal("boundary", "async number", Peer::Named(boundary::PEER), Bound::Ratio(6.0)),
    // At most four times the time of plain JavaScript.
    goal("boundary", "async number", Peer::Named(boundary::FLOOR), Bound::Ratio(0.25)),
    goal("size", size::GUEST, Peer::Named(size::PEER), Bound::Ours(7_500.0)),
    goal("size", size::DRIVER, Peer::Named(size::PEER), Bound::Ours(1_500.0)),
    best("executor", "spawn 100k and join", 3.0).on(NATIVE),
    best("executor", "spawn 100k detached", 3.0).on(NATIVE),
    best("executor", "yield, 1,000 tasks", 2.5).on(NATIVE),
    best("executor", "channel message", 1.5).on(NATIVE),
    best("executor", "completion, one a turn", 1.4).on(NATIVE),
    best("executor", "completion, 1,000 a turn", 1.4).on(NATIVE),
    best("executor", "spawn 100k and join", 1.5).on(NODE_HOST),
    best("executor", "yield, 1,000 tasks", 2.0).on(NODE_HOST),
    near_floor("yield, 1,000 tasks"),
    near_floor("completion, one a turn"),
    near_floor("completion, 1,000 a turn"),
    best("timers", "insert and cancel", 5.0).on(NATIVE),
    goal("wasi", wasi::SLEEPS, Peer::Named(wasi::WSTD), Bound::Ours(60.0)),
    goal("wasi", wasi::SLEEPS, Peer::Named(wasi::WIT_BINDGEN), Bound::Ours(60.0)),
    over_wstd(wasi::BUSY, 1000.0),
    over_wstd(wasi::SPAWN, 2.0),
    over_wstd(wasi::ECHO, 3.0),
    over_wstd(wasi::GETS, 1.3).in_unit("µs"),
    over_wstd(wasi::MANY_GETS, 4.0).in_unit("µs"),
    over_wstd(wasi::SERVE, 1.15),
    near_raw(wasi::SERVE),
    over_wstd(wasi::REUSE, 1.2),
    near_raw(wasi::REUSE),
    // At most half, and two fifths, of the size.
    over_wstd(wasi::HELLO, 2.0),
    over_wstd(wasi::SERVER, 2.5),
    over_wit_bindgen(wasi::SPAWN, 10.0),
    over_wit_bindgen(wasi::YIELD, 10.0),
];

const fn goal(bench: &'static str, case: &'static str, peer: Peer, bound: Bound) -> Goal {
    Goal { bench, case, peer, bound, host: None, unit: None }
}

/// So many times as good as the best of the peers, in time.
const fn best(bench: &'static str, case: &'static str, ratio: f64) -> Goal {
    goal(bench, case, Peer::Best, Bound::Ratio(ratio)).in_time()
}

/// So many times as good as wstd.
const fn over_wstd(case: &'static str, ratio: f64) -> Goal {
    goal("wasi", case, Peer::Named(wasi::WSTD), Bound::Ratio(ratio))
}

/// So many times as good as the tasks of wit-bindgen.
const fn over_wit_bindgen(case: &'static str, ratio: f64) -> Goal {
    goal("wasi", case, Peer::Named(wasi::WIT_BINDGEN), Bound::Ratio(ratio))
}

/// Nine tenths of the requests, or more, that a handler without a runtime answers.
const fn near_raw(case: &'static str) -> Goal {
    goal("wasi", case, Peer::Named(wasi::RAW), Bound::Ratio(0.9))
}

/// Not much more time than polling boxed futures takes, on every host.
const fn near_floor(case: &'static str) -> Goal {
    goal("executor", case, Peer::Named(executor::FLOOR), Bound::Within(1.5)).in_time()
}

impl Goal {
    const fn on(mut self, host: &'static str) -> Self {
        self.host = Some(host);
        self
    }

    const fn in_time(self) -> Self {
        self.in_unit("ns")
    }

    const fn in_unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// Whether `row`, one of `rows`, is the one that decides.
    fn is_decided_by(&self, row: &Row, rows: &[Row]) -> bool {
        let is_peer = match self.peer {
            Peer::Named(peer) => row.peer == peer,
            Peer::Best => best_peer(rows.iter().filter(|other| other.is_beside(row)))
                .is_some_and(|best| best.peer == row.peer),
        };
        is_peer
            && (self.bench, self.case) == (row.bench, &*row.case)
            && self.host.is_none_or(|host| host == row.host)
            && self.unit.is_none_or(|unit| unit == row.unit)
    }

    /// What is asked for, and by how much the row misses it, if it does.
    fn judge(&self, row: &Row) -> (String, Option<String>) {
        let percent = |miss: f64| format!("{:.0} %", miss * 100.0);
        let least = |least: f64| (row.ratio < least).then(|| percent(1.0 - row.ratio / least));
        match (&self.bound, &self.peer) {
            (Bound::Ratio(ratio), Peer::Named(peer)) => {
                (format!("{ratio} times as good as {peer}"), least(*ratio))
            }
            (Bound::Ratio(ratio), Peer::Best) => {
                (format!("{ratio} times as good as the best peer ({})", row.peer), least(*ratio))
            }
            (Bound::Within(times), _) => {
                (format!("at most {times} times the {}", row.peer), least(1.0 / times))
            }
            (Bound::Ours(most), _) => (
                format!("at most {most} {}", row.unit),
                (row.ours > *most).then(|| percent(row.ours / most - 1.0)),
            ),
        }
    }

    /// The figure that is held against the bound.
    fn figure(&self, row: &Row) -> String {
        match self.bound {
            Bound::Ratio(_) => format!("{:.3}", row.ratio),
            Bound::Within(_) => format!("{:.3}", 1.0 / row.ratio),
            Bound::Ours(_) => format!("{}", row.ours),
        }
    }
}

/// The goals of the benches that were run, and how they were met, as a Markdown table. `None` when none
/// of them has one.
pub(crate) fn table(rows: &[Row]) -> Option<Table> {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(["goal", "host", "asked for", "reached"]);
    for row in rows {
        for goal in GOALS.iter().filter(|goal| goal.is_decided_by(row, rows)) {
            let (asked, miss) = goal.judge(row);
            let figure = goal.figure(row);
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
    (!table.is_empty()).then_some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rows: &[Row]) -> String {
        table(rows).map(|table| table.to_string()).unwrap_or_default()
    }

    fn number(ours: f64, peer_value: f64) -> [Row; 1] {
        let peer = (boundary::PEER, peer_value);
        [Row::new("boundary", ("async number", "h"), ours, peer, "ns")]
    }

    /// Rows of a case with two peers and a floor.
    fn executor(case: &str, host: &str, unit: &str, figures: [f64; 4]) -> Vec<Row> {
        let [ours, one, other, floor] = figures;
        [("one", one), ("other", other), (executor::FLOOR, floor)]
            .map(|peer| Row::new("executor", (case, host), ours, peer, unit))
            .into()
    }

    #[test]
    fn a_reached_goal_shows_the_figure() {
        assert!(text(&number(50.0, 300.0)).contains("yes: 6.000"));
    }

    #[test]
    fn a_missed_goal_shows_by_how_much() {
        assert!(text(&number(100.0, 300.0)).contains("no: 3.000, short by 50 %"));
    }

    #[test]
    fn what_has_no_goal_gives_no_table() {
        let peer = (boundary::PEER, 2.0);
        assert!(table(&[Row::new("boundary", ("64 KiB in", "h"), 1.0, peer, "ns")]).is_none());
    }

    #[test]
    fn the_best_peer_decides_and_not_the_floor() {
        let rows = executor("channel message", NATIVE, "ns", [10.0, 40.0, 20.0, 1.0]);
        let text = text(&rows);
        assert!(text.contains("1.5 times as good as the best peer (other)"), "{text}");
        assert!(text.contains("yes: 2.000"), "{text}");
        assert_eq!(text.matches("channel message").count(), 1, "{text}");
    }

    #[test]
    fn a_goal_near_the_floor_shows_how_many_times_it_is() {
        let far = executor("yield, 1,000 tasks", "h", "ns", [10.0, 40.0, 20.0, 5.0]);
        let near = executor("yield, 1,000 tasks", "h", "ns", [10.0, 40.0, 20.0, 8.0]);
        assert!(text(&far).contains("no: 2.000, short by 25 %"), "{}", text(&far));
        assert!(text(&near).contains("yes: 1.250"), "{}", text(&near));
        assert!(text(&near).contains("at most 1.5 times the floor"), "{}", text(&near));
    }

    #[test]
    fn a_peer_that_hangs_does_not_decide_what_ours_is_to_reach() {
        let row =
            |ours| [Row::new("wasi", (wasi::SLEEPS, "h"), ours, (wasi::WSTD, f64::INFINITY), "ms")];
        assert!(text(&row(53.0)).contains("yes: 53"), "{}", text(&row(53.0)));
        assert!(text(&row(66.0)).contains("no: 66, short by 10 %"), "{}", text(&row(66.0)));
    }

    #[test]
    fn goals_of_time_do_not_judge_instructions_nor_other_hosts() {
        let figures = [10.0, 40.0, 20.0, 1.0];
        assert_eq!(text(&executor("channel message", NATIVE, "instr", figures)), "");
        assert_eq!(text(&executor("channel message", NODE_HOST, "ns", figures)), "");
    }
}
