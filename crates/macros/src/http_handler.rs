//! `#[kippu::http_handler]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, ItemFn, Result, Signature};

pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !attr.is_empty() {
        return Err(Error::new_spanned(attr, "#[kippu::http_handler] takes no arguments"));
    }
    let function: ItemFn = syn::parse2(item)?;
    let is_maker = check(&function.sig)?;
    let name = &function.sig.ident;
    // Types that do not fit are reported at what is wrong with them.
    let into_handler = |value: TokenStream| {
        let span = match &function.sig.output {
            syn::ReturnType::Type(_, ty) if is_maker => ty.span(),
            _ => name.span(),
        };
        quote_spanned!(span => ::kippu::http::server::IntoHandler::into_handler(#value))
    };
    let handler = into_handler(if is_maker { quote!(#name()) } else { quote!(#name) });
    Ok(quote! {
        // Natively it is called only if the program does.
        #[allow(dead_code)]
        #function
        const _: () = {
            // Checked on every host, used by those that call the handler.
            #[allow(dead_code)]
            fn __kippu_http_handler() -> impl ::kippu::http::server::Handler {
                #handler
            }
            ::kippu::__rt::export_http_handler! { __kippu_http_handler }
        };
    })
}

/// Whether the function makes the handler, rather than being it.
fn check(sig: &Signature) -> Result<bool> {
    if !sig.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &sig.generics,
            "the handler cannot be generic: nobody would say for which types it is called",
        ));
    }
    let inputs: Vec<&FnArg> = sig.inputs.iter().collect();
    match inputs[..] {
        [] if sig.asyncness.is_some() => Ok(false),
        [] if matches!(sig.output, syn::ReturnType::Default) => Err(Error::new_spanned(
            sig,
            "a function without parameters returns the handler, for example an `axum::Router`; \
             one that is the handler takes the request: `async fn handle(request: kippu::http::server::Request) -> impl IntoResponse`",
        )),
        [] => Ok(true),
        [FnArg::Typed(_)] if sig.asyncness.is_some() => Ok(false),
        [FnArg::Typed(_)] => {
            Err(Error::new_spanned(sig.fn_token, "the handler must be `async fn`"))
        }
        [FnArg::Receiver(receiver)] => {
            Err(Error::new_spanned(receiver, "the handler is a function, not a method"))
        }
        [_, second, ..] => Err(Error::new_spanned(
            second,
            "the handler takes the request and nothing else; what else it needs can be in a `static`, or in a closure that a \
             function without parameters returns",
        )),
    }
}
