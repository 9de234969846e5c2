//! Paths as text: which of the directories that the host has opened covers a path.

/// The parts of `path` seen from the root, without `.`, and without `..` at its front. Those further back stay: what they
/// lead to depends on symbolic links.
pub(super) fn absolute<'a>(cwd: &'a str, path: &'a str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let start = if path.starts_with('/') { "" } else { cwd };
    // The host's working directory is a real path, and `..` of the root is the root.
    for part in named(start) {
        step(&mut parts, part);
    }
    let mut is_front = true;
    for part in named(path) {
        is_front &= part == "..";
        if is_front {
            step(&mut parts, part);
        } else {
            parts.push(part);
        }
    }
    parts
}

/// The parts of a path that say something.
pub(super) fn named(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

fn step<'a>(parts: &mut Vec<&'a str>, part: &'a str) {
    if part == ".." {
        parts.pop();
    } else {
        parts.push(part);
    }
}

/// Whether the text of a path says that it is one of a directory.
pub(super) fn says_directory(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("" | "." | ".."))
}

/// What covers a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// The directory with this index, and the path from there.
    By(usize, String),
    /// It depends on symbolic links.
    Unclear,
    Nothing,
}

/// Which of `opened`, the longest that there is, covers the path of `parts`. What follows after its name is left to the host, which
/// resolves links as an operating system does, but not out of that directory. Not so `..`: some hosts take the part before it
/// away without a look at it.
pub(super) fn covering<'a>(opened: impl Iterator<Item = &'a [String]>, parts: &[&str]) -> Cover {
    if parts.contains(&"..") {
        return Cover::Unclear;
    }
    let best = opened
        .enumerate()
        .filter(|(_, name)| starts_with(parts, name))
        .max_by_key(|(_, name)| name.len());
    best.map_or(Cover::Nothing, |(index, name)| Cover::By(index, relative(&parts[name.len()..])))
}

/// Whether this is an ancestor of one of `opened`.
pub(super) fn is_above<'a>(
    mut opened: impl Iterator<Item = &'a [String]>,
    parts: &[String],
) -> bool {
    opened.any(|name| name.starts_with(parts))
}

fn starts_with(parts: &[&str], start: &[String]) -> bool {
    parts.len() >= start.len() && parts.iter().zip(start).all(|(part, name)| part == name)
}

/// The path that the host gets.
fn relative(parts: &[&str]) -> String {
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cover(opened: &[&str], cwd: &str, path: &str) -> Cover {
        let opened: Vec<Vec<String>> = opened
            .iter()
            .map(|name| absolute(cwd, name).into_iter().map(str::to_owned).collect())
            .collect();
        covering(opened.iter().map(Vec::as_slice), &absolute(cwd, path))
    }

    fn by(index: usize, rest: &str) -> Cover {
        Cover::By(index, rest.to_owned())
    }

    #[test]
    fn the_longest_name_by_whole_parts_covers_a_path() {
        let opened = ["/", "/a", "/a/b"];
        assert_eq!(cover(&opened, "/", "/a/b/c/d"), by(2, "c/d"));
        assert_eq!(cover(&opened, "/", "/a/bc"), by(1, "bc"));
        assert_eq!(cover(&opened, "/", "/ab"), by(0, "ab"));
        assert_eq!(cover(&opened, "/", "/a/b/"), by(2, "."));
        assert_eq!(cover(&opened[1..], "/", "/b"), Cover::Nothing);
        assert_eq!(cover(&[], "/", "/"), Cover::Nothing);
    }

    #[test]
    fn relative_paths_and_names_start_from_the_working_directory() {
        assert_eq!(cover(&["."], "/", "./a//b/./c"), by(0, "a/b/c"));
        assert_eq!(cover(&["."], "/", "/a"), by(0, "a"));
        assert_eq!(cover(&["."], "/home", "a"), by(0, "a"));
        assert_eq!(cover(&["."], "/home", "/a"), Cover::Nothing);
        assert_eq!(cover(&["docs"], "/", "docs/a.md"), by(0, "a.md"));
        assert_eq!(cover(&["../docs"], "/home", "../docs/a.md"), by(0, "a.md"));
        assert_eq!(cover(&["../docs"], "/", "../docs/a.md"), by(0, "a.md"));
        assert_eq!(cover(&["/home"], "/home", "."), by(0, "."));
    }

    #[test]
    fn parents_depend_on_links_but_for_those_at_the_front() {
        assert_eq!(cover(&["/a"], "/", "/a/b/../c"), Cover::Unclear);
        assert_eq!(cover(&["/a", "/b"], "/", "/a/../b"), Cover::Unclear);
        assert_eq!(cover(&[], "/", "/a/../b"), Cover::Unclear);
        assert_eq!(cover(&["/"], "/", "/../../a"), by(0, "a"));
        assert_eq!(cover(&["/"], "/home", "../etc"), by(0, "etc"));
    }

    #[test]
    fn the_text_of_a_path_may_say_that_it_is_a_directory() {
        for path in ["/", "a/", "a/.", "a/..", ".", ".."] {
            assert!(says_directory(path), "{path}");
        }
        for path in ["a", "/a", "a/.b", "..a"] {
            assert!(!says_directory(path), "{path}");
        }
    }

    #[test]
    fn ancestors_of_opened_directories_are_known() {
        let opened = [vec!["a".to_owned(), "b".to_owned()]];
        let above = |parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
            is_above(opened.iter().map(Vec::as_slice), &parts)
        };
        assert!(above(&[]) && above(&["a"]) && above(&["a", "b"]));
        assert!(!above(&["b"]) && !above(&["a", "b", "c"]));
    }
}
