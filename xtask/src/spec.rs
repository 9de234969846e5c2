//! Reads the tables of `abi/spec.md`: what a guest may import, with which signature.
//!
//! The page itself is the list that built guests are compared with, so that it cannot fall behind.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt;

/// A type that crosses the boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    I32,
    F32,
    F64,
}

/// A function's raw signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) params: Vec<Raw>,
    pub(crate) result: Option<Raw>,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params: Vec<_> = self.params.iter().map(|raw| raw.name()).collect();
        write!(f, "({})", params.join(", "))?;
        self.result.map_or(Ok(()), |raw| write!(f, " -> {}", raw.name()))
    }
}

impl Raw {
    fn name(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    fn parse(name: &str) -> Result<Self> {
        match name.trim() {
            "i32" => Ok(Self::I32),
            "f32" => Ok(Self::F32),
            "f64" => Ok(Self::F64),
            other => bail!("{other:?} is not i32, f32 or f64"),
        }
    }

    /// The raw parameters of a host function's parameter of a Rust type (section 6).
    fn lowered(rust: &str) -> &'static [Self] {
        match rust.trim() {
            "bool" | "i8" | "i16" | "i32" | "u8" | "u16" | "u32" => &[Self::I32],
            "f32" => &[Self::F32],
            "f64" => &[Self::F64],
            stream if stream.starts_with("impl Stream<") => &[Self::I32],
            _ => &[Self::I32, Self::I32],
        }
    }
}

/// The raw signature of a host function (section 6) from its raw parameters.
pub(crate) fn host_function(is_async: bool, params: impl IntoIterator<Item = Raw>) -> Signature {
    let ticket = is_async.then_some(Raw::I32);
    Signature { params: ticket.into_iter().chain(params).collect(), result: Some(Raw::I32) }
}

/// What the page lists.
pub(crate) struct Spec {
    /// (module, name) to signature, of every import but those of module `host`.
    pub(crate) imports: BTreeMap<(String, String), Signature>,
    /// Name to signature of the functions that every guest exports.
    pub(crate) exports: BTreeMap<String, Signature>,
}

impl Spec {
    /// Reads the page.
    ///
    /// # Errors
    /// When a section is missing or a row of its table cannot be understood.
    pub(crate) fn parse(page: &str) -> Result<Self> {
        let mut imports = BTreeMap::new();
        for (name, text) in rows(section(page, "## 3.")?) {
            let signature = raw_signature(&text).with_context(|| format!("section 3, {name}"))?;
            imports.insert(("kippu".to_owned(), name), signature);
        }
        let mut exports = BTreeMap::new();
        for (name, text) in rows(section(page, "## 2.")?) {
            if text.starts_with('(') && name != "kippu_start" {
                let signature =
                    raw_signature(&text).with_context(|| format!("section 2, {name}"))?;
                exports.insert(name, signature);
            }
        }
        let mut module = String::new();
        for row in table_rows(section(page, "## 9.")?) {
            let [first, second] = [row[0], row[1]].map(|cell| cell.trim());
            if first.starts_with('`') {
                module = first.trim_matches('`').to_owned();
            }
            if module.is_empty() || !second.contains('`') {
                continue;
            }
            let (name, signature) =
                service(second).with_context(|| format!("section 9, {second}"))?;
            imports.insert((module.clone(), name), signature);
        }
        Ok(Self { imports, exports })
    }
}

fn section<'a>(page: &'a str, heading: &str) -> Result<&'a str> {
    let start = page
        .find(&format!("\n{heading}"))
        .with_context(|| format!("abi/spec.md has no section {heading:?}"))?;
    let rest = &page[start + 1..];
    Ok(rest.find("\n## ").map_or(rest, |end| &rest[..end]))
}

/// The rows of a section's tables, cut into cells. A `|` in code is none in our page.
fn table_rows(section: &str) -> impl Iterator<Item = Vec<&str>> {
    section
        .lines()
        .filter_map(|line| line.trim().strip_prefix('|'))
        .map(|line| line.split('|').collect::<Vec<_>>())
        .filter(|cells| cells.len() > 2)
}

