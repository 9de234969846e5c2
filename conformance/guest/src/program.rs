//! What a program has: arguments, environment, output.

use kippu::BlockOnError;

use crate::support::{Outcome, holds, same};

pub(crate) async fn arguments() -> Outcome {
    // The runner gives none when it runs all cases, else the names it wants.
    let args = kippu::env::args();
    holds(args.iter().all(|arg| "program::arguments".contains(arg.as_str())), &format!("{args:?}"))
}

pub(crate) async fn environment() -> Outcome {
    same(kippu::env::var("KIPPU_CONFORMANCE_VAR").as_deref(), Some("切 = 1"))?;
    same(kippu::env::var("KIPPU_CONFORMANCE_UNSET"), None)?;
    let all = kippu::env::vars();
    holds(all.iter().any(|(name, _)| name == "KIPPU_CONFORMANCE_VAR"), "vars() has it too")
}

pub(crate) async fn print_keeps_its_order() -> Outcome {
    // The runner compares standard error with the digits in order.
    for i in 0..10u8 {
        if i % 2 == 0 {
            kippu::eprint!("{i}");
        } else {
            kippu::io::stderr().write_all(&[b'0' + i]).await.map_err(|e| e.to_string())?;
        }
    }
    kippu::eprintln!();
    Ok(())
}

pub(crate) async fn block_on_within_a_task_is_nested() -> Outcome {
    let result = kippu::block_on(async { 1 });
    holds(matches!(result, Err(BlockOnError::Nested)), &format!("{result:?}"))
}

/// Never completes: two tasks wait for what nobody will do.
pub(crate) async fn deadlock() {
    let stuck = kippu::task::Builder::new().name("stuck").spawn(std::future::pending::<()>());
    // The error of the join is that of an aborted task, which this is not.
    let _ = stuck.await;
}
