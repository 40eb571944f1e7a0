//! The Markdown page of a WIT package: its interfaces, then its worlds.

use wit_parser::{
    Docs, Function, Interface, InterfaceId, PackageId, Resolve, TypeDef, TypeDefKind, TypeId,
    World, WorldItem,
};

use super::types;

/// Renders the page. Interfaces come in the order in which the worlds name them, what is imported first.
pub(super) fn render(resolve: &Resolve, package: PackageId) -> String {
    let mut page = Page {
        resolve,
        text: String::new(),
    };
    let contract = &resolve.packages[package];
    let worlds: Vec<&World> = contract
        .worlds
        .values()
        .map(|id| &resolve.worlds[*id])
        .collect();
    let interfaces = in_reading_order(&worlds, contract.interfaces.values().copied());

    page.line(&format!("# `{}`", contract.name));
    page.line("<!-- Generated from wit/*.wit by `cargo xtask docs`. Change those files, not this one. -->");
    page.line(
        "The contract between a component and its host, generated from the files in [`wit/`](../wit): \
         its interfaces, then the [worlds](#worlds) that combine them.",
    );
    page.docs(&contract.docs);
    let rows = interfaces.iter().map(|id| {
        let interface = &resolve.interfaces[*id];
        let name = interface.name.as_deref().unwrap_or_default();
        vec![
            format!("[`{name}`](#{name})"),
            direction(&worlds, *id).to_owned(),
            summary(&interface.docs),
        ]
    });
    page.table(&["interface", "by a component", "what it is"], rows);
    for id in &interfaces {
        page.interface(&resolve.interfaces[*id], direction(&worlds, *id));
    }
    page.line("<a id=\"worlds\"></a>\n\n## Worlds");
    for world in worlds {
        page.world(world);
    }
    page.text.truncate(page.text.trim_end().len());
    page.text.push('\n');
    page.text
}

/// Where the text grows, paragraph by paragraph.
struct Page<'a> {
    resolve: &'a Resolve,
    text: String,
}

