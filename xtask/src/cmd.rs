//! Starting other programs, with errors that say what failed and what to do about it.

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The cargo that runs this xtask.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// npm's name, which is a script on Windows.
pub(crate) fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

/// A command that starts in `dir`.
///
/// The variables that `cargo run` sets about the package xtask are taken away: build scripts that
/// watch them (ring's does) would otherwise run again whenever xtask and plain cargo take turns.
pub(crate) fn command(program: impl AsRef<OsStr>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command whose output the user sees as it comes.
///
/// # Errors
/// When it cannot be started or fails; the error names the command line and ends in `advice`.
pub(crate) fn run(command: &mut Command, advice: &str) -> Result<()> {
    let status = command.status().map_err(|error| not_started(command, error, advice))?;
    check(command, status, advice)
}

/// Runs a command and gives its standard output. Its standard error goes to the user.
///
/// # Errors
/// As [`run`], and when the output is not UTF-8.
pub(crate) fn capture(command: &mut Command, advice: &str) -> Result<String> {
    command.stderr(Stdio::inherit());
    let output = command.output().map_err(|error| not_started(command, error, advice))?;
    check(command, output.status, advice)?;
    String::from_utf8(output.stdout)
        .with_context(|| format!("the output of `{}` is not UTF-8", line(command)))
}

/// What a program said, and its exit code.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

/// What a program that runs is given.
#[derive(Default)]
pub(crate) struct Given<'a> {
    /// Its standard input.
    pub(crate) input: &'a [u8],
    /// It is interrupted (SIGINT) when it has printed this line.
    pub(crate) interrupt_at: Option<&'a str>,
}

/// Runs a command without standard input and gives all it says, whatever its exit code is.
///
/// # Errors
/// As [`converse`].
pub(crate) fn capture_all(command: &mut Command, limit: Duration, advice: &str) -> Result<Said> {
    converse(command, &Given::default(), limit, advice)
}

/// Runs a command with a standard input, and gives all it says, whatever its exit code is.
///
/// # Errors
/// When it cannot be started, does not end within `limit` (it is killed then) or ends without an
/// exit code, and when it says something that is not UTF-8.
pub(crate) fn converse(
    command: &mut Command,
    given: &Given<'_>,
    limit: Duration,
    advice: &str,
) -> Result<Said> {
    let stdin = if given.input.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| not_started(command, error, advice))?;
    if let Some(mut stdin) = child.stdin.take() {
        let input = given.input.to_owned();
        // A program that ends early does not read all; whether it should is not judged here.
        std::thread::spawn(move || stdin.write_all(&input));
    }
    let interrupt = given.interrupt_at.map(|line| (line.to_owned(), child.id()));
    let out = read_beside(child.stdout.take(), interrupt);
    let err = read_beside(child.stderr.take(), None);
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            bail!("`{}` did not end within {} s", line(command), limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = |reader: JoinHandle<std::io::Result<Vec<u8>>>| {
        let bytes = reader.join().ok().context("the reading thread panicked")??;
        String::from_utf8(bytes)
            .with_context(|| format!("what `{}` says is not UTF-8", line(command)))
    };
    let (out, err) = (text(out)?, text(err)?);
    let Some(code) = status.code() else {
        bail!("`{}` was ended: {status}\n{err}", line(command));
    };
    Ok(Said { out, err, code })
}

/// Reads a pipe in a thread of its own: the program could fill one pipe while we read the other. The process
/// of this number is interrupted after this line.
fn read_beside(
    pipe: Option<impl Read + Send + 'static>,
    interrupt: Option<(String, u32)>,
) -> JoinHandle<std::io::Result<Vec<u8>>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let Some(pipe) = pipe else { return Ok(bytes) };
        let mut pipe = BufReader::new(pipe);
        if let Some((line, process)) = interrupt {
            let mut start = 0;
            while pipe.read_until(b'\n', &mut bytes)? > 0 {
                if bytes.get(start..).is_some_and(|said| said.trim_ascii() == line.as_bytes()) {
                    Command::new("kill").args(["-INT", &process.to_string()]).status()?;
                    break;
                }
                start = bytes.len();
            }
        }
        pipe.read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// Runs a long command behind a line of progress: `title`, the time, and the latest line that the
/// command said. Where there is no terminal it prints when the command starts and ends.
///
/// # Errors
/// As [`run`]; all that the command said on standard error is printed first.
pub(crate) fn run_with_progress(command: &mut Command, title: &str, advice: &str) -> Result<()> {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {prefix} [{elapsed}] {wide_msg}")?);
    bar.set_prefix(title.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    if bar.is_hidden() {
        println!("{title} ...");
    }
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(command, error, advice))?;
    let said = follow(&mut child, &bar)?;
    let status = child.wait()?;
    bar.finish_and_clear();
    if !status.success() {
        eprint!("{said}");
    }
    check(command, status, advice)?;
    println!("{title}: done in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn follow(child: &mut Child, bar: &ProgressBar) -> Result<String> {
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        let mut reader = BufReader::new(stderr);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes)? > 0 {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            bar.set_message(text.trim().to_owned());
            said.push_str(&text);
            bytes.clear();
        }
    }
    Ok(said)
}

fn check(command: &Command, status: ExitStatus, advice: &str) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    bail!("`{}` failed ({status}); {advice}", line(command))
}

fn not_started(command: &Command, error: std::io::Error, advice: &str) -> anyhow::Error {
    let program = command.get_program().to_string_lossy();
    if error.kind() == ErrorKind::NotFound {
        return anyhow::anyhow!("`{program}` was not found; {advice}");
    }
    anyhow::anyhow!("`{program}` cannot be started: {error}; {advice}")
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_the_advice() {
        let mut command = command("kippu-no-such-program", Path::new("."));
        let error = run(&mut command, "install it").unwrap_err().to_string();
        assert_eq!(error, "`kippu-no-such-program` was not found; install it");
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let mut command = command("node", Path::new("."));
        command.args(["-e", "setInterval(() => {}, 1000)"]);
        let error = capture_all(&mut command, Duration::from_millis(300), "").err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.ends_with("did not end within 0 s"), "{error}");
    }

    #[test]
    fn a_program_gets_its_input_and_is_interrupted_at_the_line() {
        let mut cat = command("cat", Path::new("."));
        let input = "line\n".repeat(100_000);
        let given = Given { input: input.as_bytes(), interrupt_at: None };
        let said = converse(&mut cat, &given, Duration::from_secs(20), "").unwrap();
        assert_eq!((said.out == input, said.code), (true, 0));

        let mut node = command("node", Path::new("."));
        node.args([
            "-e",
            "process.on('SIGINT', () => process.exit(9)); setInterval(() => {}, 1000); \
             console.log('not yet'); console.log('now')",
        ]);
        let given = Given { input: &[], interrupt_at: Some("now") };
        let said = converse(&mut node, &given, Duration::from_secs(20), "").unwrap();
        assert_eq!((said.out.as_str(), said.code), ("not yet\nnow\n", 9));
    }

    #[test]
    fn a_failing_program_is_named_with_its_arguments_and_the_advice() {
        let mut command = command(cargo(), Path::new("."));
        command.arg("no-such-subcommand").stderr(Stdio::null());
        let error = run(&mut command, "try another").unwrap_err().to_string();
        assert!(error.contains("no-such-subcommand` failed"), "{error}");
        assert!(error.ends_with("try another"), "{error}");
    }
}
