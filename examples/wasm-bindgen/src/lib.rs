//! Checks downloads against their SHA-256: a library that is moving over from wasm-bindgen.
//!
//! What is in this file has moved: its exports and the download are functions of Kippu's. What it still needs
//! from wasm-bindgen's crates is in `outside/wasm_bindgen.rs`; `outside/host.rs` is the same without them.

use kippu::HostError;
use kippu::time::{Duration, timeout};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

mod outside;

/// How often a download is tried.
const TRIES: u32 = 3;

/// What is to be checked.
#[derive(Serialize, Deserialize, Schema)]
pub struct File {
    url: String,
    /// As 64 hexadecimal digits.
    sha256: String,
}

/// What became of a file.
#[derive(Serialize, Deserialize, Schema)]
pub enum Verdict {
    /// It is the one that was meant.
    Good,
    /// It has another SHA-256.
    Changed {
        /// The one that it has.
        sha256: String,
    },
    /// It could not be had.
    Unreachable {
        /// Why.
        reason: String,
    },
}

// ANCHOR: download
/// Gives the bytes at a URL.
#[kippu::host]
async fn download(url: &str) -> Result<Vec<u8>, HostError>;
// ANCHOR_END: download

/// Checks all files at the same time. Each download may take `seconds`, and is tried three times.
#[kippu::export]
async fn check(files: Vec<File>, seconds: f64) -> Result<Vec<Verdict>, HostError> {
    let seconds = Duration::try_from_secs_f64(seconds)
        .map_err(|error| HostError::named("RangeError", error.to_string()))?;
    let total = files.len() as u32;
    let tasks: Vec<_> = files
        .into_iter()
        .map(|file| kippu::task::spawn(async move { verdict(&file, seconds).await }))
        .collect();
    let mut verdicts = Vec::new();
    for task in tasks {
        verdicts.push(task.await.map_err(|error| HostError::new(error.to_string()))?);
        outside::progress(verdicts.len() as u32, total);
    }
    Ok(verdicts)
}

async fn verdict(file: &File, seconds: Duration) -> Verdict {
    let sha256 = match fetch(&file.url, seconds).await {
        Ok(bytes) => outside::sha256(&bytes).await,
        Err(error) => Err(error),
    };
    match sha256 {
        Ok(sha256) if sha256.eq_ignore_ascii_case(&file.sha256) => Verdict::Good,
        Ok(sha256) => Verdict::Changed { sha256 },
        Err(error) => Verdict::Unreachable { reason: error.to_string() },
    }
}

/// The bytes at `url`, after the first try that does not fail.
async fn fetch(url: &str, seconds: Duration) -> Result<Vec<u8>, HostError> {
    let mut tried = 1;
    loop {
        let error = match timeout(seconds, download(url)).await {
            Ok(Ok(bytes)) => return Ok(bytes),
            Ok(Err(error)) => error,
            // Dropping the download has cancelled it: the host's `AbortSignal` has aborted.
            Err(_) => HostError::named("TimeoutError", "the download took too long"),
        };
        if tried == TRIES {
            return Err(error);
        }
        outside::pause(100 << tried).await;
        tried += 1;
    }
}
