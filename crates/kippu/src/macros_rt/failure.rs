//! How the error of an exported function becomes an error of JavaScript's.
//!
//! A macro sees types as text only, so the choice is left to method resolution: [`failure!`] calls a
//! method on `&&&&&&Failed<E>`, for which the compiler tries the traits below in turn, each
//! implemented for one reference less ("autoref specialization", David Tolnay, 2018).

use std::cell::Cell;
use std::error::Error;
use std::fmt::Display;

use crate::HostError;

/// An error on its way. It is taken out once.
pub struct Failed<E>(Cell<Option<E>>);

impl<E> Failed<E> {
    /// Holds `error`.
    pub fn new(error: E) -> Self {
        Failed(Cell::new(Some(error)))
    }

    fn take(&self, convert: impl FnOnce(E) -> HostError) -> HostError {
        self.0.take().map_or_else(|| HostError::new("the error was taken before"), convert)
    }
}

/// 1. It says itself what it is to JavaScript; a [`HostError`] stays as it is.
pub trait ByFrom {
    #[doc(hidden)]
    fn host_error(&self) -> HostError;
}

impl<E> ByFrom for &&&&&Failed<E>
where
    HostError: From<E>,
{
    fn host_error(&self) -> HostError {
        self.take(HostError::from)
    }
}

/// 2. An error type: its name is the class, its sources are the causes.
pub trait ByError {
    #[doc(hidden)]
    fn host_error(&self) -> HostError;
}

impl<E: Error + 'static> ByError for &&&&Failed<E> {
    fn host_error(&self) -> HostError {
        self.take(|error| HostError::from_std(class(std::any::type_name::<E>()), &error))
    }
}

/// 3. A box of a `Send` and `Sync` error, such as `anyhow::Error`.
pub trait BySyncBox {
    #[doc(hidden)]
    fn host_error(&self) -> HostError;
}

impl<E: AsRef<dyn Error + Send + Sync>> BySyncBox for &&&Failed<E> {
    fn host_error(&self) -> HostError {
        self.take(|error| HostError::from_std("Error", error.as_ref()))
    }
}

/// 4. A box of a `Send` error.
pub trait BySendBox {
    #[doc(hidden)]
    fn host_error(&self) -> HostError;
}

impl<E: AsRef<dyn Error + Send>> BySendBox for &&Failed<E> {
    fn host_error(&self) -> HostError {
        self.take(|error| HostError::from_std("Error", error.as_ref()))
    }
}

/// 5. A box of an error.
pub trait ByBox {
    #[doc(hidden)]
    fn host_error(&self) -> HostError;
}

impl<E: AsRef<dyn Error>> ByBox for &Failed<E> {
    fn host_error(&self) -> HostError {
        self.take(|error| HostError::from_std("Error", error.as_ref()))
    }
}

/// 6. Text.
pub trait ByDisplay {
    #[doc(hidden)]
    fn host_error(&self) -> HostError;
}

impl<E: Display> ByDisplay for Failed<E> {
    fn host_error(&self) -> HostError {
        self.take(|error| HostError::new(error.to_string()))
    }
}

/// The last segment of a type's path, without generic arguments.
fn class(type_name: &str) -> &str {
    let path = type_name.split('<').next().unwrap_or(type_name);
    path.rsplit("::").next().unwrap_or(path)
}

/// A [`HostError`] of any error that an exported function may return.
#[doc(hidden)]
#[macro_export]
macro_rules! __kippu_failure {
    ($error:expr) => {{
        #[allow(unused_imports)]
        use $crate::__rt::failure::{
            ByBox as _, ByDisplay as _, ByError as _, ByFrom as _, BySendBox as _, BySyncBox as _,
        };
        (&&&&&&$crate::__rt::failure::Failed::new($error)).host_error()
    }};
}

pub use crate::__kippu_failure as failure;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the file {0} is no configuration")]
    struct ConfigError(&'static str, #[source] std::num::ParseIntError);

    #[derive(Debug, thiserror::Error)]
    #[error("own")]
    struct Own;

    impl From<Own> for HostError {
        fn from(_: Own) -> Self {
            HostError::named("SyntaxError", "own words").with_code("E_OWN")
        }
    }

    fn config_error() -> ConfigError {
        ConfigError("a.toml", "x".parse::<i32>().expect_err("no number"))
    }

    #[test]
    fn an_error_type_gives_its_name_and_its_sources() {
        let error = failure!(config_error());
        assert_eq!(error.to_string(), "ConfigError: the file a.toml is no configuration");
        let cause = error.cause().expect("a cause");
        assert_eq!(cause.to_string(), "Error: invalid digit found in string");
        assert_eq!(cause.cause(), None);
    }

    #[test]
    fn boxes_give_the_text_and_the_sources() {
        let boxed: Box<dyn Error> = Box::new(config_error());
        let sent: Box<dyn Error + Send> = Box::new(config_error());
        let shared: Box<dyn Error + Send + Sync> = Box::new(config_error());
        for error in [failure!(boxed), failure!(sent), failure!(shared)] {
            assert_eq!(error.to_string(), "Error: the file a.toml is no configuration");
            assert!(error.cause().is_some());
        }
    }

    #[test]
    fn an_error_may_say_itself_what_it_is() {
        let error = failure!(Own);
        assert_eq!((error.name(), error.code()), ("SyntaxError", "E_OWN"));
        let host = HostError::named("TypeError", "x").with_code("C");
        assert_eq!(failure!(host.clone()), host);
    }

    #[test]
    fn text_is_a_message() {
        assert_eq!(failure!("no").to_string(), "Error: no");
        assert_eq!(failure!(format!("no {}", 1)).to_string(), "Error: no 1");
        assert_eq!(failure!(Box::<str>::from("no")).to_string(), "Error: no");
    }

    #[test]
    fn the_class_of_a_generic_type_is_its_bare_name() {
        assert_eq!(class("a::b::Wrong<core::option::Option<u8>>"), "Wrong");
        assert_eq!(class("Wrong"), "Wrong");
    }
}
