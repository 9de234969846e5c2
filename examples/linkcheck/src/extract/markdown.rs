//! Links and anchors of Markdown.

use std::collections::HashSet;
use std::ops::Range;

use linkify::{LinkFinder, LinkKind};
use pulldown_cmark::{BrokenLink, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::slug::Slugger;
use super::{Found, Target, html};

/// What GitHub understands, plus explicit heading anchors, `{#like-this}`, which mdBook, Hugo and
/// others have.
fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
}

/// Finds the links and anchors of `text`.
pub(super) fn extract(text: &str, found: &mut Found) {
    // `[text][label]` and `[label][]` are meant as links, so an undefined label is an error;
    // a lone `[label]` mostly is just text in brackets.
    let on_undefined = |broken: BrokenLink<'_>| match broken.link_type {
        LinkType::Reference | LinkType::Collapsed => {
            Some((CowStr::from(broken.reference.into_string()), CowStr::Borrowed("")))
        }
        _ => None,
    };
    let parser = Parser::new_with_broken_link_callback(text, options(), Some(on_undefined));
    let definitions: Vec<(String, Range<usize>)> = parser
        .reference_definitions()
        .iter()
        .map(|(_, definition)| (definition.dest.to_string(), definition.span.clone()))
        .collect();

    let mut visitor = Visitor::new(text, found);
    for (event, range) in parser.into_offset_iter() {
        visitor.visit(event, range);
    }
    let used = visitor.used_definitions;
    for (url, span) in definitions {
        // A definition that no link uses is checked at its own place: somebody wrote it to be used.
        // `[comment]: <> (text)` is how people write comments.
        if !url.is_empty() && !used.contains(&url) {
            found.link(span.start, url);
        }
    }
}

struct Visitor<'a> {
    text: &'a str,
    found: &'a mut Found,
    slugger: Slugger,
    bare_urls: LinkFinder,
    /// The text of the heading that is open.
    heading: Option<Heading>,
    /// The HTML block that is open.
    html: Option<Pieces>,
    /// The text since the last event that was none.
    text_run: Pieces,
    /// How many links, images and code or metadata blocks are open, in which a URL is just text.
    literal: usize,
    /// How many images are open.
    images: usize,
    used_definitions: HashSet<String>,
}

#[derive(Default)]
struct Heading {
    text: String,
    id: Option<String>,
}

impl<'a> Visitor<'a> {
    fn new(text: &'a str, found: &'a mut Found) -> Self {
        let mut bare_urls = LinkFinder::new();
        bare_urls.kinds(&[LinkKind::Url]);
        Self {
            text,
            found,
            slugger: Slugger::default(),
            bare_urls,
            heading: None,
            html: None,
            text_run: Pieces::default(),
            literal: 0,
            images: 0,
            used_definitions: HashSet::new(),
        }
    }

    fn visit(&mut self, event: Event<'_>, range: Range<usize>) {
        if !matches!(event, Event::Text(_)) {
            self.end_text_run();
        }
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => {
                self.heading_text(&text);
                if self.literal == 0 {
                    self.text_run.push(&text, range.start);
                }
            }
            Event::Code(code) => self.heading_text(&code),
            Event::InlineHtml(_) => {
                let start = range.start;
                html::extract(&self.text[range], |offset| start + offset, self.found);
            }
            Event::Html(html) => match &mut self.html {
                Some(pieces) => pieces.push(&html, range.start),
                None => html::extract(&html, |offset| range.start + offset, self.found),
            },
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { id, .. } => {
                self.heading =
                    Some(Heading { text: String::new(), id: id.map(CowStr::into_string) });
            }
            Tag::HtmlBlock => self.html = Some(Pieces::default()),
            Tag::Link { link_type, dest_url, .. } => {
                self.literal += 1;
                self.link(link_type, dest_url, range);
            }
            Tag::Image { link_type, dest_url, .. } => {
                self.literal += 1;
                self.images += 1;
                self.link(link_type, dest_url, range);
            }
            Tag::CodeBlock(_) | Tag::MetadataBlock(_) => self.literal += 1,
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                if let Some(heading) = self.heading.take() {
                    let anchor = heading.id.unwrap_or_else(|| self.slugger.slug(&heading.text));
                    self.found.anchors.insert(anchor);
                }
            }
            TagEnd::HtmlBlock => {
                if let Some(pieces) = self.html.take() {
                    html::extract(&pieces.text, |at| pieces.source_offset(at), self.found);
                }
            }
            TagEnd::Image => {
                self.literal -= 1;
                self.images -= 1;
            }
            TagEnd::Link | TagEnd::CodeBlock | TagEnd::MetadataBlock(_) => self.literal -= 1,
            _ => {}
        }
    }

    fn link(&mut self, link_type: LinkType, url: CowStr<'_>, range: Range<usize>) {
        match link_type {
            LinkType::ReferenceUnknown | LinkType::CollapsedUnknown | LinkType::ShortcutUnknown => {
                let label = Target::UndefinedReference(url.into_string());
                self.found.links.push((range.start, label));
            }
            LinkType::Email => self.found.link(range.start, format!("mailto:{url}")),
            LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut => {
                self.used_definitions.insert(url.to_string());
                self.found.link(range.start, url);
            }
            LinkType::Inline | LinkType::Autolink | LinkType::WikiLink { .. } => {
                self.found.link(range.start, url);
            }
        }
    }

    /// GitHub's anchors leave out the alternative text of images.
    fn heading_text(&mut self, text: &str) {
        if self.images == 0
            && let Some(heading) = &mut self.heading
        {
            heading.text.push_str(text);
        }
    }

    /// Finds the URLs without any markup, which GitHub turns into links, in the text that ends here.
    fn end_text_run(&mut self) {
        let run = std::mem::take(&mut self.text_run);
        for link in self.bare_urls.links(&run.text) {
            let url = link.as_str();
            let is_http = ["http://", "https://"].iter().any(|scheme| {
                url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            });
            if is_http {
                self.found.link(run.source_offset(link.start()), url);
            }
        }
    }
}

