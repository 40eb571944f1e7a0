//! The reference page of all settings, written from their table.

use std::fmt::Write;

use super::setting::{Definition, Scope};
use super::table::{NOT_YET, READ_ONLY, SETTINGS, TABLES};

/// Writes the reference page in Markdown.
pub fn reference_markdown() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n## Properties of the WebServer class\n\n");
    page.push_str("At the top level of either file.\n\n");
    push_table(&mut page, "");
    page.push_str("\nShown, and never set:\n\n| property | type | |\n|---|---|---|\n");
    for property in READ_ONLY {
        let (name, schema_type, doc) = (property.name, property.schema_type, property.doc);
        push(
            &mut page,
            format_args!("| `{name}` | {schema_type} | {doc} |\n"),
        );
    }
    for table in TABLES {
        let file = match table.scope {
            Scope::Component => "`settings.toml`",
            Scope::Host => "`tessera.toml`",
            Scope::Both => "`tessera.toml` and `settings.toml`",
        };
        let (name, doc) = (table.name, table.doc);
        push(
            &mut page,
            format_args!("\n## `[{name}]`\n\n{doc} In {file}.\n\n"),
        );
        push_table(&mut page, name);
    }
    push_not_yet(&mut page);
    page
}

fn push_not_yet(page: &mut String) {
    let unknown: Vec<String> = NOT_YET.iter().map(|key| format!("`{key}`")).collect();
    push(
        page,
        format_args!("\nNot accepted yet: {}.\n", unknown.join(", ")),
    );
}

const INTRODUCTION: &str = "\
# Settings

<!-- Generated from the table of settings in `host/src/settings`; do not edit. -->

The host's settings stand in `tessera.toml` in the site's folder, those of a component in
`components/NAME/settings.toml`; without the file all defaults hold. Above the file stand, the later
above the earlier:

1. `tessera serve --set KEY=VALUE`, for the host, as long as the process runs;
2. session options, for any server (`tessera set`, `PATCH` of the admin API), as long as the process runs;
3. what a server is started with (`tessera start`, the admin API, a component), until it is stopped.

A changed file is taken over by `tessera reload`, that of a component by itself; where a port or TLS is
another then, the new one is opened before the old one is closed. Session options of that kind wait for the
next start of the web server, as the table says.

The key of a table is dotted there: `--set admin.enabled=false`. In JSON it may be nested as well:
`{\"pool\": {\"max\": 3}}` is `{\"pool.max\": 3}`. What takes effect with a restart of the process
can only be written in the file or given with `--set`. A component that starts a server may set
properties of the WebServer class, `[keep_alive]`, `[web]` and `[cache]`, and name folders only below the
server's own.

A size is a number of bytes or a text with B, KiB, MiB, GiB, kB, MB or GB. A duration is a number of
seconds or a text with ms, s, min or h. A list of tables is written `[[CORSSettings]]` with its keys below,
once for each, or in one line: `CORSSettings = [{host = \"*.example.com\", methods = \"get;post\"}]`.

A key that is not below, a value of a wrong type and a value that is not allowed are errors, told
all at once, each with its place, key, value and what is allowed.
";

fn push_table(page: &mut String, table: &str) {
    page.push_str("| key | of | type | value | default | takes effect with | |\n");
    page.push_str("|---|---|---|---|---|---|---|\n");
    for definition in SETTINGS
        .iter()
        .filter(|definition| definition.table() == table)
    {
        push_row(page, *definition);
    }
}

fn push_row(page: &mut String, definition: &dyn Definition) {
    let of = match definition.scope() {
        Scope::Host => "host",
        Scope::Component => "component",
        Scope::Both => "both",
    };
    let name = if definition.is_any_name() {
        "any name"
    } else {
        &format!("`{}`", definition.name())
    };
    push(
        page,
        format_args!(
            "| {name} | {of} | {} | {} | {} | {} | {} |\n",
            definition.type_name(),
            // Markdown would take two of them for emphasis.
            definition.allowed().replace('*', "\\*"),
            definition.default_text(),
            definition.effect(),
            definition.doc(),
        ),
    );
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = page.write_fmt(text);
}
