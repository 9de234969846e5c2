//! Components of WASI: how guests become them, and `cargo xtask component`.

use crate::cmd;
use crate::tools;
use crate::workspace::{WASM, Workspace};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::fmt;
use std::path::{Path, PathBuf};

/// The target whose standard library is WASI's.
pub(crate) const WASIP2: &str = "wasm32-wasip2";

/// The linker that makes components; rustc brings it, and finds it by its name.
pub(crate) const LINKER: &str = "wasm-component-ld";

/// What a program of `wasi:cli` gets from wasmtime: the network, name lookup, HTTP, and the variables of the environment.
pub(crate) const RUN: [&str; 4] =
    ["run", "--dir=.", "-Sinherit-network,allow-ip-name-lookup,http", "-Sinherit-env"];

/// A version of WASI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wasi {
    /// WASI 0.2
    #[value(name = "0.2")]
    P2,
    /// WASI 0.3
    #[value(name = "0.3")]
    P3,
}

impl fmt::Display for Wasi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P2 => "0.2",
            Self::P3 => "0.3",
        })
    }
}

/// A way to make a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// With the standard library of WASI: the target [`WASIP2`].
    Std,
    /// Without it, which makes it smaller: the target [`WASM`], linked by [`LINKER`].
    Small,
}

impl Way {
    fn target(self) -> &'static str {
        match self {
            Self::Std => WASIP2,
            Self::Small => WASM,
        }
    }

    /// The feature of kippu that says which WASI it is; the target says so, too.
    fn feature(self, wasi: Wasi) -> Option<&'static str> {
        match (self, wasi) {
            (Self::Std, Wasi::P2) => None,
            (Self::Small, Wasi::P2) => Some("kippu/wasip2"),
            (_, Wasi::P3) => Some("kippu/wasip3"),
        }
    }
}

#[derive(Args)]
pub(crate) struct Options {
    /// The package to build, such as `linkcheck`
    package: String,
    /// The version of WASI
    #[arg(long, value_enum, default_value = "0.2")]
    wasi: Wasi,
    /// For wasm32-unknown-unknown, which gives a smaller component; what uses Rust's `std` for files, the network or the
    /// clock fails there
    #[arg(long)]
    small: bool,
}

/// Builds a component; says how that is done by hand, where it is, and what runs it.
///
/// # Errors
/// When it does not build.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let Options { package, wasi, small } = options;
    let way = if *small { Way::Small } else { Way::Std };
    tools::rust_target(workspace, way.target())?;
    let Component { path, is_program } = build(workspace, package, *wasi, way)?;
    let features = way.feature(*wasi).map(|name| format!(" --features {name}")).unwrap_or_default();
    let linker = match way {
        Way::Small => format!("{}={LINKER} ", linker_variable()),
        Way::Std => String::new(),
    };
    let file = path.strip_prefix(workspace.path("")).unwrap_or(&path).display();
    let wasmtime = if is_program { RUN.join(" ") } else { "serve -Scli".to_owned() };
    println!(
        "built by   {linker}cargo build --release --package {package} --target {}{features}\n\
         component  {file}, {} bytes\n\
         run by     wasmtime {wasmtime} {file}",
        way.target(),
        path.metadata()?.len(),
    );
    Ok(())
}

/// A component that is built.
pub(crate) struct Component {
    pub(crate) path: PathBuf,
    /// It is a program of `wasi:cli`; else a library, which is a handler of `wasi:http`.
    pub(crate) is_program: bool,
}

/// Builds a package in release mode as a component, and puts it beside the other components.
///
/// # Errors
/// When it does not build, or what is built is no component.
pub(crate) fn build(
    workspace: &Workspace,
    package: &str,
    wasi: Wasi,
    way: Way,
) -> Result<Component> {
    let mut command = workspace.cargo("build");
    command.args(["--quiet", "--release", "--package", package, "--target", way.target()]);
    if let Some(feature) = way.feature(wasi) {
        command.args(["--features", feature]);
    }
    if way == Way::Small {
        command.env(linker_variable(), LINKER);
    }
    cmd::run(&mut command, "see the compiler's messages above")?;
    let folder = workspace.target().join(way.target()).join("release");
    let (built, is_program) = artefact(&folder, package);
    if !built.is_file() {
        bail!("the package {package} has neither a program nor a library of the type `cdylib`");
    }
    // Cargo gives the same file to the next build with other features, such as that of a guest for JavaScript.
    let folder = workspace.target().join("components");
    let path = folder.join(format!("{package}-wasi-{wasi}.wasm"));
    let copy = || -> Result<()> {
        std::fs::create_dir_all(&folder)?;
        // Not into the file itself, which something may be running.
        let new = path.with_extension("new");
        std::fs::copy(&built, &new)?;
        Ok(std::fs::rename(new, &path)?)
    };
    copy().with_context(|| format!("cannot copy {} to {}", built.display(), path.display()))?;
    is_component(&path)?;
    Ok(Component { path, is_program })
}

/// The `.wasm` file of a package in a folder that cargo builds into, and whether it is a program.
pub(crate) fn artefact(folder: &Path, package: &str) -> (PathBuf, bool) {
    let program = folder.join(package).with_extension("wasm");
    if program.exists() {
        return (program, true);
    }
    // Cargo names a library's file as Rust names the library.
    (folder.join(package.replace('-', "_")).with_extension("wasm"), false)
}

/// A plain module would be refused by whatever runs it, with words that help nobody.
fn is_component(path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    // The magic number, the version of the format, and the layer.
    match bytes.get(..8) {
        Some(b"\0asm\x0d\0\x01\0") => Ok(()),
        _ => bail!("{} is no component: does the package use kippu?", path.display()),
    }
}

/// The variable that cargo takes a linker for [`WASM`] from.
pub(crate) fn linker_variable() -> String {
    format!("CARGO_TARGET_{}_LINKER", WASM.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_target_that_says_nothing_needs_a_feature() {
        assert_eq!(Way::Std.feature(Wasi::P2), None);
        assert_eq!(Way::Small.feature(Wasi::P2), Some("kippu/wasip2"));
        assert_eq!(Way::Std.feature(Wasi::P3), Some("kippu/wasip3"));
        assert_eq!(Way::Small.feature(Wasi::P3), Some("kippu/wasip3"));
    }

    #[test]
    fn a_module_is_no_component() {
        let path = std::env::temp_dir().join(format!("kippu-xtask-{}.wasm", std::process::id()));
        std::fs::write(&path, b"\0asm\x01\0\0\0").unwrap();
        let error = is_component(&path).unwrap_err().to_string();
        std::fs::write(&path, b"\0asm\x0d\0\x01\0...").unwrap();
        is_component(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        assert!(error.ends_with("is no component: does the package use kippu?"), "{error}");
    }
}
