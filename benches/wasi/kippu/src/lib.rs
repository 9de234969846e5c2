//! The smallest server.

use kippu::http::server::Response;

#[kippu::http_handler]
async fn handle() -> Response {
    Response::new("Hello, world!\n".into())
}
