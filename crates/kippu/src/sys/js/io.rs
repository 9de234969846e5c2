//! The standard streams.

use std::io;

use crate::io::{Output, Stdio};

mod host {
    use crate::HostError;

    #[kippu::host(module = "kippu:io")]
    pub(super) async fn read(max: u32) -> Result<Vec<u8>, HostError>;
    #[kippu::host(module = "kippu:io")]
    pub(super) async fn write(fd: u32, data: &[u8]) -> Result<(), HostError>;
    #[kippu::host(module = "kippu:io")]
    pub(super) fn print(fd: u32, data: &[u8]) -> Result<(), HostError>;
    #[kippu::host(module = "kippu:io")]
    pub(super) fn is_terminal(fd: u32) -> Result<bool, HostError>;
    #[kippu::host(module = "kippu:io")]
    pub(super) fn columns(fd: u32) -> Result<u32, HostError>;
}

fn fd(output: Output) -> u32 {
    match output {
        Output::Stdout => 1,
        Output::Stderr => 2,
    }
}

pub(crate) async fn read(max: usize) -> io::Result<Vec<u8>> {
    Ok(host::read(u32::try_from(max).unwrap_or(u32::MAX)).await?)
}

pub(crate) async fn write(output: Output, data: &[u8]) -> io::Result<()> {
    Ok(host::write(fd(output), data).await?)
}

pub(crate) fn print(output: Output, data: &[u8]) -> io::Result<()> {
    Ok(host::print(fd(output), data)?)
}

pub(crate) fn is_terminal(stdio: Stdio) -> bool {
    let fd = match stdio {
        Stdio::Stdin => 0,
        Stdio::Stdout => 1,
        Stdio::Stderr => 2,
    };
    host::is_terminal(fd).unwrap_or(false)
}

pub(crate) fn columns(output: Output) -> Option<usize> {
    host::columns(fd(output)).ok().filter(|&columns| columns > 0).map(|columns| columns as usize)
}
