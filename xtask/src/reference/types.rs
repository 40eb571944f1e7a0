//! WIT types as text, plain or with links to where they are declared.

use std::collections::BTreeMap;

use wit_parser::{Function, Handle, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

/// A type in the syntax of WIT.
pub(super) fn plain(resolve: &Resolve, of: &Type) -> String {
    pieces(resolve, of)
        .into_iter()
        .map(|piece| piece.text(resolve))
        .collect()
}

/// A type as Markdown: code, in which named types are links.
pub(super) fn linked(resolve: &Resolve, of: &Type) -> String {
    let mut markdown = String::new();
    let mut code = String::new();
    for piece in pieces(resolve, of) {
        match piece {
            Piece::Text(text) => code.push_str(&text),
            Piece::Named(id) => {
                markdown.push_str(&code_span(&std::mem::take(&mut code)));
                markdown.push_str(&link(resolve, id));
            }
        }
    }
    markdown + &code_span(&code)
}

/// The declaration of a function, as it stands in a WIT file.
pub(super) fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameters: Vec<String> = function
        .params
        .iter()
        .map(|parameter| format!("{}: {}", parameter.name, plain(resolve, &parameter.ty)))
        .collect();
    let keyword = if function.kind.is_async() {
        "async func"
    } else {
        "func"
    };
    let result = function
        .result
        .map(|of| format!(" -> {}", plain(resolve, &of)))
        .unwrap_or_default();
    format!(
        "{}: {keyword}({}){result}",
        function.item_name(),
        parameters.join(", ")
    )
}

/// Links to the named types of a function's declaration, each once, sorted by name.
pub(super) fn links_of(resolve: &Resolve, function: &Function) -> Vec<String> {
    let links: BTreeMap<&str, String> = function
        .parameter_and_result_types()
        .flat_map(|of| pieces(resolve, &of))
        .filter_map(|piece| match piece {
            Piece::Named(id) => Some((resolve.types[id].name.as_deref()?, link(resolve, id))),
            Piece::Text(_) => None,
        })
        .collect();
    links.into_values().collect()
}

/// The place of a type on the page, unique in it: several interfaces may have a type of one name.
pub(super) fn anchor(resolve: &Resolve, id: TypeId) -> String {
    let definition = &resolve.types[id];
    let owner = match definition.owner {
        TypeOwner::Interface(interface) => resolve.interfaces[interface].name.as_deref(),
        TypeOwner::World(world) => Some(resolve.worlds[world].name.as_str()),
        TypeOwner::None => None,
    };
    format!(
        "{}.{}",
        owner.unwrap_or_default(),
        definition.name.as_deref().unwrap_or_default()
    )
}

/// A stretch of a type's text.
enum Piece {
    Text(String),
    Named(TypeId),
}

impl Piece {
    fn text(self, resolve: &Resolve) -> String {
        match self {
            Self::Text(text) => text,
            Self::Named(id) => resolve.types[id].name.clone().unwrap_or_default(),
        }
    }
}

fn pieces(resolve: &Resolve, of: &Type) -> Vec<Piece> {
    let text = |text: &str| vec![Piece::Text(text.to_owned())];
    match of {
        Type::Bool => text("bool"),
        Type::U8 => text("u8"),
        Type::U16 => text("u16"),
        Type::U32 => text("u32"),
        Type::U64 => text("u64"),
        Type::S8 => text("s8"),
        Type::S16 => text("s16"),
        Type::S32 => text("s32"),
        Type::S64 => text("s64"),
        Type::F32 => text("f32"),
        Type::F64 => text("f64"),
        Type::Char => text("char"),
        Type::String => text("string"),
        Type::ErrorContext => text("error-context"),
        Type::Id(id) => match resolve.types[*id].name {
            Some(_) => vec![Piece::Named(*id)],
            None => composed(resolve, &resolve.types[*id].kind),
        },
    }
}

/// A type without a name of its own: something made of other types.
fn composed(resolve: &Resolve, kind: &TypeDefKind) -> Vec<Piece> {
    let wrap = |name: &str, items: &[Option<Type>]| {
        let mut all = vec![Piece::Text(format!("{name}<"))];
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                all.push(Piece::Text(", ".to_owned()));
            }
            match item {
                Some(item) => all.extend(pieces(resolve, item)),
                None => all.push(Piece::Text("_".to_owned())),
            }
        }
        all.push(Piece::Text(">".to_owned()));
        all
    };
    let bare = |name: &str| vec![Piece::Text(name.to_owned())];
    match kind {
        TypeDefKind::Option(of) => wrap("option", &[Some(*of)]),
        TypeDefKind::List(of) => wrap("list", &[Some(*of)]),
        TypeDefKind::Map(key, value) => wrap("map", &[Some(*key), Some(*value)]),
        TypeDefKind::Tuple(tuple) => wrap(
            "tuple",
            &tuple.types.iter().copied().map(Some).collect::<Vec<_>>(),
        ),
        TypeDefKind::Result(result) => match (result.ok, result.err) {
            (None, None) => bare("result"),
            (ok, None) => wrap("result", &[ok]),
            (ok, err) => wrap("result", &[ok, err]),
        },
        TypeDefKind::Future(None) => bare("future"),
        TypeDefKind::Future(of) => wrap("future", &[*of]),
        TypeDefKind::Stream(None) => bare("stream"),
        TypeDefKind::Stream(of) => wrap("stream", &[*of]),
        TypeDefKind::Handle(Handle::Own(id)) => vec![Piece::Named(*id)],
        TypeDefKind::Handle(Handle::Borrow(id)) => wrap("borrow", &[Some(Type::Id(*id))]),
        other => bare(other.as_str()),
    }
}

/// A link to where a type is declared, which is not where `use` brought it.
fn link(resolve: &Resolve, id: TypeId) -> String {
    let definition = &resolve.types[id];
    if let Some(source) = used(resolve, id) {
        return link(resolve, source);
    }
    format!(
        "[`{}`](#{})",
        definition.name.as_deref().unwrap_or_default(),
        anchor(resolve, id)
    )
}

/// What a type brought by `use` stands for; none if it is declared where it is.
pub(super) fn used(resolve: &Resolve, id: TypeId) -> Option<TypeId> {
    match resolve.types[id].kind {
        TypeDefKind::Type(Type::Id(source))
            if resolve.types[source].owner != resolve.types[id].owner =>
        {
            Some(source)
        }
        _ => None,
    }
}

fn code_span(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("`{text}`")
    }
}
