//! An axum application. The router is the handler, on every host.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use kippu::time;
use serde::{Deserialize, Serialize};

/// Shared by the requests of one program, or on WASI of one instance.
type Visits = Arc<AtomicU64>;

/// The application.
#[kippu::http_handler]
pub fn app() -> Router {
    Router::new()
        .route("/", get(|| async { "Hello from axum on Kippu!\n" }))
        .route("/hello/{name}", get(hello))
        .route("/sum", post(sum))
        .route("/sleep", get(sleep))
        .with_state(Visits::default())
}

async fn hello(State(visits): State<Visits>, Path(name): Path<String>) -> String {
    let visit = visits.fetch_add(1, Ordering::Relaxed) + 1;
    format!("Hello, {name}! You are visitor {visit}.\n")
}

#[derive(Deserialize)]
struct Terms {
    terms: Vec<f64>,
}

#[derive(Serialize)]
struct Sum {
    sum: f64,
}

async fn sum(Json(Terms { terms }): Json<Terms>) -> Json<Sum> {
    Json(Sum { sum: terms.iter().sum() })
}

#[derive(Deserialize)]
struct Nap {
    #[serde(default)]
    ms: u32,
}

/// axum wants futures that are `Send`: Kippu's are, on every host.
async fn sleep(Query(Nap { ms }): Query<Nap>) -> String {
    time::sleep(Duration::from_millis(ms.into())).await;
    format!("slept {ms} ms\n")
}
