//! Checks that built guests import exactly what `abi/spec.md` lists and they themselves declare.

use crate::guests::{self, Guest};
use crate::spec::{Raw, Signature, Spec, host_function};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use postcard_schema::schema::owned::OwnedNamedType;
use std::collections::BTreeMap;
use wasmparser::{CompositeInnerType, ExternalKind, FuncType, Parser, Payload, TypeRef, ValType};

/// Builds every guest of the workspace and checks its imports and exports.
///
/// # Errors
/// Names each guest's every difference.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let spec = Spec::parse(&workspace.read("abi/spec.md")?)?;
    let mut wrong = Vec::new();
    for package in Guest::packages() {
        let path = guests::build_wasm(workspace, package)?;
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let (module, findings) =
            Module::check(&bytes, &spec).with_context(|| package.to_owned())?;
        println!(
            "{package}: {} imports, {} of them declared by the program",
            module.imports.len(),
            module.imports.iter().filter(|(module, _, _)| module == "host").count(),
        );
        wrong.extend(findings.into_iter().map(|text| format!("{package}: {text}")));
    }
    if !wrong.is_empty() {
        bail!("these differ from abi/spec.md:\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

/// What a built guest says about itself.
#[derive(Default)]
struct Module {
    /// Module, name and signature; `None` when it is not a function of numbers.
    imports: Vec<(String, String, Option<Signature>)>,
    exports: BTreeMap<String, Option<Signature>>,
    /// The host functions of the custom section `kippu`.
    declared: BTreeMap<String, Signature>,
}

impl Module {
    /// Reads a module and lists what differs from the page.
    fn check(bytes: &[u8], spec: &Spec) -> Result<(Self, Vec<String>)> {
        let module = Self::parse(bytes)?;
        let mut wrong = Vec::new();
        for (from, name, signature) in &module.imports {
            let listed = match from.as_str() {
                "host" => module.declared.get(name),
                _ => spec.imports.get(&(from.clone(), name.clone())),
            };
            compare(&format!("import {from}.{name}"), signature.as_ref(), listed, &mut wrong);
        }
        for (name, listed) in &spec.exports {
            match module.exports.get(name) {
                Some(signature) => {
                    let what = format!("export {name}");
                    compare(&what, signature.as_ref(), Some(listed), &mut wrong);
                }
                None => wrong.push(format!("export {name} is missing")),
            }
        }
        Ok((module, wrong))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let mut module = Self::default();
        let mut types: Vec<Option<Signature>> = Vec::new();
        let mut functions: Vec<u32> = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(reader) => {
                    for group in reader {
                        types.extend(group?.into_types().map(
                            |sub| match sub.composite_type.inner {
                                CompositeInnerType::Func(ty) => signature(&ty),
                                _ => None,
                            },
                        ));
                    }
                }
                Payload::ImportSection(reader) => {
                    for import in reader.into_imports() {
                        let import = import?;
                        let signature = match import.ty {
                            TypeRef::Func(index) => {
                                functions.push(index);
                                types.get(index as usize).cloned().flatten()
                            }
                            _ => None,
                        };
                        let (from, name) = (import.module.to_owned(), import.name.to_owned());
                        module.imports.push((from, name, signature));
                    }
                }
                Payload::FunctionSection(reader) => {
                    for index in reader {
                        functions.push(index?);
                    }
                }
                Payload::ExportSection(reader) => {
                    for export in reader {
                        let export = export?;
                        let signature = (export.kind == ExternalKind::Func)
                            .then(|| functions.get(export.index as usize))
                            .flatten()
                            .and_then(|index| types.get(*index as usize).cloned().flatten());
                        module.exports.insert(export.name.to_owned(), signature);
                    }
                }
                Payload::CustomSection(reader) if reader.name() == "kippu" => {
                    module.declared = declared(reader.data())?;
                }
                _ => {}
            }
        }
        Ok(module)
    }
}

fn compare(
    what: &str,
    found: Option<&Signature>,
    listed: Option<&Signature>,
    wrong: &mut Vec<String>,
) {
    match (found, listed) {
        (_, None) => wrong.push(format!("{what} is not listed")),
        (None, Some(_)) => wrong.push(format!("{what} is not a function of i32, f32 and f64")),
        (Some(found), Some(listed)) if found != listed => {
            wrong.push(format!("{what} is {found}, listed as {listed}"));
        }
        _ => {}
    }
}

fn signature(ty: &FuncType) -> Option<Signature> {
    let raw = |ty: &ValType| match ty {
        ValType::I32 => Some(Raw::I32),
        ValType::F32 => Some(Raw::F32),
        ValType::F64 => Some(Raw::F64),
        _ => None,
    };
    let params = ty.params().iter().map(raw).collect::<Option<Vec<_>>>()?;
    match ty.results() {
        [] => Some(Signature { params, result: None }),
        [one] => Some(Signature { params, result: Some(raw(one)?) }),
        _ => None,
    }
}

