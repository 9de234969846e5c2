//! A small program with spans.

use futures_util::future::join_all;
use kippu::HostError;
use kippu::task::Builder;
use kippu::time::{Duration, sleep};
use tracing::{Instrument, info, info_span, instrument};

use crate::ask;

thread_local! {
    static GUARD: std::cell::RefCell<Option<kippu::trace::Guard>> = const { std::cell::RefCell::new(None) };
}

/// Has spans recorded, if anybody does.
#[kippu::export]
fn record_spans() -> Result<(), HostError> {
    let guard = kippu::trace::init().map_err(|error| HostError::new(error.to_string()))?;
    GUARD.set(Some(guard));
    Ok(())
}

/// Loads some rows side by side, and adds them up.
#[kippu::export]
async fn report(rows: u32) -> Result<f64, HostError> {
    let span = info_span!("report", rows, sum = tracing::field::Empty);
    async {
        let tasks = (1..=rows)
            .map(|id| Builder::new().name("load_row").spawn(load_row(id).in_current_span()));
        let mut sum = 0.0;
        for loaded in join_all(tasks.collect::<Vec<_>>()).await {
            sum += loaded.map_err(|error| HostError::new(error.to_string()))??;
        }
        tracing::Span::current().record("sum", sum);
        info!(sum, "all rows are here");
        Ok(sum)
    }
    .instrument(span)
    .await
}

#[instrument(err)]
async fn load_row(id: u32) -> Result<f64, HostError> {
    let value = ask(id).await?;
    sleep(Duration::from_millis(1)).await;
    Ok(parse(value))
}

/// Takes its time.
#[instrument(level = "debug")]
fn parse(value: f64) -> f64 {
    (0..400_000).fold(value, |x, i| std::hint::black_box(x + f64::from(i) * 0.0))
}
