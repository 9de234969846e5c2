//! The native side of the WASI bench. It has one thread and waits by the system's poller, so that it takes less of
//! the machine than what it is measured with.

mod client;
mod server;

use clap::{Parser, Subcommand, ValueEnum};
use std::time::Duration;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves on a free port of 127.0.0.1, which it prints, until standard input ends
    Serve { what: Service },
    /// Asks the HTTP server on a port of 127.0.0.1, and prints how many responses came, and in which time
    Load {
        port: u16,
        /// Each sends its next request when the response is there
        #[arg(long, default_value_t = 32)]
        connections: usize,
        #[arg(long, default_value_t = 1000)]
        milliseconds: u64,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Service {
    /// Sends back what comes
    Echo,
    /// Answers every request with 100 bytes
    Http,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Serve { what: Service::Echo } => server::run(server::echo),
        Command::Serve { what: Service::Http } => server::run(server::http),
        Command::Load { port, connections, milliseconds } => {
            let limit = Duration::from_millis(milliseconds);
            println!("{}", client::run(port, connections, limit)?);
            Ok(())
        }
    }
}
