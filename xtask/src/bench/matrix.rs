//! Rows of many contestants as tables: a line per case, a column per contestant.

use super::row::{Row, best_peer, figure};
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

/// A table per host and unit, each under a line that names both.
pub(super) fn tables(rows: &[Row]) -> String {
    let mut captions: Vec<String> = Vec::new();
    for caption in rows.iter().map(caption) {
        if !captions.contains(&caption) {
            captions.push(caption);
        }
    }
    let tables = captions.iter().map(|wanted| {
        let rows: Vec<_> = rows.iter().filter(|row| caption(row) == *wanted).collect();
        format!("{wanted}:\n\n{}", table(&rows))
    });
    tables.collect::<Vec<_>>().join("\n\n")
}

fn caption(row: &Row) -> String {
    format!("{}, {}", row.host, common(&row.unit).unwrap_or("memory"))
}

/// What all rows of a unit have in common, when they have a table of their own.
fn common(unit: &str) -> Option<&str> {
    match unit {
        "ns" => Some("ns per operation"),
        "µs" => Some("µs per operation"),
        "instr" => Some("instructions per operation"),
        "ms" | "KB" | "% lost" => Some(unit),
        _ => None,
    }
}

fn table(rows: &[&Row]) -> Table {
    let (floors, mut peers): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is_floor());
    peers.extend(floors);
    let mut columns: Vec<&str> = Vec::new();
    for row in peers {
        if !columns.contains(&&*row.peer) {
            columns.push(&row.peer);
        }
    }
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    let header = ["case", "kippu"].into_iter().chain(columns.iter().copied());
    table.set_header(header.chain(["best peer over ours"]));
    for (place, first) in rows.iter().enumerate() {
        if rows[..place].iter().any(|row| row.is_beside(first)) {
            continue;
        }
        let beside: Vec<_> = rows.iter().copied().filter(|row| row.is_beside(first)).collect();
        let name = match common(&first.unit) {
            Some(_) => first.case.clone(),
            None => format!("{}, {}", first.case, first.unit),
        };
        let mut cells = vec![name, figure(first.ours)];
        cells.extend(columns.iter().map(|column| {
            let row = beside.iter().find(|row| row.peer == *column);
            row.map_or_else(String::new, |row| figure(row.peer_value))
        }));
        cells.push(best_peer(beside).map_or_else(String::new, Row::ratio_text));
        table.add_row(cells);
    }
    for index in 1..columns.len() + 3 {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::executor::FLOOR;
    use super::*;

    fn row(case: &str, peer: (&str, f64), unit: &str) -> Row {
        Row::new("b", (case, "native"), 2.0, peer, unit)
    }

    #[test]
    fn a_case_is_a_line_and_the_floor_is_the_last_column() {
        let rows = [
            row("c", (FLOOR, 1.0), "ns"),
            row("c", ("p", 6.0), "ns"),
            row("c", ("q", 4.0), "ns"),
            row("d", ("p", 8.0), "ns"),
        ];
        let text = tables(&rows);
        let lines: Vec<_> = text.lines().map(|line| line.replace([' ', '-'], "")).collect();
        assert_eq!(
            lines,
            [
                "native,nsperoperation:",
                "",
                "|case|kippu|p|q|floor|bestpeeroverours|",
                "|||||||",
                "|c|2.00|6.00|4.00|1.00|2.00|",
                "|d|2.00|8.00|||4.00|",
            ]
        );
    }

    #[test]
    fn every_unit_of_time_has_a_table_and_memory_has_one() {
        let rows = ["ns", "instr", "B", "allocations"].map(|unit| row("c", ("p", 1.0), unit));
        let text = tables(&rows);
        assert_eq!(text.matches("| case").count(), 3, "{text}");
        assert!(text.contains("| c, B"), "{text}");
    }
}
