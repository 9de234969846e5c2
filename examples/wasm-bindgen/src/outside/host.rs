//! By Kippu, and functions of the host.

use kippu::HostError;
use kippu::time::{Duration, sleep};

/// After every file.
#[kippu::host(name = "progress")]
fn told(done: u32, total: u32);

/// Tells the host.
pub(crate) fn progress(done: u32, total: u32) {
    told(done, total);
}

// ANCHOR: sha256
/// The SHA-256 of some bytes.
#[kippu::host]
async fn digest(bytes: &[u8]) -> Result<Vec<u8>, HostError>;

/// The SHA-256 of `bytes` in hexadecimal digits.
pub(crate) async fn sha256(bytes: &[u8]) -> Result<String, HostError> {
    let digest = digest(bytes).await?;
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
// ANCHOR_END: sha256

/// Waits.
pub(crate) async fn pause(milliseconds: u32) {
    sleep(Duration::from_millis(milliseconds.into())).await;
}
