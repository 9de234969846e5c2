//! The smallest server.

use kippu::http::server::Request;

#[kippu::http_handler]
async fn handle(_request: Request) -> &'static str {
    "Hello, world!\n"
}
