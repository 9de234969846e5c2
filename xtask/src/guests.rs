//! The programs of this workspace that run on every host, and how they are built and started.

use crate::cmd;
use crate::tools;
use crate::workspace::{WASM, Workspace};
use anyhow::Result;
use clap::ValueEnum;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

/// A program that runs natively and as a guest.
pub(crate) struct Guest {
    /// Its package, which is also the name of its binary.
    pub(crate) package: &'static str,
    /// The script that runs it on Node: `node SCRIPT GUEST.wasm ARGUMENTS`.
    pub(crate) script: &'static str,
    /// Whether its times are shown. Others are built natively without optimisation, as the tests
    /// are, which saves minutes.
    timed: bool,
}

impl Guest {
    /// A real program: checks the links of a folder of documents.
    pub(crate) const LINKCHECK: Self =
        Self { package: "linkcheck", script: "examples/linkcheck/main.mjs", timed: true };
    /// The conformance cases.
    pub(crate) const CONFORMANCE: Self =
        Self { package: "conformance-guest", script: "conformance/node.mjs", timed: false };
    /// What the README shows.
    pub(crate) const QUICKSTART: Self =
        Self { package: "quickstart", script: "examples/quickstart/main.mjs", timed: false };
    /// All of them.
    pub(crate) const ALL: [&'static Self; 3] =
        [&Self::LINKCHECK, &Self::CONFORMANCE, &Self::QUICKSTART];
}

/// Where a guest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Host {
    /// This machine, without WebAssembly
    Native,
    /// The oldest supported Node
    Node20,
    /// The newest Node
    Node26,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Node20 => "Node 20",
            Self::Node26 => "Node 26",
        })
    }
}

impl Host {
    /// Builds `guest` for this host and gives the command that runs it, in the root.
    ///
    /// # Errors
    /// When the guest does not build or the host's tools are missing.
    pub(crate) fn prepare(self, workspace: &Workspace, guest: &Guest) -> Result<Command> {
        let major = match self {
            Self::Native => return Ok(workspace.command(build_native(workspace, guest)?)),
            Self::Node20 => 20,
            Self::Node26 => 26,
        };
        let wasm = build_wasm(workspace, guest)?;
        let mut command = workspace.command(tools::node(workspace, major)?);
        command.arg(workspace.path(guest.script)).arg(wasm);
        Ok(command)
    }
}

/// Builds a guest in release mode and gives its `.wasm` file.
///
/// # Errors
/// When it does not compile.
pub(crate) fn build_wasm(workspace: &Workspace, guest: &Guest) -> Result<PathBuf> {
    build(workspace, guest, &["--release", "--target", WASM])?;
    let path = workspace.target().join(WASM).join("release").join(guest.package);
    Ok(path.with_extension("wasm"))
}

/// Builds a guest for this machine and gives the program.
fn build_native(workspace: &Workspace, guest: &Guest) -> Result<PathBuf> {
    let (folder, arguments): (_, &[&str]) =
        if guest.timed { ("release", &["--release"]) } else { ("debug", &[]) };
    build(workspace, guest, arguments)?;
    let path = workspace.target().join(folder).join(guest.package);
    Ok(path.with_extension(std::env::consts::EXE_EXTENSION))
}

fn build(workspace: &Workspace, guest: &Guest, arguments: &[&str]) -> Result<()> {
    let mut command = workspace.cargo("build");
    command.args(["--quiet", "--package", guest.package]).args(arguments);
    cmd::run(&mut command, "see the compiler's messages above")
}
