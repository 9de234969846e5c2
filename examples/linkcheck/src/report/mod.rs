//! What the user gets to see in the end.

mod json;
mod text;

use std::time::Duration;

use crate::check::{Finding, Verdict};
use crate::problem::InputError;

pub(crate) use json::to_json;
pub(crate) use text::{Amount, Style, describe_error, to_text};

/// The result of a check.
#[derive(Debug)]
pub(crate) struct Report {
    /// How many documents were read.
    pub(crate) documents: usize,
    /// Every link, in the order of the inputs and of its place.
    pub(crate) findings: Vec<Finding>,
    /// What could not be read.
    pub(crate) errors: Vec<InputError>,
    /// Whether Ctrl-C ended the check.
    pub(crate) interrupted: bool,
    /// How long the check took.
    pub(crate) elapsed: Duration,
}

/// How many links there are of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Summary {
    pub(crate) documents: usize,
    pub(crate) links: usize,
    pub(crate) ok: usize,
    pub(crate) broken: usize,
    pub(crate) skipped: usize,
    pub(crate) unchecked: usize,
    pub(crate) errors: usize,
}

impl Report {
    /// Counts.
    pub(crate) fn summary(&self) -> Summary {
        let mut summary = Summary {
            documents: self.documents,
            links: self.findings.len(),
            errors: self.errors.len(),
            ..Summary::default()
        };
        for finding in &self.findings {
            *match finding.verdict {
                Verdict::Ok => &mut summary.ok,
                Verdict::Broken(_) => &mut summary.broken,
                Verdict::Skipped(_) => &mut summary.skipped,
                Verdict::Unchecked => &mut summary.unchecked,
            } += 1;
        }
        summary
    }

    /// 0 fine, 1 broken links, 2 something could not be read or was not checked.
    pub(crate) fn exit_code(&self) -> u8 {
        let summary = self.summary();
        if summary.errors > 0 {
            2
        } else if summary.broken > 0 {
            1
        } else if self.interrupted {
            2
        } else {
            0
        }
    }
}

/// One word for a verdict.
fn status_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Broken(_) => "broken",
        Verdict::Skipped(_) => "skipped",
        Verdict::Unchecked => "unchecked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Skip;
    use crate::extract::Place;
    use crate::problem::{FileProblem, Problem};

    pub(super) fn finding(line: usize, url: &str, verdict: Verdict) -> Finding {
        Finding {
            source: "docs/a.md".to_owned(),
            place: Place { line, column: 2 },
            url: url.to_owned(),
            verdict,
            status: None,
            redirected_to: None,
        }
    }

    /// A report with one of everything.
    pub(super) fn full() -> Report {
        let moved = Finding {
            status: Some(200),
            redirected_to: Some("https://x.example/new".to_owned()),
            ..finding(1, "https://x.example/old", Verdict::Ok)
        };
        let missing = Problem::Status { status: 404, asked_wait: None };
        let missing = Finding {
            status: Some(404),
            ..finding(2, "https://x.example/gone", Verdict::Broken(missing))
        };
        let refused = Problem::Request {
            kind: "connect",
            message: "connection refused or unreachable".to_owned(),
            detail: Some("os error 111".to_owned()),
        };
        Report {
            documents: 1,
            findings: vec![
                moved,
                missing,
                finding(3, "http://127.0.0.1:1/", Verdict::Broken(refused)),
                finding(4, "mailto:a@x.example", Verdict::Skipped(Skip::Scheme)),
                finding(5, "https://y.example/", Verdict::Unchecked),
            ],
            errors: vec![InputError {
                source: "docs/b.md".to_owned(),
                problem: FileProblem::NotUtf8 { place: Place { line: 3, column: 7 }, byte: 120 }
                    .into(),
            }],
            interrupted: true,
            elapsed: Duration::from_millis(1234),
        }
    }

    #[test]
    fn everything_is_counted() {
        let summary = full().summary();
        let expected = Summary {
            documents: 1,
            links: 5,
            ok: 1,
            broken: 2,
            skipped: 1,
            unchecked: 1,
            errors: 1,
        };
        assert_eq!(summary, expected);
    }

    #[test]
    fn the_exit_code_tells_the_worst() {
        let mut report = full();
        assert_eq!(report.exit_code(), 2);
        report.errors.clear();
        assert_eq!(report.exit_code(), 1);
        report.findings.retain(|finding| !matches!(finding.verdict, Verdict::Broken(_)));
        assert_eq!(report.exit_code(), 2);
        report.interrupted = false;
        assert_eq!(report.exit_code(), 0);
    }
}
