//! Ctrl-C.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::folder::Folder;
use crate::support::hosts::{HOSTS, Host, Ran, Report};
use crate::support::site::Site;

/// Starts the program in `folder`.
fn start(host: Host, folder: &Folder, arguments: &[&str]) -> Child {
    host.command(folder.root())
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// What a terminal sends to its program for Ctrl-C.
fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "the signal was not sent");
}

/// The report of a program that must end soon.
fn end(mut child: Child) -> Ran {
    let started = Instant::now();
    while child.try_wait().expect("the child's state").is_none() {
        if started.elapsed() > Duration::from_secs(20) {
            child.kill().expect("the child can be killed");
            panic!("it did not end after Ctrl-C");
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ran::from(child.wait_with_output().expect("its output"))
}

#[test]
fn ctrl_c_cancels_what_is_in_flight_and_reports_what_is_known() {
    let site = Site::start();
    let text = format!("[gone](gone.md)\n<{}>\n<{}>\n", site.url("/ok"), site.url("/silent"));
    let folder = Folder::with(&[("a.md", &text)]);
    let reports = HOSTS.map(|host| {
        site.reset();
        let child = start(host, &folder, &["--json", "a.md"]);
        site.wait_until("both requests", |site| site.requests().len() == 2 && site.at_once() == 1);
        // Until the answer of /ok is taken in.
        thread::sleep(Duration::from_millis(500));
        interrupt(&child);
        let ran = end(child);
        // The server notices that nobody waits any more.
        site.wait_until("the request's end", |site| site.at_once() == 0);
        ran
    });
    assert_eq!(reports[0], reports[1]);
    let [report, _] = reports.map(Report::from);
    assert_eq!(
        report.verdicts(),
        ["broken [not_found] [gone.md: no such file or folder]", "ok", "unchecked"]
    );
    assert_eq!(report.json["interrupted"], true);
    assert_eq!(report.code, Some(1));
}

#[test]
fn an_interrupted_check_without_broken_links_is_no_success() {
    let site = Site::start();
    let folder = Folder::with(&[("a.md", &format!("<{}>\n", site.url("/silent")))]);
    let runs = HOSTS.map(|host| {
        site.reset();
        let child = start(host, &folder, &["a.md"]);
        site.wait_until("the request", |site| site.at_once() == 1);
        interrupt(&child);
        end(child)
    });
    assert_eq!(runs[0], runs[1]);
    assert_eq!(
        runs[0].stdout,
        "1 link in 1 document: 0 ok, 0 broken, 0 skipped\ninterrupted: 1 link not checked\n"
    );
    assert_eq!(runs[0].code, Some(2));
}

#[test]
fn ctrl_c_while_a_page_is_read_reports_too() {
    let site = Site::start();
    let folder = Folder::with(&[("a.md", "[gone](gone.md)\n")]);
    for host in HOSTS {
        site.reset();
        let page = site.url("/silent");
        let child = start(host, &folder, &["--json", "a.md", &page]);
        site.wait_until("the request", |site| site.at_once() == 1);
        interrupt(&child);
        let report = Report::from(end(child));
        assert_eq!(report.verdicts(), ["unchecked"], "{host:?}");
        assert_eq!(report.code, Some(2), "{host:?}");
    }
}
