//! wasmtime, which runs components of WASI 0.2 and 0.3: built from the crate registry, once.
//!
//! That takes ten minutes of one core. `cargo xtask test` therefore starts it at once in the background ([`begin`]), where
//! it gets what the other steps leave of the machine, and the first step that needs it waits ([`wasmtime`]).

use super::{Profile, Tool};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The command line program with `run` and `serve`, both versions of WASI, and nothing else.
const WASMTIME: Tool<'_> = Tool {
    package: "wasmtime-cli",
    bin: "wasmtime",
    version: "48.0.8",
    arguments: &["--locked", "--no-default-features", "--features", FEATURES],
    profile: Profile::Quick,
};

/// `cache` keeps what was compiled; `pooling-allocator` is what `serve` uses by default. A guest of ours needs no garbage
/// collector, but wasmtime's own defaults for a component do.
const FEATURES: &str = "run,serve,cranelift,component-model,component-model-async,\
    parallel-compilation,pooling-allocator,cache,gc,gc-drc,gc-null,gc-copying,threads";

/// The wasmtime program that tests use, built on first use. It compiles as fast code as any, but does so itself slowly.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn wasmtime(workspace: &Workspace) -> Result<PathBuf> {
    let building = lock().take();
    if let Some(building) = building {
        building.join()?;
    }
    install(workspace, &WASMTIME)
}

/// The file that tells wasmtime where to keep what it has compiled: beside its program, not in the home folder.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn wasmtime_cache(workspace: &Workspace) -> Result<PathBuf> {
    let root = WASMTIME.root(workspace);
    let file = root.join("cache.toml");
    let folder = serde_json::to_string(&root.join("cache"))?;
    std::fs::write(&file, format!("[cache]\ndirectory = {folder}\n"))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// wasmtime as its users have it, for measuring: built on first use, which takes many minutes.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn wasmtime_optimised(workspace: &Workspace) -> Result<PathBuf> {
    install(workspace, &Tool { profile: Profile::Optimised, ..WASMTIME })
}

fn install(workspace: &Workspace, tool: &Tool<'_>) -> Result<PathBuf> {
    let path = tool.install(workspace)?;
    // More than a gigabyte, for nothing else is built so.
    let rest = workspace.tools().join(tool.profile.folder());
    if rest.is_dir() {
        std::fs::remove_dir_all(&rest)
            .with_context(|| format!("cannot remove {}", rest.display()))?;
    }
    Ok(path)
}

/// Starts to build wasmtime in the background when it is missing. The build ends with the guard.
///
/// # Errors
/// When it cannot be started. What goes wrong later is an error of [`wasmtime`].
pub(crate) fn begin(workspace: &Workspace) -> Result<Background> {
    if !WASMTIME.path(workspace).is_file() {
        let log = workspace.tools().join("wasmtime.log");
        std::fs::create_dir_all(workspace.tools())?;
        *lock() = Some(Building::start(WASMTIME.command(workspace), &log)?);
        println!("wasmtime is being built in the background; its messages: {}", log.display());
    }
    Ok(Background(()))
}

/// Ends the build in the background, if it still runs, when it is dropped.
pub(crate) struct Background(());

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(building) = lock().take() {
            building.end();
        }
    }
}

/// The build in the background that nobody has waited for yet.
static BUILDING: Mutex<Option<Building>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<Building>> {
    BUILDING.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Building {
    child: Child,
    log: PathBuf,
    started: Instant,
}

impl Building {
    /// Starts a command that gets only what others leave of the machine.
    fn start(command: Command, log: &Path) -> Result<Self> {
        let out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = nice(command);
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().context("the build in the background does not start")?;
        Ok(Self { child, log: log.to_owned(), started: Instant::now() })
    }

    fn join(mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            print!("waiting for wasmtime, which is still being built ... ");
            // Shown before the wait.
            let _ = std::io::stdout().flush();
        }
        let waited = Instant::now();
        let status = self.child.wait()?;
        let [all, waited] = [self.started, waited].map(|from| from.elapsed().as_secs());
        if !status.success() {
            let said = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = said.lines().collect();
            let last = lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n");
            bail!(
                "the build in the background failed ({status}) after {all} s; {}\n{last}",
                super::REGISTRY_ADVICE
            );
        }
        println!("the build took {all} s in the background, of which {waited} s were waited for");
        Ok(())
    }

    /// Ends the build and what it has started.
    fn end(mut self) {
        if cfg!(unix) {
            // The compilers, which would go on without cargo.
            let parent = self.child.id().to_string();
            let _ = Command::new("pkill").args(["-KILL", "-P", &parent]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same command, at the lowest priority where there is such a thing.
fn nice(command: Command) -> Command {
    if !cfg!(unix) {
        return command;
    }
    let mut nice = Command::new("nice");
    nice.args(["-n", "19"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        nice.current_dir(folder);
    }
    nice
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn script(text: &str) -> Command {
        let mut command = Command::new("node");
        command.args(["-e", text]).env("KIPPU_TEST_WORD", "given");
        command
    }

    /// A file of its own for each test.
    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("kippu-xtask-{}-{name}.log", std::process::id()))
    }

    #[test]
    fn a_build_that_fails_is_an_error_with_what_it_said() {
        let log = log("fails");
        let command = script("console.error(process.env.KIPPU_TEST_WORD); process.exit(3)");
        let error = Building::start(command, &log).unwrap().join().unwrap_err().to_string();
        std::fs::remove_file(log).unwrap();
        assert!(error.contains("failed") && error.ends_with("\ngiven"), "{error}");
    }

    #[test]
    fn a_build_that_ends_well_is_waited_for() {
        let log = log("ends");
        let command = script("setTimeout(() => console.log('done'), 200)");
        Building::start(command, &log).unwrap().join().unwrap();
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "done\n");
        std::fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_build_that_nobody_waits_for_is_ended_with_what_it_has_started() {
        let log = log("ended");
        // The child of the child holds the pipe of this test open for as long as it runs.
        let mut command = script(
            "require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], \
             { stdio: ['ignore', 'inherit', 'inherit'] }).on('spawn', () => console.log('started'))",
        );
        command.env("KIPPU_TEST_WORD", "unused");
        let building = Building::start(command, &log).unwrap();
        let id = building.child.id();
        let started = Instant::now();
        while std::fs::read_to_string(&log).unwrap().is_empty() {
            assert!(started.elapsed() < Duration::from_secs(20), "it does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        let children = || {
            let list = Command::new("pgrep").args(["-P", &id.to_string()]).output().unwrap();
            String::from_utf8(list.stdout).unwrap()
        };
        let child = children();
        assert!(!child.trim().is_empty(), "it has started another");
        building.end();
        let started = Instant::now();
        let goes_on = || {
            let output = Command::new("kill").args(["-0", child.trim()]).output().unwrap();
            output.status.success()
        };
        while goes_on() {
            assert!(started.elapsed() < Duration::from_secs(10), "process {child} goes on");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::fs::remove_file(log).unwrap();
    }
}
