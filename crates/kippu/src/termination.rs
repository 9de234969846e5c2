//! What a program's `main` may return.

use std::fmt::Debug;

/// The exit code of a program, 0 to 255: the same number on every host.
///
/// `std::process::ExitCode` cannot be read, so it could not cross the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExitCode(pub u8);

impl ExitCode {
    /// 0.
    pub const SUCCESS: ExitCode = ExitCode(0);
    /// 1.
    pub const FAILURE: ExitCode = ExitCode(1);
}

impl From<u8> for ExitCode {
    fn from(code: u8) -> Self {
        ExitCode(code)
    }
}

/// What [`#[kippu::main]`](crate::main) may return.
pub trait Termination {
    /// The exit code. An error is written to standard error, as `Error: ` and its `Debug` form,
    /// like std does.
    fn report(self) -> ExitCode;
}

impl Termination for () {
    fn report(self) -> ExitCode {
        ExitCode::SUCCESS
    }
}

impl Termination for ExitCode {
    fn report(self) -> ExitCode {
        self
    }
}

impl<T: Termination, E: Debug> Termination for Result<T, E> {
    fn report(self) -> ExitCode {
        match self {
            Ok(value) => value.report(),
            Err(error) => {
                crate::eprintln!("Error: {error:?}");
                ExitCode::FAILURE
            }
        }
    }
}

/// What `main` returns for an exit code of 0 or 1.
#[cfg(all(kippu_wasi, target_os = "wasi"))]
pub(crate) fn of_main(code: ExitCode) -> crate::macros_rt::MainResult {
    std::process::ExitCode::from(code.0)
}

/// What `main` returns for an exit code of 0 or 1.
#[cfg(all(kippu_wasi, target_os = "unknown"))]
pub(crate) fn of_main(code: ExitCode) -> crate::macros_rt::MainResult {
    if code == ExitCode::SUCCESS { Ok(()) } else { Err(()) }
}
