//! The programs of this workspace that run on every host, and how they are built and started.

use crate::cmd;
use crate::component::{self, Source, Wasi, Way};
use crate::tools;
use crate::workspace::{WASM, Workspace};
use anyhow::{Result, bail};
use clap::ValueEnum;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that runs natively and as a guest.
pub(crate) struct Guest {
    /// Its package, which is also the name of its binary.
    pub(crate) package: &'static str,
    /// The script that runs it on Node, Deno and Bun: `node SCRIPT GUEST.wasm ARGUMENTS`.
    pub(crate) script: &'static str,
    /// The script that runs it on a page, if it is meant for pages:
    /// `node SCRIPT BROWSER GUEST.wasm ARGUMENTS`.
    page: Option<&'static str>,
    /// The version of WASI whose component is built the small way; the other one is built the usual way.
    small: Wasi,
    /// A folder below cargo's target folder that it sees.
    folder: Option<&'static str>,
    /// Whether its times are shown. Others are built natively without optimisation, as the tests
    /// are, which saves minutes.
    timed: bool,
}

impl Guest {
    /// A real program: checks the links of a folder of documents.
    pub(crate) const LINKCHECK: Self = Self {
        package: "linkcheck",
        script: "examples/linkcheck/main.mjs",
        page: None,
        small: Wasi::P2,
        folder: Some("linkcheck"),
        timed: true,
    };
    /// The conformance cases.
    pub(crate) const CONFORMANCE: Self = Self {
        package: "conformance-guest",
        script: "conformance/node.mjs",
        page: Some("conformance/page.mjs"),
        small: Wasi::P3,
        folder: Some("conformance"),
        timed: false,
    };
    /// What the README shows.
    pub(crate) const QUICKSTART: Self = Self {
        package: "quickstart",
        script: "examples/quickstart/main.mjs",
        page: None,
        small: Wasi::P2,
        folder: None,
        timed: false,
    };
    /// All of them.
    pub(crate) const ALL: [&'static Self; 3] =
        [&Self::LINKCHECK, &Self::CONFORMANCE, &Self::QUICKSTART];
    /// Packages of guests that only the tests of the npm package run, in Node and on pages.
    const OF_TESTS: [&'static str; 8] = [
        "boundary-guest",
        "http-guest",
        "life-guest",
        "page-guest",
        "random-guest",
        "search-guest",
        "types-guest",
        "websearch",
    ];

    /// The packages of all guests.
    pub(crate) fn packages() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|guest| guest.package).chain(Self::OF_TESTS)
    }

    /// The hosts that it is meant for.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = Host> {
        let pages = self.page.is_some();
        Host::value_variants().iter().copied().filter(move |host| pages || host.browser().is_none())
    }
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
    /// Deno
    Deno,
    /// Bun
    Bun,
    /// The main thread of a page in Chromium
    Chromium,
    /// The main thread of a page in Firefox
    Firefox,
    /// WASI 0.2 on wasmtime
    Wasip2,
    /// WASI 0.3 on wasmtime
    Wasip3,
    /// WASI 0.2 on Node, by jco
    Jco,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Node20 => "Node 20",
            Self::Node26 => "Node 26",
            Self::Deno => "Deno",
            Self::Bun => "Bun",
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::Wasip2 => "WASI 0.2",
            Self::Wasip3 => "WASI 0.3",
            Self::Jco => "WASI 0.2 by jco",
        })
    }
}

/// A program that is built and can be started.
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
}

impl Program {
    /// The command that starts it in the root; arguments of the guest come behind its own.
    pub(crate) fn command(&self, workspace: &Workspace) -> Command {
        let mut command = workspace.command(&self.path);
        command.args(&self.arguments).envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Host {
    /// A browser's name in `conformance/browsers.mjs` and its package of Debian.
    fn browser(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Chromium => Some(("chromium", "chromium")),
            Self::Firefox => Some(("firefox", "firefox-esr")),
            _ => None,
        }
    }

    /// The version of WASI of guests there.
    pub(crate) fn wasi(self) -> Option<Wasi> {
        match self {
            Self::Wasip2 | Self::Jco => Some(Wasi::P2),
            Self::Wasip3 => Some(Wasi::P3),
            _ => None,
        }
    }

    /// Installs what this host needs beyond [`crate::setup::guests`], and gives the program that starts scripts, or
    /// components. For the machine itself that is Node, too.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn install(self, workspace: &Workspace) -> Result<PathBuf> {
        match self {
            Self::Node20 => tools::node(workspace, 20),
            Self::Node26 => tools::node(workspace, 26),
            Self::Jco => tools::jco(workspace).and_then(|_| tools::node(workspace, 26)),
            Self::Wasip2 | Self::Wasip3 => tools::wasmtime(workspace),
            Self::Deno => tools::deno(workspace),
            Self::Bun => tools::bun(workspace),
            Self::Native | Self::Chromium | Self::Firefox => {
                if let Some((name, package)) = self.browser() {
                    tools::browser(workspace, name, package)?;
                }
                Ok("node".into())
            }
        }
    }

