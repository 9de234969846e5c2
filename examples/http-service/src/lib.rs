//! A small HTTP service. The same source runs natively, behind `kippu::http::server::Server` (see `main.rs`), and as a component that
//! hosts of WASI 0.2 and 0.3 call. The README lists the routes.

mod query;
mod routes;

use http::{Method, StatusCode};
use kippu::http::server::{IntoResponse, Request, Response};

use query::Query;

/// Answers every request.
#[kippu::http_handler]
pub async fn handle(request: Request) -> Response {
    let query = Query::of(&request);
    let answer = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/") => Ok("Hello from Kippu!\n".into_response()),
        (_, "/echo") => Ok(routes::echo(request)),
        (_, "/count") => routes::count(request).await.map(IntoResponse::into_response),
        (_, "/trailers") => routes::trailers(request).await.map(IntoResponse::into_response),
        (_, "/fan-out") => routes::fan_out(&query).await.map(IntoResponse::into_response),
        (_, "/sleep") => routes::sleep(&query).await.map(IntoResponse::into_response),
        (_, "/stream") => routes::stream(&query),
        (_, "/after") => routes::after(&query).map(IntoResponse::into_response),
        (_, "/instance") => Ok(routes::instance().into_response()),
        (_, "/memory") => Ok(routes::memory().into_response()),
        (_, "/error") => Err(routes::Error::Wanted),
        (_, "/panic") => panic!("this panic was asked for"),
        _ => Ok((StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()),
    };
    match answer {
        // The client's mistake, which it is told; all else is an error of the server.
        Err(routes::Error::Query(error)) => {
            (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response()
        }
        Err(routes::Error::TooLate) => {
            (StatusCode::GATEWAY_TIMEOUT, "Not all answers came in time.\n").into_response()
        }
        answer => answer.into_response(),
    }
}
