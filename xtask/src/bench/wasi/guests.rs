//! The programs that are measured, and how they are built.

use super::{OURS, RAW, WIT_BINDGEN, WSTD};
use crate::bench::boundary::target;
use crate::cmd;
use crate::component::{LINKER, WASIP2, Wasi, linker_variable};
use crate::tools;
use crate::workspace::{WASM, Workspace};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// The profiles of cargo for small programs and quick ones.
pub(super) const SMALL: &str = "small";
pub(super) const FAST: &str = "release";

/// A built program.
pub(super) struct Guest {
    /// Whose it is.
    pub(super) runtime: &'static str,
    /// `cases`, `hello` or `server`.
    pub(super) program: &'static str,
    pub(super) profile: &'static str,
    pub(super) path: PathBuf,
}

/// The programs of a kind.
pub(super) fn of<'a>(
    built: &'a [Guest],
    program: &'a str,
    profile: &'a str,
) -> impl Iterator<Item = &'a Guest> {
    built.iter().filter(move |guest| guest.program == program && guest.profile == profile)
}

/// A package with programs of one runtime.
struct Package {
    runtime: &'static str,
    name: &'static str,
    target: &'static str,
    /// What cargo is to build, beyond libraries and programs.
    arguments: &'static [&'static str],
    /// Programs, and where cargo puts them.
    programs: &'static [(&'static str, &'static str)],
}

/// Each is built as its authors say that it is best. What has no standard library of WASI is smaller, and kippu and the
/// bindings need none.
const P2: &[Package] = &[
    Package {
        runtime: OURS,
        name: "wasi-kippu",
        target: WASM,
        arguments: &["--features", "wasip2"],
        programs: KIPPU,
    },
    Package {
        runtime: WSTD,
        name: "wasi-wstd",
        target: WASIP2,
        arguments: &[],
        programs: &[
            ("cases", "wasi-wstd-cases.wasm"),
            ("hello", "wasi-wstd-hello.wasm"),
            ("server", "wasi-wstd-server.wasm"),
        ],
    },
    Package {
        runtime: RAW,
        name: "wasi-raw",
        target: WASM,
        arguments: &["--lib", "--examples"],
        programs: &[("hello", "examples/wasi_raw_hello.wasm"), ("server", "wasi_raw_server.wasm")],
    },
];

const P3: &[Package] = &[
    Package {
        runtime: OURS,
        name: "wasi-kippu",
        target: WASM,
        arguments: &["--features", "wasip3"],
        programs: KIPPU,
    },
    Package {
        runtime: WIT_BINDGEN,
        name: "wasi-p3",
        target: WASM,
        arguments: &["--examples"],
        programs: &[("cases", "examples/wasi_p3_cases.wasm")],
    },
    Package {
        runtime: RAW,
        name: "wasi-p3",
        target: WASM,
        arguments: &["--lib"],
        programs: &[("server", "wasi_p3_server.wasm")],
    },
];

const KIPPU: &[(&str, &str)] = &[
    ("cases", "wasi-kippu-cases.wasm"),
    ("hello", "wasi-kippu-hello.wasm"),
    ("server", "wasi_kippu_server.wasm"),
];

/// Builds all programs of a version of WASI, in both profiles.
///
/// # Errors
/// When one does not build.
pub(super) fn build(workspace: &Workspace, wasi: Wasi) -> Result<Vec<Guest>> {
    let packages = match wasi {
        Wasi::P2 => P2,
        Wasi::P3 => P3,
    };
    let mut built = Vec::new();
    for package in packages {
        tools::rust_target(workspace, package.target)?;
        for profile in [FAST, SMALL] {
            built.extend(package.build(workspace, wasi, profile)?);
        }
    }
    Ok(built)
}

/// Builds the native side.
///
/// # Errors
/// When it does not build.
pub(super) fn build_load(workspace: &Workspace) -> Result<PathBuf> {
    const NAME: &str = "wasi-load";
    let mut command = cmd::command(cmd::cargo(), &workspace.path("benches"));
    command.args(["build", "--quiet", "--locked", "--package", NAME, "--profile", "native"]);
    command.env("CARGO_TARGET_DIR", target(workspace));
    cmd::run(&mut command, "see the compiler's messages above")?;
    Ok(target(workspace).join("native").join(format!("{NAME}{}", std::env::consts::EXE_SUFFIX)))
}

impl Package {
    fn build(
        &self,
        workspace: &Workspace,
        wasi: Wasi,
        profile: &'static str,
    ) -> Result<Vec<Guest>> {
        let mut command = cmd::command(cmd::cargo(), &workspace.path("benches"));
        command.args(["build", "--quiet", "--locked", "--package", self.name]);
        command.args(["--target", self.target, "--profile", profile]).args(self.arguments);
        // A folder of its own: there is another linker in it than for JavaScript's guests.
        let target = target(workspace).join(format!("wasi-{wasi}"));
        command.env("CARGO_TARGET_DIR", &target);
        if self.target == WASM {
            command.env(linker_variable(), LINKER);
        }
        cmd::run(&mut command, "see the compiler's messages above")?;
        let folder = target.join(self.target).join(profile);
        let mut guests = Vec::new();
        for (program, file) in self.programs {
            let path = folder.join(file);
            path.metadata().with_context(|| format!("cargo did not make {}", path.display()))?;
            guests.push(Guest { runtime: self.runtime, program, profile, path });
        }
        Ok(guests)
    }
}
