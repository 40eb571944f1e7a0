//! The attribute of methods that URLs and tags call.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, FnArg, ItemFn, Lit, MetaNameValue, Token};

use crate::check::{self, Faults};
use crate::expand;

const ATTRIBUTE: &str = "web_method";

/// The options of one method.
pub(crate) struct Options {
    pub(crate) name: String,
    pub(crate) available: bool,
}

/// Expands `#[web_method]`. `first` says whether this is the first method of the crate, which exports for all.
pub(crate) fn expand(
    options: TokenStream,
    item: TokenStream,
    first: impl FnOnce() -> bool,
) -> TokenStream {
    let function = match expand::function(ATTRIBUTE, &item) {
        Ok(function) => function,
        Err(error) => return expand::refused(&item, &error),
    };
    let mut faults = Faults::default();
    let options = parse(options, &function, &mut faults);
    check::function(&function, ATTRIBUTE, &mut faults);
    match faults.into_error() {
        Some(error) => expand::refused(&item, &error),
        None => expand::accepted(&function, &register(&options, &function, first())),
    }
}

/// Reads `name = "..."` and `available = ...`.
fn parse(options: TokenStream, function: &ItemFn, faults: &mut Faults) -> Options {
    let mut parsed = Options {
        name: function.sig.ident.unraw().to_string(),
        available: true,
    };
    let list = Punctuated::<MetaNameValue, Token![,]>::parse_terminated;
    let list = match syn::parse::Parser::parse2(list, options) {
        Ok(list) => list,
        Err(error) => {
            let write =
                "write `#[web_method(name = \"...\", available = false)]`, each part if needed";
            faults.add(error.span(), write);
            return parsed;
        }
    };
    let mut seen = Vec::new();
    for MetaNameValue { path, value, .. } in &list {
        let key = path
            .get_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        if seen.contains(&key) {
            faults.add(
                path.span(),
                format!("`{key}` stands here twice: remove one"),
            );
        }
        match (key.as_str(), literal(value)) {
            ("name", Some(Lit::Str(text))) => {
                parsed.name = text.value();
                if let Some(fault) = name_fault(&parsed.name) {
                    faults.add(text.span(), fault);
                }
            }
            ("name", _) => faults.add(value.span(), "write the name as text: `name = \"...\"`"),
            ("available", Some(Lit::Bool(flag))) => parsed.available = flag.value,
            ("available", _) => {
                faults.add(
                    value.span(),
                    "write `available = true` or `available = false`",
                );
            }
            _ => faults.add(
                path.span(),
                "a method has the options `name` and `available`: write one of them",
            ),
        }
        seen.push(key);
    }
    parsed
}

pub(crate) fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

/// A name has to survive in a URL's path and in a tag, where `/` and `(` end it.
fn name_fault(name: &str) -> Option<&'static str> {
    let mut characters = name.chars();
    let begins = characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_');
    let goes_on = characters.all(|next| next.is_alphanumeric() || next == '_' || next == ' ');
    (!begins || !goes_on).then_some(
        "a method's name begins with a letter and goes on with letters, digits, `_` and spaces",
    )
}

/// Registers the method, and exports all of them if it is the first.
pub(crate) fn register(options: &Options, function: &ItemFn, first: bool) -> TokenStream {
    let name = &function.sig.ident;
    let Options {
        name: public_name,
        available,
    } = options;
    // The spans make a type that no argument can become an error at that parameter.
    let arguments = function.sig.inputs.iter().map(|parameter| {
        let span = match parameter {
            FnArg::Typed(typed) => typed.ty.span(),
            FnArg::Receiver(receiver) => receiver.span(),
        };
        quote_spanned!(span=> __tessera_arguments.take()?)
    });
    let taken = if function.sig.inputs.is_empty() {
        quote!(_)
    } else {
        quote!(mut __tessera_arguments)
    };
    let returned = expand::returned_at(function);
    let finished = quote_spanned!(returned=>
        ::tessera_guest::__private::give(|| ::core::result::Result::Ok(#name(#(#arguments),*)))
    );
    let export = first.then(|| quote!(::tessera_guest::__web_methods!();));
    quote! {
        fn __tessera_method(
            #taken: ::tessera_guest::__private::Arguments<'_>,
        ) -> ::core::result::Result<::tessera_guest::Value, ::std::string::String> {
            #finished
        }
        ::tessera_guest::__web_method!(#public_name, #available, __tessera_method);
        #export
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(options: TokenStream, item: TokenStream) -> Vec<String> {
        expand::messages(&expand(options, item, || false))
    }

    #[test]
    fn accepts_every_documented_signature() {
        for (options, item) in [
            (
                quote!(),
                quote!(
                    fn add(param: &str) -> impl Reply {}
                ),
            ),
            (
                quote!(),
                quote!(
                    fn add(a: f64, b: Option<f64>) -> f64 {
                        a
                    }
                ),
            ),
            (
                quote!(name = "processForm"),
                quote!(
                    fn process_form() {}
                ),
            ),
            (
                quote!(available = false, name = "Größe 2"),
                quote!(
                    fn r#type() {}
                ),
            ),
        ] {
            let item_text = item.to_string();
            assert_eq!(faults(options, item), [""; 0], "{item_text}");
        }
    }

    #[test]
    fn exports_for_all_with_the_first_method_only() {
        let of = |first| {
            expand(
                quote!(),
                quote!(
                    fn add() {}
                ),
                || first,
            )
            .to_string()
        };
        assert!(of(true).contains("__web_methods"));
        assert!(!of(false).contains("__web_methods"));
    }

    #[test]
    fn takes_the_name_without_the_mark_of_a_raw_identifier() {
        let expanded = expand(
            quote!(),
            quote!(
                fn r#type() {}
            ),
            || false,
        )
        .to_string();
        assert!(expanded.contains("(\"type\" , true"), "{expanded}");
    }

    #[test]
    fn names_all_faults_at_once() {
        let found = faults(
            quote!(name = 3, available = "no", visible = true),
            quote!(
                async fn add(self) {}
            ),
        );
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[0].contains("`name = \"...\"`"));
        assert!(found[1].contains("`available = false`"));
        assert!(found[2].contains("`name` and `available`"));
        assert!(found[3].contains("remove `async`"));
        assert!(found[4].contains("remove `self`"));
    }

    #[test]
    fn refuses_names_that_no_url_can_call() {
        for name in ["", "a/b", "1st", "f(x)"] {
            let found = faults(
                quote!(name = #name),
                quote!(
                    fn add() {}
                ),
            );
            assert!(
                found[0].contains("begins with a letter"),
                "{name}: {found:?}"
            );
        }
        let found = faults(
            quote!(name = "a", name = "b"),
            quote!(
                fn add() {}
            ),
        );
        assert!(found[0].contains("twice"), "{found:?}");
    }
}
