//! The parameters behind the `?` of a URL.

use std::fmt::Display;
use std::str::FromStr;

use kippu::http::Url;
use kippu::http::server::Request;

/// What is wrong with a parameter.
#[derive(Debug, thiserror::Error)]
#[error("the parameter `{name}` {problem}")]
pub(crate) struct QueryError {
    name: &'static str,
    problem: String,
}

impl QueryError {
    pub(crate) fn new(name: &'static str, problem: impl Into<String>) -> QueryError {
        QueryError { name, problem: problem.into() }
    }
}

/// The parameters of one request.
pub(crate) struct Query {
    url: Option<Url>,
}

impl Query {
    pub(crate) fn of(request: &Request) -> Query {
        let query = request.uri().query().unwrap_or_default();
        Query { url: Url::parse(&format!("http://localhost/?{query}")).ok() }
    }

    /// A parameter's text.
    pub(crate) fn text(&self, name: &'static str) -> Result<String, QueryError> {
        self.find(name).ok_or_else(|| QueryError::new(name, "is missing"))
    }

    /// A number up to `max`; `default` when it is not there.
    pub(crate) fn number<T>(&self, name: &'static str, default: T, max: T) -> Result<T, QueryError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.find(name) else {
            return Ok(default);
        };
        match text.parse() {
            Ok(number) if number <= max => Ok(number),
            _ => Err(QueryError::new(name, format!("must be a number up to {max}"))),
        }
    }

    fn find(&self, name: &str) -> Option<String> {
        let (_, value) = self.url.as_ref()?.query_pairs().find(|(found, _)| found == name)?;
        Some(value.into_owned())
    }
}
