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

/// What a handler of `wasi:http` gets: the rest of `wasi:cli` as well, which Kippu uses.
const SERVE: &[&str] = &["serve", "-Scli", "--addr=127.0.0.1:8080"];

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

/// What a component is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) package: &'a str,
    /// Its library, which is a handler of `wasi:http`; else its program, which is one of `wasi:cli`.
    pub(crate) is_library: bool,
    /// More for `cargo build`.
    pub(crate) cargo: &'a [String],
    pub(crate) wasi: Wasi,
    pub(crate) way: Way,
}

impl<'a> Source<'a> {
    /// The program of a package.
    pub(crate) fn program(package: &'a str, wasi: Wasi, way: Way) -> Self {
        Self { package, is_library: false, cargo: &[], wasi, way }
    }

    /// The arguments of `cargo`.
    fn arguments(&self) -> Vec<&'a str> {
        let mut arguments = vec!["build", "--release", "--package", self.package];
        arguments.extend(["--target", self.way.target()]);
        arguments.push(if self.is_library { "--lib" } else { "--bins" });
        if let Some(feature) = self.way.feature(self.wasi) {
            arguments.extend(["--features", feature]);
        }
        arguments.extend(self.cargo.iter().map(String::as_str));
        arguments
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
    /// The package's library, which is a handler of `wasi:http`, and not its program
    #[arg(long)]
    lib: bool,
    /// More for `cargo build`, such as `--no-default-features`
    #[arg(last = true)]
    cargo: Vec<String>,
}

/// Builds a component; says how that is done by hand, where it is, and what runs it.
///
/// # Errors
/// When it does not build.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let Options { package, wasi, small, lib, cargo } = options;
    let way = if *small { Way::Small } else { Way::Std };
    let source = Source { package, is_library: *lib, cargo, wasi: *wasi, way };
    tools::rust_target(workspace, way.target())?;
    let path = build(workspace, &source)?;
    let linker = match way {
        Way::Small => format!("{}={LINKER} ", linker_variable()),
        Way::Std => String::new(),
    };
    let file = path.strip_prefix(workspace.path("")).unwrap_or(&path).display();
    println!(
        "built by   {linker}cargo {}\n\
         component  {file}, {} bytes\n\
         run by     wasmtime {} {file}",
        source.arguments().join(" "),
        path.metadata()?.len(),
        if *lib { SERVE } else { &RUN }.join(" "),
    );
    Ok(())
}

/// Builds a component in release mode, and puts it beside the guests of other hosts.
///
/// # Errors
/// When it does not build, or what is built is no component.
pub(crate) fn build(workspace: &Workspace, source: &Source<'_>) -> Result<PathBuf> {
    let Source { package, is_library, wasi, way, .. } = *source;
    let mut command = workspace.command(cmd::cargo());
    command.args(source.arguments()).arg("--quiet");
    if way == Way::Small {
        command.env(linker_variable(), LINKER);
    }
    cmd::run(&mut command, "see the compiler's messages above")?;
    // Cargo names a library's file as Rust names the library.
    let name = if is_library { package.replace('-', "_") } else { package.to_owned() };
    let built = workspace.target().join(way.target()).join("release").join(name);
    let built = built.with_added_extension("wasm");
    let path = workspace.put_aside(&built, &format!("{package}-wasi-{wasi}"))?;
    is_component(&path)?;
    Ok(path)
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
    fn a_program_and_a_library_are_built_as_such() {
        let source = Source::program("linkcheck", Wasi::P3, Way::Small);
        let expected = "build --release --package linkcheck --target wasm32-unknown-unknown --bins \
                        --features kippu/wasip3";
        assert_eq!(source.arguments().join(" "), expected);
        let cargo = ["--no-default-features".to_owned()];
        let source = Source {
            package: "http-service",
            is_library: true,
            cargo: &cargo,
            wasi: Wasi::P2,
            way: Way::Std,
        };
        let expected = "build --release --package http-service --target wasm32-wasip2 --lib \
                        --no-default-features";
        assert_eq!(source.arguments().join(" "), expected);
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
