//! Versions of a component that differ in nothing but a mark, so that each is new to a server and all do the same.

use std::fs;
use std::path::Path;

/// Writes a version of a component, by a rename: nobody ever sees half of it.
pub(crate) fn write(module: &[u8], number: u64, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", to.display());
    // Hidden, lest it be taken for a module.
    let partial = to.with_file_name(".bench-partial");
    fs::write(&partial, marked(module, number)).map_err(failed)?;
    fs::rename(&partial, to).map_err(failed)
}

/// The component with a custom section more, which holds a number.
fn marked(module: &[u8], number: u64) -> Vec<u8> {
    const NAME: &[u8] = b"bench";
    let mut marked = module.to_vec();
    // Custom section, its length, the length of its name, its name, and what it holds; both lengths are below 128.
    let length = 1 + NAME.len() + 8;
    marked.extend([0, length as u8, NAME.len() as u8]);
    marked.extend(NAME);
    marked.extend(number.to_le_bytes());
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_section_of_its_own() {
        let marked = marked(b"module", 258);
        assert_eq!(marked, b"module\x00\x0e\x05bench\x02\x01\0\0\0\0\0\0");
    }
}
