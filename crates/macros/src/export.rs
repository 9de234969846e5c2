//! `#[kippu::export]`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, Ident, ItemFn, LitStr, Result, Token, Type};

use crate::lower::{self, Lowering, Output, Param};

pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let name = parse_name(attr)?;
    let function: ItemFn = syn::parse2(item)?;
    let sig = &function.sig;
    lower::reject_generics(&sig.generics)?;
    let params = lower::params(&sig.inputs, false)?;
    let output = Output::of(&sig.output);
    lower::check_streams(&output.ok, &sig.output, true)?;
    let name = name.map_or_else(|| lower::js_name(&sig.ident), |name| name.value());
    let is_async = sig.asyncness.is_some();
    let section = lower::section(1, is_async, &name, &function.attrs, &params, &output.ok);
    let entry = entry(&sig.ident, is_async, &name, &params, &output);
    Ok(quote! {
        // Nobody need call it where there is no JavaScript.
        #[allow(dead_code)]
        #function
        ::kippu::__rt::on_js! {
            #section
            #entry
        }
    })
}

fn parse_name(attr: TokenStream) -> Result<Option<LitStr>> {
    if attr.is_empty() {
        return Ok(None);
    }
    let parser = |input: syn::parse::ParseStream<'_>| {
        let key: Ident = input.parse()?;
        if key != "name" {
            return Err(Error::new(key.span(), "expected `name = \"…\"`"));
        }
        input.parse::<Token![=]>()?;
        input.parse::<LitStr>()
    };
    syn::parse::Parser::parse2(parser, attr).map(Some)
}

/// The exported function: takes raw numbers, makes the arguments of them, and calls the Rust function.
fn entry(
    function: &Ident,
    is_async: bool,
    name: &str,
    params: &[Param],
    output: &Output,
) -> TokenStream {
    let export_name = format!("kippu_export:{name}");
    let raw: Vec<(Ident, TokenStream)> = params
        .iter()
        .enumerate()
        .flat_map(|(i, param)| {
            let part = move |j: usize| raw_name(i, j);
            param.lowering.raw_types().into_iter().enumerate().map(move |(j, ty)| (part(j), ty))
        })
        .collect();
    let (raw_names, raw_types): (Vec<_>, Vec<_>) = raw.into_iter().unzip();
    let take = params.iter().enumerate().map(|(i, param)| take(i, param));
    let make = params.iter().filter_map(make);
    let arguments = params.iter().map(argument);
    let decoder = output.ok.decoder();
    // Before a parameter of the same name hides it.
    let callee = own("callee");
    let called = quote!(#callee(#(#arguments),*));
    let called = if is_async { quote!(#called.await) } else { called };
    let result = if output.fallible {
        quote!(::kippu::__rt::fallible(#called, |error| ::kippu::__rt::failure::failure!(error)))
    } else {
        quote!(::kippu::__rt::infallible(#called))
    };
    let result = match items(&output.ok) {
        Some(items) => quote!(#result.map(|stream| #items)),
        None => result,
    };
    // Names of our own, which the user's can neither see nor hide.
    let call = own("call");
    // A function's name has no hygiene, so it is one that nobody writes.
    let entry = format_ident!("__kippu_entry");
    let (call_param, run) = if is_async {
        let run = quote! {
            ::kippu::__rt::export_async::<#decoder, _, _>(#call, #name, || {
                #(#make)*
                ::core::result::Result::Ok(async move { #result })
            })
        };
        (quote!(#call: i32,), run)
    } else {
        let run = quote! {
            ::kippu::__rt::export_sync::<#decoder, _>(|| {
                #(#make)*
                #result
            })
        };
        (quote!(), run)
    };
    quote! {
        const _: () = {
            #[unsafe(export_name = #export_name)]
            extern "C" fn #entry(#call_param #(#raw_names: #raw_types),*) -> i32 {
                let #callee = #function;
                // All owned memory is taken before anything can fail, so nothing leaks.
                #(#take)*
                #run
            }
        };
    }
}

/// Makes a stream whose items are ready to be encoded, of `stream`.
fn items(lowering: &Lowering) -> Option<TokenStream> {
    match lowering {
        Lowering::GuestStream { fallible: true, .. } => Some(quote! {
            ::kippu::__rt::try_items(stream, |error| ::kippu::__rt::failure::failure!(error))
        }),
        Lowering::GuestStream { fallible: false, .. } => {
            Some(quote!(::kippu::__rt::items(stream, ::kippu::__rt::infallible)))
        }
        _ => None,
    }
}

fn own(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The raw part `j` of parameter `i`.
fn raw_name(i: usize, j: usize) -> Ident {
    own(&format!("raw{i}_{j}"))
}

/// Takes the raw parts of a parameter.
fn take(i: usize, param: &Param) -> TokenStream {
    let name = &param.name;
    let (ptr, len) = (raw_name(i, 0), raw_name(i, 1));
    match &param.lowering {
        Lowering::Unit => quote!(),
        Lowering::Number("f32" | "f64") => quote!(let #name = #ptr;),
        Lowering::Number("bool") => quote!(let #name = #ptr != 0;),
        Lowering::Number(ty) => {
            let ty = format_ident!("{ty}");
            quote!(let #name = #ptr as #ty;)
        }
        Lowering::HostStream { item } => {
            let item = item.decoder();
            quote!(let #name = ::kippu::__rt::host_stream::<#item>(#ptr as u32);)
        }
        _ => quote! {
            // SAFETY: abi/spec.md section 7: these bytes came from kippu_alloc and belong to the guest.
            let #name = unsafe { ::kippu::__rt::take_bytes(#ptr, #len) };
        },
    }
}

/// Makes a value of taken bytes. Runs inside a closure that returns a `Result`.
fn make(param: &Param) -> Option<TokenStream> {
    let name = &param.name;
    let text = lower::js_name(name);
    match &param.lowering {
        Lowering::Unit
        | Lowering::Number(_)
        | Lowering::Bytes { .. }
        | Lowering::HostStream { .. }
        | Lowering::GuestStream { .. } => None,
        Lowering::Numbers { item, .. } => {
            let item = format_ident!("{item}");
            Some(quote!(let #name = ::kippu::__rt::numbers::<#item>(&#name, #text)?;))
        }
        Lowering::String { .. } => Some(quote!(let #name = ::kippu::__rt::string(#name, #text)?;)),
        // A slice is made of a vector.
        Lowering::Serde { ty, .. } if matches!(**ty, Type::Slice(_)) => {
            let Type::Slice(slice) = &**ty else { return None };
            let item = &slice.elem;
            Some(quote! {
                let #name = ::kippu::__rt::decode::<::kippu::__rt::Vec<#item>>(&#name, #text)?;
            })
        }
        Lowering::Serde { ty, .. } => {
            Some(quote!(let #name = ::kippu::__rt::decode::<#ty>(&#name, #text)?;))
        }
    }
}

/// The argument, made of the value.
fn argument(param: &Param) -> TokenStream {
    let name = &param.name;
    match &param.lowering {
        Lowering::String { owned: false }
        | Lowering::Bytes { owned: false }
        | Lowering::Numbers { owned: false, .. }
        | Lowering::Serde { borrowed: true, .. } => quote!(&#name),
        _ => quote!(#name),
    }
}
