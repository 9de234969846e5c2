//! The loops on what wit-bindgen brings.

use std::future::Future;
use wasi_loops::{Order, Runtime};
use wasip3::cli::environment::get_arguments;
use wasip3::clocks::monotonic_clock;
use wasip3::exports::cli::run::Guest;
use wasip3::wit_bindgen::{JoinHandle, spawn_local, yield_async};
use wasip3::wit_stream;

struct WitBindgen;

impl Runtime for WitBindgen {
    type Task<T: 'static> = JoinHandle<T>;

    fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
        spawn_local(future)
    }

    async fn join<T: 'static>(task: JoinHandle<T>) -> T {
        task.await.expect("no task that is joined is cancelled")
    }

    fn cancel<T: 'static>(mut task: JoinHandle<T>) {
        task.cancel();
    }

    fn sleep(nanoseconds: u64) -> impl Future<Output = ()> {
        monotonic_clock::wait_for(nanoseconds)
    }

    fn yield_now() -> impl Future<Output = ()> {
        yield_async()
    }

    fn now() -> u64 {
        monotonic_clock::now()
    }
}

struct Command;

wasip3::cli::command::export!(Command);

impl Guest for Command {
    async fn run() -> Result<(), ()> {
        let figures = async {
            let order = Order::parse(get_arguments().into_iter().skip(1))?;
            let figures = wasi_loops::run_tasks::<WitBindgen>(&order).await;
            figures.ok_or_else(|| format!("there is no case {}", order.case))?
        };
        let (line, done) = match figures.await {
            Ok(figures) => (figures.line() + "\n", Ok(())),
            Err(error) => (error + "\n", Err(())),
        };
        let (mut writer, reader) = wit_stream::new();
        let written = wasip3::cli::stdout::write_via_stream(reader);
        let rest = writer.write_all(line.into_bytes()).await;
        drop(writer);
        written.await.map_err(drop)?;
        if rest.is_empty() { done } else { Err(()) }
    }
}
