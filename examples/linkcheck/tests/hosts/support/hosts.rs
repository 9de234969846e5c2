//! The program on its hosts: as a native binary, and as WebAssembly on Node.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use super::folder::Folder;
use super::site::Site;

/// Where the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Native,
    Node,
}

/// All of them.
pub(crate) const HOSTS: [Host; 2] = [Host::Native, Host::Node];

/// What one run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Host {
    /// The command that runs the program in `folder`.
    pub(crate) fn command(self, folder: &Path) -> Command {
        let mut command = match self {
            Self::Native => Command::new(env!("CARGO_BIN_EXE_linkcheck")),
            Self::Node => {
                let mut command = Command::new(node());
                command.arg(manifest("main.mjs")).arg(wasm());
                command
            }
        };
        command
            .current_dir(folder)
            .stdin(Stdio::null())
            // The machine's own settings are not under test.
            .env_remove("NO_COLOR")
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR")
            .env_remove("NODE_EXTRA_CA_CERTS");
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command
    }

    /// Makes the host trust the authority whose certificate is in `file`.
    pub(crate) fn trust(self, command: &mut Command, file: &Path) {
        let name = match self {
            Self::Native => "SSL_CERT_FILE",
            Self::Node => "NODE_EXTRA_CA_CERTS",
        };
        command.env(name, file);
    }
}

/// One scenario that runs on every host.
pub(crate) struct Scenario<'a> {
    folder: &'a Folder,
    sites: &'a [&'a Site],
    authority: Option<PathBuf>,
}

impl<'a> Scenario<'a> {
    /// The program in `folder`, with these sites reset before each run.
    pub(crate) fn new(folder: &'a Folder, sites: &'a [&'a Site]) -> Self {
        Self { folder, sites, authority: None }
    }

    /// Also makes the hosts trust an authority.
    pub(crate) fn trusting(self, file: PathBuf) -> Self {
        Self { authority: Some(file), ..self }
    }

    /// Runs the program on every host, sees to it that all give the same, and returns that.
    /// `after` looks at what each run has done to the sites.
    pub(crate) fn run(&self, arguments: &[&str], after: impl Fn(Host)) -> Ran {
        let runs = HOSTS.map(|host| {
            for site in self.sites {
                site.reset();
            }
            let mut command = host.command(self.folder.root());
            if let Some(file) = &self.authority {
                host.trust(&mut command, file);
            }
            let output = command.args(arguments).output().expect("the program starts");
            let ran = Ran::from(output);
            // Shown only if the test fails.
            eprintln!("{host:?}, exit code {:?}: {}", ran.code, ran.stderr);
            after(host);
            ran
        });
        let [native, node] = runs;
        assert_eq!(native, node, "{arguments:?}: native (left) and Node (right) differ");
        native
    }

    /// [`run`](Self::run) with `--json`, read.
    pub(crate) fn json(&self, arguments: &[&str], after: impl Fn(Host)) -> Report {
        let arguments: Vec<&str> =
            ["--json"].into_iter().chain(arguments.iter().copied()).collect();
        Report::from(self.run(&arguments, after))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
        let stdout = without_elapsed(&text(output.stdout));
        Self { code: output.status.code(), stdout, stderr: text(output.stderr) }
    }
}

/// Takes out the one thing that may differ from run to run, byte by byte the same otherwise.
fn without_elapsed(stdout: &str) -> String {
    let is_elapsed = |line: &&str| line.starts_with("  \"elapsed_ms\": ");
    let kept = stdout.split_inclusive('\n').filter(|line| !is_elapsed(line));
    kept.map(|line| match line.rsplit_once(" (") {
        // The summary of the text report.
        Some((start, end)) if end.ends_with(" s)\n") => format!("{start}\n"),
        _ => line.to_owned(),
    })
    .collect()
}

/// A JSON report.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) json: Value,
}

impl From<Ran> for Report {
    fn from(ran: Ran) -> Self {
        let json = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}\n{}", ran.stdout, ran.stderr));
        Self { code: ran.code, stderr: ran.stderr, json }
    }
}

impl Report {
    /// Every link as `source:line:column url: verdict`.
    pub(crate) fn links(&self) -> Vec<String> {
        let links = self.array("links").iter().zip(self.verdicts());
        links
            .map(|(link, verdict)| {
                let [source, url] = [&link["source"], &link["url"]].map(text);
                format!("{source}:{}:{} {url}: {verdict}", link["line"], link["column"])
            })
            .collect()
    }

    /// Every link's `status [kind] [message]`, as far as it has them.
    pub(crate) fn verdicts(&self) -> Vec<String> {
        let verdict = |link: &Value| {
            let details = ["kind", "message"].map(|field| match link[field].as_str() {
                Some(text) => format!(" [{text}]"),
                None => String::new(),
            });
            format!("{}{}", text(&link["status"]), details.concat())
        };
        self.array("links").iter().map(verdict).collect()
    }

    /// Every input error as the program words it.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.stderr.lines().map(str::to_owned).collect()
    }

    /// A number of the summary.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.json["summary"][name].as_u64().unwrap_or_else(|| panic!("{name} in {}", self.json))
    }

    pub(crate) fn array(&self, name: &str) -> &[Value] {
        self.json[name].as_array().unwrap_or_else(|| panic!("{name} in {}", self.json))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// A path in this package.
fn manifest(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Node, once it is sure that it can run the program.
fn node() -> &'static OsString {
    static NODE: OnceLock<OsString> = OnceLock::new();
    NODE.get_or_init(|| {
        let node = std::env::var_os("NODE").unwrap_or_else(|| "node".into());
        let output = Command::new(&node).arg("--version").output();
        assert!(
            output.is_ok_and(|output| output.status.success()),
            "these tests need Node 20 or newer as `node`, or its path in the variable NODE"
        );
        let package = manifest("../../packages/kippu/dist");
        assert!(
            package.is_dir(),
            "these tests need the npm package: run `npm ci` and `npm run build -w kippu` in the \
             root of the workspace, or `cargo xtask setup`"
        );
        node
    })
}

/// The program as WebAssembly.
fn wasm() -> &'static Path {
    static WASM: OnceLock<PathBuf> = OnceLock::new();
    WASM.get_or_init(|| {
        const TARGET: &str = "wasm32-unknown-unknown";
        // A folder of its own: whoever runs these tests may hold the lock of the usual one.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wasm");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["build", "--package", "linkcheck", "--target", TARGET, "--target-dir"])
            .arg(&folder)
            // Names and line tables of a debug build are most of it, and Node reads all of it.
            .args(["--config", "profile.dev.debug=false", "--config", "profile.dev.strip=true"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo starts");
        assert!(
            output.status.success(),
            "linkcheck does not build for {TARGET}; is that target installed (`rustup target add \
             {TARGET}`)?\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        folder.join(TARGET).join("debug").join("linkcheck.wasm")
    })
}
