//! What the fragment of a link may name.

use std::collections::HashSet;

use percent_encoding::percent_decode_str;

use super::Format;

/// The anchors of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchors {
    format: Format,
    names: HashSet<String>,
}

impl Anchors {
    pub(super) fn new(format: Format, names: HashSet<String>) -> Self {
        Self { format, names }
    }

    /// Whether `fragment`, without its `#` and as the link writes it, leads somewhere.
    pub(crate) fn contains(&self, fragment: &str) -> bool {
        // What follows `:~:` is for the browser (a text to highlight), not an anchor.
        let fragment = fragment.split(":~:").next().unwrap_or_default();
        if fragment.is_empty() || fragment.eq_ignore_ascii_case("top") {
            return true;
        }
        let decoded = percent_decode_str(fragment).decode_utf8_lossy();
        let known = |name: &str| {
            self.names.contains(name)
                // GitHub prefixes the anchors of what its users write and lets scripts hide that.
                || self.names.contains(&format!("user-content-{name}"))
        };
        known(fragment)
            || known(&decoded)
            // Heading anchors are in lower case, and GitHub follows them in any case.
            || (self.format == Format::Markdown && known(&decoded.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchors(format: Format) -> Anchors {
        let names = ["install", "größe", "50%25", "user-content-usage"];
        Anchors::new(format, names.map(str::to_owned).into())
    }

    #[test]
    fn fragments_are_compared_as_written_and_decoded() {
        let anchors = anchors(Format::Html);
        assert!(anchors.contains("install"));
        assert!(anchors.contains("gr%C3%B6%C3%9Fe"));
        assert!(anchors.contains("größe"));
        assert!(anchors.contains("50%25"));
        assert!(anchors.contains("usage"));
        assert!(!anchors.contains("Install"));
        assert!(!anchors.contains("missing"));
        assert!(!anchors.contains("%FF"));
    }

    #[test]
    fn markdown_anchors_are_followed_in_any_case() {
        assert!(anchors(Format::Markdown).contains("Install"));
    }

    #[test]
    fn the_top_is_always_there() {
        let none = Anchors::new(Format::Html, HashSet::new());
        assert!(none.contains(""));
        assert!(none.contains("TOP"));
        assert!(none.contains(":~:text=hello"));
        assert!(!none.contains("a:~:text=hello"));
    }
}
