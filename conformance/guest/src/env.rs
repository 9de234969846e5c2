//! Environment variables and the working directory.

use kippu::env;

use crate::support::{Outcome, cases, failed, holds, same};

cases!("env" needs "env":
    variables,
    names_that_cannot_be,
    the_working_directory_is_absolute,
);

async fn variables() -> Outcome {
    same(env::var("KIPPU_CONFORMANCE_VAR").as_deref(), Some("切 = 1"))?;
    same(env::var("KIPPU_CONFORMANCE_UNSET"), None)?;
    let all = env::vars();
    let found = all.iter().filter(|(name, _)| name == "KIPPU_CONFORMANCE_VAR");
    same(found.map(|(_, value)| value.as_str()).collect(), vec!["切 = 1"])?;
    holds(all.iter().all(|(name, _)| name != "KIPPU_CONFORMANCE_UNSET"), "nor is it listed")
}

async fn names_that_cannot_be() -> Outcome {
    for name in ["", "=", "a=b", "nul\0inside", "__proto__", "constructor"] {
        same(env::var(name), None)?;
    }
    Ok(())
}

async fn the_working_directory_is_absolute() -> Outcome {
    let path = env::current_dir().map_err(failed)?;
    let text = path.to_str().ok_or("it is UTF-8")?;
    holds(text.starts_with('/') || text.get(1..2) == Some(":"), text)
}
