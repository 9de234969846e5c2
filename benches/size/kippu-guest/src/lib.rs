//! The smallest program that awaits a string, on kippu.

use kippu::HostError;

#[kippu::host]
async fn greet(name: &str) -> Result<String, HostError>;

#[kippu::export]
async fn run(name: String) -> Result<String, HostError> {
    greet(&name).await
}