    /// Builds `guest` for this host and gives the program that runs it.
    ///
    /// # Errors
    /// When the guest does not build, is not meant for this host, or the host's tools are missing.
    pub(crate) fn prepare(self, workspace: &Workspace, guest: &Guest) -> Result<Program> {
        if self == Self::Native {
            let path = build_native(workspace, guest)?;
            return Ok(Program { path, arguments: Vec::new(), env: Vec::new() });
        }
        if let Some(wasi) = self.wasi() {
            let way = if guest.small == wasi { Way::Small } else { Way::Std };
            let component =
                component::build(workspace, &Source::program(guest.package, wasi, way))?;
            // Now, for wasmtime may still be built.
            let path = self.install(workspace)?;
            return self.wasi_program(workspace, guest, path, &component);
        }
        let path = self.install(workspace)?;
        let wasm = build_wasm(workspace, guest.package)?.into();
        let arguments = if let Some((browser, _)) = self.browser() {
            let Some(script) = guest.page else {
                bail!("{} is not meant for pages", guest.package);
            };
            vec![workspace.path(script).into(), browser.into(), wasm]
        } else {
            let flags: &[&str] = match self {
                Self::Deno => &["run", "--quiet", "--no-lock", "--allow-all"],
                Self::Bun => &["run", "--no-install"],
                _ => &[],
            };
            let flags = flags.iter().map(OsString::from);
            flags.chain([workspace.path(guest.script).into(), wasm]).collect()
        };
        let env = match self {
            // Beside its program, not in the home folder.
            Self::Deno => vec![
                ("DENO_DIR", workspace.tools().join("deno-cache").into()),
                ("DENO_NO_UPDATE_CHECK", "1".into()),
            ],
            _ => Vec::new(),
        };
        Ok(Program { path, arguments, env })
    }

    /// The program that runs a component. It sees the root as `.`, and `guest`'s folder where it is.
    fn wasi_program(
        self,
        workspace: &Workspace,
        guest: &Guest,
        path: PathBuf,
        component: &Path,
    ) -> Result<Program> {
        let folder = guest.folder.map(|folder| workspace.target().join(folder));
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder)?;
        }
        if self != Self::Jco {
            let mut arguments: Vec<OsString> = component::RUN.iter().map(OsString::from).collect();
            arguments.extend(["-C".into(), cache_option(workspace)?]);
            arguments.extend(folder.into_iter().flat_map(|folder| ["--dir".into(), folder.into()]));
            arguments.push(component.into());
            return Ok(Program { path, arguments, env: Vec::new() });
        }
        let script = workspace.path("conformance/jco.mjs");
        // Below the folder where it finds jco's packages.
        let made = tools::jco(workspace)?.join("made").join(guest.package);
        let mut command = workspace.command(&path);
        command.arg(&script).arg("transpile").arg(component).arg(&made);
        cmd::run(&mut command, "see jco's messages above")?;
        let name = component.file_stem().unwrap_or_default();
        let program = made.join(name).with_added_extension("js");
        let dirs = std::iter::once(PathBuf::from(".")).chain(folder);
        Ok(Program {
            path,
            arguments: vec![script.into(), "run".into(), program.into()],
            env: vec![("KIPPU_JCO_DIRS", std::env::join_paths(dirs)?)],
        })
    }
}

/// The option that tells wasmtime where its cache is.
fn cache_option(workspace: &Workspace) -> Result<OsString> {
    let mut option = OsString::from("cache-config=");
    option.push(tools::wasmtime_cache(workspace)?);
    Ok(option)
}

/// Builds a guest in release mode and gives its `.wasm` file.
///
/// # Errors
/// When it does not compile.
pub(crate) fn build_wasm(workspace: &Workspace, package: &str) -> Result<PathBuf> {
    build(workspace, package, &["--release", "--target", WASM])?;
    let folder = workspace.target().join(WASM).join("release");
    let program = folder.join(package).with_extension("wasm");
    // Cargo names a library's file as Rust names the library.
    let library = folder.join(package.replace('-', "_")).with_extension("wasm");
    workspace.put_aside(if program.exists() { &program } else { &library }, package)
}

/// Builds a guest for this machine and gives the program.
fn build_native(workspace: &Workspace, guest: &Guest) -> Result<PathBuf> {
    let (folder, arguments): (_, &[&str]) =
        if guest.timed { ("release", &["--release"]) } else { ("debug", &[]) };
    build(workspace, guest.package, arguments)?;
    let path = workspace.target().join(folder).join(guest.package);
    Ok(path.with_extension(std::env::consts::EXE_EXTENSION))
}

fn build(workspace: &Workspace, package: &str, arguments: &[&str]) -> Result<()> {
    let mut command = workspace.cargo("build");
    command.args(["--quiet", "--package", package]).args(arguments);
    cmd::run(&mut command, "see the compiler's messages above")
}
