//! How Rust types cross the boundary: sections 6, 7 and 10 of `abi/spec.md`, as tokens.
//!
//! A macro sees the names of types only. Names that it does not know, also aliases of those that
//! it does, cross as serde values; the description in the custom section says so to the host.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, GenericArgument, Ident, Lit, Meta, Pat, PathArguments,
    Result, ReturnType, Token, Type, TypeParamBound,
};

/// What one value is on the way.
pub(crate) enum Lowering {
    Unit,
    /// One number. The text is the Rust type's name.
    Number(&'static str),
    /// (ptr, len) of UTF-8; the flag says that the type owns it.
    String {
        owned: bool,
    },
    /// (ptr, len) of bytes.
    Bytes {
        owned: bool,
    },
    /// (ptr, len in bytes) of numbers, one after another: `Vec<f32>`, `&[f32]`. The text is the number's name.
    Numbers {
        item: &'static str,
        owned: bool,
    },
    /// The number of a stream that the host gives: `HostStream<T>`.
    HostStream {
        item: Box<Lowering>,
    },
    /// The number of a stream that the guest gives: `impl Stream<Item = T>`.
    GuestStream {
        item: Box<Lowering>,
        /// The items are `Result`s.
        fallible: bool,
    },
    /// (ptr, len) of postcard. The type is without its outermost `&`.
    Serde {
        borrowed: bool,
        ty: Box<Type>,
    },
}

const NUMBERS: [(&str, u8); 9] = [
    ("bool", 1),
    ("i8", 2),
    ("u8", 3),
    ("i16", 4),
    ("u16", 5),
    ("i32", 6),
    ("u32", 7),
    ("f32", 8),
    ("f64", 9),
];

impl Lowering {
    pub(crate) fn of(ty: &Type) -> Lowering {
        if let Some(item) = generic(ty, "HostStream").and_then(|args| args.first().copied()) {
            return Lowering::HostStream { item: Box::new(Lowering::of(item)) };
        }
        if let Some(item) = stream_item(ty) {
            let (item, fallible) = ok_of(item);
            return Lowering::GuestStream { item: Box::new(Lowering::of(item)), fallible };
        }
        match ty {
            Type::Paren(inner) => Lowering::of(&inner.elem),
            Type::Group(inner) => Lowering::of(&inner.elem),
            Type::Tuple(tuple) if tuple.elems.is_empty() => Lowering::Unit,
            Type::Reference(reference) => match &*reference.elem {
                Type::Path(path) if path.path.is_ident("str") => Lowering::String { owned: false },
                Type::Slice(slice) if is_ident(&slice.elem, "u8") => {
                    Lowering::Bytes { owned: false }
                }
                Type::Slice(slice) if array_item(&slice.elem).is_some() => Lowering::Numbers {
                    item: array_item(&slice.elem).unwrap_or("f64"),
                    owned: false,
                },
                inner => Lowering::Serde { borrowed: true, ty: Box::new(inner.clone()) },
            },
            Type::Path(path) => {
                if let Some((name, _)) = NUMBERS.iter().find(|(name, _)| path.path.is_ident(name)) {
                    Lowering::Number(name)
                } else if path.path.is_ident("String") {
                    Lowering::String { owned: true }
                } else if generic(ty, "Vec")
                    .is_some_and(|args| args.len() == 1 && is_ident(args[0], "u8"))
                {
                    Lowering::Bytes { owned: true }
                } else if let Some(item) = generic(ty, "Vec")
                    .filter(|args| args.len() == 1)
                    .and_then(|args| array_item(args[0]))
                {
                    Lowering::Numbers { item, owned: true }
                } else {
                    Lowering::Serde { borrowed: false, ty: Box::new(ty.clone()) }
                }
            }
            _ => Lowering::Serde { borrowed: false, ty: Box::new(ty.clone()) },
        }
    }

