//! Standard input, which the runner leaves empty.

use kippu::io::stdin;

use crate::support::{Outcome, cases, failed, holds, same};

cases!("stdin" needs "stdin":
    it_ends,
    it_is_no_terminal,
);

async fn it_ends() -> Outcome {
    let mut buffer = [7; 4];
    same(stdin().read(&mut []).await.map_err(failed)?, 0)?;
    same(stdin().read(&mut buffer).await.map_err(failed)?, 0)?;
    let mut line = "kept".to_owned();
    same(stdin().read_line(&mut line).await.map_err(failed)?, 0)?;
    same(line.as_str(), "kept")?;
    let mut all = vec![1];
    same(stdin().read_to_end(&mut all).await.map_err(failed)?, 0)?;
    same((buffer, all), ([7; 4], vec![1]))
}

async fn it_is_no_terminal() -> Outcome {
    holds(!stdin().is_terminal(), "an empty standard input is no terminal")
}
