//! From the text of a document to its links and anchors. Pure: no I/O happens here.

mod anchors;
mod html;
mod markdown;
mod place;
mod slug;
mod srcset;

pub(crate) use anchors::Anchors;
pub(crate) use place::{Place, place_of};

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// GitHub-flavoured Markdown.
    Markdown,
    /// HTML.
    Html,
}

/// The file name endings that stand for Markdown.
const MARKDOWN_ENDINGS: [&str; 2] = [".md", ".markdown"];
/// The file name endings that stand for HTML.
const HTML_ENDINGS: [&str; 2] = [".html", ".htm"];

impl Format {
    /// What a path's ending says, `None` when it names no kind of document.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let ends_with = |ending: &&str| {
            let tail = path.len().checked_sub(ending.len());
            tail.and_then(|at| path.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
        };
        if MARKDOWN_ENDINGS.iter().any(ends_with) {
            Some(Self::Markdown)
        } else if HTML_ENDINGS.iter().any(ends_with) {
            Some(Self::Html)
        } else {
            None
        }
    }

    /// What a Content-Type header says, `None` when it names no kind of document.
    pub(crate) fn of_media_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("text/html")
            || essence.eq_ignore_ascii_case("application/xhtml+xml")
        {
            Some(Self::Html)
        } else if essence.eq_ignore_ascii_case("text/markdown") {
            Some(Self::Markdown)
        } else {
            None
        }
    }
}

/// What a link points at, as the document writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A URL, relative or absolute, not yet checked for being one.
    Url(String),
    /// `[text][label]` whose label is defined nowhere in the document.
    UndefinedReference(String),
}

/// One link and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// What it points at.
    pub(crate) target: Target,
    /// Where it begins.
    pub(crate) place: Place,
}

/// What was found in one document.
#[derive(Debug)]
pub(crate) struct Document {
    /// In the order of their places.
    pub(crate) links: Vec<Link>,
    /// What a fragment may name.
    pub(crate) anchors: Anchors,
    /// The first `<base href>` of an HTML document.
    pub(crate) base: Option<String>,
}

/// Finds the links and anchors of `text`. Never fails: in both formats every text means something.
pub(crate) fn extract(text: &str, format: Format) -> Document {
    let mut found = Found::default();
    match format {
        Format::Markdown => markdown::extract(text, &mut found),
        Format::Html => html::extract(text, |offset| offset, &mut found),
    }
    // Elements are visited in document order, except for the attributes of one tag and for
    // reference definitions. Both `locate` and the report want order.
    found.links.sort_by_key(|(offset, _)| *offset);
    let places = place::locate(text, found.links.iter().map(|(offset, _)| *offset));
    Document {
        links: places
            .into_iter()
            .zip(found.links)
            .map(|(place, (_, target))| Link { target, place })
            .collect(),
        anchors: Anchors::new(format, found.anchors),
        base: match format {
            Format::Html => found.base,
            // In Markdown a `<base>` is somebody's example, not an instruction.
            Format::Markdown => None,
        },
    }
}

/// What the extractors of both formats fill.
#[derive(Debug, Default)]
struct Found {
    /// Byte offset in the source and target.
    links: Vec<(usize, Target)>,
    anchors: std::collections::HashSet<String>,
    base: Option<String>,
}

impl Found {
    fn link(&mut self, offset: usize, url: impl Into<String>) {
        self.links.push((offset, Target::Url(url.into())));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_names_its_format_by_its_ending() {
        assert_eq!(Format::of_path("a/README.MD"), Some(Format::Markdown));
        assert_eq!(Format::of_path("a.markdown"), Some(Format::Markdown));
        assert_eq!(Format::of_path("index.htm"), Some(Format::Html));
        assert_eq!(Format::of_path("é.html"), Some(Format::Html));
        assert_eq!(Format::of_path("notes.txt"), None);
        assert_eq!(Format::of_path("md"), None);
        assert_eq!(Format::of_path("éé"), None);
    }

    #[test]
    fn a_media_type_names_its_format() {
        assert_eq!(Format::of_media_type("text/html; charset=utf-8"), Some(Format::Html));
        assert_eq!(Format::of_media_type("TEXT/MARKDOWN"), Some(Format::Markdown));
        assert_eq!(Format::of_media_type("application/pdf"), None);
        assert_eq!(Format::of_media_type(""), None);
    }

    /// Text in which the characters that mean something to the parsers are frequent.
    fn hostile_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            proptest::sample::select(vec![
                "<",
                ">",
                "<a href=",
                "\"",
                "'",
                "<!--",
                "-->",
                "<script>",
                "</script>",
                "<base href=",
                "srcset=",
                " 2x,",
                "&amp;",
                "&#0;",
                "[",
                "]",
                "(",
                ")",
                "![",
                "[x]: ",
                "\n",
                "\r\n",
                "# ",
                "> ",
                "    ",
                "```",
                "`",
                "*",
                "_",
                "|",
                "http://",
                "https://é.example/",
                "\u{0}",
                "\u{feff}",
                "<div\n",
                "{#",
                "}",
                "[^1]",
                "---\n",
            ])
            .prop_map(str::to_owned),
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_text_can_be_extracted(text in hostile_text()) {
            let lines = text.matches('\n').count() + 1;
            for format in [Format::Markdown, Format::Html] {
                let document = extract(&text, format);
                for pair in document.links.windows(2) {
                    prop_assert!(pair[0].place <= pair[1].place);
                }
                for link in &document.links {
                    prop_assert!((1..=lines).contains(&link.place.line));
                    prop_assert!(link.place.column >= 1);
                }
            }
        }
    }
}
