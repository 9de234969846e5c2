//! Random bytes for `random.test.mjs`.

/// Of `kippu::random`.
#[kippu::export]
fn by_kippu(len: u32) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = vec![0; len as usize];
    kippu::random::fill(&mut bytes)?;
    Ok(bytes)
}

/// Of the crate `getrandom`, which other crates use.
#[cfg(feature = "getrandom")]
#[kippu::export]
fn by_getrandom(len: u32) -> Result<Vec<u8>, getrandom::Error> {
    let mut bytes = vec![0; len as usize];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
