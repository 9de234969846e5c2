//! The command line.

use std::time::Duration;

use clap::{Parser, ValueHint};
use wildmatch::WildMatchPattern;

/// Checks the links of Markdown and HTML files and of web pages.
///
/// Folders are searched for *.md, *.markdown, *.html and *.htm. Hidden folders,
/// node_modules and target are left out, and symbolic links to folders are not
/// followed. Of a page given by URL the links are checked, but not the pages
/// behind them.
///
/// Exit code: 0 all links are fine; 1 some are broken; 2 wrong usage, or
/// something could not be read or was not checked.
#[derive(Debug, Parser)]
#[command(name = "linkcheck", version, verbatim_doc_comment)]
pub(crate) struct Options {
    /// Files, folders and http(s) URLs to check
    #[arg(required = true, value_name = "PATH|URL", value_hint = ValueHint::AnyPath)]
    pub(crate) inputs: Vec<String>,

    /// The folder that links beginning with / start from
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) root: Option<String>,

    /// Leaves out links that contain TEXT; with a * in it, links that match TEXT as a whole
    #[arg(long, value_name = "TEXT", value_parser = Exclude::parse)]
    pub(crate) exclude: Vec<Exclude>,

    /// Makes no requests: checks only files and anchors
    #[arg(long)]
    pub(crate) offline: bool,

    /// Statuses that count as fine, as in "200-299,403"
    #[arg(long, value_name = "LIST", default_value = "200-299", value_parser = Accept::parse)]
    pub(crate) accept: Accept,

    /// How long one request may take, body included
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = parse_seconds)]
    pub(crate) timeout: Duration,

    /// How often a request is repeated after status 429 or 5xx
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u32).range(..=20))]
    pub(crate) retries: u32,

    /// The first wait before a repetition, doubled each time, unless the server says how long
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = parse_seconds)]
    pub(crate) retry_wait: Duration,

    /// The longest wait that a server's Retry-After may ask for
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse_seconds)]
    pub(crate) max_wait: Duration,

    /// How many redirects of one link are followed
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=50))]
    pub(crate) max_redirects: u32,

    /// Requests under way at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = parse_count)]
    pub(crate) concurrency: usize,

    /// Requests under way at the same time to one host
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = parse_count)]
    pub(crate) per_host: usize,

    /// The User-Agent header
    #[arg(long, value_name = "TEXT", default_value = concat!("linkcheck/", env!("CARGO_PKG_VERSION"), " (", env!("CARGO_PKG_REPOSITORY"), ")"))]
    pub(crate) user_agent: String,

    /// Prints the report as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Shows no progress (it shows only if standard error is a terminal)
    #[arg(long)]
    pub(crate) no_progress: bool,

    /// Prints what is wrong and nothing else
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Prints every link
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

impl Options {
    /// Reads `arguments`, which do not begin with the program's name.
    ///
    /// # Errors
    /// clap's own, which also stands for `--help` and `--version`.
    pub(crate) fn from_arguments(arguments: Vec<String>) -> Result<Self, clap::Error> {
        let name = "linkcheck".to_owned();
        let options = Self::try_parse_from(std::iter::once(name).chain(arguments))?;
        if options.offline
            && let Some(url) = options.inputs.iter().find(|input| is_url(input))
        {
            return Err(<Self as clap::CommandFactory>::command().error(
                clap::error::ErrorKind::ArgumentConflict,
                format!("--offline makes no requests, so {url} cannot be read"),
            ));
        }
        Ok(options)
    }
}

/// Whether an input names a web page rather than a file.
pub(crate) fn is_url(input: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        input.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// One `--exclude`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Exclude {
    Substring(String),
    // `?` is frequent in URLs, so that the sign for one character is one that no argument can hold.
    Whole(WildMatchPattern<'*', '\0'>),
}

impl Exclude {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("an empty text would leave out every link".to_owned()),
            _ if text.contains('*') => Ok(Self::Whole(WildMatchPattern::new(text))),
            _ => Ok(Self::Substring(text.to_owned())),
        }
    }

    /// Whether `url` is to be left out.
    pub(crate) fn matches(&self, url: &str) -> bool {
        match self {
            Self::Substring(text) => url.contains(text),
            Self::Whole(pattern) => pattern.matches(url),
        }
    }
}

