//! `#[kippu::host]`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Block, Error, FnArg, Ident, LitStr, Result, Signature, Token, Type, Visibility,
    parse_quote,
};

use crate::lower::{self, Lowering, Output, Param};

/// A function with or without a body.
struct HostFn {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: Signature,
    body: Option<Block>,
}

impl Parse for HostFn {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let body = if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            None
        } else {
            Some(input.parse()?)
        };
        Ok(HostFn { attrs, vis, sig, body })
    }
}

/// The arguments of the attribute.
struct Options {
    /// The import's name, if it is not the function's.
    name: Option<LitStr>,
    /// A module of the specification. Its signatures are known to hosts, so there is no section entry.
    module: Option<LitStr>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Options { name: None, module: None };
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            let value: LitStr = input.parse()?;
            match key.to_string().as_str() {
                "name" => options.name = Some(value),
                "module" => options.module = Some(value),
                _ => return Err(Error::new(key.span(), "expected `name = \"…\"`")),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options: Options = syn::parse2(attr)?;
    let HostFn { attrs, vis, mut sig, body } = syn::parse2(item)?;
    lower::reject_generics(&sig.generics)?;
    let params = lower::params(&sig.inputs, true)?;
    let output = Output::of(&sig.output);
    lower::check_streams(&output.ok, &sig.output, false)?;
    name_streams(&mut sig, &params);
    let name = options.name.map_or_else(|| lower::js_name(&sig.ident), |name| name.value());
    let is_async = sig.asyncness.is_some();

    let section = if options.module.is_some() {
        TokenStream::new()
    } else {
        lower::section(0, is_async, &name, &attrs, &params, &output.ok)
    };
    let module = options.module.map_or_else(|| "host".to_owned(), |module| module.value());
    let guest = guest(&attrs, &vis, &sig, &module, &name, &params, &output);
    let native_body = body.map_or_else(
        || {
            let settle = settle(&output, &sig);
            let names = params.iter().map(|param| &param.name);
            quote!({
                let _ = (#(&#names,)*);
                <#settle as ::kippu::__rt::Settle<_>>::settle(
                    ::core::result::Result::Err(::kippu::HostError::unavailable(#name)), #name,
                )
            })
        },
        |body| quote!(#body),
    );
    Ok(quote! {
        ::kippu::__rt::on_js! {
            #section
            #guest
        }
        ::kippu::__rt::not_on_js! {
            #(#attrs)*
            #vis #sig #native_body
        }
    })
}

/// Makes a type parameter of each `impl Stream`: what a function returns cannot capture one without a name.
fn name_streams(sig: &mut Signature, params: &[Param]) {
    for (i, (input, param)) in sig.inputs.iter_mut().zip(params).enumerate() {
        if let (FnArg::Typed(input), Lowering::GuestStream { .. }) = (input, &param.lowering)
            && let Type::ImplTrait(stream) = &*input.ty
        {
            let name = format_ident!("KippuStream{i}");
            let bounds = &stream.bounds;
            sig.generics.params.push(parse_quote!(#name: #bounds + 'static));
            *input.ty = parse_quote!(#name);
        }
    }
}

/// What becomes of the host's answer: the value, or a `Result`.
fn settle(output: &Output, sig: &Signature) -> TokenStream {
    let ty = match &sig.output {
        syn::ReturnType::Default => quote!(()),
        syn::ReturnType::Type(_, ty) => quote!(#ty),
    };
    if output.fallible {
        quote!(::kippu::__rt::Fallible<#ty>)
    } else {
        quote!(::kippu::__rt::Infallible<#ty>)
    }
}

fn guest(
    attrs: &[Attribute],
    vis: &Visibility,
    sig: &Signature,
    module: &str,
    name: &str,
    params: &[Param],
    output: &Output,
) -> TokenStream {
    let (ident, inputs, generics) = (&sig.ident, &sig.inputs, &sig.generics);
    let captured = generics.type_params().map(|param| &param.ident);
    let raw_types = params.iter().flat_map(|param| param.lowering.raw_types());
    let raw_names: Vec<Ident> = params
        .iter()
        .flat_map(|param| param.lowering.raw_types())
        .enumerate()
        .map(|(i, _)| format_ident!("raw{i}", span = Span::mixed_site()))
        .collect();
    // Names of our own, which the user's parameters can neither see nor hide.
    let ticket = Ident::new("ticket", Span::mixed_site());
    // A function's name has no hygiene, so it is one that nobody writes.
    let import_fn = format_ident!("__kippu_import");
    let ticket_param = sig.asyncness.is_some().then(|| quote!(#ticket: u32,));
    let (decoder, settle) = (output.ok.decoder(), settle(output, sig));
    // Streams last: what fails before has given the host nothing.
    let (streams, others): (Vec<_>, Vec<_>) =
        params.iter().partition(|param| matches!(param.lowering, Lowering::GuestStream { .. }));
    let prepare = others.into_iter().chain(streams).filter_map(prepare);
    let lowered = params.iter().flat_map(lower_argument);
    let ok = match &sig.output {
        syn::ReturnType::Default => quote!(()),
        syn::ReturnType::Type(_, ty) => quote!(#ty),
    };
    let import = quote! {
        #[link(wasm_import_module = #module)]
        unsafe extern "C" {
            #[link_name = #name]
            fn #import_fn(#ticket_param #(#raw_names: #raw_types),*) -> i32;
        }
    };
    if sig.asyncness.is_some() {
        quote! {
            #(#attrs)*
            #vis fn #ident #generics (#inputs)
                -> impl ::core::future::Future<Output = #ok> + ::core::marker::Send + ::core::marker::Unpin + use<#(#captured),*>
            {
                #import
                ::kippu::__rt::HostCall::<#decoder, #settle>::start(&#name, |#ticket| {
                    #(#prepare)*
                    // SAFETY: the host keeps to abi/spec.md: it reads the lent bytes during the call only.
                    ::core::result::Result::Ok(unsafe { #import_fn(#ticket, #(#lowered),*) })
                })
            }
        }
    } else {
        quote! {
            #(#attrs)*
            #vis fn #ident #generics (#inputs) -> #ok {
                #import
                ::kippu::__rt::call_sync::<#decoder, #settle>(#name, || {
                    #(#prepare)*
                    // SAFETY: the host keeps to abi/spec.md: it reads the lent bytes during the call only.
                    ::core::result::Result::Ok(unsafe { #import_fn(#(#lowered),*) })
                })
            }
        }
    }
}

/// Encodes an argument that is a serde value.
fn prepare(param: &Param) -> Option<TokenStream> {
    let name = &param.name;
    match &param.lowering {
        Lowering::Numbers { owned: false, .. } => {
            Some(quote!(let #name = ::kippu::__rt::number_bytes(#name);))
        }
        Lowering::Numbers { owned: true, .. } => {
            Some(quote!(let #name = ::kippu::__rt::number_bytes(&#name);))
        }
        Lowering::GuestStream { item, fallible } => {
            let item = item.decoder();
            let items = if *fallible {
                quote! {
                    ::kippu::__rt::try_items(#name, |error| ::kippu::__rt::failure::failure!(error))
                }
            } else {
                quote!(::kippu::__rt::items(#name, ::kippu::__rt::infallible))
            };
            Some(quote!(let #name = ::kippu::__rt::guest_stream::<#item, _>(#items);))
        }
        Lowering::Serde { borrowed: true, .. } => {
            Some(quote!(let #name = ::kippu::__rt::encode(#name)?;))
        }
        Lowering::Serde { borrowed: false, .. } => {
            Some(quote!(let #name = ::kippu::__rt::encode(&#name)?;))
        }
        _ => None,
    }
}

fn lower_argument(param: &Param) -> Vec<TokenStream> {
    let name = &param.name;
    match &param.lowering {
        Lowering::Unit => vec![],
        Lowering::Number("f32" | "f64") => vec![quote!(#name)],
        Lowering::Number(_) | Lowering::GuestStream { .. } => vec![quote!(#name as i32)],
        _ => vec![quote!(#name.as_ptr()), quote!(#name.len())],
    }
}
