//! Serves the handler of the library on a socket: `http-service ADDRESS`, until Ctrl-C.

use std::io;

use kippu::ExitCode;
use kippu::http::server::Server;

/// Where it listens when nobody says otherwise.
const ADDRESS: &str = "127.0.0.1:8080";

#[kippu::main]
async fn main() -> ExitCode {
    let mut arguments = kippu::env::args().into_iter();
    let address = arguments.next().unwrap_or_else(|| ADDRESS.to_owned());
    if arguments.next().is_some() || address.starts_with('-') {
        kippu::eprintln!("usage: http-service [ADDRESS:PORT]   (default: {ADDRESS})");
        return ExitCode::from(2);
    }
    match serve(&address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            kippu::eprintln!("cannot serve on {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str) -> io::Result<()> {
    let server = Server::bind(address).await?;
    kippu::println!("Serving HTTP on http://{}/", server.local_addr()?);
    let stop = async {
        // Where there is no Ctrl-C it serves for ever.
        if kippu::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    server.serve_until(http_service::handle, stop).await
}