impl Page<'_> {
    fn interface(&mut self, interface: &Interface, direction: &str) {
        let name = interface.name.as_deref().unwrap_or_default();
        self.line(&format!("<a id=\"{name}\"></a>\n\n## Interface `{name}`"));
        self.line(&format!("*{direction} by a component*"));
        self.docs(&interface.docs);
        if !interface.functions.is_empty() {
            self.line("### Functions");
            for function in interface.functions.values() {
                self.function(name, function);
            }
        }
        let own: Vec<TypeId> = interface
            .types
            .values()
            .copied()
            .filter(|id| types::used(self.resolve, *id).is_none())
            .collect();
        if !own.is_empty() {
            self.line("### Types");
            for id in own {
                self.definition(id);
            }
        }
    }

    fn function(&mut self, interface: &str, function: &Function) {
        let name = function.item_name();
        self.line(&format!(
            "<a id=\"{interface}.{name}\"></a>\n\n#### `{name}`"
        ));
        self.line(&format!(
            "```wit\n{}\n```",
            types::signature(self.resolve, function)
        ));
        self.docs(&function.docs);
        let links = types::links_of(self.resolve, function);
        if !links.is_empty() {
            self.line(&format!("Types: {}", links.join(", ")));
        }
    }

    fn definition(&mut self, id: TypeId) {
        let definition: &TypeDef = &self.resolve.types[id];
        let name = definition.name.as_deref().unwrap_or_default();
        let kind = match definition.kind {
            // An alias declared here: `type a = b`.
            TypeDefKind::Type(_) => "type",
            ref kind => kind.as_str(),
        };
        self.line(&format!(
            "<a id=\"{}\"></a>\n\n#### {kind} `{name}`",
            types::anchor(self.resolve, id)
        ));
        self.docs(&definition.docs);
        let code = |name: &str| format!("`{name}`");
        match &definition.kind {
            TypeDefKind::Record(record) => {
                let rows = record.fields.iter().map(|field| {
                    vec![
                        code(&field.name),
                        types::linked(self.resolve, &field.ty),
                        in_a_cell(&field.docs),
                    ]
                });
                self.table(&["field", "type", ""], rows);
            }
            TypeDefKind::Variant(variant) => {
                let rows = variant.cases.iter().map(|case| {
                    let of = case
                        .ty
                        .map(|of| types::linked(self.resolve, &of))
                        .unwrap_or_default();
                    vec![code(&case.name), of, in_a_cell(&case.docs)]
                });
                self.table(&["case", "holds", ""], rows);
            }
            TypeDefKind::Enum(cases) => {
                let rows = cases
                    .cases
                    .iter()
                    .map(|case| vec![code(&case.name), in_a_cell(&case.docs)]);
                self.table(&["case", ""], rows);
            }
            TypeDefKind::Flags(flags) => {
                let rows = flags
                    .flags
                    .iter()
                    .map(|flag| vec![code(&flag.name), in_a_cell(&flag.docs)]);
                self.table(&["flag", ""], rows);
            }
            TypeDefKind::Type(of) => self.line(&format!(
                "Another name for {}.",
                types::linked(self.resolve, of)
            )),
            _ => {}
        }
    }

    fn world(&mut self, world: &World) {
        self.line(&format!(
            "<a id=\"world.{0}\"></a>\n\n### `{0}`",
            world.name
        ));
        self.docs(&world.docs);
        let imports = self.items(world.imports.values());
        let exports = self.items(world.exports.values());
        let list: String = [("Imports", imports), ("Exports", exports)]
            .into_iter()
            .filter(|(_, items)| !items.is_empty())
            .map(|(what, items)| format!("- {what} {}\n", items.join(", ")))
            .collect();
        self.line(list.trim_end());
    }

    fn items<'a>(&self, items: impl Iterator<Item = &'a WorldItem>) -> Vec<String> {
        items
            .map(|item| match item {
                WorldItem::Interface { id, .. } => {
                    let name = self.resolve.interfaces[*id]
                        .name
                        .as_deref()
                        .unwrap_or_default();
                    format!("[`{name}`](#{name})")
                }
                WorldItem::Function(function) => {
                    format!("`{}`", types::signature(self.resolve, function))
                }
                WorldItem::Type { id, .. } => {
                    format!(
                        "`{}`",
                        self.resolve.types[*id].name.as_deref().unwrap_or_default()
                    )
                }
            })
            .collect()
    }

    /// A doc comment, which is Markdown already.
    fn docs(&mut self, docs: &Docs) {
        if let Some(text) = &docs.contents {
            self.line(text.trim());
        }
    }

    fn table(&mut self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let header: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
        let mut table = row(&header);
        table.push_str(&row(&vec!["---".to_owned(); header.len()]));
        rows.into_iter()
            .for_each(|cells| table.push_str(&row(&cells)));
        self.line(table.trim_end());
    }

    /// A paragraph, or any other block.
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push_str("\n\n");
    }
}

/// The package's interfaces: those of the worlds' imports and exports in the order given there, then the rest.
fn in_reading_order(worlds: &[&World], all: impl Iterator<Item = InterfaceId>) -> Vec<InterfaceId> {
    let mut ordered = Vec::new();
    let imports = worlds.iter().flat_map(|world| world.imports.values());
    let exports = worlds.iter().flat_map(|world| world.exports.values());
    let named = imports.chain(exports).filter_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    });
    let all: Vec<InterfaceId> = all.collect();
    for id in named.chain(all.iter().copied()) {
        // A world may also name interfaces of other packages, WASI's for instance; this page is not theirs.
        if all.contains(&id) && !ordered.contains(&id) {
            ordered.push(id);
        }
    }
    ordered
}

fn direction(worlds: &[&World], id: InterfaceId) -> &'static str {
    let names =
        |item: &WorldItem| matches!(item, WorldItem::Interface { id: named, .. } if *named == id);
    match worlds.iter().any(|world| world.exports.values().any(names)) {
        true => "exported",
        false => "imported",
    }
}

/// The first sentence of a doc comment.
fn summary(docs: &Docs) -> String {
    let text = in_a_cell(docs);
    match text.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => text,
    }
}

/// A doc comment on one line, with nothing that ends a table's cell.
fn in_a_cell(docs: &Docs) -> String {
    let text = docs.contents.as_deref().unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}
