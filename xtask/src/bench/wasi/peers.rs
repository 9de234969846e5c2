//! Servers that are measured, and those that are measured against.

use crate::cmd;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A native server for guests to talk to.
#[derive(Clone, Copy)]
pub(super) enum Service {
    Echo,
    Http,
}

/// So many requests are under way at any time.
const CONNECTIONS: &str = "32";
/// So long a server is asked at a time.
const MILLISECONDS: &str = "1000";

/// A running server. It ends when this is dropped.
pub(super) struct Served {
    child: Child,
    port: u16,
}

/// What the load generator says.
#[derive(Deserialize)]
struct Load {
    responses: u64,
    nanoseconds: u64,
}

impl Served {
    /// Starts a native server.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn native(load: &Path, service: Service) -> Result<Self> {
        let mut command = Command::new(load);
        command.arg("serve").arg(match service {
            Service::Echo => "echo",
            Service::Http => "http",
        });
        // Its end is the sign to stop, also when this process is gone.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut served = Self::start(&mut command)?;
        let line = first_line(served.child.stdout.take())?;
        served.port = line.parse().with_context(|| format!("the server said {line:?}"))?;
        Ok(served)
    }

    /// Serves a component with `wasmtime serve`.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn component(wasmtime: &Path, component: &Path, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(wasmtime);
        command.args(["serve", "-Scli", "--addr", "127.0.0.1:0"]).args(arguments).arg(component);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut served = Self::start(&mut command)?;
        let line = first_line(served.child.stderr.take())?;
        let port = line.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok());
        let Some(port) = port else {
            bail!("wasmtime does not serve {}; it said {line:?}", component.display());
        };
        served.port = port;
        Ok(served)
    }

    fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_owned();
        let child = command.spawn().with_context(|| format!("cannot start {program:?}"))?;
        Ok(Self { child, port: 0 })
    }

    /// Where it listens on 127.0.0.1.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Asks it for a while, and gives the nanoseconds per response.
    ///
    /// # Errors
    /// When a response is wrong or does not come.
    pub(super) fn ask(&self, load: &Path) -> Result<f64> {
        let mut command = Command::new(load);
        command.arg("load").arg(self.port.to_string());
        command.args(["--connections", CONNECTIONS, "--milliseconds", MILLISECONDS]);
        let text = cmd::capture(&mut command, "the server did not answer as it should")?;
        let load: Load = serde_json::from_str(&text)
            .with_context(|| format!("the load generator printed {text:?}"))?;
        if load.responses == 0 {
            bail!("there was no response");
        }
        Ok(load.nanoseconds as f64 / load.responses as f64)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It serves nobody any more; what it leaves behind is nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line of a pipe, without its end. The rest is read by a thread, so that the pipe does not fill up.
fn first_line(pipe: Option<impl Read + Send + 'static>) -> Result<String> {
    let mut pipe = BufReader::new(pipe.context("the server has no output")?);
    let mut line = String::new();
    pipe.read_line(&mut line)?;
    std::thread::spawn(move || std::io::copy(&mut pipe, &mut std::io::sink()));
    line.truncate(line.trim_end().len());
    Ok(line)
}