/// Text that the parser gives in pieces: an HTML block without the markers of the lists and quotes
/// that it stands in, or a run of text with its entities and escapes replaced.
#[derive(Default)]
struct Pieces {
    text: String,
    /// Where each piece begins: in `text` and in the source.
    starts: Vec<(usize, usize)>,
}

impl Pieces {
    fn push(&mut self, text: &str, source: usize) {
        self.starts.push((self.text.len(), source));
        self.text.push_str(text);
    }

    fn source_offset(&self, offset: usize) -> usize {
        let after = self.starts.partition_point(|(start, _)| *start <= offset);
        match after.checked_sub(1).and_then(|last| self.starts.get(last)) {
            Some((start, source)) => source + (offset - start),
            None => offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::extract::{Document, Format, Target, extract};

    fn markdown(text: &str) -> Document {
        extract(text, Format::Markdown)
    }

    /// Every link as `line:column url`, undefined references in brackets.
    fn links(text: &str) -> Vec<String> {
        markdown(text)
            .links
            .into_iter()
            .map(|link| match link.target {
                Target::Url(url) => format!("{} {url}", link.place),
                Target::UndefinedReference(label) => format!("{} [{label}]", link.place),
            })
            .collect()
    }

    #[test]
    fn links_images_and_autolinks_are_found_where_they_begin() {
        assert_eq!(
            links("é [a](b.md) ![c](d.png)\n<https://e.example/>\n<f@g.example>\n"),
            ["1:3 b.md", "1:13 d.png", "2:1 https://e.example/", "3:1 mailto:f@g.example"]
        );
    }

    #[test]
    fn an_image_in_a_link_gives_both() {
        assert_eq!(links("[![i](i.svg)](t.md)"), ["1:1 t.md", "1:2 i.svg"]);
    }

    #[test]
    fn bare_urls_are_links_but_not_in_code_or_link_texts() {
        assert_eq!(
            links(
                "See https://a.example/x_y_z, `https://b.example`\n\n    https://c.example\n\n\
                 [https://d.example](e.md) https:\\/\\/f.example ftp://g.example"
            ),
            ["1:5 https://a.example/x_y_z", "5:1 e.md", "5:27 https://f.example"]
        );
        assert_eq!(links("---\nurl: https://a.example\n---\n"), [""; 0]);
    }

    #[test]
    fn escapes_before_a_bare_url_do_not_move_it() {
        assert_eq!(
            links(
                "\\* &amp; http://a.example http://a.example http://b.example/\\_ http://c.example"
            ),
            [
                "1:10 http://a.example",
                "1:27 http://a.example",
                "1:44 http://b.example/_",
                "1:64 http://c.example",
            ]
        );
    }

    #[test]
    fn references_count_where_they_are_used() {
        assert_eq!(
            links("[a] [b][A] [c][]\n\n[a]: x.md\n[c]: y.md\n[unused]: z.md\n"),
            ["1:1 x.md", "1:5 x.md", "1:12 y.md", "5:1 z.md"]
        );
    }

    #[test]
    fn comments_written_as_definitions_are_no_links() {
        assert_eq!(links("[comment]: <> (text)\n\n[//]: # (text)\n"), ["3:1 #"]);
    }

    #[test]
    fn undefined_references_are_links_to_nothing() {
        assert_eq!(links("[a][nope] [nada][] [x] [ ] [^1]"), ["1:1 [nope]", "1:11 [nada]"]);
        assert_eq!(links("- [ ] task\n- [x] done\n> [!NOTE]\n> n\n"), [""; 0]);
    }

    #[test]
    fn html_in_markdown_is_read_as_html() {
        assert_eq!(
            links(
                "Text <a\nhref=\"a\">x</a>\n\n<div>\n<img\n  src=b>\n</div>\n\n> <p>\n> <a\n> href=c>\n"
            ),
            ["2:7 a", "6:7 b", "11:8 c"]
        );
        assert_eq!(links("<!-- [a](b) <a href=c> -->\n\n`<a href=d>`"), [""; 0]);
    }

    #[test]
    fn footnotes_tables_and_lists_hold_links() {
        assert_eq!(
            links(
                "x[^1]\n\n[^1]: see [a](a.md)\n\n| t |\n|---|\n| [b](b.md) |\n\n1. - [c](c.md)\n"
            ),
            ["3:11 a.md", "7:3 b.md", "9:6 c.md"]
        );
    }

    #[test]
    fn headings_are_anchors() {
        let document = markdown(
            "# The `main` *thing* ![logo](l.png)\n\nSetext\n===\n\n## Same\n## Same\n\
             ## Named {#my-id}\n<a id=html-id></a>\n\n> ### Quoted\n",
        );
        for anchor in ["the-main-thing-", "setext", "same", "same-1", "my-id", "html-id", "quoted"]
        {
            assert!(document.anchors.contains(anchor), "{anchor} in {:?}", document.anchors);
        }
        assert!(!document.anchors.contains("named"));
    }

    #[test]
    fn a_base_element_in_markdown_changes_nothing() {
        assert_eq!(markdown("<base href=/x/>\n").base, None);
    }

    #[test]
    fn empty_and_spaced_destinations_are_kept() {
        assert_eq!(
            links("[a]() [b](<c d.md>) [e](f%20g.md \"t\")"),
            ["1:1 ", "1:7 c d.md", "1:21 f%20g.md"]
        );
    }
}
