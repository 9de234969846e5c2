//! The command line and the text report.

use crate::support::folder::Folder;
use crate::support::hosts::{Ran, Scenario};
use crate::support::site::Site;

fn run(folder: &Folder, arguments: &[&str]) -> Ran {
    Scenario::new(folder, &[]).run(arguments, |_| ())
}

#[test]
fn help_and_version_are_answers() {
    let folder = Folder::new();
    let help = run(&folder, &["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for option in ["--root", "--max-redirects", "--retries", "--json", "Exit code"] {
        assert!(help.stdout.contains(option), "{option} in {}", help.stdout);
    }
    let version = run(&folder, &["--version"]);
    assert_eq!(version.stdout, concat!("linkcheck ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn wrong_usage_is_told_on_standard_error() {
    let folder = Folder::with(&[("a.md", "")]);
    for (arguments, message) in [
        (&[][..], "required arguments were not provided"),
        (&["--jsn", "a.md"], "unexpected argument '--jsn'"),
        (&["--timeout", "soon", "a.md"], "invalid value 'soon' for '--timeout <SECONDS>'"),
        (&["--root", "nowhere", "a.md"], "error: --root nowhere: no such file or folder"),
        (&["--root", "a.md", "a.md"], "error: --root a.md: not a folder"),
        (&["--user-agent", "a\nb", "a.md"], "error: --user-agent: "),
    ] {
        let ran = run(&folder, arguments);
        assert!(ran.stderr.contains(message), "{arguments:?}: {}", ran.stderr);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}");
    }
}

#[test]
fn the_report_for_people_can_be_long_or_short() {
    let site = Site::start();
    let text =
        format!("[a](#a)\n# A\n[b](mailto:b@x.example) [c](<{}>) [d](d.md)\n", site.url("/moved"));
    let folder = Folder::with(&[("a.md", &text)]);
    let sites = [&site];
    let scenario = Scenario::new(&folder, &sites);
    let column = text.lines().nth(2).and_then(|line| line.find("[d]")).unwrap_or_default() + 1;
    let broken = format!("a.md:3:{column}: broken d.md: d.md: no such file or folder\n");
    let summary = "4 links in 1 document: 2 ok, 1 broken, 1 skipped\n";
    let normal = scenario.run(&["a.md"], |_| ());
    assert_eq!(normal.stdout, format!("{broken}{summary}"));
    assert_eq!((normal.code, normal.stderr.as_str()), (Some(1), ""));
    assert_eq!(scenario.run(&["--quiet", "a.md"], |_| ()).stdout, broken);
    let verbose = scenario.run(&["--verbose", "a.md"], |_| ());
    assert_eq!(
        verbose.stdout,
        format!(
            "a.md:1:1: ok #a\na.md:3:1: skipped mailto:b@x.example (scheme)\n\
             a.md:3:25: ok {} -> {}\n{broken}{summary}",
            site.url("/moved"),
            site.url("/page.html"),
        )
    );
}

#[test]
fn a_report_of_nothing_is_a_report() {
    let folder = Folder::with(&[("a.md", "nothing")]);
    let ran = run(&folder, &["a.md"]);
    assert_eq!(ran.stdout, "0 links in 1 document: 0 ok, 0 broken, 0 skipped\n");
    assert_eq!(ran.code, Some(0));
}
