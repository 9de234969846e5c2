//! The HTTP client as functions that JavaScript calls: what goes in is one request, what comes out is what
//! the client's user sees of the response.

use std::error::Error as _;

use kippu::HostError;
use kippu::http::{
    Bytes, Client, Credentials, Error, ErrorKind, Method, Redirect, RequestBuilder, Response,
};
use kippu::stream::{HostStream, Stream};
use kippu::time::Duration;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, Schema)]
struct Ask {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    redirect: Mode,
    credentials: Cookies,
    /// In milliseconds.
    timeout: Option<u32>,
    /// In milliseconds.
    read_timeout: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Schema)]
enum Mode {
    Default,
    Follow(u32),
    Manual,
    Error,
}

#[derive(Debug, Clone, Serialize, Deserialize, Schema)]
enum Cookies {
    Default,
    Omit,
    SameOrigin,
    Include,
}

#[derive(Debug, Clone, Serialize, Deserialize, Schema)]
struct Answer {
    status: u16,
    url: String,
    headers: Vec<(String, String)>,
    content_length: Option<f64>,
    text: String,
}

/// The error as JavaScript sees it: its code is the kind, its causes are its sources.
fn thrown(error: &Error) -> HostError {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(source) = next {
        causes.push(match source.downcast_ref::<HostError>() {
            Some(error) => HostError::named(error.name(), error.message()).with_code(error.code()),
            None => HostError::named("Source", source.to_string()),
        });
        next = source.source();
    }
    let this =
        HostError::named("Error", error.to_string()).with_code(format!("{:?}", error.kind()));
    let cause = causes.into_iter().rev().reduce(|inner, outer| outer.with_cause(inner));
    match cause {
        Some(cause) => this.with_cause(cause),
        None => this,
    }
}

fn request(ask: Ask) -> Result<RequestBuilder, HostError> {
    let method = Method::from_bytes(ask.method.as_bytes())
        .map_err(|error| HostError::new(error.to_string()))?;
    let mut request = Client::new().request(method, &ask.url);
    for (name, value) in ask.headers {
        request = request.header(name, value);
    }
    if let Some(body) = ask.body {
        request = request.body(body);
    }
    request = match ask.redirect {
        Mode::Default => request,
        Mode::Follow(limit) => request.redirect(Redirect::Follow(limit)),
        Mode::Manual => request.redirect(Redirect::Manual),
        Mode::Error => request.redirect(Redirect::Error),
    };
    request = match ask.credentials {
        Cookies::Default => request,
        Cookies::Omit => request.credentials(Credentials::Omit),
        Cookies::SameOrigin => request.credentials(Credentials::SameOrigin),
        Cookies::Include => request.credentials(Credentials::Include),
    };
    if let Some(ms) = ask.timeout {
        request = request.timeout(Duration::from_millis(ms.into()));
    }
    if let Some(ms) = ask.read_timeout {
        request = request.read_timeout(Duration::from_millis(ms.into()));
    }
    Ok(request)
}

async fn answer(response: Response) -> Result<Answer, HostError> {
    let headers = response.headers().iter().map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Ok(Answer {
        status: response.status().as_u16(),
        url: response.url().to_string(),
        headers: headers.collect(),
        content_length: response.content_length().map(|length| length as f64),
        text: response.text().await.map_err(|error| thrown(&error))?,
    })
}

/// Sends a request and reads its response.
#[kippu::export]
async fn ask(what: Ask) -> Result<Answer, HostError> {
    let response = request(what)?.send().await.map_err(|error| thrown(&error))?;
    answer(response).await
}

/// The same with a body that is made while it is sent.
#[kippu::export]
async fn upload(ask: Ask, body: HostStream<Vec<u8>>) -> Result<Answer, HostError> {
    let request = request(ask)?.body_stream(body);
    let response = request.send().await.map_err(|error| thrown(&error))?;
    answer(response).await
}

/// Sends a request and gives the body of its response as it comes.
#[kippu::export]
async fn download(ask: Ask) -> Result<impl Stream<Item = Result<Vec<u8>, HostError>>, HostError> {
    let response = request(ask)?.send().await.map_err(|error| thrown(&error))?;
    Ok(Pieces(response.bytes_stream()))
}

struct Pieces(kippu::http::BytesStream);

impl Stream for Pieces {
    type Item = Result<Vec<u8>, HostError>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let piece = std::pin::Pin::new(&mut self.0).poll_next(cx);
        let cross = |piece: Result<Bytes, Error>| piece.map(Vec::from).map_err(|e| thrown(&e));
        piece.map(|piece| piece.map(cross))
    }
}

/// Both ways at the same time.
#[kippu::export]
async fn exchange(
    ask: Ask,
    body: HostStream<Vec<u8>>,
) -> Result<impl Stream<Item = Result<Vec<u8>, HostError>>, HostError> {
    let request = request(ask)?.body_stream(body);
    let response = request.send().await.map_err(|error| thrown(&error))?;
    Ok(Pieces(response.bytes_stream()))
}

/// Sends a request with a streamed body and drops the response when its head is here.
#[kippu::export]
async fn drop_response(ask: Ask, body: HostStream<Vec<u8>>) -> Result<u32, HostError> {
    let request = request(ask)?.body_stream(body);
    let response = request.send().await.map_err(|error| thrown(&error))?;
    Ok(response.status().as_u16().into())
}

/// Posts `{"sent": text}` and gives what the field `got` of the answer says.
#[kippu::export]
async fn json(url: String, text: String) -> Result<String, HostError> {
    #[derive(Deserialize)]
    struct Got {
        got: String,
    }
    let request =
        Client::new().post(&url).query("a b", "ü&").json(&serde_json::json!({"sent": text}));
    let response = request.send().await.map_err(|error| thrown(&error))?;
    let got: Result<Got, Error> = response.json().await;
    match got {
        Ok(Got { got }) => Ok(got),
        Err(error) if error.kind() == ErrorKind::Decode => Ok("no JSON".to_owned()),
        Err(error) => Err(thrown(&error)),
    }
}

#[kippu::main]
async fn main() {}
