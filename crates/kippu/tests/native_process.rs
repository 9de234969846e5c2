//! What only a whole process shows: standard input and output, Ctrl-C, how a program
//! ends. Each case starts this same binary again in the role that the case names.

#[cfg(unix)]
fn main() {
    match std::env::var("KIPPU_TEST_ROLE") {
        Ok(role) => roles::play(&role),
        Err(_) => cases::run_all(),
    }
}

#[cfg(not(unix))]
fn main() {
    panic!("these cases need pipes and signals of Unix");
}

#[cfg(unix)]
mod roles {
    use std::future::pending;
    use std::io::ErrorKind;
    use std::time::Duration;

    use kippu::io::{stdin, stdout};
    use kippu::time::{sleep, timeout};

    pub(super) fn play(role: &str) {
        let end = kippu::block_on(async {
            match role {
                "lines" => lines().await,
                "mixed" => mixed().await,
                "dropped-read" => dropped_read().await,
                "two-readers" => two_readers().await,
                "parked-read" => parked_read().await,
                "broken-pipe" => broken_pipe().await,
                "prompt" => prompt().await,
                "ctrl-c" => ctrl_c().await,
                "forgotten-read" => {
                    let _ = timeout(Duration::from_millis(50), stdin().read(&mut [0; 1])).await;
                    pending::<()>().await;
                }
                other => panic!("no role {other}"),
            }
        });
        if let Err(error) = end {
            kippu::eprintln!("{error:?}");
            std::process::exit(13);
        }
    }

    async fn lines() {
        loop {
            let mut line = String::new();
            match stdin().read_line(&mut line).await {
                Ok(0) => return,
                Ok(count) => kippu::println!("{count} {:?}", line.get(..9).unwrap_or(&line)),
                Err(error) => kippu::println!("{:?} {line:?}", error.kind()),
            }
        }
    }

    async fn mixed() {
        let (mut line, mut some, mut rest) = (String::new(), [0; 3], Vec::new());
        stdin().read_line(&mut line).await.expect("a line");
        let count = stdin().read(&mut some).await.expect("some");
        stdin().read_to_end(&mut rest).await.expect("the rest");
        let rest = String::from_utf8(rest).expect("text");
        kippu::println!("{line:?} {:?} {rest:?}", std::str::from_utf8(&some[..count]));
    }

    async fn dropped_read() {
        let mut line = String::new();
        let first = timeout(Duration::from_millis(50), stdin().read_line(&mut line)).await;
        kippu::println!("{}", if first.is_err() { "dropped" } else { "too early" });
        // What was typed meanwhile goes to nobody, until somebody asks.
        sleep(Duration::from_millis(200)).await;
        stdin().read_line(&mut line).await.expect("a line");
        kippu::print!("{line}");
    }

    async fn two_readers() {
        let readers = [(); 2].map(|()| {
            kippu::task::spawn(async {
                let mut count = 0;
                loop {
                    let mut line = String::new();
                    if stdin().read_line(&mut line).await.expect("a line") == 0 {
                        return count;
                    }
                    count += 1;
                }
            })
        });
        let mut total = 0;
        for reader in readers {
            total += reader.await.expect("the reader ends");
        }
        kippu::println!("{total}");
    }

    async fn parked_read() {
        drop(kippu::task::spawn(async { stdin().read(&mut [0; 1]).await }));
        sleep(Duration::from_millis(50)).await;
        kippu::println!("done");
    }

    async fn broken_pipe() {
        let line = [b'x'; 1000];
        for _ in 0..10_000 {
            kippu::println!("ignored");
            if let Err(error) = stdout().write_all(&line).await {
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
                assert!(stdout().print(&line).is_err(), "printing tells too");
                std::process::exit(7);
            }
        }
    }

    async fn prompt() {
        kippu::print!("> ");
        let mut line = String::new();
        stdin().read_line(&mut line).await.expect("a line");
        assert!(!stdin().is_terminal() && !stdout().is_terminal());
        assert_eq!(stdout().columns(), None);
    }

    async fn ctrl_c() {
        let others = [(); 2].map(|()| kippu::task::spawn(kippu::signal::ctrl_c()));
        kippu::task::yield_now().await;
        kippu::println!("ready");
        kippu::signal::ctrl_c().await.expect("caught");
        for other in others {
            other.await.expect("the task ends").expect("caught too");
        }
        kippu::println!("caught");
        sleep(Duration::from_secs(30)).await;
    }
}

