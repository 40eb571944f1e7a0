//! What every attribute expands to: the function as it was written, and beside it what exports it.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Error, ItemFn, ReturnType};

/// Reads the annotated function.
pub(crate) fn function(attribute: &str, item: &TokenStream) -> Result<ItemFn, Error> {
    syn::parse2::<ItemFn>(item.clone()).map_err(|error| {
        // What does not parse as an item is a mistake in the function itself, which has a better message.
        match syn::parse2::<syn::Item>(item.clone()) {
            Ok(_) => Error::new(
                error.span(),
                format!("#[{attribute}] goes before a function: write `#[{attribute}] fn ...`"),
            ),
            Err(_) => error,
        }
    })
}

/// The function, callable as before, and its export.
pub(crate) fn accepted(function: &ItemFn, export: &TokenStream) -> TokenStream {
    // Inlined into the export it would be missing in the backtraces of the host's log.
    let has_own = function
        .attrs
        .iter()
        .any(|attribute| attribute.path().is_ident("inline"));
    let frame = (!has_own).then(|| quote!(#[cfg_attr(target_arch = "wasm32", inline(never))]));
    quote! {
        #frame
        #function
        const _: () = { #export };
    }
}

/// The function, so that its callers do not become faults too, and the faults.
pub(crate) fn refused(item: &TokenStream, error: &Error) -> TokenStream {
    let faults = error.to_compile_error();
    quote! { #item #faults }
}

/// Where an error about the returned type belongs.
pub(crate) fn returned_at(function: &ItemFn) -> Span {
    match &function.sig.output {
        ReturnType::Type(_, of) => of.span(),
        ReturnType::Default => function.sig.ident.span(),
    }
}

/// The messages of an expansion, for tests.
#[cfg(test)]
pub(crate) fn messages(expanded: &TokenStream) -> Vec<String> {
    use proc_macro2::TokenTree;

    let tokens: Vec<TokenTree> = expanded.clone().into_iter().collect();
    tokens
        .windows(3)
        .filter_map(|window| match window {
            [
                TokenTree::Ident(name),
                TokenTree::Punct(_),
                TokenTree::Group(text),
            ] if name == "compile_error" => syn::parse2::<syn::LitStr>(text.stream())
                .ok()
                .map(|text| text.value()),
            _ => None,
        })
        .collect()
}
