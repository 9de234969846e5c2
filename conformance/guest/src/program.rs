//! What a program has: arguments, output, blocking, errors of a program as a whole.

use kippu::BlockOnError;
use kippu::task::{Builder, spawn, yield_now};
use kippu::time::{Duration, sleep};

use crate::support::{Outcome, cases, failed, holds, same};

cases!("program":
    arguments,
    print_keeps_its_order,
    block_on_within_a_task_is_nested,
    block_on_says_what_to_do,
    nested_block_on_drops_its_future,
    exit_codes,
    output_is_a_terminal_or_has_no_width,
);

async fn arguments() -> Outcome {
    // The runner gives none when it runs all cases, else the names it wants.
    let args = kippu::env::args();
    holds(args.iter().all(|arg| "program::arguments".contains(arg.as_str())), &format!("{args:?}"))
}

async fn print_keeps_its_order() -> Outcome {
    // The runner looks for the digits in order on standard error.
    for i in 0..10u8 {
        if i % 2 == 0 {
            kippu::eprint!("{i}");
        } else {
            kippu::io::stderr().write_all(&[b'0' + i]).await.map_err(failed)?;
        }
    }
    kippu::eprintln!();
    Ok(())
}

async fn block_on_within_a_task_is_nested() -> Outcome {
    let result = kippu::block_on(async { 1 });
    holds(matches!(result, Err(BlockOnError::Nested)), &format!("{result:?}"))?;
    let task = spawn(async {
        yield_now().await;
        kippu::block_on(sleep(Duration::from_millis(1)))
    });
    let result = task.await.map_err(failed)?;
    holds(matches!(result, Err(BlockOnError::Nested)), &format!("{result:?}"))
}

async fn block_on_says_what_to_do() -> Outcome {
    let error = kippu::block_on(async {}).err().ok_or("it is nested")?;
    same(
        error.to_string().as_str(),
        "block_on was called from inside a kippu task; await the future instead",
    )?;
    let error = BlockOnError::WouldDeadlock(vec!["task \"a\"".to_owned(), "task \"b\"".to_owned()]);
    same(
        error.to_string().as_str(),
        "deadlock: nothing is runnable, and no timer, ticket or I/O is outstanding\n  task \"a\"\n  task \"b\"",
    )
}

async fn nested_block_on_drops_its_future() -> Outcome {
    let log = crate::support::Log::default();
    let guard = log.guard("dropped");
    let result = kippu::block_on(async move {
        let _guard = guard;
    });
    holds(result.is_err(), "it is nested")?;
    log.says("dropped")
}

async fn exit_codes() -> Outcome {
    use kippu::{ExitCode, Termination};
    same(().report(), ExitCode(0))?;
    same(ExitCode(7).report(), ExitCode(7))?;
    same(Ok::<(), String>(()).report(), ExitCode::SUCCESS)?;
    same(Ok::<_, String>(ExitCode::from(3)).report(), ExitCode(3))
}

async fn output_is_a_terminal_or_has_no_width() -> Outcome {
    let (out, err) = (kippu::io::stdout(), kippu::io::stderr());
    holds(out.is_terminal() || out.columns().is_none(), "a pipe has no width")?;
    holds(err.is_terminal() || err.columns().is_none(), "a pipe has no width")
}

/// Never completes: two tasks wait for what nobody will do.
///
/// The program ends with exit code 1, and standard error says `deadlock: nothing is runnable` and names
/// `task "stuck"`.
pub(crate) async fn deadlock() {
    let stuck = Builder::new().name("stuck").spawn(std::future::pending::<()>());
    // The error of the join is that of an aborted task, which this is not.
    let _ = stuck.await;
}
