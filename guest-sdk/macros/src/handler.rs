//! The attribute of functions that answer URLs of their own.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ItemFn, Lit, MetaNameValue, Token};

use crate::check::{self, Faults};
use crate::expand;
use crate::method::{self, literal};

const ATTRIBUTE: &str = "web_handler";
const WRITE: &str = "write `#[web_handler(pattern = \"books\", verbs = \"GET, POST\")]`; `regex = \"...\"` in place of \
                     `pattern`, and without `verbs` it is for all";

/// The options of one handler.
struct Options {
    pattern: String,
    is_regex: bool,
    verbs: String,
}

/// Whether it is the first of its crate, which exports for all.
#[derive(Clone, Copy)]
pub(crate) struct First {
    pub(crate) method: bool,
    pub(crate) handler: bool,
}

/// Expands `#[web_handler]`.
pub(crate) fn expand(
    options: TokenStream,
    item: TokenStream,
    first: impl FnOnce() -> First,
) -> TokenStream {
    let function = match expand::function(ATTRIBUTE, &item) {
        Ok(function) => function,
        Err(error) => return expand::refused(&item, &error),
    };
    let mut faults = Faults::default();
    let options = parse(options, &function, &mut faults);
    check::function(&function, ATTRIBUTE, &mut faults);
    if !function.sig.inputs.is_empty() {
        faults.add(
            function.sig.inputs.span(),
            "a handler has no parameters: ask `request::url()` and `request::variables()`",
        );
    }
    match (faults.into_error(), options) {
        (None, Some(options)) => {
            expand::accepted(&function, &register(&options, &function, first()))
        }
        (Some(error), _) => expand::refused(&item, &error),
        (None, None) => expand::refused(&item, &syn::Error::new(Span::call_site(), WRITE)),
    }
}

/// Reads `pattern = "..."` or `regex = "..."`, and `verbs = "..."`.
fn parse(options: TokenStream, function: &ItemFn, faults: &mut Faults) -> Option<Options> {
    let list = Punctuated::<MetaNameValue, Token![,]>::parse_terminated;
    let list = match syn::parse::Parser::parse2(list, options) {
        Ok(list) => list,
        Err(error) => {
            faults.add(error.span(), WRITE);
            return None;
        }
    };
    let (mut pattern, mut verbs) = (None, String::new());
    for MetaNameValue { path, value, .. } in &list {
        let key = path
            .get_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        match (key.as_str(), text(value)) {
            ("pattern" | "regex", Some(text)) if pattern.is_none() => {
                pattern = Some((text, key == "regex"));
            }
            ("pattern" | "regex", Some(_)) => {
                faults.add(path.span(), "one pattern is enough: remove this one");
            }
            ("verbs", Some(text)) => verbs = text,
            _ => faults.add(path.span(), WRITE),
        }
    }
    let Some((pattern, is_regex)) = pattern else {
        faults.add(function.sig.ident.span(), WRITE);
        return None;
    };
    if !is_regex && pattern.trim_matches('/').is_empty() {
        let write =
            "`pattern` is the beginning of paths, such as \"books\"; for all write `regex = \"/\"`";
        faults.add(function.sig.ident.span(), write);
    }
    Some(Options {
        pattern,
        is_regex,
        verbs,
    })
}

fn text(value: &Expr) -> Option<String> {
    match literal(value) {
        Some(Lit::Str(text)) => Some(text.value()),
        _ => None,
    }
}

/// Registers the method and the handler, and exports all of them if they are the first.
fn register(options: &Options, function: &ItemFn, first: First) -> TokenStream {
    let name = function.sig.ident.unraw().to_string();
    let Options {
        pattern,
        is_regex,
        verbs,
    } = options;
    let method = method::Options {
        name: name.clone(),
        available: false,
    };
    let method = method::register(&method, function, first.method);
    let export = first.handler.then(|| {
        quote!(
            const _: () = {
                ::tessera_guest::__web_handlers!();
            };
        )
    });
    quote! {
        #method
        ::tessera_guest::__web_handler!(#pattern, #is_regex, #verbs, #name);
        #export
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEITHER: First = First {
        method: false,
        handler: false,
    };

    fn faults(options: TokenStream, item: TokenStream) -> Vec<String> {
        expand::messages(&expand(options, item, || NEITHER))
    }

    #[test]
    fn accepts_a_prefix_or_a_regular_expression() {
        for options in [
            quote!(pattern = "books"),
            quote!(regex = "^/books/[0-9]+$", verbs = "GET, POST"),
        ] {
            let shown = options.to_string();
            let found = faults(
                options,
                quote!(
                    fn books() -> impl Reply {}
                ),
            );
            assert_eq!(found, [""; 0], "{shown}");
        }
    }

    #[test]
    fn says_what_to_write() {
        for (options, item, expected) in [
            (
                quote!(),
                quote!(
                    fn books() {}
                ),
                "web_handler(pattern",
            ),
            (
                quote!("/books"),
                quote!(
                    fn books() {}
                ),
                "web_handler(pattern",
            ),
            (
                quote!(pattern = "/"),
                quote!(
                    fn books() {}
                ),
                "for all write",
            ),
            (
                quote!(pattern = "a", regex = "b"),
                quote!(
                    fn books() {}
                ),
                "one pattern is enough",
            ),
            (
                quote!(pattern = "a", method = "b"),
                quote!(
                    fn books() {}
                ),
                "web_handler(pattern",
            ),
            (
                quote!(pattern = "a"),
                quote!(
                    fn books(id: u32) {}
                ),
                "has no parameters",
            ),
        ] {
            let shown = options.to_string();
            let found = faults(options, item);
            assert!(
                found.iter().any(|fault| fault.contains(expected)),
                "{shown}: {found:?}"
            );
        }
    }

    #[test]
    fn exports_for_all_with_the_first_only() {
        let of = |first: First| {
            expand(
                quote!(pattern = "a"),
                quote!(
                    fn books() {}
                ),
                || first,
            )
            .to_string()
        };
        let both = of(First {
            method: true,
            handler: true,
        });
        assert!(both.contains("__web_methods") && both.contains("__web_handlers"));
        let neither = of(NEITHER);
        assert!(!neither.contains("__web_methods") && !neither.contains("__web_handlers"));
        assert!(neither.contains("false , __tessera_method"), "{neither}");
    }
}
