//! A table of bounded size that forgets what was not looked at for longest, at no cost that grows with it.

use std::collections::HashMap;
use std::hash::Hash;

/// Two halves: what is looked at moves into the young one, and when that is full it becomes the old one, whose content goes.
#[derive(Debug)]
pub(super) struct Aged<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Eq + Hash + Copy, V> Aged<K, V> {
    /// Holds at least `half` entries that were looked at last, and at most twice as many.
    pub(super) fn new(half: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half,
        }
    }

    /// The entry of a key, which is as good as new from now on.
    pub(super) fn get(&mut self, key: &K) -> Option<&mut V> {
        if let Some(value) = self.old.remove(key) {
            self.insert(*key, value);
        }
        self.young.get_mut(key)
    }

    /// Puts an entry in place of what its key has.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// The entry of a key; if it has none, a new one.
    pub(super) fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        if self.get(&key).is_none() {
            self.insert(key, V::default());
        }
        self.young.entry(key).or_default()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_bounded_and_keeps_what_is_looked_at() {
        let mut table = Aged::new(10);
        for key in 0..1000 {
            *table.entry(key) = key;
            assert!(table.len() <= 20);
            assert_eq!(table.get(&0), Some(&mut 0), "{key}");
        }
        assert_eq!(table.get(&999), Some(&mut 999));
        assert_eq!(table.get(&500), None);
    }
}
