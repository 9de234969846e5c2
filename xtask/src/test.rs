//! `cargo xtask test`: everything that must hold before a change lands, as named steps.

use crate::cmd;
use crate::component::{self, Source, WASIP2, Wasi, Way};
use crate::conformance;
use crate::demo;
use crate::guests::{Guest, Host};
use crate::imports;
use crate::interop;
use crate::proof::Proof;
use crate::readme;
use crate::setup;
use crate::tools;
use crate::workspace::{WASM, Workspace};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The tests of the npm package that run on every engine.
const PORTABLE: [&str; 8] =
    ["calls", "streams", "values", "services", "http", "random", "late", "life-dump"];

/// The advice of steps whose own messages say it all.
const SEE: &str = "see the messages above";

#[derive(Args)]
pub(crate) struct Options {
    /// Only this step (`setup` always runs); may be given more than once
    #[arg(long = "step", value_name = "NAME")]
    steps: Vec<String>,
    /// Go on after a step has failed
    #[arg(long)]
    keep_going: bool,
    /// Also check the dependencies against the advisory database, which is fetched from the network
    #[arg(long)]
    advisories: bool,
}

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace, &Options) -> Result<()>,
}

const fn step(
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace, &Options) -> Result<()>,
) -> Step {
    Step { name, about, run }
}

/// In this order: what is quick and fails often comes first.
const STEPS: &[Step] = &[
    step("setup", "tools and packages are installed", |workspace, _| {
        setup::but_wasmtime(workspace)
    }),
    step("fmt", "all Rust code is formatted", fmt),
    step("js", "biome and tsc find nothing", js),
    step("deny", "licences, sources and versions of dependencies", deny),
    step("clippy", "clippy finds nothing, natively", clippy),
    step("clippy-wasm", "clippy finds nothing in what guests are built from", clippy_wasm),
    step("clippy-wasi", "clippy finds nothing in what components are built from", clippy_wasi),
    step("clippy-benches", "clippy finds nothing in the benches", clippy_benches),
    step("doc", "rustdoc finds nothing", doc),
    step("no-std", "the executor builds without an operating system", no_std),
    step("rust", "tests of all crates", rust),
    step("node20", "tests of the npm packages on Node 20", |workspace, _| node(workspace, 20)),
    step("node26", "tests of the npm packages on Node 26", |workspace, _| node(workspace, 26)),
    step("browser", "the npm package on pages, by itself and in bundles", browser),
    step("deno", "tests of the npm package on Deno", |workspace, _| {
        let flags = ["test", "--no-check", "--no-lock", "--allow-all", "--v8-flags=--expose-gc"];
        let mut command = workspace.command(tools::deno(workspace)?);
        portable(command.args(flags).env("DENO_DIR", workspace.tools().join("deno-cache")))
    }),
    step("bun", "tests of the npm package on Bun", |workspace, _| {
        portable(workspace.command(tools::bun(workspace)?).arg("test"))
    }),
    step("imports", "guests import what abi/spec.md lists", |workspace, _| {
        imports::check(workspace)
    }),
    step("interop", "guests beside wasm-bindgen's crates", |workspace, _| {
        interop::check(workspace)
    }),
    step("quickstart", "the README's program runs as shown", quickstart),
    step("demo", "linkcheck agrees on both hosts", |workspace, _| {
        demo::run(workspace, &demo::Options::default())
    }),
    step("model", "the executor does what naive models do", |workspace, _| {
        Proof::Model.run(workspace, false)
    }),
    step("loom", "threads and the executor, in every order", |workspace, _| {
        Proof::Loom.run(workspace, false)
    }),
    step("valgrind", "the executor's tests leak nothing", |workspace, _| {
        Proof::Valgrind.run(workspace, false)
    }),
    step("tsan", "the executor's tests race nowhere", |workspace, _| {
        Proof::Tsan.run(workspace, false)
    }),
    step("miri", "the executor's tests do nothing undefined", |workspace, _| {
        Proof::Miri.run(workspace, false)
    }),
    // What needs wasmtime is last: it is built meanwhile.
    step("conformance", "the cases pass on all hosts", |workspace, _| {
        conformance::check(workspace)
    }),
    step("wasi", "examples agree on WASI, natively and through jco", wasi),
    step("serve", "the HTTP service, natively and on `wasmtime serve`", serve),
];

/// The steps that need wasmtime.
const WASMTIME: [&str; 3] = ["conformance", "wasi", "serve"];