/// (name, signature) of the rows whose first two cells are code.
fn rows(section: &str) -> Vec<(String, String)> {
    table_rows(section)
        .filter_map(|row| {
            let name = row[0].trim().strip_prefix('`')?.strip_suffix('`')?;
            let signature = row[1].trim().strip_prefix('`')?.strip_suffix('`')?;
            Some((name.to_owned(), signature.to_owned()))
        })
        .collect()
}

/// Reads `(ticket: i32, on: i32) -> f64`.
fn raw_signature(text: &str) -> Result<Signature> {
    let (params, result) = split(text)?;
    let params = params.map(|(_, raw)| Raw::parse(raw)).collect::<Result<Vec<_>>>()?;
    let result = result.map(Raw::parse).transpose()?;
    Ok(Signature { params, result })
}

/// Reads ``sync `print(fd: u32, data: &[u8]) -> ()` ``.
fn service(cell: &str) -> Result<(String, Signature)> {
    let (before, code) = cell.split_once('`').context("no code")?;
    let code = code.strip_suffix('`').context("code does not end")?;
    let is_async = before.trim() != "sync";
    let (name, rest) = code.split_once('(').context("no parameters")?;
    let (params, _) = split(&code[name.len()..]).with_context(|| format!("({rest}"))?;
    let params = params.flat_map(|(_, rust)| Raw::lowered(rust)).copied();
    Ok((name.to_owned(), host_function(is_async, params)))
}

/// Cuts `(a: T, b: U) -> R` into parameters and result.
#[allow(clippy::type_complexity, reason = "used twice, right here")]
fn split(text: &str) -> Result<(impl Iterator<Item = (&str, &str)>, Option<&str>)> {
    let rest = text.strip_prefix('(').context("does not begin with a parenthesis")?;
    let (params, result) = rest.split_once(')').context("the parenthesis does not end")?;
    let result = result.trim().strip_prefix("->").map(str::trim);
    let params = params
        .split(',')
        .filter(|param| !param.trim().is_empty())
        .map(|param| param.split_once(':').unwrap_or(("", param)));
    Ok((params, result))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Spec {
        Spec::parse(include_str!("../../abi/spec.md")).unwrap()
    }

    fn import(spec: &Spec, module: &str, name: &str) -> String {
        spec.imports[&(module.to_owned(), name.to_owned())].to_string()
    }

    #[test]
    fn the_page_gives_the_raw_imports() {
        let spec = page();
        assert_eq!(import(&spec, "kippu", "now"), "() -> f64");
        assert_eq!(import(&spec, "kippu", "schedule_turn"), "()");
        assert_eq!(import(&spec, "kippu", "reply"), "(i32, i32, i32, i32, f64)");
    }

    #[test]
    fn services_are_lowered_with_a_ticket_when_async() {
        let spec = page();
        assert_eq!(import(&spec, "kippu:io", "print"), "(i32, i32, i32) -> i32");
        assert_eq!(import(&spec, "kippu:io", "write"), "(i32, i32, i32, i32) -> i32");
        assert_eq!(import(&spec, "kippu:signal", "ctrl_c"), "(i32) -> i32");
        assert_eq!(import(&spec, "kippu:fs", "rename"), "(i32, i32, i32, i32, i32) -> i32");
        assert_eq!(import(&spec, "kippu:http", "upload"), "(i32, i32, i32, i32) -> i32");
    }

    #[test]
    fn the_page_gives_the_exports_of_every_guest() {
        let spec = page();
        assert_eq!(spec.exports["kippu_turn"].to_string(), "(i32) -> f64");
        assert!(!spec.exports.contains_key("kippu_start"));
        assert!(!spec.exports.contains_key("memory"));
    }

    #[test]
    fn a_row_that_cannot_be_understood_is_named() {
        let page = "\n## 2. A\n\n## 3. B\n| `now` | `() -> i64` | x |\n\n## 9. C\n";
        let error = Spec::parse(page).err().map(|error| format!("{error:#}"));
        assert_eq!(error.as_deref(), Some("section 3, now: \"i64\" is not i32, f32 or f64"));
    }
}
