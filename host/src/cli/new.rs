//! `tessera new`: a folder with a component that builds, with all that it needs.

use std::fs;
use std::io;
use std::path::Path;

use super::failure::Failure;
use super::output;

/// The guest SDK and the WIT contract: path and content of every file.
const SDK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// What every component in Rust has beside its source.
const RUST: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        include_str!("../../templates/rust/Cargo.toml.in"),
    ),
    (
        "README.md",
        include_str!("../../templates/rust/README.md.in"),
    ),
    (
        ".gitignore",
        include_str!("../../templates/rust/gitignore.in"),
    ),
    (
        ".cargo/config.toml",
        include_str!("../../templates/rust/cargo-config.toml.in"),
    ),
];

/// A label of a host name is no longer, and a name may be one some day.
const NAME_BYTES_MAX: usize = 63;

/// Names that a Rust crate cannot have: key words, crates of the language, and those of the SDK.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "tessera-guest",
    "tessera-guest-macros",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// Makes a folder with a component that builds and drops in.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The component: lower-case letters, digits and hyphens, a letter first.
    #[arg(value_parser = name)]
    name: String,
    /// The language to write it in.
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
    /// What it begins with.
    #[arg(long, value_enum, default_value_t)]
    template: Template,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Language {
    #[default]
    Rust,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Template {
    /// A page for every address, and a method.
    #[default]
    Basic,
    /// A form, its fields as a type, and a cookie.
    Form,
    /// A form with a file, read piece by piece.
    Upload,
    /// A page that server-sent events change.
    Sse,
}

impl Template {
    fn source(self) -> &'static str {
        match self {
            Self::Basic => include_str!("../../templates/rust/lib.rs.in"),
            Self::Form => include_str!("../../templates/rust/form.rs.in"),
            Self::Upload => include_str!("../../templates/rust/upload.rs.in"),
            Self::Sse => include_str!("../../templates/rust/sse.rs.in"),
        }
    }

    /// The rows of the README's table.
    fn urls(self) -> &'static str {
        match self {
            Self::Basic => {
                "| `/{{name}}/any/path` | On Web Connection: the function `visit` |\n\
                 | `/{{name}}/4DACTION/greet/Ann` | the method `greet`: `Hello, Ann!` |"
            }
            Self::Form => {
                "| `/{{name}}/` | the page with the form |\n\
                 | `/{{name}}/order` | the function `order`, for the form |"
            }
            Self::Upload => {
                "| `/{{name}}/` | the page with the form |\n\
                 | `/{{name}}/upload` | the function `upload`, for the file |"
            }
            Self::Sse => {
                "| `/{{name}}/` | the page |\n\
                 | `/{{name}}/events` | the function `numbers`: one event each second |"
            }
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let name = &arguments.name;
    match arguments.lang {
        Language::Rust => write(Path::new(name), name, arguments.template)?,
    }
    let module = module(name);
    output::print(&format!(
        "made {name}/: a component in Rust, and the SDK that it is built with\n\
         build it:   cd {name} && cargo build --release --target wasm32-wasip2\n\
         test it:    cargo test\n\
         drop it in: cp target/wasm32-wasip2/release/{module}.wasm SITE/components/{name}.wasm\n"
    ))
}

fn write(folder: &Path, name: &str, template: Template) -> Result<(), Failure> {
    let failed = |path: &Path, error: &io::Error| {
        Failure::other(format!("{} cannot be made: {error}", path.display()))
    };
    // Fails if it is there, so that nothing is ever overwritten.
    fs::create_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::usage(format!(
            "{} is there already: choose another name, or remove it",
            folder.display()
        )),
        _ => failed(folder, &error),
    })?;
    let module = module(name);
    let source = ("src/lib.rs", template.source());
    let filled = RUST.iter().chain([&source]).map(|(path, content)| {
        let content = content
            .replace("{{urls}}", template.urls())
            .replace("{{name}}", name)
            .replace("{{module}}", &module);
        (folder.join(path), content)
    });
    let sdk = SDK
        .iter()
        .map(|(path, content)| (folder.join("tessera").join(path), (*content).to_owned()));
    for (path, content) in filled.chain(sdk) {
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, content))
            .map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

/// What Cargo calls the module: a crate has no hyphens.
fn module(name: &str) -> String {
    name.replace('-', "_")
}

fn name(text: &str) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) || !text.bytes().all(is_allowed)
    {
        Err(
            "use lower-case letters, digits and hyphens, and begin with a letter, as in my-shop"
                .to_owned(),
        )
    } else if text.ends_with('-') || text.contains("--") {
        Err("put a letter or a digit before and after each hyphen, as in my-shop".to_owned())
    } else if text.len() > NAME_BYTES_MAX {
        Err(format!("use at most {NAME_BYTES_MAX} characters"))
    } else if TAKEN.contains(&text) {
        Err(format!(
            "a Rust crate cannot have this name: add something to it, as in my-{text}"
        ))
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_files_urls_and_crates() {
        for good in ["a", "greeter", "my-shop", "shop2", &"a".repeat(63)] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "Greeter",
            "2shop",
            "-shop",
            "shop-",
            "my--shop",
            "my_shop",
            "my shop",
            "../shop",
            "a/b",
            "größe",
            ".",
            "fn",
            "std",
            "test",
            "tessera-guest",
            &"a".repeat(64),
        ] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_folder_has_all_that_a_build_needs() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("my-shop");
        write(&folder, "my-shop", Template::Basic).unwrap();
        for file in [
            "Cargo.toml",
            ".cargo/config.toml",
            ".gitignore",
            "README.md",
            "src/lib.rs",
            "tessera/guest-sdk/Cargo.toml",
            "tessera/guest-sdk/src/lib.rs",
            "tessera/guest-sdk/macros/Cargo.toml",
            "tessera/guest-sdk/macros/src/lib.rs",
            "tessera/wit/worlds.wit",
        ] {
            let content = fs::read_to_string(folder.join(file)).unwrap();
            assert!(!content.is_empty() && !content.contains("{{"), "{file}");
        }
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("name = \"my-shop\"\n"));
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(readme.contains("release/my_shop.wasm SITE/components/my-shop.wasm"));

        assert!(readme.contains("| `/my-shop/4DACTION/greet/Ann` |"));

        for template in [Template::Form, Template::Upload, Template::Sse] {
            let folder = place.path().join(template.urls().len().to_string());
            write(&folder, "other", template).unwrap();
            let source = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
            assert!(source.contains("web server `other`") && !source.contains("{{"));
            let readme = fs::read_to_string(folder.join("README.md")).unwrap();
            assert!(readme.contains("| `/other/` | the page"), "{readme}");
        }

        let again = write(&folder, "my-shop", Template::Basic).unwrap_err();
        assert!(again.message().contains("is there already"), "{again:?}");
    }
}
