//! From the command line's files, folders and URLs to a list of documents.

use std::collections::HashSet;

use kippu::fs;
use url::Url;

use crate::check::file;
use crate::cli::is_url;
use crate::extract::Format;
use crate::problem::{FileProblem, InputError, InputProblem, Problem};

/// Folders that hold what others wrote.
const LEFT_OUT: [&str; 2] = ["node_modules", "target"];

/// One document to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A file. `shown` is the path as the user knows it.
    File { path: String, shown: String, format: Format },
    /// A web page. `shown` is the URL as the user wrote it.
    Page { url: Url, shown: String },
}

/// The documents that `inputs` name, in order, none twice. Relative paths start from `cwd`.
///
/// What cannot be used goes to `errors`; the others are still given.
pub(crate) async fn expand(
    inputs: &[String],
    cwd: &str,
    mut errors: impl FnMut(InputError),
) -> Vec<Input> {
    let mut found = Vec::new();
    for input in inputs {
        if is_url(input) {
            match Url::parse(input) {
                Ok(mut url) => {
                    url.set_fragment(None);
                    found.push(Input::Page { url, shown: input.clone() });
                }
                Err(error) => errors(InputError {
                    source: input.clone(),
                    problem: Problem::Malformed(error).into(),
                }),
            }
            continue;
        }
        let is_dir = match file::metadata(&absolute(cwd, input)).await {
            Ok(metadata) => metadata.is_dir(),
            Err(problem) => {
                errors(InputError { source: input.clone(), problem: problem.into() });
                continue;
            }
        };
        if is_dir {
            let before = found.len();
            let failed = walk(input, cwd, &mut found, &mut errors).await;
            if found.len() == before && !failed {
                let problem = FileProblem::NoDocuments.into();
                errors(InputError { source: input.clone(), problem });
            }
        } else if let Some(format) = Format::of_path(input) {
            found.push(Input::File {
                path: absolute(cwd, input),
                shown: strip_dot(input).to_owned(),
                format,
            });
        } else {
            let problem = FileProblem::UnknownFormat.into();
            errors(InputError { source: input.clone(), problem });
        }
    }
    let mut seen = HashSet::new();
    found.retain(|input| match input {
        Input::File { path, .. } => seen.insert(path.clone()),
        Input::Page { url, .. } => seen.insert(url.to_string()),
    });
    found
}

/// Adds the documents in `folder` and below, sorted by name, and says whether something failed.
async fn walk(
    folder: &str,
    cwd: &str,
    found: &mut Vec<Input>,
    errors: &mut impl FnMut(InputError),
) -> bool {
    let mut failed = false;
    // A stack of our own: the depth of folders is anybody's choice.
    let mut stack = vec![Step::Enter(folder.to_owned())];
    while let Some(step) = stack.pop() {
        let path = match step {
            Step::Enter(path) => path,
            Step::Document(path, format) => {
                // Also catches links that lead nowhere: they look like documents, but are none.
                match file::metadata(&absolute(cwd, &path)).await {
                    Ok(metadata) if metadata.is_dir() => {}
                    _ => found.push(Input::File {
                        path: absolute(cwd, &path),
                        shown: strip_dot(&path).to_owned(),
                        format,
                    }),
                }
                continue;
            }
        };
        let entries = match fs::read_dir(absolute(cwd, &path)).await {
            Ok(entries) => entries,
            Err(error) => {
                failed = true;
                let problem = InputProblem::File(FileProblem::from_io(&error));
                errors(InputError { source: path, problem });
                continue;
            }
        };
        // The last pushed is the first visited.
        for entry in entries.iter().rev() {
            let name = entry.name();
            let below = format!("{}/{name}", path.trim_end_matches('/'));
            if entry.is_dir() {
                if !name.starts_with('.') && !LEFT_OUT.contains(&name) {
                    stack.push(Step::Enter(below));
                }
            } else if let Some(format) = Format::of_path(name) {
                stack.push(Step::Document(below, format));
            }
        }
    }
    failed
}

enum Step {
    Enter(String),
    Document(String, Format),
}

/// `path` seen from `cwd`, without `.` and `..` and doubled slashes.
pub(crate) fn absolute(cwd: &str, path: &str) -> String {
    let start = if path.starts_with('/') { "" } else { cwd };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// `path` as short as it can be shown to somebody in `cwd`.
pub(crate) fn shown<'a>(cwd: &str, path: &'a str) -> &'a str {
    match path.strip_prefix(cwd.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/')) {
        Some("") => ".",
        Some(rest) => rest,
        None => path,
    }
}

fn strip_dot(path: &str) -> &str {
    match path.strip_prefix("./").map(|rest| rest.trim_start_matches('/')) {
        Some("") | None => path,
        Some(rest) => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_absolute() {
        assert_eq!(absolute("/home", "docs/a.md"), "/home/docs/a.md");
        assert_eq!(absolute("/home/", "./docs//../a.md"), "/home/a.md");
        assert_eq!(absolute("/home", "../../../a.md"), "/a.md");
        assert_eq!(absolute("/home", "/etc/."), "/etc");
        assert_eq!(absolute("/home", "."), "/home");
    }

    #[test]
    fn paths_are_shown_as_seen_from_here() {
        assert_eq!(shown("/home", "/home/docs/a.md"), "docs/a.md");
        assert_eq!(shown("/home", "/homestead/a.md"), "/homestead/a.md");
        assert_eq!(shown("/home", "/home/"), ".");
        assert_eq!(shown("/", "/a.md"), "a.md");
        assert_eq!(strip_dot("./a.md"), "a.md");
        assert_eq!(strip_dot("./"), "./");
        assert_eq!(strip_dot("../a.md"), "../a.md");
    }
}
