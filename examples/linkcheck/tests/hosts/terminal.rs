//! What a terminal shows.

use std::io::Read as _;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use unicode_width::UnicodeWidthStr as _;

use crate::support::folder::Folder;
use crate::support::hosts::{HOSTS, Host};
use crate::support::site::Site;

const COLUMNS: u16 = 40;

/// Everything that the program writes to a terminal of `COLUMNS` columns, and its exit code.
fn run(host: Host, folder: &Folder, arguments: &[&str], no_color: &str) -> (String, u32) {
    let size = PtySize { rows: 10, cols: COLUMNS, ..PtySize::default() };
    let pty = native_pty_system().openpty(size).expect("a pseudo terminal");
    let command = host.command(folder.root());
    let mut in_pty = CommandBuilder::new(command.get_program());
    in_pty.args(command.get_args());
    in_pty.args(arguments);
    in_pty.cwd(folder.root());
    in_pty.env("TERM", "xterm");
    in_pty.env("NO_COLOR", no_color);
    let mut child = pty.slave.spawn_command(in_pty).expect("the program starts");
    // Else reading would not end with the program.
    drop(pty.slave);
    let mut output = Vec::new();
    let mut reader = pty.master.try_clone_reader().expect("the terminal's other end");
    // Linux reports the end as an error.
    let _ = reader.read_to_end(&mut output);
    let status = child.wait().expect("its exit code");
    (String::from_utf8(output).expect("the output is UTF-8"), status.exit_code())
}

#[test]
fn a_status_line_is_redrawn_while_the_check_goes_on_and_gone_at_the_end() {
    let site = Site::start();
    let text = format!("<{}>\n<{}>\n[d](d.md)\n", site.url("/ok"), site.url("/silent"));
    let folder = Folder::with(&[("a.md", &text)]);
    for host in HOSTS {
        site.reset();
        let (output, code) = run(host, &folder, &["--timeout", "3", "a.md"], "1");
        let (progress, report) = output.rsplit_once("\r\u{1b}[K").expect("a status line");
        let lines: Vec<&str> = progress.split("\r\u{1b}[K").collect();
        assert!(lines.iter().any(|line| line.contains("2/3 links, 1")), "{host:?}: {lines:?}");
        assert!(lines.len() < 20, "{host:?}: it is redrawn too often: {lines:?}");
        for line in lines {
            assert!(line.width() < usize::from(COLUMNS), "{host:?}: {line:?} wraps");
        }
        assert!(report.starts_with("a.md:2:1: broken http"), "{host:?}: {report:?}");
        assert!(!report.contains('\u{1b}'), "{host:?}: NO_COLOR is set: {report:?}");
        assert_eq!(code, 1, "{host:?}");
    }
}

#[test]
fn the_report_is_coloured_on_a_terminal_and_progress_can_be_off() {
    let folder = Folder::with(&[("a.md", "[d](d.md)")]);
    for host in HOSTS {
        let (output, _) = run(host, &folder, &["--no-progress", "a.md"], "");
        assert!(
            output
                .starts_with("\u{1b}[1ma.md:1:1\u{1b}[0m: \u{1b}[1m\u{1b}[31mbroken\u{1b}[0m d.md"),
            "{host:?}: {output:?}"
        );
        assert!(!output.contains("\u{1b}[K"), "{host:?}: {output:?}");
    }
}
