//! Rows as a picture: a panel per case, a bar per contestant.

use super::row::{Row, figure};
use svg::Document;
use svg::node::element::{Group, Rectangle, Text, Title};

/// A picture of the times on one host.
pub(super) struct Picture {
    /// Its name in the documents' folder.
    pub(super) file: &'static str,
    pub(super) title: &'static str,
    pub(super) host: &'static str,
}

const WIDTH: f64 = 880.0;
const MARGIN: f64 = 24.0;
const COLUMNS: usize = 2;
const PANEL: f64 = (WIDTH - MARGIN) / COLUMNS as f64 - MARGIN;
/// Where the panels begin, below the title.
const TOP: f64 = 72.0;
/// A panel's heading, and the space below it.
const HEADING: f64 = 28.0;
const GAP: f64 = 22.0;
const LINE: f64 = 19.0;
const BAR: f64 = 13.0;
/// The space for the names before the bars, and that for the figures behind the longest.
const NAMES: f64 = 150.0;
const FIGURES: f64 = 44.0;

const INK: &str = "#1e293b";
const FAINT: &str = "#475569";
/// Of its own, so that the ink can be read on a dark page as well.
const PAPER: &str = "#f8fafc";
const OURS: &str = "#c2410c";
const FLOOR: &str = "#94a3b8";
const PEERS: [&str; 7] =
    ["#0f766e", "#2f9e8f", "#1d4ed8", "#7c3aed", "#a16207", "#be185d", "#4d7c0f"];

/// A contestant's figure in one case.
struct Bar<'a> {
    name: &'a str,
    value: f64,
    colour: &'static str,
}

impl Picture {
    /// Draws the times among `rows`.
    pub(super) fn draw(&self, rows: &[Row]) -> String {
        let rows: Vec<_> =
            rows.iter().filter(|row| row.host == self.host && row.unit == "ns").collect();
        let panels = panels(&rows);
        let mut y = TOP;
        let mut body = Group::new();
        for line in panels.chunks(COLUMNS) {
            for (column, (case, bars)) in line.iter().enumerate() {
                let x = MARGIN + column as f64 * (PANEL + MARGIN);
                body = body.add(panel((x, y), case, bars));
            }
            let most = line.iter().map(|(_, bars)| bars.len()).max().unwrap_or(0);
            y += HEADING + most as f64 * LINE + GAP;
        }
        let subtitle =
            "Nanoseconds per operation; less is better. Every panel has a scale of its own.";
        let document = Document::new()
            .set("viewBox", (0, 0, WIDTH, y))
            .set("font-family", "system-ui, sans-serif")
            .set("role", "img")
            .add(Title::new(self.title))
            .add(rectangle((0.0, 0.0), (WIDTH, y), PAPER).set("rx", 10))
            .add(text((MARGIN, 34.0), self.title, 18, INK).set("font-weight", 600))
            .add(text((MARGIN, 54.0), subtitle, 13, FAINT))
            .add(body);
        format!("{document}\n")
    }
}

/// The cases with their bars: ours, the peers', the floor's. A contestant has one colour in all of them.
fn panels<'a>(rows: &[&'a Row]) -> Vec<(&'a str, Vec<Bar<'a>>)> {
    let mut peers: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|row| !row.is_floor()) {
        if !peers.contains(&&*row.peer) {
            peers.push(&row.peer);
        }
    }
    let colour = |row: &Row| match peers.iter().position(|peer| *peer == row.peer) {
        Some(place) => PEERS[place % PEERS.len()],
        None => FLOOR,
    };
    let mut panels: Vec<(&str, Vec<Bar<'_>>)> = Vec::new();
    for row in rows {
        if panels.last().is_none_or(|(case, _)| *case != row.case) {
            let ours = Bar { name: "kippu", value: row.ours, colour: OURS };
            panels.push((&row.case, vec![ours]));
        }
        if let Some((_, bars)) = panels.last_mut() {
            bars.push(Bar { name: &row.peer, value: row.peer_value, colour: colour(row) });
        }
    }
    panels
}

fn panel((x, y): (f64, f64), case: &str, bars: &[Bar<'_>]) -> Group {
    let most = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (PANEL - NAMES - FIGURES) / most;
    let mut group = Group::new().add(text((x, y + 14.0), case, 14, INK).set("font-weight", 600));
    for (place, bar) in bars.iter().enumerate() {
        let top = y + HEADING + place as f64 * LINE;
        let base = top + BAR - 2.5;
        let left = x + NAMES;
        // What is too short to be seen is still there.
        let length = (bar.value * scale).max(1.0);
        let name = text((left - 8.0, base), bar.name, 12, INK).set("text-anchor", "end");
        let value = text((left + length + 6.0, base), &figure(bar.value), 12, INK);
        group = group.add(name).add(rectangle((left, top), (length, BAR), bar.colour)).add(value);
    }
    group
}

fn rectangle((x, y): (f64, f64), (width, height): (f64, f64), fill: &str) -> Rectangle {
    Rectangle::new()
        .set("x", round(x))
        .set("y", round(y))
        .set("width", round(width))
        .set("height", round(height))
        .set("fill", fill)
}

fn text((x, y): (f64, f64), content: &str, size: u32, fill: &str) -> Text {
    Text::new(content)
        .set("x", round(x))
        .set("y", round(y))
        .set("font-size", size)
        .set("fill", fill)
}

/// Finer than a tenth nobody sees.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::super::executor::FLOOR as FLOOR_NAME;
    use super::*;

    const PICTURE: Picture = Picture { file: "f", title: "t", host: "h" };

    fn rows() -> Vec<Row> {
        let row = |case, host, peer, unit| Row::new("b", (case, host), 5.0, peer, unit);
        vec![
            row("a & b", "h", ("p", 50.0), "ns"),
            row("a & b", "h", (FLOOR_NAME, 2.5), "ns"),
            row("c", "h", ("p", 7.0), "ns"),
            row("c", "other", ("p", 123.0), "ns"),
            row("c", "h", ("p", 321.0), "instr"),
        ]
    }

    #[test]
    fn every_contestant_of_the_host_has_a_bar_with_its_time() {
        let text = PICTURE.draw(&rows());
        let has = |label: &str| text.lines().any(|line| line == label);
        for shown in ["a &amp; b", "c", "kippu", "p", FLOOR_NAME, "50.0", "2.50", "7.00"] {
            assert!(has(shown), "{shown} in {text}");
        }
        for hidden in ["123", "321"] {
            assert!(!has(hidden), "{hidden} in {text}");
        }
        // Two cases with a bar of ours and of p, one with a floor, and the paper.
        assert_eq!(text.matches("<rect").count(), 6);
        assert_eq!(text.matches(OURS).count(), 2);
        assert_eq!(text.matches(PEERS[0]).count(), 2);
    }

    #[test]
    fn the_longest_bar_leaves_room_for_its_figure() {
        let rows = rows();
        let rows: Vec<_> = rows.iter().take(2).collect();
        let panels = panels(&rows);
        let text = panel((0.0, 0.0), panels[0].0, &panels[0].1).to_string();
        let longest = format!("width=\"{}\"", round(PANEL - NAMES - FIGURES));
        let shortest = format!("width=\"{}\"", round((PANEL - NAMES - FIGURES) / 20.0));
        assert!(text.contains(&longest), "{longest} in {text}");
        assert!(text.contains(&shortest), "{shortest} in {text}");
    }
}
