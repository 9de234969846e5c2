//! The value of a `srcset` attribute, after the HTML standard's "parse a srcset attribute".

/// The URLs of the candidates, without their descriptors.
pub(super) fn urls(srcset: &str) -> Vec<&str> {
    let mut urls = Vec::new();
    let mut rest = srcset;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return urls;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (url, after) = rest.split_at(end);
        let bare = url.trim_end_matches(',');
        urls.push(bare);
        // A comma right behind the URL ends the candidate: no descriptors follow.
        rest = if bare.len() < url.len() { after } else { skip_descriptors(after) };
    }
}

/// What follows the comma that ends the descriptors. Commas in parentheses do not.
fn skip_descriptors(text: &str) -> &str {
    let mut in_parentheses = false;
    for (at, char) in text.char_indices() {
        match char {
            '(' => in_parentheses = true,
            ')' => in_parentheses = false,
            ',' if !in_parentheses => return &text[at + 1..],
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_split_as_browsers_do() {
        assert_eq!(urls("a.png 1x, b.png 2x"), ["a.png", "b.png"]);
        assert_eq!(urls(" a.png,b.png 2x , c.png"), ["a.png,b.png", "c.png"]);
        assert_eq!(urls("a.png, b.png"), ["a.png", "b.png"]);
        assert_eq!(urls("data:image/png;base64,AA== 1x"), ["data:image/png;base64,AA=="]);
        assert_eq!(urls("a.png type(1,2) 2x,b.png"), ["a.png", "b.png"]);
        assert_eq!(urls(" , ,"), [""; 0]);
        assert_eq!(urls("a (unclosed, b"), ["a"]);
    }
}
