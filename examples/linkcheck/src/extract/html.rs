//! Links and anchors of HTML.

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::{Found, srcset};

/// Finds the links and anchors of `html`. `source_offset` says where in the document a byte of
/// `html` came from, for HTML that stands in Markdown.
pub(super) fn extract(html: &str, source_offset: impl Fn(usize) -> usize, found: &mut Found) {
    let mut open: Option<Tag> = None;
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, span: Span<usize>| {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                open = Some(Tag { name: to_text(name), attributes: Vec::new() });
            }
            CallbackEvent::AttributeName { name } => {
                if let Some(tag) = &mut open {
                    tag.attributes.push(Attribute {
                        name: to_text(name),
                        value: String::new(),
                        offset: span.start,
                    });
                }
            }
            CallbackEvent::AttributeValue { value } => {
                if let Some(attribute) = open.as_mut().and_then(|tag| tag.attributes.last_mut()) {
                    attribute.value = to_text(value);
                    attribute.offset = span.start;
                }
            }
            CallbackEvent::CloseStartTag { .. } => {
                if let Some(tag) = open.take() {
                    tag.visit(&source_offset, found);
                }
            }
            // An end tag's attributes mean nothing, so nothing may be open for them.
            CallbackEvent::EndTag { .. } => open = None,
            _ => {}
        }
        None::<Infallible>
    });
    // Without a tree the tokenizer cannot know that the content of <script>, <style>, <title> and
    // the like is no markup; the emitter can guess that from the tag's name alone.
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
}

/// Names and values are slices of a `&str` at character borders, so nothing is lost here.
fn to_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

struct Attribute {
    name: String,
    value: String,
    /// Of the value; of the name if there is no value.
    offset: usize,
}

struct Tag {
    name: String,
    attributes: Vec<Attribute>,
}

impl Tag {
    /// The first attribute of this name: browsers drop repetitions.
    fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    fn visit(&self, source_offset: &impl Fn(usize) -> usize, found: &mut Found) {
        if let Some(id) = self.get("id") {
            found.anchors.insert(id.value.clone());
        }
        if self.name == "a"
            && let Some(name) = self.get("name")
        {
            found.anchors.insert(name.value.clone());
        }
        if self.name == "base" {
            if let Some(href) = self.get("href")
                && found.base.is_none()
            {
                found.base = Some(href.value.trim().to_owned());
            }
            return;
        }
        for name in url_attributes(&self.name) {
            if self.is_hint() {
                break;
            }
            if let Some(attribute) = self.get(name) {
                let url = attribute.value.trim_ascii();
                // An empty href names the page itself, which scripts rely on.
                if !(url.is_empty() && *name == "href") {
                    found.link(source_offset(attribute.offset), url);
                }
            }
        }
        for name in srcset_attributes(&self.name) {
            if let Some(attribute) = self.get(name) {
                for url in srcset::urls(&attribute.value) {
                    found.link(source_offset(attribute.offset), url);
                }
            }
        }
    }

    /// `<link rel="preconnect">` and `dns-prefetch` name an origin to warm up, not a resource.
    fn is_hint(&self) -> bool {
        self.name == "link"
            && self.get("rel").is_some_and(|rel| {
                rel.value.split_ascii_whitespace().any(|word| {
                    word.eq_ignore_ascii_case("preconnect")
                        || word.eq_ignore_ascii_case("dns-prefetch")
                })
            })
    }
}

/// The attributes of an element that hold one URL each.
fn url_attributes(tag: &str) -> &'static [&'static str] {
    match tag {
        "a" | "area" | "link" => &["href"],
        "img" | "script" | "iframe" | "frame" | "source" | "audio" | "track" | "embed"
        | "input" => &["src"],
        "video" => &["src", "poster"],
        "object" => &["data"],
        _ => &[],
    }
}

/// The attributes of an element that hold a list of image candidates.
fn srcset_attributes(tag: &str) -> &'static [&'static str] {
    match tag {
        "img" | "source" => &["srcset"],
        "link" => &["imagesrcset"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use crate::extract::{Document, Format, Place, Target, extract};

    fn html(text: &str) -> Document {
        extract(text, Format::Html)
    }

    /// Every link as `line:column url`.
    fn links(text: &str) -> Vec<String> {
        html(text)
            .links
            .into_iter()
            .map(|link| match link.target {
                Target::Url(url) => format!("{} {url}", link.place),
                Target::UndefinedReference(label) => panic!("HTML has no references: {label}"),
            })
            .collect()
    }

    #[test]
    fn links_of_all_elements_are_found_where_their_values_stand() {
        let text = "<a href=\"a.html\">x</a>\n<area href='b'><link href=c>\n\
                    <img src=d srcset=\"e 1x, f 2x\"><script src=g></script><iframe src=h></iframe>\n\
                    <video src=i poster=j><source src=k></video>";
        assert_eq!(
            links(text),
            [
                "1:10 a.html",
                "2:13 b",
                "2:27 c",
                "3:10 d",
                "3:20 e",
                "3:20 f",
                "3:44 g",
                "3:67 h",
                "4:12 i",
                "4:21 j",
                "4:35 k",
            ]
        );
    }

    #[test]
    fn what_is_no_markup_is_left_alone() {
        assert_eq!(
            links(
                "<!-- <a href=a> --><script>'<a href=b>'</script><style><a href=c></style>\
                 <title><a href=d></title><textarea><a href=e></textarea></p href=f>"
            ),
            [""; 0]
        );
    }

    #[test]
    fn entities_white_space_and_repetitions_are_treated_as_by_browsers() {
        assert_eq!(links("<a href=' x?a=1&amp;b=2\n' href=second>"), ["1:10 x?a=1&b=2"]);
        assert_eq!(links("<A HREF=x>"), ["1:9 x"]);
        assert_eq!(links("<a href>, <a href=''>, <a>"), [""; 0]);
        assert_eq!(links("<img src=''>"), ["1:6 "]);
        assert_eq!(links("<link rel='x PRECONNECT' href=https://x.example>"), [""; 0]);
    }

    #[test]
    fn ids_and_names_are_anchors() {
        let anchors = html("<p id=one><a name=two><div name=three><h1 id='v1.0'>").anchors;
        assert!(anchors.contains("one") && anchors.contains("two") && anchors.contains("v1.0"));
        assert!(!anchors.contains("three"));
    }

    #[test]
    fn the_first_base_counts_and_is_no_link() {
        let document = html("<base target=x><base href=' /docs/ '><base href=/other/>");
        assert_eq!(document.base.as_deref(), Some("/docs/"));
        assert_eq!(document.links, []);
    }

    #[test]
    fn a_tag_that_never_ends_is_no_tag() {
        assert_eq!(links("<a href=x"), [""; 0]);
    }

    #[test]
    fn a_line_of_many_links_is_located_in_linear_time() {
        let document = html(&"<a href=x></a>".repeat(100_000));
        assert_eq!(document.links.len(), 100_000);
        let last = document.links.last().map(|link| link.place);
        assert_eq!(last, Some(Place { line: 1, column: 99_999 * 14 + 9 }));
    }
}
