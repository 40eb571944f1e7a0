//! The jockeys, as a database would have them.

use serde::Serialize;

/// One jockey, as `results.htm` shows it.
#[derive(Serialize)]
pub(crate) struct Jockey {
    /// What URLs call it.
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) tel: &'static str,
}

pub(crate) const JOCKEYS: [Jockey; 6] = [
    jockey("smith", "Ann Smith", "555-0101"),
    jockey("smithers", "Paul Smithers", "555-0102"),
    jockey("okafor", "Ada Okafor", "555-0103"),
    jockey("moreau", "Luc Moreau", "555-0104"),
    jockey("tanaka", "Yuki Tanaka", "555-0105"),
    jockey("silva", "Bia da Silva", "555-0106"),
];

const fn jockey(key: &'static str, name: &'static str, tel: &'static str) -> Jockey {
    Jockey { key, name, tel }
}

/// Those whose name has the text in it, or has it as a whole word; regardless of case.
pub(crate) fn find(text: &str, is_exact: bool) -> Vec<&'static Jockey> {
    let text = text.to_lowercase();
    let fits = |jockey: &&Jockey| {
        let name = jockey.name.to_lowercase();
        match is_exact {
            true => name == text || name.split(' ').any(|word| word == text),
            false => name.contains(&text),
        }
    };
    JOCKEYS.iter().filter(fits).collect()
}