#[cfg(unix)]
mod cases {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::panic::catch_unwind;
    use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio, exit};
    use std::thread;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process};

    /// No case takes nearly as long.
    const LONG: Duration = Duration::from_secs(20);

    pub(super) fn run_all() {
        let cases: [(&str, fn()); 9] = [
            ("lines", lines),
            ("bytes_and_lines_share_a_buffer", bytes_and_lines_share_a_buffer),
            ("a_dropped_read_loses_nothing", a_dropped_read_loses_nothing),
            ("two_readers_share_the_lines", two_readers_share_the_lines),
            ("a_parked_read_keeps_no_program_alive", a_parked_read_keeps_no_program_alive),
            ("a_forgotten_read_hides_no_deadlock", a_forgotten_read_hides_no_deadlock),
            ("a_reader_that_left_is_an_error_not_a_panic", a_reader_that_left),
            ("a_prompt_is_seen_at_once", a_prompt_is_seen_at_once),
            ("ctrl_c_is_caught_while_awaited_and_ends_otherwise", ctrl_c),
        ];
        let mut failed = 0;
        for (name, case) in cases {
            let outcome = catch_unwind(case);
            failed += usize::from(outcome.is_err());
            println!("case {name} ... {}", if outcome.is_ok() { "ok" } else { "FAILED" });
        }
        println!("{} cases, {failed} failed", cases.len());
        exit(i32::from(failed > 0));
    }

    struct Guest {
        child: Child,
        stdin: Option<ChildStdin>,
        stdout: Option<BufReader<ChildStdout>>,
    }

    impl Guest {
        fn start(role: &str) -> Guest {
            let mut child = Command::new(std::env::current_exe().expect("this binary"))
                .env("KIPPU_TEST_ROLE", role)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("started");
            let stdin = child.stdin.take();
            let stdout = child.stdout.take().map(BufReader::new);
            Guest { child, stdin, stdout }
        }

        fn stdout(&mut self) -> &mut BufReader<ChildStdout> {
            self.stdout.as_mut().expect("open")
        }

        fn write(&mut self, data: impl AsRef<[u8]>) {
            let stdin = self.stdin.as_mut().expect("open");
            stdin.write_all(data.as_ref()).expect("the guest listens");
        }

        fn line(&mut self) -> String {
            let mut line = String::new();
            self.stdout().read_line(&mut line).expect("the guest writes");
            line.trim_end().to_owned()
        }

        fn rest(&mut self) -> String {
            self.stdin = None;
            let mut rest = String::new();
            self.stdout().read_to_string(&mut rest).expect("the guest writes");
            rest
        }

        fn interrupt(&self) {
            let id = Pid::from_child(&self.child);
            kill_process(id, Signal::INT).expect("the guest runs");
        }

        /// How it ended, which it must without its input being closed.
        fn end(&mut self) -> ExitStatus {
            let start = Instant::now();
            loop {
                if let Some(status) = self.child.try_wait().expect("a child of ours") {
                    return status;
                }
                assert!(start.elapsed() < LONG, "the guest does not end");
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    impl Drop for Guest {
        fn drop(&mut self) {
            // It has ended already unless the case failed.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    fn lines() {
        let mut guest = Guest::start("lines");
        guest.write("one\n\ntwo ä\n");
        guest.write(b"bad \xFF\n");
        let long = "x".repeat(1 << 20);
        guest.write(format!("{long}\nno end"));
        let expected = "4 \"one\\n\"\n1 \"\\n\"\n7 \"two ä\\n\"\nInvalidData \"\"\n\
                        1048577 \"xxxxxxxxx\"\n6 \"no end\"\n";
        assert_eq!(guest.rest(), expected);
        assert!(guest.end().success());
    }

    fn bytes_and_lines_share_a_buffer() {
        let mut guest = Guest::start("mixed");
        guest.write("line\nabcdef\nlast");
        assert_eq!(guest.rest(), "\"line\\n\" Ok(\"abc\") \"def\\nlast\"\n");
    }

    fn a_dropped_read_loses_nothing() {
        let mut guest = Guest::start("dropped-read");
        assert_eq!(guest.line(), "dropped");
        guest.write("late\n");
        assert_eq!(guest.line(), "late");
        assert!(guest.end().success());
    }

    fn two_readers_share_the_lines() {
        let mut guest = Guest::start("two-readers");
        for _ in 0..100 {
            guest.write("line\n");
            thread::sleep(Duration::from_micros(100));
        }
        assert_eq!(guest.rest(), "100\n");
        assert!(guest.end().success());
    }

    fn a_parked_read_keeps_no_program_alive() {
        let mut guest = Guest::start("parked-read");
        assert_eq!(guest.line(), "done");
        assert!(guest.end().success());
    }

    fn a_forgotten_read_hides_no_deadlock() {
        let mut guest = Guest::start("forgotten-read");
        assert_eq!(guest.end().code(), Some(13));
    }

    fn a_reader_that_left() {
        let mut guest = Guest::start("broken-pipe");
        assert_eq!(guest.line(), "ignored");
        guest.stdout = None;
        assert_eq!(guest.end().code(), Some(7));
    }

    fn a_prompt_is_seen_at_once() {
        let mut guest = Guest::start("prompt");
        let mut prompt = [0; 2];
        guest.stdout().read_exact(&mut prompt).expect("the guest writes");
        assert_eq!(&prompt, b"> ");
        guest.write("answer\n");
        assert!(guest.end().success());
    }

    fn ctrl_c() {
        let mut guest = Guest::start("ctrl-c");
        assert_eq!(guest.line(), "ready");
        // The main task waits from the moment after that line on.
        thread::sleep(Duration::from_millis(100));
        guest.interrupt();
        assert_eq!(guest.line(), "caught");
        guest.interrupt();
        assert_eq!(guest.end().code(), Some(130));
    }
}
