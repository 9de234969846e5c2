//! The smallest async program of use: it sleeps and prints.

#[kippu::main]
async fn main() {
    kippu::time::sleep(kippu::time::Duration::from_millis(1)).await;
    kippu::println!("Hello, world!");
}
