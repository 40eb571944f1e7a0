//! The rules for annotated functions, each fault with its token and what to write instead.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Error, FnArg, GenericParam, ItemFn, ReturnType, Type};

/// The faults found so far: an author sees all of them at once.
#[derive(Default)]
pub(crate) struct Faults(Option<Error>);

impl Faults {
    /// Adds a fault.
    pub(crate) fn add(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(Error::new(span, message));
    }

    /// Adds what a parser found.
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The faults, if there are any.
    pub(crate) fn into_error(self) -> Option<Error> {
        self.0
    }
}

/// Checks what holds for every annotated function.
pub(crate) fn function(function: &ItemFn, attribute: &str, faults: &mut Faults) {
    let signature = &function.sig;
    if let Some(token) = &signature.asyncness {
        faults.add(
            token.span(),
            format!(
                "a web process runs one request, so #[{attribute}] is a plain function: remove `async`"
            ),
        );
    }
    for parameter in &signature.generics.params {
        if !matches!(parameter, GenericParam::Lifetime(_)) {
            faults.add(
                parameter.span(),
                format!(
                    "the host calls #[{attribute}], so its types are fixed: write a type in place of this parameter"
                ),
            );
        }
    }
    for parameter in &signature.inputs {
        if let FnArg::Receiver(receiver) = parameter {
            faults.add(
                receiver.span(),
                format!(
                    "#[{attribute}] is a free function: move it out of the `impl` block and remove `self`"
                ),
            );
        }
    }
}

/// Checks that there is no parameter after the first `most`.
pub(crate) fn parameters(function: &ItemFn, most: usize, write: &str, faults: &mut Faults) {
    for parameter in function.sig.inputs.iter().skip(most) {
        faults.add(parameter.span(), format!("one parameter too many: {write}"));
    }
}

/// Checks that the call is taken once at most: by value it is moved.
pub(crate) fn one_call(function: &ItemFn, faults: &mut Faults) {
    let calls = function
        .sig
        .inputs
        .iter()
        .filter(|parameter| match parameter {
            FnArg::Typed(typed) => is_call(&typed.ty),
            FnArg::Receiver(_) => false,
        });
    for parameter in calls.skip(1) {
        faults.add(
            parameter.span(),
            "the call is taken twice: remove this parameter",
        );
    }
}

fn is_call(of: &Type) -> bool {
    match of {
        Type::Reference(reference) => is_call(&reference.elem),
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "WebCall"),
        _ => false,
    }
}

/// Checks that nothing is returned.
pub(crate) fn returns_nothing(function: &ItemFn, attribute: &str, faults: &mut Faults) {
    if let ReturnType::Type(_, of) = &function.sig.output {
        let unit = matches!(&**of, Type::Tuple(tuple) if tuple.elems.is_empty());
        if !unit {
            faults.add(
                of.span(),
                format!(
                    "nothing takes what #[{attribute}] returns: write `fn {}()`",
                    function.sig.ident
                ),
            );
        }
    }
}

/// Checks that something is returned.
pub(crate) fn returns(function: &ItemFn, write: &str, faults: &mut Faults) {
    if matches!(function.sig.output, ReturnType::Default) {
        faults.add(function.sig.ident.span(), write);
    }
}
