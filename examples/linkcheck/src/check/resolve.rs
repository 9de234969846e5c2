//! From what a document writes to what is to be looked at. Pure: no I/O happens here.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use crate::cli::Exclude;
use crate::problem::Problem;

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A web page, by its URL without fragment.
    Page { url: Url, fragment: Option<String> },
    /// A file or folder, by its absolute path.
    File { path: String, fragment: Option<String> },
    /// Something that is not checked.
    Skipped(Skip),
}

/// Why a link is not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// mailto:, tel:, data:, javascript: and all other schemes but http, https and file.
    Scheme,
    /// `--exclude`.
    Excluded,
    /// `--offline`.
    Offline,
}

impl Skip {
    /// One word for programs.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Scheme => "scheme",
            Self::Excluded => "excluded",
            Self::Offline => "offline",
        }
    }
}

/// Resolves the links of one document.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    /// What relative links start from.
    base: Result<Url, Problem>,
    root: Option<&'a Url>,
    exclude: &'a [Exclude],
    offline: bool,
}

impl<'a> Resolver<'a> {
    /// For a document at `document` (a `file:` URL for files) that holds `<base href>` as `base`.
    pub(crate) fn new(
        document: &Url,
        base: Option<&str>,
        root: Option<&'a Url>,
        exclude: &'a [Exclude],
        offline: bool,
    ) -> Self {
        let base = match base {
            Some(base) => join(document, root, base),
            None => Ok(document.clone()),
        };
        Self { base, root, exclude, offline }
    }

    /// Where `link` leads.
    ///
    /// # Errors
    /// When `link` cannot be made a URL.
    pub(crate) fn resolve(&self, link: &str) -> Result<Destination, Problem> {
        if self.excludes(link) {
            return Ok(Destination::Skipped(Skip::Excluded));
        }
        if link.is_empty() {
            return Err(Problem::Empty);
        }
        let mut url = match Url::parse(link) {
            Ok(url) => url,
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                join(self.base.as_ref().map_err(Clone::clone)?, self.root, link)?
            }
            Err(error) => return Err(error.into()),
        };
        let is_page = matches!(url.scheme(), "http" | "https");
        // A file is excluded by how the document names it, not by where the user's disk has it.
        if is_page && self.excludes(url.as_str()) {
            return Ok(Destination::Skipped(Skip::Excluded));
        }
        let fragment = url.fragment().filter(|fragment| !fragment.is_empty()).map(str::to_owned);
        url.set_fragment(None);
        Ok(match url.scheme() {
            _ if is_page && self.offline => Destination::Skipped(Skip::Offline),
            _ if is_page => Destination::Page {
                url,
                fragment: fragment.filter(|fragment| !is_made_by_scripts(fragment)),
            },
            // A page of the web cannot point into anybody's disk.
            "file" if self.base.as_ref().is_ok_and(|base| base.scheme() == "file") => {
                Destination::File { path: path_of(&url)?, fragment }
            }
            _ => Destination::Skipped(Skip::Scheme),
        })
    }

    /// Whether `--exclude` leaves out `url`.
    pub(super) fn excludes(&self, url: &str) -> bool {
        self.exclude.iter().any(|exclude| exclude.matches(url))
    }
}

/// `link` seen from `base`.
fn join(base: &Url, root: Option<&Url>, link: &str) -> Result<Url, Problem> {
    if base.scheme() != "file" {
        return Ok(base.join(link)?);
    }
    // `//host/path` takes the scheme of its page. Of a file that would be the host of a file share.
    if link.starts_with("//") {
        return Ok(Url::parse(&format!("https:{link}"))?);
    }
    if link.starts_with('/') {
        let root = root.ok_or(Problem::NeedsRoot)?;
        // Resolved at a site first, so that `/../x` stays inside as it does on a server.
        let on_site = Url::parse("http://localhost/")?.join(link)?;
        let mut url = root.join(&format!(".{}", on_site.path()))?;
        url.set_fragment(on_site.fragment());
        return Ok(url);
    }
    Ok(base.join(link)?)
}

/// Fragments that name nothing in the page's HTML: `#L10` and `#L10-L20` of code hosts, and the
/// routes of single-page applications, `#/path` and `#!path`.
fn is_made_by_scripts(fragment: &str) -> bool {
    let is_line = |text: &str| {
        text.strip_prefix('L').is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_digit())
                && rest.chars().all(|c| c.is_ascii_digit() || c == 'C')
        })
    };
    fragment.starts_with(['/', '!']) || fragment.split('-').all(is_line)
}

/// All but what may stand in a path as it is.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The `file:` URL of an absolute path. (`Url::from_file_path` does not exist on WebAssembly.)
///
/// # Errors
/// When `path` cannot stand in a URL.
pub(crate) fn file_url(path: &str) -> Result<Url, Problem> {
    Ok(Url::parse(&format!("file://{}", utf8_percent_encode(path, PATH)))?)
}

