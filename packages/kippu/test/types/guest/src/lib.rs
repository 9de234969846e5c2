//! Every type that crosses the boundary, for the tests of `kippu types`. What is exported hands what it
//! gets to a host function, and what that answers to its caller.

mod data;

use futures_util::stream;
use kippu::HostError;
use kippu::stream::{HostStream, Stream};

use data::{Config, Cursor, Host, Level, Map, Page, Query, Scalars, Shape};

/// Numbers, text and bytes as they are.
mod plain {
    use super::HostError;

    /// Numbers of every size.
    #[kippu::host]
    #[allow(clippy::too_many_arguments)]
    fn numbers(
        a: bool,
        b: i8,
        c: u8,
        d: i16,
        e: u16,
        f: i32,
        g: u32,
        h: f32,
        i: f64,
    ) -> Result<f64, HostError>;

    #[kippu::host]
    async fn text(text: &str) -> Result<String, HostError>;

    /// Bytes are lent.
    #[kippu::host]
    async fn bytes(bytes: &[u8], more: Vec<u8>) -> Result<Vec<u8>, HostError>;

    /// Numbers one after another.
    #[kippu::host]
    async fn measure(samples: &[i16]) -> Result<Vec<f32>, HostError>;

    #[kippu::export]
    async fn relay_samples(samples: Vec<i16>) -> Result<Vec<f32>, HostError> {
        measure(&samples).await
    }

    #[kippu::host]
    fn flag(x: bool) -> bool;

    #[kippu::host]
    fn nothing();

    #[kippu::host]
    async fn nothing_later();

    /// Calls them all.
    #[kippu::export]
    async fn call_plain(data: &[u8]) -> Result<Vec<u8>, HostError> {
        nothing();
        nothing_later().await;
        let sum = numbers(flag(true), -8, 8, -16, 16, -32, 32, 0.5, 0.25)?;
        let text = text(&sum.to_string()).await?;
        bytes(data, text.into_bytes()).await
    }

    /// At once.
    #[kippu::export]
    fn length(text: &str, data: Vec<u8>) -> u32 {
        (text.len() + data.len()) as u32
    }
}

/// Names and comments that TypeScript could take amiss.
mod tricky {
    use super::HostError;

    /// Ends no comment: */ export const broken = `${1}`; /*
    ///
    /// ```js
    /// await host["page.load"]("ünï→🦀");   
    /// ```
    /// A \*/ and a \ and <b>tags</b>, {@link nothing}.
    ///
    #[kippu::host(name = "page.load")]
    async fn page_load(default: &str, context: u8, r#in: bool) -> Result<(), HostError>;

    /** One block
    of two lines. */
    #[kippu::export(name = "read-all")]
    async fn read_all(new: String, signal: u8, arguments: bool) -> Result<(), HostError> {
        page_load(&new, signal, arguments).await
    }

    #[kippu::export]
    fn delete(this: u8, void: u8) -> u8 {
        this + void
    }

    #[kippu::export]
    fn r#typeof(r#type: u8) -> u8 {
        r#type
    }

    /// Nobody calls it, so nobody need give it.
    #[kippu::host]
    #[allow(dead_code)]
    fn dropped(x: u8) -> u8;
}

/// Two modules may each have a type of one name.
mod other {
    use super::{Deserialize, HostError, Schema, Serialize};

    #[derive(Clone, Serialize, Deserialize, Schema)]
    struct Config {
        verbose: bool,
    }

    #[kippu::host]
    fn other_config(config: &Config) -> Result<Config, HostError>;

    #[kippu::export]
    fn relay_other_config(config: Config) -> Result<Config, HostError> {
        other_config(&config)
    }
}

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

#[kippu::host]
async fn scalars(value: &Scalars) -> Result<Scalars, HostError>;

/// Back as they came.
#[kippu::export]
async fn relay_scalars(value: Scalars) -> Result<Scalars, HostError> {
    scalars(&value).await
}

#[kippu::host]
async fn config(value: &Config) -> Result<Config, HostError>;

#[kippu::export]
async fn relay_config(value: Config) -> Result<Config, HostError> {
    config(&value).await
}

#[kippu::host]
fn shapes(value: &[Shape]) -> Result<Vec<Shape>, HostError>;

#[kippu::export]
fn relay_shapes(value: Vec<Shape>) -> Result<Vec<Shape>, HostError> {
    shapes(&value)
}

#[kippu::host]
async fn outcome(value: &Outcome) -> Result<Outcome, HostError>;

#[kippu::export]
async fn relay_outcome(value: Outcome) -> Result<Outcome, HostError> {
    outcome(&value).await
}

/// An alias crosses as the type that it is.
type Outcome = Result<Option<f64>, (Level, String)>;

#[kippu::host]
fn taken(value: Map) -> Result<Host, HostError>;

#[kippu::export]
fn relay_taken(value: Map) -> Result<Host, HostError> {
    taken(value)
}

#[kippu::export]
async fn search(query: Query, limit: Option<u32>, level: Option<Level>) -> Page<String> {
    let words = query.text.iter().flat_map(|text| text.split(' ')).map(str::to_owned);
    let most = limit.unwrap_or(u32::MAX) as usize;
    let levels = query.levels.iter().chain(&level).map(|level| match level {
        Level::Low => "low".to_owned(),
        Level::High => "high".to_owned(),
    });
    Page { items: words.take(most).chain(levels).collect(), next: None }
}

/// The cursor is in a box on one way and in none on the other.
#[kippu::export]
fn pages(page: Page<u32>, start: Cursor) -> Page<u32> {
    Page { next: page.next.or(Some(Box::new(start))), ..page }
}

/// Lines, as long as somebody asks for them.
#[kippu::host]
fn lines(path: &str) -> Result<HostStream<String>, HostError>;

#[kippu::host]
async fn consume(
    shapes: impl Stream<Item = Shape> + 'static,
    parts: impl Stream<Item = Vec<u8>> + 'static,
) -> Result<u32, HostError>;

/// A stream of the host's, and numbers of JavaScript's.
#[kippu::export]
fn number_lines(
    path: &str,
    numbers: HostStream<u32>,
) -> Result<impl Stream<Item = Result<(u32, String), HostError>> + use<>, HostError> {
    let lines = lines(path)?;
    Ok(stream::unfold((numbers, lines), |(mut numbers, mut lines)| async {
        let (number, line) = (numbers.next().await?, lines.next().await?);
        let item = number.and_then(|number| Ok((number, line?)));
        Some((item, (numbers, lines)))
    }))
}

/// How many bytes there are.
#[kippu::export]
async fn total(mut parts: HostStream<Vec<u8>>) -> Result<f64, HostError> {
    let mut sum = 0;
    while let Some(part) = parts.next().await {
        sum += part?.len();
    }
    Ok(sum as f64)
}

/// Streams into the host.
#[kippu::export]
async fn produce(count: u8) -> Result<u32, HostError> {
    let shapes =
        (0..count).map(|n| if n % 2 == 0 { Shape::Point } else { Shape::Circle(n.into()) });
    let parts = (0..count).map(|n| vec![n]);
    consume(stream::iter(shapes.collect::<Vec<_>>()), stream::iter(parts.collect::<Vec<_>>())).await
}