/// Reads the custom section (section 10 of the page): the host functions that the program declares.
fn declared(mut section: &[u8]) -> Result<BTreeMap<String, Signature>> {
    let mut functions = BTreeMap::new();
    while !section.is_empty() {
        let (length, rest) =
            section.split_first_chunk::<4>().context("section kippu ends early")?;
        let (entry, rest) = rest
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .context("section kippu ends early")?;
        section = rest;
        // What comes after an unknown version cannot be read.
        let Some((1, entry)) = entry.split_first().map(|(version, entry)| (*version, entry)) else {
            continue;
        };
        let ((kind, is_async, name, _doc, count), mut entry) =
            postcard::take_from_bytes::<(u8, u8, String, String, u32)>(entry)
                .context("section kippu: an entry's head")?;
        let mut params = Vec::new();
        for _ in 0..count {
            let ((_, tag), rest) = postcard::take_from_bytes::<(String, u8)>(entry)
                .with_context(|| format!("section kippu: a parameter of {name}"))?;
            entry = rest;
            match tag {
                13 => {
                    entry = item(&name, entry)?;
                    params.push(Raw::I32);
                }
                14 => {
                    entry = item(&name, entry)?;
                    params.extend([Raw::I32; 2]);
                }
                1..=7 => params.push(Raw::I32),
                8 => params.push(Raw::F32),
                9 => params.push(Raw::F64),
                10 | 11 => params.extend([Raw::I32; 2]),
                12 => {
                    let (_, rest) = postcard::take_from_bytes::<OwnedNamedType>(entry)
                        .with_context(|| format!("section kippu: a schema of {name}"))?;
                    entry = rest;
                    params.extend([Raw::I32; 2]);
                }
                other => bail!("section kippu: {name} has a parameter of type {other}"),
            }
        }
        if kind == 0 {
            functions.insert(name, host_function(is_async == 1, params));
        }
    }
    Ok(functions)
}

/// Passes over the type of the items of a stream or an array.
fn item<'a>(name: &str, entry: &'a [u8]) -> Result<&'a [u8]> {
    match entry.split_first() {
        Some((1..=11, rest)) => Ok(rest),
        Some((14, [_, rest @ ..])) => Ok(rest),
        Some((12, rest)) => Ok(postcard::take_from_bytes::<OwnedNamedType>(rest)
            .with_context(|| format!("section kippu: a schema of {name}"))?
            .1),
        other => bail!(
            "section kippu: {name} has a stream with items of type {:?}",
            other.map(|(tag, _)| tag)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPORTS: &str = r#"
        (memory (export "memory") 1)
        (func (export "kippu_abi") (result i32) i32.const 2)
        (func (export "kippu_ring") (result i32) i32.const 0)
        (func (export "kippu_alloc") (param i32) (result i32) i32.const 0)
        (func (export "kippu_free") (param i32 i32))
        (func (export "kippu_turn") (param i32) (result f64) f64.const -1)
        (func (export "kippu_cancel_call") (param i32))
        (func (export "kippu_stream_next") (param i32 i32) (result i32) i32.const 1)
        (func (export "kippu_stream_close") (param i32))"#;

    /// What the check finds in a module with these imports and this custom section.
    fn findings(imports: &str, section: &[u8]) -> Vec<String> {
        let spec = Spec::parse(include_str!("../../abi/spec.md")).unwrap();
        let section: String = section.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let text = format!(r#"(module {imports} {EXPORTS} (@custom "kippu" "{section}"))"#);
        Module::check(&wat::parse_str(&text).unwrap(), &spec).unwrap().1
    }

    /// The section's entry of `async fn greet(name: &str, times: u8) -> String`.
    fn greet() -> Vec<u8> {
        let mut entry = vec![1];
        let params = (("name", 10u8), ("times", 3u8));
        let body = postcard::to_allocvec(&(0u8, 1u8, "greet", "", 2u32, params, 10u8)).unwrap();
        entry.extend(body);
        let mut section = u32::try_from(entry.len()).unwrap().to_le_bytes().to_vec();
        section.extend(entry);
        section
    }

    #[test]
    fn listed_and_declared_imports_pass() {
        let imports = r#"
            (import "kippu" "now" (func (result f64)))
            (import "kippu:fs" "read" (func (param i32 i32 i32) (result i32)))
            (import "host" "greet" (func (param i32 i32 i32 i32) (result i32)))"#;
        assert_eq!(findings(imports, &greet()), Vec::<String>::new());
    }

    #[test]
    fn a_stream_is_one_number() {
        let body = postcard::to_allocvec(&(0u8, 1u8, "send", "", 1u32, ("items", 13u8, 10u8), 0u8));
        let body = [vec![1], body.unwrap()].concat();
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        let section = [length.to_vec(), body].concat();
        let imports = r#"
            (import "kippu" "stream_next" (func (param i32 i32) (result i32)))
            (import "host" "send" (func (param i32 i32) (result i32)))"#;
        assert_eq!(findings(imports, &section), Vec::<String>::new());
    }

    #[test]
    fn imports_that_nobody_lists_are_named() {
        let imports = r#"
            (import "kippu" "sleep" (func (param f64)))
            (import "__wbindgen_placeholder__" "__wbindgen_throw" (func (param i32 i32)))
            (import "host" "shout" (func (param i32) (result i32)))"#;
        assert_eq!(
            findings(imports, &greet()),
            [
                "import kippu.sleep is not listed",
                "import __wbindgen_placeholder__.__wbindgen_throw is not listed",
                "import host.shout is not listed",
            ]
        );
    }

    #[test]
    fn other_signatures_are_shown_beside_the_listed_ones() {
        let imports = r#"
            (import "kippu" "unix" (func (result i64)))
            (import "kippu" "cancel" (func (param i32 i32)))
            (import "host" "greet" (func (param i32 i32 i32) (result i32)))"#;
        assert_eq!(
            findings(imports, &greet()),
            [
                "import kippu.unix is not a function of i32, f32 and f64",
                "import kippu.cancel is (i32, i32), listed as (i32)",
                "import host.greet is (i32, i32, i32) -> i32, listed as \
                 (i32, i32, i32, i32) -> i32",
            ]
        );
    }

    #[test]
    fn a_missing_export_is_named() {
        let spec = Spec::parse(include_str!("../../abi/spec.md")).unwrap();
        let bytes = wat::parse_str("(module)").unwrap();
        let (_, wrong) = Module::check(&bytes, &spec).unwrap();
        assert!(wrong.contains(&"export kippu_turn is missing".to_owned()), "{wrong:?}");
    }
}
