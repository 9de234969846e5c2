//! Greets by way of JavaScript.

use kippu::{HostError, time};

#[kippu::host] // JavaScript's part; the body is what runs natively
async fn greet(name: &str) -> Result<String, HostError> {
    Ok(format!("Hello, {name}!"))
}

#[kippu::main]
async fn main() -> Result<(), HostError> {
    time::sleep(time::Duration::from_millis(10)).await;
    kippu::println!("{}", greet("Kippu").await?);
    Ok(())
}