/// The value of `--accept`: inclusive ranges of HTTP statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accept(Vec<(u16, u16)>);

impl Accept {
    fn parse(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let status = |text: &str| {
                    text.trim()
                        .parse::<u16>()
                        .ok()
                        .filter(|status| (100..=999).contains(status))
                        .ok_or_else(|| {
                            format!(
                                "\"{}\" is no HTTP status: three digits are expected",
                                text.trim()
                            )
                        })
                };
                let (first, last) = (status(first)?, status(last)?);
                if first > last {
                    return Err(format!("the range {first}-{last} is empty"));
                }
                Ok((first, last))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether `status` counts as fine.
    pub(crate) fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }
}

/// A day: longer waits are mistakes, and far from where adding to a clock could overflow.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is expected".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && duration <= LONGEST => Ok(duration),
        _ => Err(format!("more than 0 and at most {} seconds are expected", LONGEST.as_secs())),
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=10_000) => Ok(count),
        _ => Err("a number from 1 to 10000 is expected".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Result<Options, String> {
        Options::from_arguments(arguments.iter().map(|s| (*s).to_owned()).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_those_of_the_readme() {
        let options = options(&["docs"]).unwrap();
        assert_eq!(options.timeout, Duration::from_secs(20));
        assert_eq!((options.retries, options.max_redirects), (2, 10));
        assert_eq!((options.concurrency, options.per_host), (64, 8));
        assert!(options.accept.contains(204) && !options.accept.contains(301));
        assert!(options.user_agent.starts_with("linkcheck/"));
    }

    #[test]
    fn wrong_values_are_named_with_what_is_expected() {
        for (arguments, message) in [
            (&["--timeout", "0", "x"], "more than 0 and at most 86400 seconds are expected"),
            (&["--timeout", "soon", "x"], "a number of seconds is expected"),
            (&["--timeout", "1e30", "x"], "more than 0 and at most 86400 seconds are expected"),
            (&["--timeout", "NaN", "x"], "more than 0 and at most 86400 seconds are expected"),
            (&["--per-host", "0", "x"], "a number from 1 to 10000 is expected"),
            (&["--accept", "2xx", "x"], "\"2xx\" is no HTTP status"),
            (&["--accept", "300-200", "x"], "the range 300-200 is empty"),
            (&["--exclude", "", "x"], "an empty text would leave out every link"),
        ] {
            let error = options(arguments).unwrap_err();
            assert!(error.contains(message), "{arguments:?}: {error}");
        }
        assert!(options(&[]).unwrap_err().contains("<PATH|URL>"));
        assert!(options(&["-q", "-v", "x"]).unwrap_err().contains("cannot be used with"));
    }

    #[test]
    fn pages_cannot_be_read_offline() {
        let error = options(&["--offline", "a.md", "https://x.example"]).unwrap_err();
        assert!(error.contains("https://x.example cannot be read"), "{error}");
        assert!(options(&["--offline", "a.md"]).is_ok());
    }

    #[test]
    fn exclusion_is_by_substring_or_by_a_pattern_for_the_whole() {
        let exclude = |text| Exclude::parse(text).unwrap();
        assert!(exclude("x.example").matches("https://x.example/a"));
        assert!(!exclude("x.example").matches("https://y.example/a"));
        assert!(exclude("https://*/a?b=*").matches("https://x.example/a?b=c"));
        assert!(!exclude("https://*/a?b=*").matches("https://x.example/a&b=c"));
        assert!(!exclude("*.example").matches("https://x.example/a"));
    }

    #[test]
    fn statuses_are_accepted_singly_and_in_ranges() {
        let accept = Accept::parse("200-204, 403").unwrap();
        assert!(accept.contains(200) && accept.contains(204) && accept.contains(403));
        assert!(!accept.contains(205) && !accept.contains(404));
    }
}
