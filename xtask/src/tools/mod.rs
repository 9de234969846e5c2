//! The programs that xtask needs: which versions, where they are, how they are installed.

mod engines;
mod wasmtime;

pub(crate) use engines::{NODES, browser, bun, deno, jco, node, path_node};
pub(crate) use wasmtime::{begin, wasmtime, wasmtime_cache, wasmtime_optimised};

use crate::cmd;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// cargo-deny's version; the lock file format and deny.toml follow it.
const CARGO_DENY: &str = "0.20.2";

/// Where valgrind comes from, and what to do where it does not run.
const VALGRIND_ADVICE: &str = "install valgrind with the system's package manager \
    (`sudo apt-get install valgrind`); benches can do without: `--no-counts`";

/// Makes sure that rustc has the standard library of `target`, with rustup's help.
///
/// # Errors
/// When it is missing and rustup is too, or rustup cannot install it.
pub(crate) fn rust_target(workspace: &Workspace, target: &str) -> Result<()> {
    if has_rust_target(workspace, target)? {
        return Ok(());
    }
    let advice = format!(
        "install the target by hand: `rustup target add {target}`, or your distribution's \
         package of Rust's standard library for it"
    );
    let mut command = workspace.command("rustup");
    command.args(["target", "add", target]);
    cmd::run_with_progress(&mut command, &format!("Rust target {target}"), &advice)?;
    if !has_rust_target(workspace, target)? {
        bail!("rustup installed {target}, but the rustc in use does not see it; is it rustup's?");
    }
    Ok(())
}

fn has_rust_target(workspace: &Workspace, target: &str) -> Result<bool> {
    let mut command = workspace.command("rustc");
    command.args(["--print", "target-libdir", "--target", target]);
    let text = cmd::capture(&mut command, "install Rust with https://rustup.rs")?;
    let Ok(entries) = std::fs::read_dir(text.trim()) else {
        return Ok(false);
    };
    Ok(entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-")))
}

/// Components of the nightly toolchain that `cargo xtask proof` needs.
const NIGHTLY: [&str; 2] = ["miri", "rust-src"];

/// For when rustup is missing, or cannot install a nightly toolchain.
const NIGHTLY_ADVICE: &str = "install Rust by https://rustup.rs, then \
    `rustup toolchain install nightly --profile minimal --component miri --component rust-src`; \
    when the newest nightly comes without Miri, try again the next day";

/// Makes sure that there is a nightly toolchain with Miri and the standard library's source, with rustup's help.
///
/// # Errors
/// When they are missing and rustup is too, or rustup cannot install them.
pub(crate) fn nightly(workspace: &Workspace) -> Result<()> {
    let installed = nightly_components(workspace)?;
    let missing = |list: &str| -> Vec<&str> {
        NIGHTLY.into_iter().filter(|name| !list.contains(name)).collect()
    };
    let mut command = workspace.command("rustup");
    match &installed {
        Some(list) if missing(list).is_empty() => return Ok(()),
        Some(list) => {
            command.args(["component", "add", "--toolchain", "nightly"]).args(missing(list));
        }
        None => {
            command.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
            command.args(NIGHTLY.iter().flat_map(|name| ["--component", name]));
        }
    }
    cmd::run_with_progress(&mut command, "Rust nightly with Miri", NIGHTLY_ADVICE)?;
    let installed = nightly_components(workspace)?;
    if installed.is_none_or(|list| !missing(&list).is_empty()) {
        bail!("rustup says that it has installed Miri, but it is not there; {NIGHTLY_ADVICE}");
    }
    Ok(())
}

/// The components of the nightly toolchain, one a line; `None` when there is no such toolchain.
fn nightly_components(workspace: &Workspace) -> Result<Option<String>> {
    let mut command = workspace.command("rustup");
    let toolchains = cmd::capture(command.args(["toolchain", "list"]), NIGHTLY_ADVICE)?;
    let is_there = toolchains.lines().any(|line| {
        // A digit begins a date: `nightly-2026-01-01` is another toolchain.
        let target = line.strip_prefix("nightly-");
        target.is_some_and(|target| !target.starts_with(|first: char| first.is_ascii_digit()))
    });
    if !is_there {
        return Ok(None);
    }
    let mut command = workspace.command("rustup");
    command.args(["component", "list", "--toolchain", "nightly", "--installed"]);
    cmd::capture(&mut command, NIGHTLY_ADVICE).map(Some)
}

/// cargo-deny, installed on first use.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    let tool = Tool {
        package: "cargo-deny",
        bin: "cargo-deny",
        version: CARGO_DENY,
        arguments: &["--locked"],
        profile: Profile::Debug,
    };
    tool.install(workspace)
}

/// wasm-bindgen's command line program in exactly the version that guests with this lock file are linked with.
///
/// # Errors
/// When the lock file does not tell, or the program cannot be built.
pub(crate) fn wasm_bindgen(workspace: &Workspace, lock: &str) -> Result<PathBuf> {
    let version = locked_version(&workspace.read(lock)?, "wasm-bindgen")
        .with_context(|| format!("{lock} has no package wasm-bindgen"))?;
    // Not locked: its lock file names a release of a dependency that not every registry has. The rest, a runner
    // of tests that fetches browsers' drivers, would take as long again.
    let tool = Tool {
        package: "wasm-bindgen-cli",
        bin: "wasm-bindgen",
        version: &version,
        arguments: &["--no-default-features", "--bin", "wasm-bindgen"],
        profile: Profile::Debug,
    };
    tool.install(workspace)
}

