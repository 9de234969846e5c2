//! `#[kippu::main]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ItemFn, Result};

pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !attr.is_empty() {
        return Err(Error::new_spanned(attr, "#[kippu::main] takes no arguments"));
    }
    let ItemFn { attrs, vis, sig, block } = syn::parse2(item)?;
    if sig.asyncness.is_none() {
        return Err(Error::new_spanned(sig.fn_token, "the main function must be `async fn`"));
    }
    if !sig.inputs.is_empty() {
        return Err(Error::new_spanned(
            sig.inputs,
            "the main function takes no arguments; use kippu::env::args()",
        ));
    }
    if !sig.generics.params.is_empty() {
        return Err(Error::new_spanned(sig.generics, "the main function cannot be generic"));
    }
    let (name, output) = (&sig.ident, &sig.output);
    Ok(quote! {
        #(#attrs)*
        #vis fn #name() -> ::kippu::__rt::MainResult {
            async fn #name() #output #block
            ::kippu::__rt::run_main(#name())
        }
        ::kippu::__rt::export_main! { #name }
    })
}
