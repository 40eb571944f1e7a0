//! The attributes of the hooks: authentication, connection, compiler, session end.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ItemFn};

use crate::check::{self, Faults};
use crate::expand;

/// The hooks that a component may have, at most one of each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    /// On Web Authentication.
    Authentication,
    /// On Web Connection.
    Connection,
    /// COMPILER_WEB.
    Compiler,
    /// On Web Close Process.
    SessionEnd,
}

impl Hook {
    fn attribute(self) -> &'static str {
        match self {
            Self::Authentication => "on_web_authentication",
            Self::Connection => "on_web_connection",
            Self::Compiler => "compiler_web",
            Self::SessionEnd => "on_web_close_process",
        }
    }

    fn takes_call(self) -> bool {
        matches!(self, Self::Authentication | Self::Connection)
    }
}

/// Expands the attribute of a hook.
pub(crate) fn expand(hook: Hook, options: TokenStream, item: TokenStream) -> TokenStream {
    let attribute = hook.attribute();
    let function = match expand::function(attribute, &item) {
        Ok(function) => function,
        Err(error) => return expand::refused(&item, &error),
    };
    let mut faults = Faults::default();
    if !options.is_empty() {
        faults.add(
            options.span(),
            format!("a hook has no options: write `#[{attribute}]`"),
        );
    }
    check::function(&function, attribute, &mut faults);
    if hook.takes_call() {
        check::one_call(&function, &mut faults);
    } else {
        let write = format!("#[{attribute}] takes nothing");
        check::parameters(&function, 0, &write, &mut faults);
        check::returns_nothing(&function, attribute, &mut faults);
    }
    if hook == Hook::Authentication {
        let write = "the host asks whether it may go on: return `bool` or `Result<bool, _>`";
        check::returns(&function, write, &mut faults);
    }
    match faults.into_error() {
        Some(error) => expand::refused(&item, &error),
        None => expand::accepted(&function, &export(hook, &function)),
    }
}

/// The export that calls the function.
fn export(hook: Hook, function: &ItemFn) -> TokenStream {
    let name = &function.sig.ident;
    let door = format_ident!("__{}", hook.attribute());
    if !hook.takes_call() {
        return quote! { ::tessera_guest::#door!(#name); };
    }
    // The spans make a wrong type an error at the signature of the function, not at the attribute.
    let arguments = function.sig.inputs.iter().map(|parameter| {
        let span = match parameter {
            FnArg::Typed(typed) => typed.ty.span(),
            FnArg::Receiver(receiver) => receiver.span(),
        };
        quote_spanned!(span=> ::tessera_guest::__private::taken(&__tessera_call)?)
    });
    let (answer, finish) = if hook == Hook::Authentication {
        (quote!(bool), format_ident!("decide"))
    } else {
        (quote!(()), format_ident!("answer"))
    };
    let returned = expand::returned_at(function);
    let finished = quote_spanned!(returned=>
        ::tessera_guest::__private::#finish(|| ::core::result::Result::Ok(#name(#(#arguments),*)))
    );
    quote! {
        fn __tessera_hook(
            __tessera_call: ::tessera_guest::WebCall,
        ) -> ::core::result::Result<#answer, ::std::string::String> {
            let __tessera_call = ::tessera_guest::__private::Taken::new(__tessera_call);
            #finished
        }
        ::tessera_guest::#door!(__tessera_hook);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(hook: Hook, options: TokenStream, item: TokenStream) -> Vec<String> {
        expand::messages(&expand(hook, options, item))
    }

    #[test]
    fn accepts_every_documented_signature() {
        let none = TokenStream::new;
        for item in [
            quote!(
                fn shop() {}
            ),
            quote!(
                fn shop(call: WebCall) -> impl Reply {}
            ),
            quote!(
                pub(crate) fn shop(call: &WebCall) -> Result<String, Error> {}
            ),
            quote!(
                fn shop(call: &WebCall, form: Form<Order>, user: Result<User, Error>) -> Html {}
            ),
            quote!(
                fn shop<'a>(call: &'a WebCall) -> &'a str {
                    &call.url
                }
            ),
        ] {
            let item_text = item.to_string();
            assert_eq!(
                faults(Hook::Connection, none(), item),
                [""; 0],
                "{item_text}"
            );
        }
        let admit = quote!(
            fn admit(call: &WebCall) -> bool {
                true
            }
        );
        assert_eq!(faults(Hook::Authentication, none(), admit), [""; 0]);
        assert_eq!(
            faults(
                Hook::Compiler,
                none(),
                quote!(
                    fn init() {}
                )
            ),
            [""; 0]
        );
        assert_eq!(
            faults(
                Hook::SessionEnd,
                none(),
                quote!(
                    fn bye() -> () {}
                )
            ),
            [""; 0]
        );
    }

    #[test]
    fn names_all_faults_at_once() {
        let found = faults(
            Hook::Connection,
            quote!(fast),
            quote!(
                async fn shop<T: Display>(call: WebCall, other: &WebCall) {}
            ),
        );
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].contains("write `#[on_web_connection]`"));
        assert!(found[1].contains("remove `async`"));
        assert!(found[2].contains("write a type in place"));
        assert!(found[3].contains("the call is taken twice"));
    }

    #[test]
    fn says_what_a_hook_returns() {
        let none = TokenStream::new;
        let found = faults(
            Hook::Compiler,
            none(),
            quote!(
                fn init() -> u32 {
                    1
                }
            ),
        );
        assert!(found[0].contains("write `fn init()`"), "{found:?}");
        let found = faults(
            Hook::Authentication,
            none(),
            quote!(
                fn admit() {}
            ),
        );
        assert!(found[0].contains("return `bool`"), "{found:?}");
    }

    #[test]
    fn refuses_what_is_no_function() {
        let found = faults(
            Hook::Connection,
            TokenStream::new(),
            quote!(
                struct Shop;
            ),
        );
        assert!(found[0].contains("goes before a function"), "{found:?}");
    }
}
