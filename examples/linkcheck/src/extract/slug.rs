//! The anchors that GitHub gives to headings.

use std::collections::HashMap;

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// Makes the anchors of one document's headings, all of them distinct.
#[derive(Debug, Default)]
pub(super) struct Slugger {
    /// Each anchor given so far, with the last number that was appended to it.
    given: HashMap<String, usize>,
}

impl Slugger {
    /// The anchor of the next heading, whose text without markup is `heading`.
    pub(super) fn slug(&mut self, heading: &str) -> String {
        let base = bare_slug(heading);
        let mut number = self.given.get(&base).copied();
        let mut slug = base.clone();
        while let Some(last) = number {
            let next = last + 1;
            slug = format!("{base}-{next}");
            number = self.given.contains_key(&slug).then_some(next);
            self.given.insert(base.clone(), next);
        }
        self.given.entry(slug.clone()).or_insert(0);
        slug
    }
}

/// Lower case; spaces become hyphens; all but letters, marks, numbers, hyphens and connectors goes.
fn bare_slug(heading: &str) -> String {
    heading
        .chars()
        .flat_map(char::to_lowercase)
        .filter_map(|char| match char {
            ' ' | '-' => Some('-'),
            _ => is_word(char).then_some(char),
        })
        .collect()
}

fn is_word(char: char) -> bool {
    char.is_alphabetic()
        || matches!(
            char.general_category_group(),
            GeneralCategoryGroup::Letter
                | GeneralCategoryGroup::Mark
                | GeneralCategoryGroup::Number
        )
        || char.general_category() == GeneralCategory::ConnectorPunctuation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(heading: &str) -> String {
        Slugger::default().slug(heading)
    }

    #[test]
    fn headings_become_what_github_makes_of_them() {
        assert_eq!(slug("Getting Started"), "getting-started");
        assert_eq!(slug("What's new? (2.0)"), "whats-new-20");
        assert_eq!(slug("snake_case & kebab-case"), "snake_case--kebab-case");
        assert_eq!(slug("Größe Привет 日本"), "größe-привет-日本");
        assert_eq!(slug("½ way"), "½-way");
        assert_eq!(slug("🚀 Launch"), "-launch");
        // The variation selector behind an emoji is a mark, and GitHub keeps it.
        assert_eq!(slug("⚠\u{fe0f} Care"), "\u{fe0f}-care");
        assert_eq!(slug("!?"), "");
    }

    #[test]
    fn repeated_headings_are_numbered() {
        let mut slugger = Slugger::default();
        let given: Vec<_> = ["A", "a", "A 1", "a", "", ""].map(|h| slugger.slug(h)).into();
        assert_eq!(given, ["a", "a-1", "a-1-1", "a-2", "", "-1"]);
    }
}
