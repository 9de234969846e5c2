//! Serves the application on a socket: `http-axum ADDRESS`.

use std::io;

#[kippu::main]
async fn main() -> io::Result<()> {
    let address = kippu::env::args().into_iter().next();
    let address = address.as_deref().unwrap_or("127.0.0.1:8080");
    kippu::http::server::serve(address, http_axum::app()).await
}
