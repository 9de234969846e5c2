//! Panics: a task's panic is its own where panics can be caught, and ends the program elsewhere.

use std::panic::PanicHookInfo;

use kippu::task::{Builder, JoinError, spawn, yield_now};

use crate::support::{Log, Outcome, cases, failed, holds, same};

cases!("panics" needs "unwind":
    a_panic_is_an_error_of_the_join,
    other_tasks_go_on,
    a_panic_drops_what_the_task_holds,
    a_panic_of_a_detached_task_is_nobodys,
    a_panic_while_dropping_an_aborted_task,
    payloads_are_kept,
    a_panic_passes_through_joins,
);

/// Panics in a task, with the message `on purpose: 42`.
///
/// Where panics can be caught this prints `contained: task panicked: on purpose: 42` to standard output and then lets the
/// panic go on in `main`; elsewhere nothing is printed. Either way the program ends with
/// an exit code that is not 0, and standard error names the message and the place, `panics.rs` and the line.
pub(crate) async fn escape() -> std::convert::Infallible {
    let task = Builder::new().name("panics").spawn(async {
        yield_now().await;
        on_purpose(42)
    });
    match task.await {
        Ok(never) => never,
        Err(error) => {
            kippu::println!("contained: {error}");
            match error.try_into_panic() {
                Ok(payload) => std::panic::resume_unwind(payload),
                Err(error) => panic!("it did not panic, but {error}"),
            }
        }
    }
}

fn on_purpose(number: u32) -> std::convert::Infallible {
    panic!("on purpose: {number}")
}

/// Keeps panics that are expected from standard error, until it is dropped.
struct Quiet(Option<Hook>);

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

impl Quiet {
    fn new() -> Quiet {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        Quiet(Some(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            std::panic::set_hook(before);
        }
    }
}

/// The message of a task that panicked.
fn message<T>(joined: Result<T, JoinError>) -> Result<String, String> {
    let error = joined.err().ok_or("the task gave an output")?;
    holds(error.is_panic() && !error.is_cancelled(), "it is a panic and nothing else")?;
    error.panic_message().map(str::to_owned).ok_or("the panic has no message".to_owned())
}

async fn a_panic_is_an_error_of_the_join() -> Outcome {
    let _quiet = Quiet::new();
    let task = spawn(async { on_purpose(1) });
    same(message(task.await)?.as_str(), "on purpose: 1")?;
    let task = spawn(async {
        yield_now().await;
        on_purpose(2)
    });
    let error = task.await.err().ok_or("it panics")?;
    same(error.to_string().as_str(), "task panicked: on purpose: 2")
}

async fn other_tasks_go_on() -> Outcome {
    let _quiet = Quiet::new();
    let log = Log::default();
    let tasks = ["a", "panics", "b"].map(|name| {
        let log = log.clone();
        spawn(async move {
            log.add(name);
            yield_now().await;
            if name == "panics" {
                on_purpose(3);
            }
            log.add(name);
        })
    });
    let [a, panics, b] = tasks;
    a.await.map_err(failed)?;
    b.await.map_err(failed)?;
    same(message(panics.await)?.as_str(), "on purpose: 3")?;
    log.says("a panics b a b")
}

async fn a_panic_drops_what_the_task_holds() -> Outcome {
    let _quiet = Quiet::new();
    let log = Log::default();
    let (first, second) = (log.guard("first"), log.guard("second"));
    let task = spawn(async move {
        let _first = first;
        let _second = second;
        yield_now().await;
        on_purpose(4);
    });
    same(message(task.await)?.as_str(), "on purpose: 4")?;
    log.says("second first")
}

async fn a_panic_of_a_detached_task_is_nobodys() -> Outcome {
    let _quiet = Quiet::new();
    let log = Log::default();
    let guard = log.guard("dropped");
    spawn(async move {
        let _guard = guard;
        on_purpose(5);
    })
    .detach();
    yield_now().await;
    yield_now().await;
    log.says("dropped")
}

async fn a_panic_while_dropping_an_aborted_task() -> Outcome {
    let _quiet = Quiet::new();
    struct PanicsInDrop;
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            on_purpose(6);
        }
    }
    let task = spawn(async {
        let _guard = PanicsInDrop;
        std::future::pending::<()>().await;
    });
    yield_now().await;
    task.abort();
    same(message(task.await)?.as_str(), "on purpose: 6")
}

async fn payloads_are_kept() -> Outcome {
    let _quiet = Quiet::new();
    let task = spawn(async { std::panic::panic_any(7_u8) });
    let error = task.await.err().ok_or("it panics")?;
    same(error.panic_message(), None)?;
    let payload = error.try_into_panic().map_err(failed)?;
    same(payload.downcast_ref::<u8>(), Some(&7))
}

async fn a_panic_passes_through_joins() -> Outcome {
    let _quiet = Quiet::new();
    let outer = spawn(async {
        let inner = spawn(async { on_purpose(8) });
        match inner.await {
            Ok(never) => never,
            Err(error) => match error.try_into_panic() {
                Ok(payload) => std::panic::resume_unwind(payload),
                Err(error) => panic!("it was no panic, but {error}"),
            },
        }
    });
    same(message(outer.await)?.as_str(), "on purpose: 8")
}
