//! Ctrl-C.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
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
    wait(&mut child);
    Ran::from(child.wait_with_output().expect("its output"))
}

/// Waits for a program that must end soon.
fn wait(child: &mut Child) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("the child's state") {
            return status;
        }
        if started.elapsed() > Duration::from_secs(20) {
            child.kill().expect("the child can be killed");
            panic!("it did not end after Ctrl-C");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn ctrl_c_cancels_what_is_in_flight_and_reports_what_is_known() {
    let site = Site::start();
    let text = format!("[gone][nope]\n<{}>\n<{}>\n", site.url("/ok"), site.url("/silent"));
    let folder = Folder::with(&[("a.md", &text)]);
    let reports = HOSTS.map(|host| {
        site.reset();
        // One at a time: when the second request comes, the answer to the first is taken in.
        let child = start(host, &folder, &["--json", "--per-host", "1", "a.md"]);
        site.wait_until("the second request", |site| site.methods("/silent").len() == 1);
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
        ["broken [reference] [no definition of [nope] in this document]", "ok", "unchecked"]
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
        "1 link in 1 document: 0 ok, 0 broken, 0 skipped\n\
         interrupted: the check is not complete, 1 link not checked\n"
    );
    assert_eq!(runs[0].code, Some(2));
}

#[test]
fn ctrl_c_while_inputs_are_read_reports_too() {
    let site = Site::start();
    let folder = Folder::new();
    let runs = HOSTS.map(|host| {
        site.reset();
        let page = site.url("/silent");
        let child = start(host, &folder, &["missing.md", &page]);
        site.wait_until("the request", |site| site.at_once() == 1);
        interrupt(&child);
        end(child)
    });
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0].stderr, "error: missing.md: no such file or folder\n");
    assert_eq!(
        runs[0].stdout,
        "0 links in 0 documents: 0 ok, 0 broken, 0 skipped, 1 error\n\
         interrupted: the check is not complete\n"
    );
    assert_eq!(runs[0].code, Some(2));
}

#[test]
fn a_second_ctrl_c_ends_a_program_that_cannot_finish_its_report() {
    let site = Site::start();
    let text = format!("<{}>\n", site.url("/silent")).repeat(2_000);
    let folder = Folder::with(&[("a.md", &text)]);
    for host in HOSTS {
        site.reset();
        let mut child = start(host, &folder, &["--json", "a.md"]);
        site.wait_until("the request", |site| site.at_once() == 1);
        interrupt(&child);
        // Nobody reads more than the start of the report, and the rest is more than a pipe holds.
        let mut stdout = child.stdout.take().expect("its output");
        stdout.read_exact(&mut [0]).expect("the report's start");
        interrupt(&child);
        let status = wait(&mut child);
        assert!(status.signal() == Some(2) || status.code() == Some(130), "{host:?}: {status}");
    }
}
