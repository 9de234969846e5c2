//! Keeps what documents show equal to what is there: tables between markers, and code that is a
//! copy of a file.

use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};

/// Replaces what stands between `<!-- place -->` and `<!-- /place -->` in a document.
///
/// # Errors
/// When the document or the markers are missing.
pub(crate) fn replace(workspace: &Workspace, file: &str, place: &str, text: &str) -> Result<()> {
    let page = workspace.read(file)?;
    let (before, _, after) = cut(&page, place).with_context(|| file.to_owned())?;
    workspace.write(file, &format!("{before}\n{}\n{after}", text.trim()))
}

/// Checks what stands between the markers.
///
/// # Errors
/// When it is another text, or as [`replace`].
pub(crate) fn check(workspace: &Workspace, file: &str, place: &str, text: &str) -> Result<()> {
    let page = workspace.read(file)?;
    let (_, inside, _) = cut(&page, place).with_context(|| file.to_owned())?;
    if inside.trim() != text.trim() {
        bail!("{file}: the text at <!-- {place} --> is out of date; it should be\n{text}");
    }
    Ok(())
}

/// Checks that every code block after a line `<!-- file: PATH -->` is that file, word for word.
///
/// # Errors
/// Names the first block that differs. A document without such blocks is an error too.
pub(crate) fn check_files(workspace: &Workspace, file: &str) -> Result<()> {
    let page = workspace.read(file)?;
    let blocks = blocks(&page).with_context(|| file.to_owned())?;
    if blocks.is_empty() {
        bail!("{file} shows no file");
    }
    for (path, code) in blocks {
        if workspace.read(path)?.trim_end() != code.trim_end() {
            bail!("{file}: the code that it shows of {path} is not what is in that file");
        }
    }
    Ok(())
}

/// The text up to and with the first marker, between the two, and from the second on.
fn cut<'a>(page: &'a str, place: &str) -> Result<(&'a str, &'a str, &'a str)> {
    let [open, close] = [format!("<!-- {place} -->"), format!("<!-- /{place} -->")];
    let start = page.find(&open).with_context(|| format!("there is no {open}"))? + open.len();
    let length = page[start..].find(&close).with_context(|| format!("there is no {close}"))?;
    Ok((&page[..start], &page[start..start + length], &page[start + length..]))
}

/// (path, code) of every code block that follows a `<!-- file: PATH -->`.
fn blocks(page: &str) -> Result<Vec<(&str, &str)>> {
    page.split("<!-- file: ")
        .skip(1)
        .map(|rest| {
            let (path, rest) = rest.split_once(" -->").context("a marker does not end")?;
            let code = rest
                .split_once("```")
                .and_then(|(_, code)| code.split_once('\n'))
                .and_then(|(_, code)| code.split_once("\n```"));
            let (code, _) = code.with_context(|| format!("no code after the marker of {path}"))?;
            Ok((path, code))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_between_markers_is_found() {
        let page = "a\n<!-- x -->\nold\n<!-- /x -->\nb";
        let (before, inside, after) = cut(page, "x").unwrap();
        assert_eq!((before, inside, after), ("a\n<!-- x -->", "\nold\n", "<!-- /x -->\nb"));
    }

    #[test]
    fn missing_markers_are_named() {
        assert_eq!(cut("a", "x").unwrap_err().to_string(), "there is no <!-- x -->");
        let error = cut("<!-- x -->", "x").unwrap_err();
        assert_eq!(error.to_string(), "there is no <!-- /x -->");
    }

    #[test]
    fn code_after_a_file_marker_is_found() {
        let page =
            "<!-- file: a.rs -->\n```rust\nfn a() {}\n```\ntext\n<!-- file: b -->\n```\n1\n```";
        assert_eq!(blocks(page).unwrap(), [("a.rs", "fn a() {}"), ("b", "1")]);
        assert!(blocks("<!-- file: a.rs -->\nno code").is_err());
    }
}
