//! What stands above the files: session options, and settings given to `start`.

use crate::settings::{Effect, Override, effect_of};

/// Settings of one web server object from its operators, above `--set` and the files.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// Session options: they last until the process ends.
    session: Vec<Override>,
    /// Of those, what a running server uses: one that needs a restart of the server waits for it.
    session_in_use: Vec<Override>,
    /// Given to `start`: they last until `stop`.
    start: Vec<Override>,
}

impl Layers {
    /// What a running server is made of.
    pub(super) fn in_use(&self, base: &[Override]) -> Vec<Override> {
        let above = self.session_in_use.iter().chain(&self.start);
        base.iter().chain(above).cloned().collect()
    }

    /// What the next start is made of.
    pub(super) fn at_next_start(&self, base: &[Override]) -> Vec<Override> {
        base.iter().chain(&self.session).cloned().collect()
    }

    /// Begins a run with these settings.
    pub(super) fn begin(&mut self, start: Vec<Override>) {
        self.session_in_use.clone_from(&self.session);
        self.start = start;
    }

    /// Ends a run: what was given to `start` is forgotten.
    pub(super) fn end(&mut self) {
        self.begin(Vec::new());
    }

    /// The layers with other session options, those that need no restart in use at once.
    pub(super) fn with_session(&self, settings: &[Override], reset: &[String]) -> Self {
        let is_replaced = |old: &Override| {
            reset.iter().any(|key| key == old.key())
                || settings.iter().any(|new| new.key() == old.key())
        };
        let replaced = |list: &[Override], is_taken: &dyn Fn(&str) -> bool| {
            let kept = list
                .iter()
                .filter(|old| !(is_replaced(old) && is_taken(old.key())));
            let new = settings.iter().filter(|new| is_taken(new.key()));
            kept.chain(new).cloned().collect()
        };
        Self {
            session: replaced(&self.session, &|_| true),
            session_in_use: replaced(&self.session_in_use, &is_live),
            start: self.start.clone(),
        }
    }

    /// The keys of the session options that `reset` means: a table stands for all of its own.
    pub(super) fn named(&self, reset: &[String]) -> Vec<String> {
        let mut keys = Vec::new();
        for key in reset {
            if effect_of(key).is_some() {
                keys.push(key.clone());
                continue;
            }
            let is_in_table = |option: &&Override| {
                let rest = option.key().strip_prefix(key.as_str());
                rest.is_some_and(|rest| rest.starts_with('.'))
            };
            let in_table = self.session.iter().filter(is_in_table);
            keys.extend(in_table.map(|option| option.key().to_owned()));
        }
        keys
    }

    /// Which operator's layer a key has its value from; none where that is a file, `--set` or the default.
    pub(super) fn source_of(&self, key: &str) -> Option<&'static str> {
        let is_in = |list: &[Override]| list.iter().any(|one| one.key() == key);
        match (is_in(&self.start), is_in(&self.session)) {
            (true, _) => Some("start"),
            (_, true) => Some("session"),
            _ => None,
        }
    }

    /// Whether the value of a key that was just set, or reset, holds now.
    pub(super) fn is_in_use(&self, key: &str) -> bool {
        let of = |list: &[Override]| list.iter().rfind(|one| one.key() == key).cloned();
        of(&self.start).is_none() && of(&self.session) == of(&self.session_in_use)
    }
}

/// Whether a setting takes effect in a running server.
fn is_live(key: &str) -> bool {
    !matches!(effect_of(key), Some(Effect::ServerRestart))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Vec<Override> {
        let parse = |text: &&str| Override::parse(text).unwrap();
        texts.iter().map(parse).collect()
    }

    fn keys(list: &[Override]) -> Vec<&str> {
        list.iter().map(Override::key).collect()
    }

    #[test]
    fn what_needs_a_restart_waits_for_it() {
        let mut layers =
            Layers::default().with_session(&list(&["HTTPPort=1", "HTTPTrace=true"]), &[]);
        assert_eq!(keys(&layers.in_use(&[])), ["HTTPTrace"]);
        assert!(layers.is_in_use("HTTPTrace") && !layers.is_in_use("HTTPPort"));
        assert_eq!(
            keys(&layers.at_next_start(&list(&["rootFolder=x"]))),
            ["rootFolder", "HTTPPort", "HTTPTrace"]
        );
        layers.begin(list(&["defaultHomepage=a"]));
        assert_eq!(
            keys(&layers.in_use(&[])),
            ["HTTPPort", "HTTPTrace", "defaultHomepage"]
        );
        assert!(layers.is_in_use("HTTPPort") && !layers.is_in_use("defaultHomepage"));
        layers.end();
        assert_eq!(keys(&layers.in_use(&[])), ["HTTPPort", "HTTPTrace"]);
    }

    #[test]
    fn a_reset_takes_a_setting_away() {
        let layers = Layers::default().with_session(&list(&["HTTPPort=1", "HTTPTrace=true"]), &[]);
        let layers = layers.with_session(&list(&["HTTPTrace=false"]), &["HTTPPort".to_owned()]);
        assert_eq!(layers.at_next_start(&[]), list(&["HTTPTrace=false"]));
        assert!(layers.is_in_use("HTTPPort"), "it was never used");
    }

    #[test]
    fn a_table_stands_for_all_that_was_set_of_it() {
        let options = list(&["pool.max=3", "pool.min=1", "poolx.a=1", "limits.memory=9"]);
        let layers = Layers::default().with_session(&options, &[]);
        for (reset, expected) in [
            (&["pool"][..], &["pool.max", "pool.min"][..]),
            (&["pool.max", "limits"], &["pool.max", "limits.memory"]),
            (&["HTTPPort", "mount"], &["HTTPPort"]),
        ] {
            let reset: Vec<_> = reset.iter().map(|&key| key.to_owned()).collect();
            assert_eq!(layers.named(&reset), expected);
        }
    }
}
