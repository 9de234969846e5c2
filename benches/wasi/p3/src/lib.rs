//! The smallest server of 0.3.

use wasip3::exports::http::handler::Guest;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{wit_future, wit_stream};

struct Server;

wasip3::http::service::export!(Server);

impl Guest for Server {
    async fn handle(_request: Request) -> Result<Response, ErrorCode> {
        let (mut writer, body) = wit_stream::new();
        let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
        let (response, _sent) = Response::new(Fields::new(), Some(body), trailers_reader);
        drop(trailers);
        wasip3::spawn_local(async move {
            // A client that has gone away is no error of the server's.
            let _ = writer.write_all(b"Hello, world!\n".to_vec()).await;
        });
        Ok(response)
    }
}
