//! What variables hold and methods return: shared, so that a copy costs a counter.

use std::collections::HashMap;
use std::sync::Arc;

/// From this many properties on, an object finds them by a table.
const TABLE_FROM: usize = 12;

/// A value of a page's expressions. Copies share what they hold.
///
/// Whoever makes lists in lists bounds how deep they go: dropping a value goes as deep as the value is.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Nothing: also what a missing property is. Inserted as nothing.
    #[default]
    Null,
    /// Inserted as `True` or `False`.
    Boolean(bool),
    /// Inserted with up to 15 digits, `.` before the decimals.
    Number(f64),
    /// Text.
    Text(Arc<str>),
    /// A collection or an array.
    List(Arc<[Self]>),
    /// Named values in the order in which they were made.
    Object(Arc<Object>),
}

impl Value {
    /// Whether `?`, `&&` and `||` take it as true: everything but false, null, and empty texts, lists and objects. 0 is.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Boolean(value) => *value,
            Self::Number(_) => true,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Object(object) => !object.is_empty(),
        }
    }

    /// A list of `items`.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// An object with `properties`.
    pub fn object<N: Into<Arc<str>>>(properties: impl IntoIterator<Item = (N, Self)>) -> Self {
        let properties = properties.into_iter();
        Self::Object(Arc::new(
            properties
                .map(|(name, value)| (name.into(), value))
                .collect(),
        ))
    }

    /// Whether both are of one kind, as items of one collection have to be.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// Named values in the order in which they were made. Names are told apart by case.
#[derive(Debug, Default)]
pub struct Object {
    properties: Vec<(Arc<str>, Value)>,
    /// Where each name is, once there are many.
    table: HashMap<Arc<str>, usize>,
}

impl Object {
    /// The value of a property.
    pub fn get(&self, name: &str) -> Option<&Value> {
        if self.table.is_empty() {
            let mut properties = self.properties.iter();
            return properties
                .find(|(other, _)| **other == *name)
                .map(|(_, value)| value);
        }
        let (_, value) = self.properties.get(*self.table.get(name)?)?;
        Some(value)
    }

    /// How many properties it has.
    pub fn len(&self) -> usize {
        self.properties.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.properties.is_empty()
    }

    /// The properties, in the order in which they were made.
    pub fn properties(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.properties.iter().map(|(name, value)| (name, value))
    }

    /// The name of the property at `index`, from 0.
    pub(crate) fn name(&self, index: usize) -> Option<&Arc<str>> {
        self.properties.get(index).map(|(name, _)| name)
    }
}

impl FromIterator<(Arc<str>, Value)> for Object {
    /// Where a name comes twice, the later value stands in the earlier one's place.
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(properties: I) -> Self {
        let mut object = Self::default();
        for (name, value) in properties {
            let place = match object.table.get(&name) {
                Some(place) => Some(*place),
                None if object.table.is_empty() => object
                    .properties
                    .iter()
                    .position(|(other, _)| *other == name),
                None => None,
            };
            if let Some((_, old)) = place.and_then(|place| object.properties.get_mut(place)) {
                *old = value;
                continue;
            }
            object.properties.push((name, value));
            object.note_last();
        }
        object
    }
}

impl Object {
    fn note_last(&mut self) {
        let count = self.properties.len();
        let from = match count {
            TABLE_FROM => 0,
            _ if count > TABLE_FROM => count - 1,
            _ => return,
        };
        let new = self.properties.iter().enumerate().skip(from);
        let new = new.map(|(place, (name, _))| (Arc::clone(name), place));
        self.table.extend(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_finds_its_properties_however_many_there_are() {
        for count in [0, 1, 11, 12, 13, 100] {
            let names = (0..count).map(|number| (Arc::from(format!("p{number}")), number));
            let twice = names.clone().chain(names);
            let object: Object = twice.map(|(name, n)| (name, Value::from(n))).collect();
            assert_eq!(object.len(), usize::try_from(count).unwrap());
            for number in 0..count {
                let value = object.get(&format!("p{number}"));
                assert!(
                    matches!(value, Some(Value::Number(n)) if *n == f64::from(number)),
                    "{number} of {count}: {value:?}"
                );
            }
            assert!(object.get("other").is_none());
        }
    }

    #[test]
    fn what_is_empty_is_not_true_and_zero_is() {
        let empty: [(&str, Value); 0] = [];
        assert!(!Value::from("").is_truthy());
        assert!(!Value::list([]).is_truthy());
        assert!(!Value::object(empty).is_truthy());
        assert!(!Value::Null.is_truthy());
        assert!(Value::from(0).is_truthy());
        assert!(Value::from("0").is_truthy());
    }
}
