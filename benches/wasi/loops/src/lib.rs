//! The same loops for every contestant of the WASI bench: what differs is behind [`Runtime`] and [`Network`].

mod network;
mod tasks;

use std::future::Future;

pub use network::{MESSAGE, Network, run as run_network};
pub use tasks::{Runtime, run as run_tasks};

/// What a run gave.
pub struct Figures {
    /// Nanoseconds of an operation that succeeded, in the best of the rounds.
    pub nanoseconds: f64,
    /// Operations of all rounds that failed.
    pub lost: u32,
}

impl Figures {
    /// The line that the bench reads.
    #[must_use]
    pub fn line(&self) -> String {
        // JSON knows no infinity.
        let nanoseconds = self.nanoseconds.min(f64::MAX);
        format!("{{\"ns\":{nanoseconds},\"lost\":{}}}", self.lost)
    }
}

/// What is to be measured, as it stands on the command line: `CASE COUNT ROUNDS [PORT]`.
pub struct Order {
    pub case: String,
    /// Operations, tasks, connections or requests at a time: the case says which.
    pub count: u32,
    pub rounds: u32,
    /// Where the native peer of network cases listens.
    pub port: u16,
}

impl Order {
    /// # Errors
    /// When a number is missing or is none.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let mut next = |what: &str| arguments.next().ok_or_else(|| format!("{what} is missing"));
        let case = next("the case")?;
        let count = number(&next("the count")?)?;
        let rounds = number(&next("the number of rounds")?)?;
        let port = next("the port").map_or(Ok(0), |port| number(&port))?;
        Ok(Self { case, count, rounds, port })
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is not such a number"))
}

/// Runs a round so many times and keeps the best. A round gives the nanoseconds of all its operations, and how
/// many were lost.
async fn best<R: Future<Output = Result<(u64, u32), String>>>(
    order: &Order,
    operations: u32,
    mut round: impl FnMut() -> R,
) -> Result<Figures, String> {
    let mut figures = Figures { nanoseconds: f64::INFINITY, lost: 0 };
    for _ in 0..order.rounds {
        let (nanoseconds, lost) = round().await?;
        // Infinite when there is none.
        let each = nanoseconds as f64 / f64::from(operations - lost);
        figures.nanoseconds = figures.nanoseconds.min(each);
        figures.lost += lost;
    }
    Ok(figures)
}
