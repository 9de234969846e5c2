//! The smallest command: it sleeps and prints.

use wasip2::clocks::monotonic_clock;
use wasip2::exports::cli::run::Guest;

struct Command;

wasip2::cli::command::export!(Command);

impl Guest for Command {
    fn run() -> Result<(), ()> {
        monotonic_clock::subscribe_duration(1_000_000).block();
        let stdout = wasip2::cli::stdout::get_stdout();
        stdout.blocking_write_and_flush(b"Hello, world!\n").map_err(drop)
    }
}
