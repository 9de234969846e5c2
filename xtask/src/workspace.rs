//! Where things are: the repository's root and cargo's target folder.

use crate::cmd;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The wasm target that guests are built for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The repository that this xtask belongs to.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    /// Asks cargo where the workspace and its target folder are.
    ///
    /// # Errors
    /// When cargo cannot be run or the manifests are broken.
    pub(crate) fn find() -> Result<Self> {
        // At run time, so that a moved checkout works; cargo sets it for `cargo run`.
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let metadata: Metadata = Self::metadata(&manifest_dir)?;
        Ok(Self { root: metadata.workspace_root, target: metadata.target_directory })
    }

    fn metadata(dir: &Path) -> Result<Metadata> {
        let mut command = cmd::command(cmd::cargo(), dir);
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        let text = cmd::capture(&mut command, "is the root Cargo.toml sound?")?;
        serde_json::from_str(&text).context("`cargo metadata` gave something unexpected")
    }

    /// A path below the root.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Cargo's target folder.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where xtask installs the tools that it needs.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// Copies a guest to where no other build puts its own, under a name that tells them apart: cargo gives the same file to the
    /// next build with other features, and the same program is a module for JavaScript hosts and a component for WASI.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub(crate) fn put_aside(&self, built: &Path, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("guests");
        let path = folder.join(format!("{name}.wasm"));
        let copy = || -> Result<()> {
            std::fs::create_dir_all(&folder)?;
            // Not into the file itself, which something may be running.
            let new = path.with_extension("new");
            std::fs::copy(built, &new)?;
            Ok(std::fs::rename(new, &path)?)
        };
        copy().with_context(|| format!("cannot copy {} to {}", built.display(), path.display()))?;
        Ok(path)
    }

    /// A command that starts in the root.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        cmd::command(program, &self.root)
    }

    /// `cargo SUBCOMMAND`, started in the root.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = self.command(cmd::cargo());
        command.arg(subcommand);
        command
    }

    /// `npm`, started in the root.
    pub(crate) fn npm(&self) -> Command {
        self.command(cmd::npm())
    }

    /// The text of a file below the root.
    ///
    /// # Errors
    /// Names the file when it cannot be read.
    pub(crate) fn read(&self, relative: &str) -> Result<String> {
        let path = self.path(relative);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Replaces a file below the root.
    ///
    /// # Errors
    /// Names the file when it cannot be written.
    pub(crate) fn write(&self, relative: &str, text: &str) -> Result<()> {
        let path = self.path(relative);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}
