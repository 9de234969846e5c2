//! The report for people: one line per link, beginning with a place that editors and terminals
//! can jump to.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Ansi};

use super::{Report, status_word};
use crate::check::{Finding, Verdict};
use crate::problem::InputError;

/// How much to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// What is wrong.
    Quiet,
    /// And a summary.
    Normal,
    /// And every link.
    Verbose,
}

/// The colours.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    place: Ansi,
    bad: Ansi,
    good: Ansi,
    dim: Ansi,
}

impl Style {
    /// No colours at all.
    pub(crate) fn plain() -> Self {
        Self::default()
    }

    /// For terminals.
    pub(crate) fn coloured() -> Self {
        Self {
            place: Ansi::new().bold(),
            bad: AnsiColor::Red.on_default().bold(),
            good: AnsiColor::Green.on_default(),
            dim: Ansi::new().dimmed(),
        }
    }
}

/// The report without its input errors.
pub(crate) fn to_text(report: &Report, amount: Amount, style: Style) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        if amount == Amount::Verbose || matches!(finding.verdict, Verdict::Broken(_)) {
            line(&mut text, finding, amount, style);
        }
    }
    if amount != Amount::Quiet {
        summary(&mut text, report, style);
    }
    text
}

/// One input error.
pub(crate) fn describe_error(error: &InputError, style: Style) -> String {
    let bad = style.bad;
    format!("{bad}error{bad:#}: {}", printable(&error.to_string()))
}

fn line(text: &mut String, finding: &Finding, amount: Amount, style: Style) {
    let Style { place, bad, good, dim } = style;
    let word = match finding.verdict {
        Verdict::Ok => good,
        Verdict::Broken(_) => bad,
        Verdict::Skipped(_) | Verdict::Unchecked => dim,
    };
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{place}{}:{}{place:#}: {word}{}{word:#} {}",
        printable(&finding.source),
        finding.place,
        status_word(&finding.verdict),
        printable(&finding.url),
    );
    if let Some(target) = &finding.redirected_to {
        let _ = write!(text, " {dim}-> {}{dim:#}", printable(target));
    }
    match &finding.verdict {
        Verdict::Broken(problem) => {
            let _ = write!(text, ": {}", printable(&problem.to_string()));
            if amount == Amount::Verbose
                && let Some(detail) = problem.detail()
            {
                let _ = write!(text, " {dim}({}){dim:#}", printable(detail));
            }
        }
        Verdict::Skipped(skip) => {
            let _ = write!(text, " {dim}({}){dim:#}", skip.kind());
        }
        Verdict::Ok | Verdict::Unchecked => {}
    }
    text.push('\n');
}

fn summary(text: &mut String, report: &Report, style: Style) {
    let summary = report.summary();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let Style { bad, good, .. } = style;
    let verdict = if report.exit_code() == 0 { good } else { bad };
    let _ = write!(
        text,
        "{verdict}{} link{} in {} document{}: {} ok, {} broken, {} skipped",
        summary.links,
        plural(summary.links),
        summary.documents,
        plural(summary.documents),
        summary.ok,
        summary.broken,
        summary.skipped,
    );
    if summary.errors > 0 {
        let _ = write!(text, ", {} error{}", summary.errors, plural(summary.errors));
    }
    let _ = writeln!(text, " ({:.1} s){verdict:#}", report.elapsed.as_secs_f64());
    if report.interrupted {
        let _ = write!(text, "{bad}interrupted{bad:#}: the check is not complete");
        if summary.unchecked > 0 {
            let plural = plural(summary.unchecked);
            let _ = write!(text, ", {} link{plural} not checked", summary.unchecked);
        }
        text.push('\n');
    }
}

/// Text from documents and servers, without what would make a terminal do or hide things.
fn printable(text: &str) -> String {
    let is_unsafe = |char: char| {
        char.is_control()
            // These turn around the direction of what follows.
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut printable = String::with_capacity(text.len());
    for char in text.chars() {
        if is_unsafe(char) {
            printable.extend(char.escape_default());
        } else {
            printable.push(char);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::super::tests::{finding, full};
    use super::*;
    use crate::problem::Problem;

    #[test]
    fn a_normal_report_lists_what_is_wrong_and_sums_up() {
        assert_eq!(
            to_text(&full(), Amount::Normal, Style::plain()),
            "docs/a.md:2:2: broken https://x.example/gone: 404 Not Found\n\
             docs/a.md:3:2: broken http://127.0.0.1:1/: connection refused or unreachable\n\
             5 links in 1 document: 1 ok, 2 broken, 1 skipped, 1 error (1.2 s)\n\
             interrupted: the check is not complete, 1 link not checked\n"
        );
    }

    #[test]
    fn a_verbose_report_lists_everything() {
        let text = to_text(&full(), Amount::Verbose, Style::plain());
        let first: Vec<&str> = text.lines().take(5).collect();
        assert_eq!(
            first,
            [
                "docs/a.md:1:2: ok https://x.example/old -> https://x.example/new",
                "docs/a.md:2:2: broken https://x.example/gone: 404 Not Found",
                "docs/a.md:3:2: broken http://127.0.0.1:1/: connection refused or unreachable (os error 111)",
                "docs/a.md:4:2: skipped mailto:a@x.example (scheme)",
                "docs/a.md:5:2: unchecked https://y.example/",
            ]
        );
    }

    #[test]
    fn a_quiet_report_of_a_good_check_is_empty() {
        let mut report = full();
        report.findings.truncate(1);
        assert_eq!(to_text(&report, Amount::Quiet, Style::plain()), "");
    }

    #[test]
    fn documents_cannot_send_commands_to_the_terminal() {
        let mut report = full();
        report.findings =
            vec![finding(1, "\u{1b}]0;x\u{7}\u{202e}", Verdict::Broken(Problem::Empty))];
        let text = to_text(&report, Amount::Quiet, Style::plain());
        assert_eq!(text, "docs/a.md:1:2: broken \\u{1b}]0;x\\u{7}\\u{202e}: the link is empty\n");
    }

    #[test]
    fn colours_are_only_added() {
        let plain = to_text(&full(), Amount::Verbose, Style::plain());
        let coloured = to_text(&full(), Amount::Verbose, Style::coloured());
        assert!(coloured.contains("\u{1b}["));
        let mut stripped = coloured;
        while let Some(start) = stripped.find('\u{1b}') {
            let end = start + stripped[start..].find('m').unwrap();
            stripped.replace_range(start..=end, "");
        }
        assert_eq!(stripped, plain);
    }
}
