//! What a page is kept under: the root, the path below it, and how the content is coded.

use crate::http::Coding;

/// Longer keys take an allocation.
const SHORT_BYTES_MAX: usize = 256;
/// No path holds it: it stands between the path and what is said of the coding.
const SEPARATOR: u8 = 0;

/// How a file's content is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::files) struct Variant {
    pub(in crate::files) coding: Coding,
    /// From 1 to 9; none is the compromise.
    pub(in crate::files) level: Option<u8>,
}

/// A key, in the pieces that it is made of: nothing is put together on the heap to look for a page.
#[derive(Clone, Copy)]
pub(in crate::files) struct Key<'a> {
    pub(in crate::files) root: u32,
    /// Together the path relative to the root.
    pub(in crate::files) path: [&'a [u8]; 2],
    pub(in crate::files) variant: Option<Variant>,
}

impl Key<'_> {
    /// Calls `look` with the bytes of the key.
    pub(in crate::files) fn with<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        let coded = self.variant.map(|variant| {
            let level = variant.level.unwrap_or_default();
            [SEPARATOR, variant.coding as u8, level]
        });
        let coded = coded.as_ref().map_or(&[][..], |coded| coded);
        let root = self.root.to_le_bytes();
        let pieces = [&root[..], self.path[0], self.path[1], coded];
        let length = pieces.iter().map(|piece| piece.len()).sum();
        let mut short = [0; SHORT_BYTES_MAX];
        match short.get_mut(..length) {
            Some(place) => {
                let mut rest = &mut *place;
                for piece in pieces {
                    let (part, after) = rest.split_at_mut(piece.len());
                    part.copy_from_slice(piece);
                    rest = after;
                }
                look(place)
            }
            None => look(&pieces.concat()),
        }
    }
}

/// Whether a key is of a root.
pub(super) fn is_of(key: &[u8], root: u32) -> bool {
    key.starts_with(&root.to_le_bytes())
}

/// The path in a key, and the coding if it is of a variant.
pub(super) fn parts(key: &[u8]) -> (&[u8], Option<Coding>) {
    let rest = key.get(size_of::<u32>()..).unwrap_or_default();
    let Some(end) = rest.iter().position(|byte| *byte == SEPARATOR) else {
        return (rest, None);
    };
    let (path, coded) = rest.split_at(end);
    let is_it = |coding: &Coding| coded.get(1) == Some(&(*coding as u8));
    (path, Coding::BY_PREFERENCE.into_iter().find(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_in_root_path_and_coding_and_tell_them_again() {
        let long = "x".repeat(1000);
        let mut all = std::collections::BTreeSet::new();
        let mut count = 0;
        for root in [0, 1] {
            for path in ["", "a", "a/b.html", &long] {
                let variants = Coding::BY_PREFERENCE.map(Some).into_iter().chain([None]);
                for coding in variants {
                    for level in [None, Some(1), Some(9)] {
                        let variant = coding.map(|coding| Variant { coding, level });
                        let path = [path.as_bytes(), b"/i".as_slice()];
                        let key = Key {
                            root,
                            path,
                            variant,
                        };
                        let bytes = key.with(<[u8]>::to_vec);
                        assert!(is_of(&bytes, root) && !is_of(&bytes, 7));
                        assert_eq!(parts(&bytes), (&*path.concat(), coding));
                        count += usize::from(all.insert(bytes));
                    }
                }
            }
        }
        // Without a coding the level says nothing.
        assert_eq!(count, 2 * 4 * (3 * 3 + 1));
    }
}
