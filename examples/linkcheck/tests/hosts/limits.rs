//! Many links at once.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::support::folder::Folder;
use crate::support::hosts::Scenario;
use crate::support::site::Site;

const MANY: usize = 2_000;

/// Links to `count` pages of a site, each of them twice.
fn links_to(site: &Site, path: &str, count: usize) -> Folder {
    let mut text = String::new();
    for round in 0..2 {
        for number in 0..count {
            let _ = writeln!(text, "- [{round}]({})", site.url(&format!("{path}{number}")));
        }
    }
    Folder::with(&[("many.md", &text)])
}

#[test]
fn two_thousand_links_are_asked_for_once_each_and_eight_at_a_time() {
    let site = Site::start();
    let folder = links_to(&site, "/many/", MANY);
    let report = Scenario::new(&folder, &[&site]).json(&["many.md"], |host| {
        let requests = site.requests();
        let distinct: HashSet<_> = requests.iter().collect();
        assert_eq!((requests.len(), distinct.len()), (MANY, MANY), "{host:?}");
        let most = site.most_at_once();
        assert!((2..=8).contains(&most), "{host:?}: {most} at a time");
    });
    assert_eq!(report.count("ok"), 2 * MANY as u64);
    assert_eq!(report.code, Some(0));
}

#[test]
fn the_limits_can_be_set() {
    let site = Site::start();
    // Late answers, so that the program has the time to begin as many requests as it may.
    let folder = links_to(&site, "/late/", 100);
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
    for number in 0..6 {
        let _ = writeln!(text, "<{}>", slow.url(&format!("/silent?{number}")));
    }
    for number in 0..20 {
        let _ = writeln!(text, "<{}>", quick.url(&format!("/many/{number}")));
    }
    let folder = Folder::with(&[("a.md", &text)]);
    let arguments = ["--timeout", "3", "--per-host", "5", "--concurrency", "6", "a.md"];
    let report = Scenario::new(&folder, &[&slow, &quick]).json(&arguments, |host| {
        // The sixth place of all was free for the quick host until the slow one's first request
        // was given up and made way for its sixth.
        assert_eq!((quick.times().len(), slow.times().len()), (20, 6), "{host:?}");
        assert!(quick.times()[19] < slow.times()[5], "{host:?}");
    });
    assert_eq!((report.count("broken"), report.count("ok")), (6, 20));
}