/// Runs the steps and prints how many passed and failed.
///
/// # Errors
/// When a step fails or has an unknown name.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let steps = select(&options.steps)?;
    let needs_wasmtime = steps.iter().any(|step| WASMTIME.contains(&step.name));
    let _background = needs_wasmtime.then(|| tools::begin(workspace)).transpose()?;
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let mut failed = 0_usize;
    for step in &steps {
        println!("\n== {}: {}", step.name, step.about);
        let started = Instant::now();
        let outcome = (step.run)(workspace, options);
        let took = started.elapsed();
        times.push((step.name, took));
        match outcome {
            Ok(()) => println!("== {}: passed in {:.1} s", step.name, took.as_secs_f64()),
            Err(error) => {
                failed += 1;
                println!("== {}: FAILED in {:.1} s: {error:#}", step.name, took.as_secs_f64());
                if !options.keep_going {
                    break;
                }
            }
        }
    }
    println!("\nTimes:");
    for (name, took) in &times {
        println!("  {name:<16}{:>7.1} s", took.as_secs_f64());
    }
    let passed = times.len() - failed;
    let left = match steps.len() - times.len() {
        0 => String::new(),
        left => format!(" ({left} not run)"),
    };
    println!("\n{passed} passed, {failed} failed{left}");
    if failed > 0 {
        bail!("cargo xtask test failed");
    }
    Ok(())
}

/// The steps of these names, in the order in which they run. None means all.
fn select(names: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        bail!("there is no step {unknown:?}; the steps are {}", known.join(", "));
    }
    Ok(STEPS
        .iter()
        .filter(|step| {
            names.is_empty() || step.name == "setup" || names.iter().any(|name| name == step.name)
        })
        .collect())
}

fn fmt(workspace: &Workspace, _: &Options) -> Result<()> {
    let advice = "run `cargo fmt --all`, also in benches";
    cmd::run(workspace.cargo("fmt").args(["--all", "--check"]), advice)?;
    let mut benches = cmd::command(cmd::cargo(), &workspace.path("benches"));
    cmd::run(benches.args(["fmt", "--all", "--check"]), advice)
}

fn js(workspace: &Workspace, _: &Options) -> Result<()> {
    cmd::run(workspace.npm().args(["run", "--silent", "lint"]), SEE)?;
    // The host package's build is a check by tsc as well; this one is for what is not built.
    cmd::run(workspace.npm().args(["run", "--silent", "--if-present", "typecheck"]), SEE)
}

fn deny(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut command = workspace.command(tools::cargo_deny(workspace)?);
    command.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    if options.advisories {
        command.arg("advisories");
    } else {
        println!("advisories are not checked: their database needs the network (--advisories)");
    }
    cmd::run(&mut command, "see the messages above and deny.toml")
}

fn clippy(workspace: &Workspace, _: &Options) -> Result<()> {
    let mut command = workspace.cargo("clippy");
    command.args(["--workspace", "--all-targets", "--", "-D", "warnings"]);
    cmd::run(&mut command, SEE)
}

fn clippy_wasm(workspace: &Workspace, _: &Options) -> Result<()> {
    let packages = ["kippu-executor", "kippu"].into_iter().chain(Guest::packages());
    let all: Vec<_> = packages.flat_map(|package| ["--package", package]).collect();
    // What small programs use: the library without its default features.
    let small = ["--package", "kippu", "--no-default-features"];
    for selection in [all.as_slice(), &small] {
        let mut command = workspace.cargo("clippy");
        command.args(selection).args(["--target", WASM, "--", "-D", "warnings"]);
        cmd::run(&mut command, SEE)?;
    }
    Ok(())
}

fn clippy_wasi(workspace: &Workspace, _: &Options) -> Result<()> {
    let guests = Guest::ALL.iter().map(|guest| guest.package);
    let packages = ["kippu", SERVICE, "http-axum"].into_iter().chain(guests);
    let packages: Vec<_> = packages.flat_map(|package| ["--package", package]).collect();
    // Each version of WASI on one of the targets.
    for selection in
        [["--target", WASIP2].as_slice(), &["--target", WASM, "--features", "kippu/wasip3"]]
    {
        let mut command = workspace.cargo("clippy");
        cmd::run(command.args(&packages).args(selection).args(["--", "-D", "warnings"]), SEE)?;
    }
    Ok(())
}