/// The version of a package in a lock file.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    lock.split("[[package]]").find_map(|entry| {
        let field = |name: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(name))?;
            line.strip_prefix(" = \"")?.strip_suffix('"')
        };
        (field("name") == Some(package)).then(|| field("version").map(str::to_owned)).flatten()
    })
}

/// For when a tool cannot be built.
const REGISTRY_ADVICE: &str = "is the crate registry reachable, and is a C compiler installed?";

/// How a tool is built.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    /// Without optimisation, which is quickest.
    Debug,
    /// Optimised a little: for what would be too slow otherwise.
    Quick,
    /// As its authors release it.
    Optimised,
}

impl Profile {
    /// The folder below the tools where this profile is built. It is shared by the tools of the profile, apart from the
    /// workspace's own artefacts, and each has a lock of its own, so that one can be built in the background.
    fn folder(self) -> &'static str {
        match self {
            Self::Debug => "build",
            Self::Quick => "build-quick",
            Self::Optimised => "build-optimised",
        }
    }
}

/// A program from the crate registry, built into the tools folder.
struct Tool<'a> {
    package: &'a str,
    bin: &'a str,
    version: &'a str,
    /// More of `cargo install`.
    arguments: &'a [&'a str],
    profile: Profile,
}

impl Tool<'_> {
    /// A folder per version: switching branches does not build again and again.
    fn root(&self, workspace: &Workspace) -> PathBuf {
        let suffix = if self.profile == Profile::Optimised { "-optimised" } else { "" };
        workspace.tools().join(format!("{}-{}{suffix}", self.package, self.version))
    }

    /// Where the program is when it is built.
    fn path(&self, workspace: &Workspace) -> PathBuf {
        let name = format!("{}{}", self.bin, std::env::consts::EXE_SUFFIX);
        self.root(workspace).join("bin").join(name)
    }

    /// The command that builds it.
    fn command(&self, workspace: &Workspace) -> Command {
        let mut command = workspace.cargo("install");
        command.args([self.package, "--version", self.version, "--root"]);
        command.arg(self.root(workspace)).args(self.arguments);
        match self.profile {
            // Small without symbols.
            Profile::Debug => {
                command.arg("--debug").env("CARGO_PROFILE_DEV_DEBUG", "0");
            }
            Profile::Quick => {
                command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
                command.env("CARGO_PROFILE_RELEASE_LTO", "off");
                command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256");
            }
            Profile::Optimised => {}
        }
        command.env("CARGO_TARGET_DIR", workspace.tools().join(self.profile.folder()));
        command
    }

    /// Gives the program; builds it when this version is not there.
    ///
    /// # Errors
    /// When it cannot be built.
    fn install(&self, workspace: &Workspace) -> Result<PathBuf> {
        let path = self.path(workspace);
        if path.is_file() {
            return Ok(path);
        }
        let title = format!("{} {} (built from source: some minutes)", self.package, self.version);
        cmd::run_with_progress(&mut self.command(workspace), &title, REGISTRY_ADVICE)?;
        Ok(path)
    }
}

/// valgrind, which counts instructions and finds memory errors. Where Debian's `apt-get` may install it, it does.
///
/// # Errors
/// When there is none.
pub(crate) fn valgrind(workspace: &Workspace) -> Result<PathBuf> {
    let path = PathBuf::from("valgrind");
    if workspace.command(&path).arg("--version").output().is_err() {
        apt_install(workspace, "valgrind", VALGRIND_ADVICE)?;
    }
    cmd::capture(workspace.command(&path).arg("--version"), VALGRIND_ADVICE)?;
    Ok(path)
}

/// Installs a package of Debian; does nothing where there is no `apt-get`.
///
/// # Errors
/// When it cannot be installed; the error ends in `advice`.
fn apt_install(workspace: &Workspace, package: &str, advice: &str) -> Result<()> {
    if workspace.command("apt-get").arg("--version").output().is_err() {
        return Ok(());
    }
    let apt = |arguments: &[&str]| {
        let mut command = workspace.command("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        cmd::run_with_progress(&mut command, package, advice)
    };
    let install = ["install", "--yes", "--no-install-recommends", package];
    // Fetches nothing. A fresh system has no lists of packages yet.
    let listed = workspace.command("apt-get").args(["--simulate"]).args(install).output()?;
    if listed.status.success() && apt(&install).is_ok() {
        return Ok(());
    }
    // What old lists name may be gone from the servers.
    apt(&["update"])?;
    apt(&install)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_exactly_the_named_package_is_found() {
        let lock = "version = 4\n\n[[package]]\nname = \"a-b\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        assert_eq!(locked_version(lock, "a").as_deref(), Some("2.0.0"));
        assert_eq!(locked_version(lock, "b"), None);
    }
}
