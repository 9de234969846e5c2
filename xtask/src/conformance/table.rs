//! The tables: of every case for the terminal, of groups of cases for the README.

use super::lacks;
use super::runner::{Outcome, Report};
use comfy_table::{Table, presets::ASCII_MARKDOWN};

/// The reasons for cells without a result, numbered in the order in which they are first needed.
#[derive(Default)]
struct Notes(Vec<&'static str>);

impl Notes {
    /// The mark of a reason: ¹, ², …
    fn mark(&mut self, reason: &'static str) -> String {
        let known = self.0.iter().position(|other| *other == reason);
        let index = known.unwrap_or_else(|| {
            self.0.push(reason);
            self.0.len() - 1
        });
        superscript(index + 1)
    }

    /// A list of Markdown; nothing when there are no reasons.
    fn text(&self) -> String {
        let lines = self.0.iter().enumerate();
        lines.map(|(index, reason)| format!("\n{} {reason}  ", superscript(index + 1))).collect()
    }
}

fn superscript(number: usize) -> String {
    let digits = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let text = number.to_string();
    text.bytes().filter_map(|digit| digits.get(usize::from(digit - b'0'))).collect()
}

fn start(title: &str, reports: &[Report]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    let hosts = reports.iter().map(|report| report.host.to_string());
    table.set_header(std::iter::once(title.to_owned()).chain(hosts));
    table
}

fn finish(table: &Table, notes: &Notes) -> String {
    let notes = notes.text();
    if notes.is_empty() { table.to_string() } else { format!("{table}\n{}", notes.trim_end()) }
}

/// Every case on every host.
pub(super) fn full(reports: &[Report], names: &[&str]) -> String {
    let mut table = start("case", reports);
    let mut notes = Notes::default();
    for name in names {
        let cells =
            reports.iter().map(|report| match report.case(name).map(|case| &case.outcome) {
                Some(Outcome::Holds(_)) => "ok".to_owned(),
                Some(Outcome::Fails(_)) => "FAIL".to_owned(),
                Some(Outcome::Skipped(group)) => match lacks::reason(report.host, group) {
                    Some(reason) => notes.mark(reason),
                    None => "?".to_owned(),
                },
                None => "-".to_owned(),
            });
        let cells: Vec<_> = std::iter::once((*name).to_owned()).chain(cells).collect();
        table.add_row(cells);
    }
    finish(&table, &notes)
}

/// Groups of cases, by the part of their names before the first `::`, and their sum.
pub(super) fn summary(reports: &[Report], names: &[&str]) -> String {
    let mut groups: Vec<&str> = names.iter().map(|name| group(name)).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut table = start("cases", reports);
    let mut notes = Notes::default();
    for name in groups {
        let cells =
            reports.iter().map(|report| cell(report, |case| group(case) == name, &mut notes));
        let cells: Vec<_> = std::iter::once(name.to_owned()).chain(cells).collect();
        table.add_row(cells);
    }
    let sums = reports.iter().map(|report| format!("**{}**", report.passed()));
    let sums: Vec<_> = std::iter::once("**all**".to_owned()).chain(sums).collect();
    table.add_row(sums);
    finish(&table, &notes)
}

/// How many of these cases pass; with the marks of the reasons why the others do not run.
fn cell(report: &Report, is_wanted: impl Fn(&str) -> bool, notes: &mut Notes) -> String {
    let (mut all, mut passed) = (0_usize, 0_usize);
    let mut marks: Vec<String> = Vec::new();
    for case in report.cases.iter().filter(|case| is_wanted(&case.name)) {
        all += 1;
        match &case.outcome {
            Outcome::Holds(_) => passed += 1,
            Outcome::Fails(_) => {}
            Outcome::Skipped(group) => {
                let mark = lacks::reason(report.host, group).map(|reason| notes.mark(reason));
                marks.extend(mark.filter(|mark| !marks.contains(mark)));
            }
        }
    }
    let count = if passed == 0 && !marks.is_empty() {
        "none".to_owned()
    } else {
        format!("{passed} of {all}")
    };
    format!("{count} {}", marks.join(" ")).trim_end().to_owned()
}

fn group(name: &str) -> &str {
    name.split_once("::").map_or(name, |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::super::runner::parse;
    use super::*;
    use crate::guests::Host;

    fn report(host: Host, read: &str, catch: &str) -> Report {
        let text = format!(
            r#"{{"case":"time::sleep","ok":true}}
            {{"case":"fs::read",{read}}}
            {{"case":"panics::catch",{catch}}}
            {{"case":"panics::end","ok":true}}
            {{"done":4}}"#
        );
        Report { host, cases: parse(&text).unwrap() }
    }

    fn reports() -> [Report; 2] {
        [
            report(Host::Native, r#""ok":true"#, r#""ok":true"#),
            report(Host::Firefox, r#""skip":"fs""#, r#""skip":"unwind""#),
        ]
    }

    #[test]
    fn the_summary_counts_and_gives_reasons() {
        let reports = reports();
        let text = summary(&reports, &names(&reports));
        let lines: Vec<_> = text.lines().map(|line| line.replace("  ", "")).collect();
        assert!(lines.contains(&"| fs| 1 of 1 | none ¹ |".to_owned()), "{text}");
        assert!(lines.contains(&"| panics| 2 of 2 | 1 of 2 ² |".to_owned()), "{text}");
        assert!(lines.contains(&"| **all** | **4**| **2**|".to_owned()), "{text}");
        assert!(text.contains("\n¹ pages have no file system"), "{text}");
        assert!(text.contains("\n² a panic cannot be caught"), "{text}");
    }

    #[test]
    fn every_cell_of_the_full_table_is_a_result_or_a_reason() {
        let reports = reports();
        let text = full(&reports, &names(&reports));
        assert!(text.contains("| fs::read      | ok     | ¹       |"), "{text}");
        assert!(text.contains("\n¹ pages have no file system"), "{text}");
    }
}