fn clippy_benches(workspace: &Workspace, _: &Options) -> Result<()> {
    let packages = |names: &[&'static str], option: &'static str| -> Vec<&str> {
        names.iter().flat_map(|name| [option, name]).collect()
    };
    let native = packages(&["executor-loops", "executor-native", "wasi-load"], "--package");
    let guests = ["wasi-kippu", "wasi-loops", "wasi-p3", "wasi-raw", "wasi-wstd"];
    let wasi = [packages(&guests, "--package"), vec!["--target", WASIP2]].concat();
    let wasm = [
        vec!["--workspace", "--exclude", "wasi-load", "--target", WASM],
        packages(&guests, "--exclude"),
    ]
    .concat();
    for selection in [native, wasm, wasi] {
        let mut command = cmd::command(cmd::cargo(), &workspace.path("benches"));
        command.args(["clippy", "--locked"]).args(selection);
        // Beside the workspace's own artefacts, where `cargo xtask bench` builds too.
        command.env("CARGO_TARGET_DIR", workspace.target().join("benches"));
        let advice = "see the messages above; if it is the lock file, run \
                      `cargo update --workspace` in benches";
        cmd::run(command.args(["--", "-D", "warnings"]), advice)?;
    }
    Ok(())
}

fn doc(workspace: &Workspace, _: &Options) -> Result<()> {
    let mut command = workspace.cargo("doc");
    command.args(["--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    cmd::run(&mut command, SEE)
}

fn no_std(workspace: &Workspace, _: &Options) -> Result<()> {
    let mut command = workspace.cargo("build");
    command.args(["--package", "kippu-executor", "--no-default-features"]);
    cmd::run(command.args(["--target", setup::BARE]), SEE)
}

fn rust(workspace: &Workspace, _: &Options) -> Result<()> {
    // What has a step of its own, since it needs components.
    let others = ["--workspace", "--exclude", SERVICE];
    cmd::run(workspace.cargo("test").args(others), SEE)
}

fn node(workspace: &Workspace, major: u32) -> Result<()> {
    let mut command = workspace.npm();
    command.args(["test", "--workspaces", "--if-present"]);
    let node = tools::node(workspace, major)?;
    // npm and what it starts look for `node` on PATH.
    if let Some(folder) = node.parent().filter(|folder| *folder != Path::new("")) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders)?);
    }
    cmd::run(&mut command, SEE)
}

fn browser(workspace: &Workspace, _: &Options) -> Result<()> {
    for host in [Host::Chromium, Host::Firefox] {
        host.install(workspace)?;
    }
    let mut command = workspace.npm();
    cmd::run(command.args(["run", "test:browser", "--workspace", "kippu"]), SEE)
}

/// Runs the tests of what an engine's own code is part of: not those of processes and memory, which are Node's.
fn portable(command: &mut Command) -> Result<()> {
    for name in PORTABLE {
        // With the point Bun takes it for a path and not for a part of one.
        command.arg(format!("./packages/kippu/test/{name}.test.mjs"));
    }
    cmd::run(command, SEE)
}

fn quickstart(workspace: &Workspace, _: &Options) -> Result<()> {
    readme::check_files(workspace, "README.md")?;
    let mut hosts = Guest::QUICKSTART.hosts().filter(|host| host.wasi().is_none());
    hosts.try_for_each(|host| quickstart_on(workspace, host))
}

fn quickstart_on(workspace: &Workspace, host: Host) -> Result<()> {
    let mut command = host.prepare(workspace, &Guest::QUICKSTART)?.command(workspace);
    let said = cmd::capture(&mut command, SEE).with_context(|| format!("host {host}"))?;
    let shown = format!("```text\n{said}```");
    if said.trim().is_empty() || !workspace.read("README.md")?.contains(&shown) {
        bail!("on {host} the quick start prints {said:?}, which the README does not show");
    }
    print!("{host}: {said}");
    Ok(())
}

fn wasi(workspace: &Workspace, _: &Options) -> Result<()> {
    let mut hosts = Guest::QUICKSTART.hosts().filter(|host| host.wasi().is_some());
    hosts.try_for_each(|host| quickstart_on(workspace, host))?;
    demo::wasi(workspace)
}

/// The package whose tests start it natively and on `wasmtime serve`.
const SERVICE: &str = "http-service";

fn serve(workspace: &Workspace, _: &Options) -> Result<()> {
    let cargo = ["--no-default-features".to_owned()];
    let component = |wasi, way| {
        let source = Source { package: SERVICE, is_library: true, cargo: &cargo, wasi, way };
        component::build(workspace, &source)
    };
    let p2 = component(Wasi::P2, Way::Small)?;
    let p3 = component(Wasi::P3, Way::Std)?;
    let mut command = workspace.cargo("test");
    command.args(["--package", SERVICE]);
    command.env("KIPPU_SERVE_P2", p2).env("KIPPU_SERVE_P3", p3);
    cmd::run(command.env("KIPPU_WASMTIME", tools::wasmtime(workspace)?), SEE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_steps_run_when_none_is_named() {
        assert_eq!(select(&[]).unwrap().len(), STEPS.len());
    }

    #[test]
    fn named_steps_run_after_setup() {
        let steps = select(&["rust".to_owned(), "fmt".to_owned()]).unwrap();
        let names: Vec<_> = steps.iter().map(|step| step.name).collect();
        assert_eq!(names, ["setup", "fmt", "rust"]);
    }

    #[test]
    fn an_unknown_step_is_an_error_that_lists_the_known_ones() {
        let error = select(&["rusty".to_owned()]).err().map(|error| error.to_string());
        assert!(
            error
                .as_ref()
                .is_some_and(|error| error.contains("\"rusty\"; the steps are setup, fmt"))
        );
    }
}
