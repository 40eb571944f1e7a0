//! What a component asks for by its imports: in the words of the settings that grant it, and what is new in them.

/// Which setting grants what an interface does. Interfaces that are not here need no permission, or cannot be had.
const GRANTED_BY: [(&str, &str); 8] = [
    ("tessera:web/web-server", "control"),
    ("wasi:http/outgoing-handler", "hosts"),
    ("wasi:http/client", "hosts"),
    ("wasi:sockets/", "sockets"),
    ("wasi:filesystem/", "folders"),
    ("wasi:cli/environment", "environment"),
    ("wasi:config/", "config"),
    ("wasi:keyvalue/", "keyvalue"),
];

/// The permissions that imports ask for: names of settings, sorted, each once.
pub fn permissions_asked(imports: &[String]) -> Vec<&'static str> {
    let mut asked: Vec<_> = GRANTED_BY
        .iter()
        .filter(|(prefix, _)| imports.iter().any(|import| import.starts_with(prefix)))
        .map(|(_, permission)| *permission)
        .collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// The imports of `newer` that `older` does not have. Versions that may stand for each other are the same: a newer tool
/// chain asks for `wasi:io/streams@0.2.6` where the older one asked for `@0.2.3`.
pub fn new_imports<'a>(older: &[String], newer: &'a [String]) -> Vec<&'a str> {
    newer
        .iter()
        .filter(|import| {
            let name = compatible_name(import);
            !older.iter().any(|older| compatible_name(older) == name)
        })
        .map(String::as_str)
        .collect()
}

/// A name with so much of its version as tells incompatible ones apart.
fn compatible_name(import: &str) -> (&str, &str) {
    let Some((name, version)) = import.rsplit_once('@') else {
        return (import, "");
    };
    // A version before a release is compatible with nothing but itself.
    if version.contains('-') {
        return (name, version);
    }
    let parts = if version.starts_with("0.0.") {
        3
    } else if version.starts_with("0.") {
        2
    } else {
        1
    };
    let length = version.split('.').take(parts).map(|part| part.len() + 1);
    let length = length.sum::<usize>().saturating_sub(1);
    (name, version.get(..length).unwrap_or(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn imports_ask_for_permissions() {
        let imports = owned(&[
            "wasi:keyvalue/store@0.2.0-draft2",
            "wasi:keyvalue/atomics@0.2.0-draft2",
            "wasi:io/streams@0.2.6",
            "tessera:web/web-server@0.1.0",
        ]);
        assert_eq!(permissions_asked(&imports), ["control", "keyvalue"]);
        assert!(permissions_asked(&[]).is_empty());
    }

    #[test]
    fn only_what_is_not_compatible_is_new() {
        let older = owned(&[
            "wasi:io/streams@0.2.3",
            "acme:a/b@1.2.3",
            "acme:c/d@0.0.1",
            "acme:e/f@0.2.0-draft",
            "plain",
        ]);
        for (import, is_new) in [
            ("wasi:io/streams@0.2.9", false),
            ("wasi:io/streams@0.20.3", true),
            ("wasi:io/streams@0.3.0", true),
            ("wasi:io/poll@0.2.3", true),
            ("acme:a/b@1.9.0", false),
            ("acme:a/b@2.2.3", true),
            ("acme:c/d@0.0.1", false),
            ("acme:c/d@0.0.2", true),
            ("acme:e/f@0.2.0-draft", false),
            ("acme:e/f@0.2.0-draft2", true),
            ("acme:e/f@0.2.0", true),
            ("plain", false),
            ("plain@1.0.0", true),
            ("@", true),
        ] {
            let newer = owned(&[import]);
            assert_eq!(!new_imports(&older, &newer).is_empty(), is_new, "{import}");
        }
    }
}
