//! The service on its hosts, each time a process of its own on a free port.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Where the service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Native,
    /// As a component for WASI 0.2.
    Wasi02,
    /// As a component for WASI 0.3.
    Wasi03,
}

/// How long a server may take to listen: the host compiles the component first, on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Stops with the test that started it.
pub(crate) struct Server {
    pub(crate) host: Host,
    pub(crate) address: SocketAddr,
    child: Child,
    output: Arc<Mutex<String>>,
}

/// What a test asks of `wasmtime serve`.
#[derive(Default)]
pub(crate) struct Limits {
    /// How many requests an instance gets at most.
    pub(crate) reuse: Option<usize>,
    /// How many bytes of memory an instance may have.
    pub(crate) memory: Option<usize>,
    /// How many resources, streams and the like an instance may have at once.
    pub(crate) handles: Option<usize>,
}

impl Server {
    pub(crate) fn start(host: Host) -> Server {
        Server::start_with(host, Limits::default())
    }

    /// A native server knows none of the limits.
    pub(crate) fn start_with(host: Host, limits: Limits) -> Server {
        let mut command = match host {
            Host::Native => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_http-service"));
                command.arg("127.0.0.1:0");
                command
            }
            Host::Wasi02 => wasmtime("KIPPU_SERVE_P2", &limits),
            Host::Wasi03 => wasmtime("KIPPU_SERVE_P3", &limits),
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let output = Arc::new(Mutex::new(String::new()));
        let (sender, addresses) = mpsc::channel();
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        collect(stdout, output.clone(), sender.clone());
        collect(stderr, output.clone(), sender);
        let Ok(address) = addresses.recv_timeout(START) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{command:?} does not listen: {}", output.lock().expect("no panic"));
        };
        Server { host, address, child, output }
    }

    /// What the server has written so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().expect("no panic").clone()
    }

    /// Waits until the server has written `text`, `times` times.
    pub(crate) fn expect_output(&self, text: &str, times: usize) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.output().matches(text).count() < times {
            assert!(Instant::now() < end, "no {times} times {text:?} in: {}", self.output());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Fails when something has gone wrong in the service or in its host.
    pub(crate) fn expect_no_failures(&self) {
        let output = self.output();
        for bad in ["panicked", "trap", "wasm backtrace", "resource has children", "never invoked"]
        {
            assert!(!output.contains(bad), "{:?} has failed: {output}", self.host);
        }
    }

    /// How much memory the program has, in bytes: of an instance, or of the native process.
    pub(crate) fn memory(&self) -> usize {
        if self.host != Host::Native {
            let text = super::client::Client::connect(self.address).get("/memory").text();
            return text.trim().parse().expect("a number");
        }
        let file = format!("/proc/{}/statm", self.child.id());
        let text = std::fs::read_to_string(file).expect("the system tells");
        let pages: usize = text.split(' ').nth(1).expect("two fields").parse().expect("a number");
        pages * 4096
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{:?} wrote:\n{}", self.host, self.output());
        }
    }
}

fn wasmtime(component: &str, limits: &Limits) -> Command {
    let mut command = Command::new(from_env("KIPPU_WASMTIME"));
    // Sockets and the like are there for the imports only: a server of `wasi:http` uses none.
    command.args(["serve", "-Scli", "--addr", "127.0.0.1:0"]);
    if let Some(reuse) = limits.reuse {
        command.arg(format!("--max-instance-reuse-count={reuse}"));
    }
    if let Some(memory) = limits.memory {
        command.arg(format!("-Wmax-memory-size={memory}"));
    }
    if let Some(handles) = limits.handles {
        command.arg(format!("-Smax-resources={handles}"));
        command.arg(format!("-Smax-component-handles={handles}"));
    }
    command.arg(from_env(component));
    command
}

fn from_env(name: &str) -> OsString {
    std::env::var_os(name).unwrap_or_else(|| {
        panic!("{name} is not set: run `cargo xtask test --step serve`, which builds all of it")
    })
}

/// Keeps what comes, and finds the address in it.
fn collect(
    from: impl Read + Send + 'static,
    output: Arc<Mutex<String>>,
    addresses: mpsc::Sender<SocketAddr>,
) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once("Serving HTTP on http://")
                && let Ok(address) = rest.trim_end_matches('/').parse()
            {
                let _ = addresses.send(address);
            }
            let mut output = output.lock().expect("no panic");
            output.push_str(&line);
            output.push('\n');
        }
    });
}
