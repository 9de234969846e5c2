//! Requests: which to make, how often, and what their answers mean.

use encoding_rs::{Encoding, UTF_8};
use kippu::http::{Client, Error, ErrorKind, Method, Response};
use kippu::time::{Duration, since_unix_epoch, sleep, timeout};
use url::Url;

use super::limits::Limits;
use super::retry::{Policy, Step, parse_retry_after};
use crate::cli::Options;
use crate::extract::Format;
use crate::problem::Problem;

/// The largest page that is read. The time limit bounds slow pages, this one fast ones.
const LARGEST_PAGE: usize = 16 * 1024 * 1024;

/// What is to be known of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// Whether it is there: HEAD will do.
    Status,
    /// Its content too, if it is a document.
    Document,
}

/// How a server answered in the end.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Of the last answer; `None` when there was none.
    pub(crate) status: Option<u16>,
    /// Where redirects led, if there were any.
    pub(crate) redirected_to: Option<Url>,
    /// The content of an answer that counts as fine.
    pub(crate) result: Result<Content, Problem>,
}

/// The content of a page.
#[derive(Debug)]
pub(crate) enum Content {
    /// Nobody wanted it.
    NotRead,
    /// Neither HTML nor Markdown. Holds the Content-Type.
    NoDocument(Option<String>),
    /// HTML or Markdown.
    Document(Page),
}

/// A document as it came.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) format: Format,
    bytes: Vec<u8>,
    /// The character set that the server names.
    charset: Option<String>,
}

/// Makes requests within limits.
#[derive(Debug)]
pub(crate) struct Fetcher<'a> {
    client: Client,
    limits: Limits,
    policy: Policy,
    options: &'a Options,
}

impl<'a> Fetcher<'a> {
    /// # Errors
    /// When the User-Agent cannot stand in a header.
    pub(crate) fn new(options: &'a Options) -> Result<Self, Error> {
        Ok(Self {
            client: Client::builder()
                .user_agent(&options.user_agent)
                .redirects(options.max_redirects)
                .build()?,
            limits: Limits::new(options.concurrency, options.per_host),
            policy: Policy {
                retries: options.retries,
                wait: options.retry_wait,
                max_wait: options.max_wait,
            },
            options,
        })
    }

    /// How many requests are under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.limits.in_flight()
    }

    /// Asks for `url` until there is an answer that stands. Dropping the future cancels the
    /// request that is under way.
    pub(crate) async fn fetch(&self, url: &Url, want: Want) -> Reply {
        let mut method = match want {
            Want::Status => Method::HEAD,
            Want::Document => Method::GET,
        };
        let mut repeated = 0;
        loop {
            let permit = self.limits.enter(url).await;
            let exchange = self.exchange(url, method.clone(), want);
            let exchanged = timeout(self.options.timeout, exchange).await;
            drop(permit);

            let was_head = method == Method::HEAD;
            let (mut reply, retry_after) = match exchanged {
                Err(_elapsed) => return Reply::failed(self.too_slow()),
                Ok(Err(error)) if was_head && may_be_heads_fault(error.kind()) => {
                    method = Method::GET;
                    continue;
                }
                Ok(Err(error)) => return Reply::failed(describe(&error, url)),
                Ok(Ok(answered)) => answered,
            };
            let Err(Problem::Status { status, asked_wait }) = &mut reply.result else {
                return reply;
            };
            let step = self.policy.after_status(*status, was_head, repeated, retry_after);
            match step {
                Step::Stop => return reply,
                Step::StopTooLong(wait) => {
                    *asked_wait = Some(wait.as_secs());
                    return reply;
                }
                Step::AskWithGet => {}
                Step::Wait(time) => {
                    repeated += 1;
                    sleep(time).await;
                }
                Step::WaitForHost(time) => {
                    repeated += 1;
                    self.limits.close_host(url, time);
                }
            }
            method = Method::GET;
        }
    }

    /// One request with its redirects, and the wait that the server asks for.
    async fn exchange(
        &self,
        url: &Url,
        method: Method,
        want: Want,
    ) -> Result<(Reply, Option<Duration>), Error> {
        let response = self
            .client
            .request(method, url.as_str())
            .header("accept", "text/html,text/markdown;q=0.9,*/*;q=0.8")
            .send()
            .await?;
        let status = response.status().as_u16();
        let retry_after = header(&response, "retry-after")
            .and_then(|value| parse_retry_after(&value, since_unix_epoch()));
        let redirected_to = Some(response.url()).filter(|last| *last != url).cloned();
        let result = if !self.options.accept.contains(status) {
            Err(Problem::Status { status, asked_wait: None })
        } else if want == Want::Document {
            read(response).await?
        } else {
            Ok(Content::NotRead)
        };
        Ok((Reply { status: Some(status), redirected_to, result }, retry_after))
    }

    fn too_slow(&self) -> Problem {
        let message = format!("no complete answer within {:?}", self.options.timeout);
        Problem::Request { kind: "timeout", message, detail: None }
    }
}

