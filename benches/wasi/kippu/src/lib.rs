//! The smallest server.

use kippu::http::server::{Request, Response};

#[kippu::http_handler]
async fn handle(_request: Request) -> Response {
    Response::new("Hello, world!\n".into())
}
