//! Who may log in: the people of the settings.

/// The role of somebody who has the right password.
pub(crate) fn role(name: &str, password: &str) -> Option<&'static str> {
    let people = std::env::var("PEOPLE").unwrap_or_default();
    let mut found = None;
    // Nobody is skipped: how long it takes does not tell who is known.
    for person in people.split(';') {
        let mut parts = person.splitn(3, ':');
        let (Some(known), Some(role), Some(secret)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let is_right = is_same(name, known) & is_same(password, secret);
        if let (true, Some(role)) = (is_right, known_role(role)) {
            found = Some(role);
        }
    }
    found
}

fn known_role(role: &str) -> Option<&'static str> {
    ["customer", "clerk"]
        .into_iter()
        .find(|known| *known == role)
}

/// Compares all bytes, wherever the first difference is.
fn is_same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    let difference = pairs.fold(0, |seen, (a, b)| seen | (a ^ b));
    std::hint::black_box(difference) == 0 && one.len() == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_is_the_same() {
        assert!(is_same("abc", "abc") && is_same("", ""));
        for other in ["abd", "ab", "abcd", ""] {
            assert!(!is_same("abc", other), "{other}");
        }
    }
}
