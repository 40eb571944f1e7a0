//! Keys that are no settings: what they were probably meant to be.

use super::error::{Fault, FaultKind, Place, shown};
use super::file::Entry;
use super::overrides;
use super::setting::{Definition, Scope};
use super::table::{self, NOT_YET, READ_ONLY, RENAMED, SETTINGS, TABLES};

/// Longer words are compared by their beginning: no key is as long.
const COMPARED_CHARACTERS_MAX: usize = 48;

/// More differences are another word.
const SLIPS_MAX: usize = 3;

/// Says what is wrong with a key, if it is no setting of this web server, or none that may be set from there.
pub(super) fn entry_fault(server: Scope, entry: &Entry) -> Option<Fault> {
    let found = table::find(&entry.table, &entry.name);
    let here = found.filter(|definition| definition.scope().covers(server));
    if let Some(definition) = here {
        let (kind, reason) = overrides::refusal(&entry.place, definition)?;
        return Some(entry.fault(definition.is_secret(), kind, reason));
    }
    let key = entry.key();
    let is_table = TABLES.iter().any(|table| table.name == key);
    let likely = likely_setting(server, &entry.table, &entry.name);
    let mut kind = FaultKind::UnknownSetting;
    let reason = if let Some(definition) = found {
        belongs_elsewhere(definition.scope())
    } else if is_table {
        format!("is a table: write [{key}], with its settings below")
    } else if let Some((known, reason)) = known_but_not_set(&key) {
        kind = known;
        reason
    } else if let Some(definition) = likely {
        format!("unknown key; did you mean `{}`?", definition.key())
    } else {
        format!("unknown key; there are {}", keys_of(server, &entry.table))
    };
    // What may be a secret under a wrong name, or in a table of secrets, is hidden too.
    let is_secret = found.or(likely).is_some_and(Definition::is_secret)
        || sounds_secret(&key)
        || SETTINGS
            .iter()
            .any(|it| it.table() == key && it.is_secret());
    Some(entry.fault(is_secret, kind, reason))
}

/// Says what is wrong with a table, if it is none of this web server.
pub(super) fn table_fault(server: Scope, name: &str, place: &Place) -> Option<Fault> {
    let found = TABLES.iter().find(|table| table.name == name);
    let reason = match found {
        Some(table) if table.scope.covers(server) => return None,
        Some(table) => belongs_elsewhere(table.scope),
        None => {
            let here: Vec<&str> = tables_of(server).collect();
            table_as_value(name)
                .or_else(|| known_but_not_set(name).map(|(_, reason)| reason))
                .unwrap_or_else(|| match closest(name, here.iter().copied()) {
                    Some(table) => format!("unknown table; did you mean `[{table}]`?"),
                    None => format!("unknown table; there are {}", here.join(", ")),
                })
        }
    };
    let key = Some(format!("[{}]", shown(name)));
    Some(Fault {
        place: place.clone(),
        kind: FaultKind::UnknownSetting,
        key,
        value: None,
        reason,
    })
}

/// Says what is wrong with a table where a value of a setting should stand.
fn table_as_value(name: &str) -> Option<String> {
    let definition = table::find("", name)?;
    Some(format!("must be {}, not a table", definition.allowed()))
}

fn belongs_elsewhere(scope: Scope) -> String {
    match scope {
        Scope::Component => "is of a component: it belongs in components/NAME/settings.toml".into(),
        Scope::Host | Scope::Both => "is of the host: it belongs in tessera.toml".into(),
    }
}

fn known_but_not_set(key: &str) -> Option<(FaultKind, String)> {
    if READ_ONLY.iter().any(|property| property.name == key) {
        let reason = "is read-only: it is shown, and cannot be set".to_owned();
        Some((FaultKind::ReadOnly, reason))
    } else if NOT_YET.contains(&key) {
        let reason = "is not supported yet by this version".to_owned();
        Some((FaultKind::UnknownSetting, reason))
    } else {
        let (_, new) = RENAMED.iter().find(|(old, _)| *old == key)?;
        let reason = format!("is called `{new}` now");
        Some((FaultKind::UnknownSetting, reason))
    }
}

fn likely_setting(server: Scope, table: &str, name: &str) -> Option<&'static dyn Definition> {
    let here = || {
        SETTINGS
            .iter()
            .copied()
            .filter(move |it| it.scope().covers(server))
    };
    let in_table = || here().filter(|it| it.table() == table && !it.is_any_name());
    let near = closest(name, in_table().map(Definition::name));
    let by_name = near.and_then(|near| in_table().find(|it| it.name() == near));
    // The right name in a wrong table, or in none.
    by_name.or_else(|| here().find(|it| plain(it.name()) == plain(name)))
}

fn keys_of(server: Scope, table: &str) -> String {
    let here = SETTINGS
        .iter()
        .filter(|it| it.scope().covers(server) && it.table() == table);
    let mut keys: Vec<String> = here.map(|it| it.name().to_owned()).collect();
    if keys.is_empty() || table.is_empty() {
        keys.extend(tables_of(server).map(|table| format!("[{table}]")));
    }
    keys.join(", ")
}

fn tables_of(server: Scope) -> impl Iterator<Item = &'static str> {
    TABLES
        .iter()
        .filter(move |table| table.scope.covers(server))
        .map(|table| table.name)
}

fn sounds_secret(key: &str) -> bool {
    let key = plain(key);
    ["key", "secret", "password", "passwd", "token"]
        .iter()
        .any(|word| key.contains(word))
}

/// Leaves out what people mix up: case, `_` and `-`.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-'));
    letters
        .take(COMPARED_CHARACTERS_MAX)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Finds the candidate that differs least, if slips of the hand explain the difference.
fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = plain(name);
    let mut closest = None;
    for candidate in candidates {
        let candidate_plain = plain(candidate);
        let slips_max = (candidate_plain.len() / 3).min(SLIPS_MAX);
        // Cheap, and true of nearly all: a file with many unknown keys is still read at once.
        if name.len().abs_diff(candidate_plain.len()) > slips_max * char::MAX_LEN_UTF8 {
            continue;
        }
        let distance = distance(&name, &candidate_plain);
        if distance <= slips_max && closest.is_none_or(|(least, _)| distance < least) {
            closest = Some((distance, candidate));
        }
    }
    closest.map(|(_, candidate)| candidate)
}

/// Counts the letters to add, take away, replace or swap with a neighbour.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            if i == 0 || j == 0 {
                rows[i][j] = i + j;
                continue;
            }
            let is_same = from[i - 1] == to[j - 1];
            let replaced = rows[i - 1][j - 1] + usize::from(!is_same);
            rows[i][j] = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distance_counts_slips() {
        let cases = [
            ("", "", 0),
            ("", "abc", 3),
            ("httpport", "httpport", 0),
            ("htpport", "httpport", 1),
            ("httpprot", "httpport", 1),
            ("memroy", "memory", 1),
            ("abc", "xyz", 3),
        ];
        for (from, to, expected) in cases {
            assert_eq!(distance(from, to), expected, "{from} {to}");
            assert_eq!(distance(to, from), expected, "{to} {from}");
        }
    }
}
