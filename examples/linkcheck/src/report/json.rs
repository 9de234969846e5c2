//! The report for programs. The README documents the format.

use serde::Serialize;

use super::{Report, Summary, status_word};
use crate::check::{Finding, Verdict};
use crate::extract::Place;
use crate::problem::{InputError, Problem};

/// Changes when a program that reads the report would have to change.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Root<'a> {
    format: u32,
    interrupted: bool,
    exit_code: u8,
    /// The only thing here that differs from run to run.
    elapsed_ms: u128,
    summary: Summary,
    errors: Vec<InputErrorJson<'a>>,
    links: Vec<LinkJson<'a>>,
}

#[derive(Serialize)]
struct InputErrorJson<'a> {
    source: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
}

#[derive(Serialize)]
struct LinkJson<'a> {
    source: &'a str,
    line: usize,
    column: usize,
    url: &'a str,
    status: &'static str,
    kind: Option<&'a str>,
    http_status: Option<u16>,
    redirected_to: Option<&'a str>,
    message: Option<String>,
}

/// The report as JSON, with a line break at its end.
pub(crate) fn to_json(report: &Report) -> String {
    let root = Root {
        format: FORMAT,
        interrupted: report.interrupted,
        exit_code: report.exit_code(),
        elapsed_ms: report.elapsed.as_millis(),
        summary: report.summary(),
        errors: report.errors.iter().map(error).collect(),
        links: report.findings.iter().map(link).collect(),
    };
    // Nothing in it can fail: its keys are names and its numbers finite.
    let mut json = serde_json::to_string_pretty(&root).unwrap_or_default();
    json.push('\n');
    json
}

fn error(error: &InputError) -> InputErrorJson<'_> {
    let place = error.place();
    InputErrorJson {
        source: &error.source,
        line: place.map(|Place { line, .. }| line),
        column: place.map(|Place { column, .. }| column),
        message: error.problem.to_string(),
    }
}

fn link(finding: &Finding) -> LinkJson<'_> {
    let (kind, message) = match &finding.verdict {
        Verdict::Ok | Verdict::Unchecked => (None, None),
        Verdict::Broken(problem) => (Some(problem.kind()), Some(Problem::to_string(problem))),
        Verdict::Skipped(skip) => (Some(skip.kind()), None),
    };
    LinkJson {
        source: &finding.source,
        line: finding.place.line,
        column: finding.place.column,
        url: &finding.url,
        status: status_word(&finding.verdict),
        kind,
        http_status: finding.status,
        redirected_to: finding.redirected_to.as_deref(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::full;
    use super::*;

    #[test]
    fn the_format_is_the_documented_one() {
        let json: serde_json::Value = serde_json::from_str(&to_json(&full())).unwrap();
        assert_eq!(json["format"], 1);
        assert_eq!(json["interrupted"], true);
        assert_eq!(json["exit_code"], 2);
        assert_eq!(json["summary"]["broken"], 2);
        assert_eq!(json["elapsed_ms"], 1234);
        assert_eq!(
            json["errors"],
            serde_json::json!([{
                "source": "docs/b.md", "line": 3, "column": 7,
                "message": "not valid UTF-8 (byte 120)",
            }])
        );
        assert_eq!(
            json["links"][1],
            serde_json::json!({
                "source": "docs/a.md", "line": 2, "column": 2, "url": "https://x.example/gone",
                "status": "broken", "kind": "status", "http_status": 404, "redirected_to": null,
                "message": "404 Not Found",
            })
        );
        assert_eq!(json["links"][0]["redirected_to"], "https://x.example/new");
        assert_eq!(json["links"][3]["kind"], "scheme");
        assert_eq!(json["links"][4]["status"], "unchecked");
    }

    #[test]
    fn nothing_that_hosts_word_differently_is_in_it() {
        assert!(!to_json(&full()).contains("os error"));
    }
}
