//! What is wrong: cases that fail, are missing, differ between hosts, or are left out for no reason.

use super::lacks::{self, Lack};
use super::runner::{Outcome, Report};

/// One line for each fault; none when all hosts conform.
pub(super) fn findings(reports: &[Report], names: &[&str]) -> Vec<String> {
    let mut wrong: Vec<String> = names.iter().flat_map(|name| of_case(reports, name)).collect();
    wrong.extend(reports.iter().flat_map(|report| needless(report, lacks::of(report.host))));
    wrong
}

fn of_case(reports: &[Report], name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    for report in reports {
        let host = report.host;
        match report.case(name).map(|case| &case.outcome) {
            None => wrong.push(format!("{name}: missing on {host}")),
            Some(Outcome::Fails(why)) => wrong.push(format!("{name}: fails on {host}: {why}")),
            Some(Outcome::Skipped(group)) if lacks::reason(host, group).is_none() => {
                wrong.push(format!(
                    "{name}: left out on {host} for lack of `{group}`, for which \
                     xtask/src/conformance/lacks.rs gives no reason"
                ));
            }
            Some(Outcome::Skipped(_)) => {}
            Some(Outcome::Holds(detail)) => seen.push((host, detail)),
        }
    }
    if let Some((&(first, expected), others)) = seen.split_first().filter(|_| wrong.is_empty()) {
        for (host, detail) in others.iter().filter(|(_, detail)| *detail != expected) {
            wrong.push(format!("{name}: {first} says {expected:?}, {host} says {detail:?}"));
        }
    }
    wrong
}

/// Reasons that explain nothing: all cases ran.
fn needless(report: &Report, lacks: &[Lack]) -> Vec<String> {
    let skips = |group: &str| {
        let mut cases = report.cases.iter();
        cases.any(|case| matches!(&case.outcome, Outcome::Skipped(skipped) if skipped == group))
    };
    let needless = lacks.iter().filter(|lack| !skips(lack.group));
    needless
        .map(|lack| {
            format!(
                "{} is said to lack `{}` ({}), but no case is left out for it",
                report.host, lack.group, lack.reason
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::super::runner::{Case, parse};
    use super::*;
    use crate::guests::Host;

    const SLEEP: &str = r#"{"case":"time::sleep","ok":true,"detail":"in order"}"#;
    const READ: &str = r#"{"case":"fs::read","ok":true,"detail":"5 bytes"}"#;
    const CATCH: &str = r#"{"case":"panics::catch","ok":true}"#;
    const NO_CATCH: &str = r#"{"case":"panics::catch","skip":"unwind"}"#;
    const NO_READ: &str = r#"{"case":"fs::read","skip":"fs"}"#;
    const NO_SIGNAL: &str = r#"{"case":"runner::interrupt","skip":"signal"}"#;
    const SIGNAL: &str = r#"{"case":"runner::interrupt","ok":true}"#;

    /// What a host makes of these cases, and of one of each group that the tests are not about.
    fn report(host: Host, lines: &[&str]) -> Report {
        let text = format!("{}\n{{\"done\":{}}}", lines.join("\n"), lines.len());
        let mut cases = parse(&text).unwrap();
        cases.extend(["net", "trailers"].map(|group| {
            let outcome = match lacks::reason(host, group) {
                Some(_) => Outcome::Skipped(group.to_owned()),
                None => Outcome::Holds(String::new()),
            };
            Case { name: format!("other::{group}"), outcome }
        }));
        Report { host, cases }
    }

    fn compared(reports: &[Report]) -> Vec<String> {
        findings(reports, &names(reports))
    }

    #[test]
    fn hosts_that_agree_have_no_findings() {
        let reports = [
            report(Host::Native, &[SLEEP, READ, CATCH, SIGNAL]),
            report(Host::Node20, &[SLEEP, READ, NO_CATCH, SIGNAL]),
            report(Host::Firefox, &[SLEEP, NO_READ, NO_CATCH, NO_SIGNAL]),
        ];
        assert_eq!(compared(&reports), Vec::<String>::new());
    }

    #[test]
    fn a_missing_case_is_a_finding() {
        let reports =
            [report(Host::Native, &[SLEEP, READ, CATCH]), report(Host::Node20, &[READ, NO_CATCH])];
        assert_eq!(compared(&reports), ["time::sleep: missing on Node 20"]);
    }

    #[test]
    fn a_failing_case_is_a_finding() {
        let failing = r#"{"case":"fs::read","ok":false,"detail":"no such file"}"#;
        let reports =
            [report(Host::Native, &[READ, CATCH]), report(Host::Bun, &[failing, NO_CATCH])];
        assert_eq!(compared(&reports), ["fs::read: fails on Bun: no such file"]);
    }

    #[test]
    fn a_disagreement_is_a_finding() {
        let other = r#"{"case":"fs::read","ok":true,"detail":"6 bytes"}"#;
        let reports =
            [report(Host::Native, &[READ, CATCH]), report(Host::Node26, &[other, NO_CATCH])];
        assert_eq!(
            compared(&reports),
            ["fs::read: native says \"5 bytes\", Node 26 says \"6 bytes\""]
        );
    }

    #[test]
    fn a_case_that_is_left_out_without_a_reason_is_a_finding() {
        let found = compared(&[report(Host::Deno, &[SLEEP, NO_READ, NO_CATCH])]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("fs::read: left out on Deno for lack of `fs`"), "{found:?}");
    }

    #[test]
    fn a_reason_for_cases_that_run_is_a_finding() {
        let found = compared(&[report(Host::Chromium, &[SLEEP, READ, NO_CATCH, NO_SIGNAL])]);
        assert_eq!(
            found,
            [
                "Chromium is said to lack `fs` (pages have no file system), but no case is left out for it"
            ]
        );
    }
}