impl Reply {
    fn failed(problem: Problem) -> Self {
        Self { status: None, redirected_to: None, result: Err(problem) }
    }
}

/// The content of an answer, if it is a document.
async fn read(mut response: Response) -> Result<Result<Content, Problem>, Error> {
    let content_type = header(&response, "content-type");
    let format = content_type.as_deref().and_then(|content_type| {
        Format::of_media_type(content_type).or_else(|| {
            // Few servers know Markdown's own media type.
            let is_plain = content_type.trim_start().starts_with("text/plain");
            Format::of_path(response.url().path())
                .filter(|format| is_plain && *format == Format::Markdown)
        })
    });
    let Some(format) = format else {
        return Ok(Ok(Content::NoDocument(content_type)));
    };
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > LARGEST_PAGE {
            return Ok(Err(Problem::TooLarge(LARGEST_PAGE)));
        }
        bytes.extend_from_slice(&chunk);
    }
    let charset = content_type.as_deref().and_then(charset_of);
    Ok(Ok(Content::Document(Page { format, bytes, charset })))
}

fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The `charset` of a Content-Type.
fn charset_of(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// Some servers close the connection, or answer what is no HTTP, when they see HEAD.
fn may_be_heads_fault(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Closed | ErrorKind::Protocol)
}

fn describe(error: &Error, url: &Url) -> Problem {
    let kind = match error.kind() {
        ErrorKind::Url => "malformed",
        ErrorKind::Dns => "dns",
        ErrorKind::Connect => "connect",
        ErrorKind::Tls => "tls",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Closed => "closed",
        ErrorKind::Protocol => "protocol",
        ErrorKind::TooManyRedirects => "too_many_redirects",
        _ => "other",
    };
    let message = error.to_string();
    // The report names the link anyway; only the URL of a redirect's target is news.
    let message = message.strip_suffix(&format!(": {url}")).unwrap_or(&message).to_owned();
    let detail = std::error::Error::source(error).map(ToString::to_string);
    Problem::Request { kind, message, detail }
}

/// Why a page is no text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// The server names a character set that nobody knows.
    UnknownCharset(String),
    /// UTF-8 up to this byte.
    NotUtf8 { valid_up_to: usize },
}

impl Page {
    /// The text, with replacement characters for what is none.
    pub(crate) fn text_lossy(&self) -> String {
        self.encoding().unwrap_or(UTF_8).decode(&self.bytes).0.into_owned()
    }

    /// The text.
    ///
    /// # Errors
    /// When it is none in the character set that the server names, else in UTF-8.
    pub(crate) fn text(&self) -> Result<String, DecodeError> {
        let encoding = self.encoding().map_err(DecodeError::UnknownCharset)?;
        if encoding == UTF_8
            && let Err(error) = std::str::from_utf8(&self.bytes)
        {
            return Err(DecodeError::NotUtf8 { valid_up_to: error.valid_up_to() });
        }
        Ok(encoding.decode(&self.bytes).0.into_owned())
    }

    /// The valid start of the page, up to the byte of a [`DecodeError::NotUtf8`].
    pub(crate) fn valid_start(&self, valid_up_to: usize) -> &str {
        std::str::from_utf8(&self.bytes[..valid_up_to]).unwrap_or_default()
    }

    fn encoding(&self) -> Result<&'static Encoding, String> {
        match &self.charset {
            Some(label) => Encoding::for_label(label.as_bytes()).ok_or_else(|| label.clone()),
            None => Ok(UTF_8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(bytes: &[u8], content_type: &str) -> Page {
        Page { format: Format::Html, bytes: bytes.to_vec(), charset: charset_of(content_type) }
    }

    #[test]
    fn the_servers_character_set_counts() {
        let text = |bytes, content_type| page(bytes, content_type).text();
        assert_eq!(text(b"\xe9", "text/html; charset=\"ISO-8859-1\""), Ok("é".to_owned()));
        assert_eq!(text("é".as_bytes(), "text/html"), Ok("é".to_owned()));
        assert_eq!(text(b"a\xe9", "text/html;x"), Err(DecodeError::NotUtf8 { valid_up_to: 1 }));
        assert_eq!(
            text(b"a", "text/html; Charset = klingon"),
            Err(DecodeError::UnknownCharset("klingon".to_owned()))
        );
    }

    #[test]
    fn for_anchors_any_page_is_good_enough() {
        assert_eq!(page(b"a\xe9b", "text/html").text_lossy(), "a\u{fffd}b");
        assert_eq!(page(b"ab", "text/html; charset=klingon").text_lossy(), "ab");
    }
}