    /// The type in a section entry, a `kippu::__rt::section::Type`.
    pub(crate) fn section_type(&self) -> TokenStream {
        let code = match self {
            Lowering::Unit => 0,
            Lowering::Number(name) => {
                NUMBERS.iter().find(|(n, _)| n == name).map_or(0, |&(_, code)| code)
            }
            Lowering::String { .. } => 10,
            Lowering::Bytes { .. } => 11,
            Lowering::Numbers { item, .. } => {
                let item = Lowering::Number(item).section_type();
                return quote!(::kippu::__rt::section::Type::Numbers(&#item));
            }
            Lowering::HostStream { item } | Lowering::GuestStream { item, .. } => {
                let item = item.section_type();
                return quote!(::kippu::__rt::section::Type::Stream(&#item));
            }
            Lowering::Serde { ty, .. } => {
                return quote!(::kippu::__rt::section::Type::Schema(
                    <#ty as ::kippu::__rt::Schema>::SCHEMA
                ));
            }
        };
        quote!(::kippu::__rt::section::Type::Code(#code))
    }

    /// The Rust types of the raw parameters.
    pub(crate) fn raw_types(&self) -> Vec<TokenStream> {
        match self {
            Lowering::Unit => vec![],
            Lowering::Number("f32") => vec![quote!(f32)],
            Lowering::Number("f64") => vec![quote!(f64)],
            Lowering::Number(_) | Lowering::HostStream { .. } | Lowering::GuestStream { .. } => {
                vec![quote!(i32)]
            }
            _ => vec![quote!(*const u8), quote!(usize)],
        }
    }

    /// The decoder of a result, a `kippu::__rt::Decode`.
    pub(crate) fn decoder(&self) -> TokenStream {
        match self {
            Lowering::Unit => quote!(()),
            Lowering::Number(name) => {
                let name = Ident::new(name, Span::call_site());
                quote!(#name)
            }
            Lowering::String { .. } => quote!(::kippu::__rt::String),
            Lowering::Bytes { .. } => quote!(::kippu::__rt::Bytes),
            Lowering::Numbers { item, .. } => {
                let item = Ident::new(item, Span::call_site());
                quote!(::kippu::__rt::Numbers<#item>)
            }
            Lowering::HostStream { item } => {
                let item = item.decoder();
                quote!(::kippu::__rt::FromHost<#item>)
            }
            Lowering::GuestStream { item, .. } => {
                let item = item.decoder();
                quote!(::kippu::__rt::ToHost<#item>)
            }
            Lowering::Serde { ty, .. } => quote!(::kippu::__rt::Serde<#ty>),
        }
    }
}

/// Refuses what cannot stand where it does: streams of the wrong side, streams of streams and of nothing.
/// `takes_guest_streams` is so for parameters of host functions and results of exports.
pub(crate) fn check_streams(
    lowering: &Lowering,
    place: &impl ToTokens,
    takes_guest_streams: bool,
) -> Result<()> {
    let (item, message) = match lowering {
        Lowering::HostStream { item } => (
            item,
            takes_guest_streams
                .then_some("here the guest gives the stream: write `impl Stream<Item = …>`"),
        ),
        Lowering::GuestStream { item, .. } => (
            item,
            (!takes_guest_streams)
                .then_some("here the host gives the stream: write `kippu::stream::HostStream<…>`"),
        ),
        // Inside of another type, or of none that is known here.
        Lowering::Serde { ty, .. } if mentions(ty.to_token_stream(), "HostStream") => {
            let message = "a stream crosses only by itself: as a parameter, or as the result or the `Ok` of it";
            return Err(Error::new_spanned(place, message));
        }
        _ => return Ok(()),
    };
    let message = message.or(match **item {
        Lowering::Unit => Some("a stream of `()` carries nothing"),
        Lowering::HostStream { .. } | Lowering::GuestStream { .. } => {
            Some("a stream of streams cannot cross")
        }
        _ => None,
    });
    message.map_or(Ok(()), |message| Err(Error::new_spanned(place, message)))
}

fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

/// The item of `impl Stream<Item = …>`, by the last segment of the trait's path.
fn stream_item(ty: &Type) -> Option<&Type> {
    let Type::ImplTrait(ty) = ty else { return None };
    ty.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Stream")?;
        let PathArguments::AngleBracketed(args) = &last.arguments else { return None };
        args.args.iter().find_map(|arg| match arg {
            GenericArgument::AssocType(item) if item.ident == "Item" => Some(&item.ty),
            _ => None,
        })
    })
}

/// What a `Result<…>` holds, and whether it is one.
fn ok_of(ty: &Type) -> (&Type, bool) {
    match generic(ty, "Result") {
        Some(args) if !args.is_empty() => (args[0], true),
        _ => (ty, false),
    }
}

/// The name of a number of which JavaScript has typed arrays. Bytes are a case of their own.
fn array_item(ty: &Type) -> Option<&'static str> {
    let Lowering::Number(name) = Lowering::of(ty) else { return None };
    (!matches!(name, "bool" | "u8")).then_some(name)
}

fn is_ident(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(name))
}

/// The type arguments of `NAME<…>`, by the last segment of the path.
fn generic<'a>(ty: &'a Type, name: &str) -> Option<Vec<&'a Type>> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(args) = &last.arguments else {
        return None;
    };
    Some(
        args.args
            .iter()
            .filter_map(|arg| match arg {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
    )
}

/// The result of a function: what crosses, and whether it is wrapped in a `Result`.
pub(crate) struct Output {
    pub(crate) ok: Lowering,
    /// The type is a `Result<…>` whatever its error is.
    pub(crate) fallible: bool,
}

impl Output {
    pub(crate) fn of(output: &ReturnType) -> Output {
        let ReturnType::Type(_, ty) = output else {
            return Output { ok: Lowering::Unit, fallible: false };
        };
        let (ok, fallible) = ok_of(ty);
        Output { ok: Lowering::of(ok), fallible }
    }
}

/// One parameter.
pub(crate) struct Param {
    pub(crate) name: Ident,
    pub(crate) lowering: Lowering,
}

/// The parameters of a host function (`is_host`) or an export.
pub(crate) fn params(inputs: &Punctuated<FnArg, Token![,]>, is_host: bool) -> Result<Vec<Param>> {
    inputs
        .iter()
        .map(|arg| match arg {
            FnArg::Receiver(this) => Err(Error::new_spanned(
                this,
                "functions of the boundary are free functions, without `self`",
            )),
            FnArg::Typed(arg) => match &*arg.pat {
                Pat::Ident(name) if name.subpat.is_none() => {
                    let lowering = Lowering::of(&arg.ty);
                    if matches!(lowering, Lowering::Unit) {
                        return Err(Error::new_spanned(
                            &arg.ty,
                            "a parameter of type `()` carries nothing",
                        ));
                    }
                    if let Type::Reference(reference) = &*arg.ty
                        && reference.mutability.is_some()
                    {
                        return Err(Error::new_spanned(
                            &arg.ty,
                            "a parameter of the boundary cannot be `&mut`: the other side has a copy",
                        ));
                    }
                    check_streams(&lowering, &arg.ty, is_host)?;
                    Ok(Param { name: name.ident.clone(), lowering })
                }
                pat => {
                    Err(Error::new_spanned(pat, "a parameter of the boundary needs a plain name"))
                }
            },
        })
        .collect()
}

/// The static with the section entry, for `wasm32-unknown-unknown`.
pub(crate) fn section(
    kind: u8,
    is_async: bool,
    name: &str,
    attrs: &[Attribute],
    params: &[Param],
    result: &Lowering,
) -> TokenStream {
    let doc = doc(attrs);
    let names = params.iter().map(|param| js_name(&param.name));
    let types = params.iter().map(|param| param.lowering.section_type());
    let result = result.section_type();
    quote! {
        const _: () = {
            const ENTRY: ::kippu::__rt::section::Entry = ::kippu::__rt::section::Entry {
                kind: #kind,
                is_async: #is_async,
                name: #name,
                doc: #doc,
                params: &[#((#names, #types)),*],
                result: #result,
            };
            #[unsafe(link_section = "kippu")]
            static BYTES: [u8; ENTRY.size()] = ENTRY.bytes();
        };
    }
}

/// A name as JavaScript sees it: what Rust has to write as `r#type` is `type`.
pub(crate) fn js_name(name: &Ident) -> String {
    name.unraw().to_string()
}

/// The text of the doc comment, without the space that follows `///`.
fn doc(attrs: &[Attribute]) -> String {
    let lines: Vec<String> = attrs
        .iter()
        .filter_map(|attr| match &attr.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                    let text = text.value();
                    Some(text.strip_prefix(' ').unwrap_or(&text).to_owned())
                }
                _ => None,
            },
            _ => None,
        })
        .collect();
    lines.join("\n")
}

pub(crate) fn reject_generics(generics: &syn::Generics) -> Result<()> {
    match generics.params.iter().find(|param| !matches!(param, syn::GenericParam::Lifetime(_))) {
        Some(param) => {
            Err(Error::new_spanned(param, "a function of the boundary cannot be generic"))
        }
        None => Ok(()),
    }
}
