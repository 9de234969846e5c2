//! The HTTP server that the cases talk to.

use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// A running `conformance/http-server.mjs`; it ends when this is dropped, or this process is gone.
pub(crate) struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts it on a port of its own.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        let mut command = workspace.command("node");
        command.arg(workspace.path("conformance/http-server.mjs"));
        let mut child = command
            // Its end is the sign to stop.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start node; install Node 20 or newer from https://nodejs.org")?;
        let stdout = child.stdout.take();
        // From here on it is ended in any case.
        let mut server = Self { child, url: String::new() };
        let stdout = stdout.context("the HTTP server has no standard output")?;
        BufReader::new(stdout).read_line(&mut server.url)?;
        server.url.truncate(server.url.trim_end().len());
        if !server.url.starts_with("http://") {
            bail!("conformance/http-server.mjs did not start; it said {:?}", server.url);
        }
        Ok(server)
    }

    /// Where it listens, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It serves nobody any more; what it leaves behind is nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