/// The path of a `file:` URL. The query is no part of a file's name.
fn path_of(url: &Url) -> Result<String, Problem> {
    let path = percent_decode_str(url.path())
        .decode_utf8()
        .map_err(|_| Problem::MalformedPath("not UTF-8 when decoded"))?;
    if path.contains('\0') {
        return Err(Problem::MalformedPath("it contains a zero byte"));
    }
    Ok(path.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve_in(document: &str, base: Option<&str>, link: &str) -> Result<Destination, Problem> {
        let root = file_url("/site/").unwrap();
        Resolver::new(&Url::parse(document).unwrap(), base, Some(&root), &[], false).resolve(link)
    }

    fn in_file(link: &str) -> Result<Destination, Problem> {
        resolve_in("file:///home/docs/a%20b.md", None, link)
    }

    fn file(path: &str, fragment: Option<&str>) -> Result<Destination, Problem> {
        Ok(Destination::File { path: path.to_owned(), fragment: fragment.map(str::to_owned) })
    }

    fn page(url: &str, fragment: Option<&str>) -> Result<Destination, Problem> {
        let url = Url::parse(url).unwrap();
        Ok(Destination::Page { url, fragment: fragment.map(str::to_owned) })
    }

    #[test]
    fn relative_links_of_a_file_are_files() {
        assert_eq!(in_file("c.md"), file("/home/docs/c.md", None));
        assert_eq!(in_file("../x/c%20d.md?v=1#e%20f"), file("/home/x/c d.md", Some("e%20f")));
        assert_eq!(in_file("ünder score.md"), file("/home/docs/ünder score.md", None));
        assert_eq!(in_file("#here"), file("/home/docs/a b.md", Some("here")));
        assert_eq!(in_file("sub/"), file("/home/docs/sub/", None));
        assert_eq!(in_file("file:///etc/x"), file("/etc/x", None));
    }

    #[test]
    fn links_from_the_root_need_to_know_it() {
        assert_eq!(in_file("/a/b.md#c"), file("/site/a/b.md", Some("c")));
        assert_eq!(in_file("/../../b.md"), file("/site/b.md", None));
        assert_eq!(in_file("/"), file("/site/", None));
        let document = file_url("/home/a.md").unwrap();
        let without = Resolver::new(&document, None, None, &[], false);
        assert_eq!(without.resolve("/a.md"), Err(Problem::NeedsRoot));
    }

    #[test]
    fn links_of_a_page_are_pages() {
        let from = |link| resolve_in("https://x.example/docs/a.html", None, link);
        assert_eq!(from("b.html#c"), page("https://x.example/docs/b.html", Some("c")));
        assert_eq!(from("/b"), page("https://x.example/b", None));
        assert_eq!(from("//y.example/b"), page("https://y.example/b", None));
        assert_eq!(from("file:///etc/x"), Ok(Destination::Skipped(Skip::Scheme)));
    }

    #[test]
    fn a_base_moves_relative_links() {
        let document = "file:///home/docs/a.html";
        assert_eq!(
            resolve_in(document, Some("https://x.example/d/"), "b"),
            page("https://x.example/d/b", None)
        );
        assert_eq!(resolve_in(document, Some("/d/"), "b#c"), file("/site/d/b", Some("c")));
        assert_eq!(resolve_in(document, Some("../e/"), "b"), file("/home/e/b", None));
        assert_eq!(
            resolve_in(document, Some("https://[/"), "b"),
            Err(Problem::Malformed(url::ParseError::InvalidIpv6Address))
        );
        assert_eq!(
            resolve_in(document, Some("https://[/"), "https://y.example/"),
            page("https://y.example/", None)
        );
    }

    #[test]
    fn absolute_links_are_pages_or_skipped() {
        assert_eq!(in_file("//x.example/a"), page("https://x.example/a", None));
        assert_eq!(in_file("HTTP://X.example"), page("http://x.example/", None));
        for link in ["mailto:a@b.example", "tel:+1", "data:,x", "javascript:void(0)", "ftp://x/y"] {
            assert_eq!(in_file(link), Ok(Destination::Skipped(Skip::Scheme)), "{link}");
        }
    }

    #[test]
    fn malformed_links_say_why() {
        let message = |link| in_file(link).unwrap_err().to_string();
        assert_eq!(message(""), "the link is empty");
        assert_eq!(message("http://"), "malformed URL: empty host");
        assert_eq!(message("http://x.example:99999/"), "malformed URL: invalid port number");
        assert_eq!(
            message("https://a b.example/"),
            "malformed URL: invalid international domain name"
        );
        assert_eq!(message("a%00b.md"), "malformed path: it contains a zero byte");
        assert_eq!(message("a%FFb.md"), "malformed path: not UTF-8 when decoded");
    }

    #[test]
    fn fragments_that_scripts_make_are_not_looked_for() {
        for link in ["#L10", "#L10-L20", "#L1C2-L3C4", "#/route", "#!/route", "#"] {
            let url = format!("https://x.example/a{link}");
            assert_eq!(in_file(&url), page("https://x.example/a", None), "{link}");
        }
        for fragment in ["Line", "L", "L10-end", "-"] {
            let url = format!("https://x.example/a#{fragment}");
            assert_eq!(in_file(&url), page("https://x.example/a", Some(fragment)));
        }
    }

    #[test]
    fn exclusion_sees_links_as_written_and_as_resolved() {
        let exclude = ["docs", "{{", "//x.example"].map(|text| Exclude::Substring(text.to_owned()));
        let skipped = |skip| Ok(Destination::Skipped(skip));
        let document = file_url("/home/docs/a.md").unwrap();
        let resolver = Resolver::new(&document, None, None, &exclude, true);
        assert_eq!(resolver.resolve("/{{ page }}"), skipped(Skip::Excluded));
        assert_eq!(resolver.resolve("HTTPS://X.example"), skipped(Skip::Excluded));
        assert_eq!(resolver.resolve("https://y.example/"), skipped(Skip::Offline));
        // That the folder's name is excluded text is the user's disk's business.
        assert_eq!(resolver.resolve("b.md"), file("/home/docs/b.md", None));
    }
}
