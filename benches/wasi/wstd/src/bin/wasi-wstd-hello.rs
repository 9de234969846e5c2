//! The smallest async program of use: it sleeps and prints.

#[wstd::main]
async fn main() {
    wstd::task::sleep(wstd::time::Duration::from_millis(1)).await;
    println!("Hello, world!");
}
