//! Privileges: which there are, and which include which.

use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The privileges of a web server's sessions, as its settings have them.
#[derive(Debug)]
pub(super) struct Roles {
    included: BTreeMap<String, Vec<String>>,
    /// All names, also those that are only included by others.
    known: HashSet<String>,
}

impl Roles {
    pub(super) fn new(included: BTreeMap<String, Vec<String>>) -> Self {
        let known = included
            .iter()
            .flat_map(|(name, others)| std::iter::once(name).chain(others))
            .cloned()
            .collect();
        Self { included, known }
    }

    /// Those of some names that there are, sorted, each once.
    pub(super) fn known(&self, names: Vec<String>) -> Vec<String> {
        let mut names: Vec<_> = names
            .into_iter()
            .filter(|name| self.known.contains(name))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Some privileges with all that they include, be it in a circle. Those that the settings do not know any more give
    /// nothing.
    pub(super) fn with_included<'a>(&'a self, names: &'a [String]) -> BTreeSet<&'a str> {
        let mut all = BTreeSet::new();
        let mut left: Vec<&str> = names.iter().map(String::as_str).collect();
        while let Some(name) = left.pop() {
            if self.known.contains(name) && all.insert(name) {
                let others = self.included.get(name);
                left.extend(others.into_iter().flatten().map(String::as_str));
            }
        }
        all
    }

    /// Whether `after` gives anything that `before` does not.
    pub(super) fn rises(&self, before: &[String], after: &[String]) -> bool {
        let before = self.with_included(before);
        self.with_included(after)
            .iter()
            .any(|name| !before.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn roles() -> Roles {
        Roles::new(
            [
                ("simple".to_owned(), names(&[])),
                ("medium".to_owned(), names(&["simple", "print"])),
                ("admin".to_owned(), names(&["medium", "loop"])),
                ("loop".to_owned(), names(&["admin"])),
            ]
            .into(),
        )
    }

    #[test]
    fn privileges_include_others() {
        let roles = roles();
        for (given, expected) in [
            (&[][..], &[][..]),
            (&["simple"], &["simple"]),
            (&["medium"], &["medium", "print", "simple"]),
            (&["loop"], &["admin", "loop", "medium", "print", "simple"]),
            (&["gone", "print"], &["print"]),
        ] {
            let given = names(given);
            let all: Vec<_> = roles.with_included(&given).into_iter().collect();
            assert_eq!(all, expected, "{given:?}");
        }
        let given = names(&["simple", "gone", "medium", "simple", ""]);
        assert_eq!(roles.known(given), ["medium", "simple"]);
    }

    #[test]
    fn what_gives_more_than_before_rises() {
        let roles = roles();
        for (before, after, expected) in [
            (&[][..], &["simple"][..], true),
            (&["medium"], &["simple"], false),
            (&["medium"], &["simple", "print"], false),
            (&["simple"], &["medium"], true),
            (&["admin"], &["loop"], false),
            (&["simple"], &[], false),
        ] {
            assert_eq!(
                roles.rises(&names(before), &names(after)),
                expected,
                "{before:?} {after:?}"
            );
        }
    }
}
