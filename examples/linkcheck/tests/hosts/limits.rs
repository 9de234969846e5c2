//! Many links at once.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::support::folder::Folder;
use crate::support::hosts::Scenario;
use crate::support::site::Site;

const MANY: usize = 2_000;

/// `MANY` links to one site, each of them twice.
fn many_links(site: &Site) -> Folder {
    let mut text = String::new();
    for round in 0..2 {
        for number in 0..MANY {
            let _ = writeln!(text, "- [{round}]({})", site.url(&format!("/many/{number}")));
        }
    }
    Folder::with(&[("many.md", &text)])
}

#[test]
fn two_thousand_links_are_asked_for_once_each_and_eight_at_a_time() {
    let site = Site::start();
    let folder = many_links(&site);
    let report = Scenario::new(&folder, &[&site]).json(&["many.md"], |host| {
        let requests = site.requests();
        let distinct: HashSet<_> = requests.iter().collect();
        assert_eq!((requests.len(), distinct.len()), (MANY, MANY), "{host:?}");
        assert_eq!(site.most_at_once(), 8, "{host:?}");
    });
    assert_eq!(report.count("ok"), 2 * MANY as u64);
    assert_eq!(report.code, Some(0));
}

#[test]
fn the_limits_can_be_set() {
    let site = Site::start();
    let folder = many_links(&site);
    for (arguments, most) in [
        (["--per-host", "20", "--concurrency", "12"], 12),
        (["--per-host", "3", "--concurrency", "64"], 3),
        (["--per-host", "32", "--concurrency", "100"], 32),
    ] {
        let arguments: Vec<&str> = arguments.into_iter().chain(["many.md"]).collect();
        let report = Scenario::new(&folder, &[&site]).json(&arguments, |host| {
            assert_eq!(site.most_at_once(), most, "{host:?} {arguments:?}");
        });
        assert_eq!(report.code, Some(0));
    }
}

#[test]
fn a_busy_host_does_not_hold_up_others() {
    let (slow, quick) = (Site::start(), Site::start());
    let mut text = String::new();
    for number in 0..20 {
        let _ = writeln!(text, "<{}>", slow.url(&format!("/silent?{number}")));
    }
    for number in 0..20 {
        let _ = writeln!(text, "<{}>", quick.url(&format!("/many/{number}")));
    }
    let folder = Folder::with(&[("a.md", &text)]);
    let arguments = ["--timeout", "1", "--per-host", "5", "--concurrency", "6", "a.md"];
    let report = Scenario::new(&folder, &[&slow, &quick]).json(&arguments, |host| {
        assert_eq!(slow.most_at_once(), 5, "{host:?}");
        assert_eq!(quick.requests().len(), 20, "{host:?}");
    });
    assert_eq!((report.count("broken"), report.count("ok")), (20, 20));
}
