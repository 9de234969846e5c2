//! Task-locals.

use std::cell::Cell;
use std::future::pending;

use kippu::task::{spawn, task_local, yield_now};
use kippu::time::{Duration, sleep, timeout};

use crate::support::{Log, Outcome, cases, failed, same};

cases!("locals":
    a_value_lasts_as_long_as_its_scope,
    tasks_do_not_share_values,
    a_spawned_task_inherits_nothing,
    scopes_nest,
    a_value_is_there_across_every_await,
    a_value_is_there_in_the_drop_of_an_aborted_task,
    values_are_dropped_after_the_future,
    no_value_is_an_error_that_names_the_key,
);

task_local! {
    static NUMBER: u32;
    static NAME: &'static str;
    static CELL: Cell<u32>;
}

fn number() -> Option<u32> {
    NUMBER.try_with(|number| *number).ok()
}

async fn a_value_lasts_as_long_as_its_scope() -> Outcome {
    same(number(), None)?;
    let inside = NUMBER
        .scope(1, async {
            yield_now().await;
            number()
        })
        .await;
    same((inside, number()), (Some(1), None))?;
    same((NUMBER.sync_scope(2, number), number()), (Some(2), None))
}

async fn tasks_do_not_share_values() -> Outcome {
    let tasks = [1, 2, 3].map(|i| {
        spawn(CELL.scope(Cell::new(i), async {
            for _ in 0..3 {
                CELL.with(|cell| cell.set(cell.get() * 10));
                yield_now().await;
            }
            CELL.with(Cell::get)
        }))
    });
    let mut found = Vec::new();
    for task in tasks {
        found.push(task.await.map_err(failed)?);
    }
    same(found, vec![1000, 2000, 3000])
}

async fn a_spawned_task_inherits_nothing() -> Outcome {
    NUMBER
        .scope(4, async {
            same(spawn(async { number() }).await.map_err(failed)?, None)?;
            let handed_on = spawn(NUMBER.scope(NUMBER.get(), async { number() }));
            same(handed_on.await.map_err(failed)?, Some(4))
        })
        .await
}

async fn scopes_nest() -> Outcome {
    let nested = NUMBER.scope(
        1,
        NAME.scope("outer", async {
            let inner = NUMBER.scope(2, async {
                yield_now().await;
                (NUMBER.get(), NAME.get())
            });
            (inner.await, NUMBER.get(), NAME.get())
        }),
    );
    same(nested.await, ((2, "outer"), 1, "outer"))
}

async fn a_value_is_there_across_every_await() -> Outcome {
    let scope = NUMBER.scope(5, async {
        let mut found = vec![number()];
        yield_now().await;
        found.push(number());
        sleep(Duration::from_millis(2)).await;
        found.push(number());
        let _ = timeout(Duration::from_millis(1), pending::<()>()).await;
        found.push(number());
        let _ = crate::host::double_later(1.0).await;
        found.push(number());
        let _ = spawn(yield_now()).await;
        found.push(number());
        found
    });
    same(scope.await, vec![Some(5); 6])
}

/// Logs the task-local number when it is dropped.
struct LogsNumber(Log);

impl Drop for LogsNumber {
    fn drop(&mut self) {
        self.0.add(number().map_or("none".to_owned(), |number| number.to_string()));
    }
}

async fn a_value_is_there_in_the_drop_of_an_aborted_task() -> Outcome {
    let log = Log::default();
    let guard = LogsNumber(log.clone());
    let task = spawn(NUMBER.scope(6, async move {
        let _guard = guard;
        pending::<()>().await;
    }));
    yield_now().await;
    task.abort();
    let _ = task.await;
    drop(LogsNumber(log.clone()));
    log.says("6 none")
}

async fn values_are_dropped_after_the_future() -> Outcome {
    task_local! { static GUARD: crate::support::LogDrop; }
    let log = Log::default();
    let (value, future) = (log.guard("value"), log.guard("future"));
    let scope = GUARD.scope(value, async move {
        let _future = future;
        yield_now().await;
    });
    scope.await;
    let (value, future) = (log.guard("value"), log.guard("future"));
    drop(GUARD.scope(value, async move {
        let _future = future;
        pending::<()>().await;
    }));
    log.says("future value future value")
}

async fn no_value_is_an_error_that_names_the_key() -> Outcome {
    let error = NUMBER.try_with(|_| ()).err().ok_or("there is no value here")?;
    crate::support::holds(error.to_string().contains("locals::NUMBER"), &error.to_string())
}
