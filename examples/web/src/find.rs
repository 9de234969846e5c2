//! Where a line has what was typed, whatever the case.

use std::ops::Range;

/// What was typed, ready to be looked for.
pub(crate) struct Query {
    /// In lower case; not empty.
    text: Vec<char>,
}

impl Query {
    /// `None` when there is nothing to look for.
    pub(crate) fn new(typed: &str) -> Option<Query> {
        let text: Vec<char> = typed.trim().chars().flat_map(char::to_lowercase).collect();
        (!text.is_empty()).then_some(Query { text })
    }

    /// The first place in `line`, in bytes.
    pub(crate) fn find(&self, line: &str) -> Option<Range<usize>> {
        line.char_indices().find_map(|(start, _)| {
            let length = self.prefix(&line[start..])?;
            Some(start..start + length)
        })
    }

    /// How many bytes of `text` are what was typed, when it begins with that.
    fn prefix(&self, text: &str) -> Option<usize> {
        let mut rest = self.text.iter();
        for (at, character) in text.char_indices() {
            if rest.as_slice().is_empty() {
                return Some(at);
            }
            // One letter in upper case may be several in lower case.
            for lower in character.to_lowercase() {
                if rest.next() != Some(&lower) {
                    return None;
                }
            }
        }
        rest.as_slice().is_empty().then_some(text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Query;

    fn find<'a>(typed: &str, line: &'a str) -> Option<&'a str> {
        Query::new(typed)?.find(line).map(|place| &line[place])
    }

    #[test]
    fn case_does_not_matter() {
        assert_eq!(find("wake", "The Life of a WAKE"), Some("WAKE"));
        assert_eq!(find("ÜBER", "darüber"), Some("über"));
    }

    #[test]
    fn letters_that_change_their_length_are_found_whole() {
        // İ is two characters in lower case.
        assert_eq!(find("i\u{307}z", "in İZMİR"), Some("İZ"));
    }

    #[test]
    fn the_end_of_a_line_is_found_and_what_goes_beyond_is_not() {
        assert_eq!(find("end", "the end"), Some("end"));
        assert_eq!(find("ends", "the end"), None);
    }

    #[test]
    fn spaces_alone_find_nothing() {
        assert_eq!(find("  ", "a  b"), None);
    }
}
