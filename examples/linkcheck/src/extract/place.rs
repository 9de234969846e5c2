//! From byte offsets to lines and columns.

use std::fmt;

/// A place in a text. Both numbers count from 1; columns count characters, not bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The places of ascending byte offsets.
///
/// All at once, since one at a time would be quadratic on a minified page of one line.
/// An offset inside a character or past the end counts as that of the next character or the end.
pub(super) fn locate(text: &str, offsets: impl IntoIterator<Item = usize>) -> Vec<Place> {
    let mut chars = text.char_indices().peekable();
    let mut here = Place { line: 1, column: 1 };
    offsets
        .into_iter()
        .map(|offset| {
            while let Some((_, char)) = chars.next_if(|(at, _)| *at < offset) {
                if char == '\n' {
                    here = Place { line: here.line + 1, column: 1 };
                } else {
                    here.column += 1;
                }
            }
            here
        })
        .collect()
}

/// The place right behind `text`.
pub(crate) fn place_of(text: &str) -> Place {
    Place {
        line: text.matches('\n').count() + 1,
        column: text.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize) -> Place {
        Place { line, column }
    }

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let text = "aé\r\nb\n\nc";
        let places = locate(text, [0, 3, 5, 6, 8, 99]);
        assert_eq!(places, [at(1, 1), at(1, 3), at(2, 1), at(2, 2), at(4, 1), at(4, 2)]);
    }

    #[test]
    fn several_offsets_may_be_the_same() {
        assert_eq!(locate("ab", [1, 1]), [at(1, 2), at(1, 2)]);
    }

    #[test]
    fn the_place_behind_a_text() {
        assert_eq!(place_of(""), at(1, 1));
        assert_eq!(place_of("ab\né"), at(2, 2));
        assert_eq!(place_of("ab\n"), at(2, 1));
    }
}
