//! The mounts: where the host's server hands requests to components.

use std::collections::HashMap;
use std::sync::Arc;

use ::http::uri::Authority;

use crate::server::WebServer;
use crate::settings::Mount;

/// All mounts of a site. Never changes: a reload makes another.
#[derive(Default)]
pub struct Mounts {
    any: Paths,
    /// By host name, in small letters.
    named: HashMap<String, Paths>,
}

/// The mounts of a host name.
#[derive(Default)]
struct Paths {
    /// By path; `/` is the empty text.
    mounts: HashMap<String, Arc<Mounted>>,
    /// Bytes of the longest path.
    length_max: usize,
}

/// One mount.
pub struct Mounted {
    /// The component's server.
    pub server: Arc<WebServer>,
    /// The path, without a slash at its end.
    pub prefix: String,
    /// Whether the path is taken off what the component sees.
    pub strip: bool,
}

impl Mounts {
    /// Adds a mount; returns the name of the server that has the place already, if there is one.
    pub fn add(&mut self, server: Arc<WebServer>, mount: &Mount) -> Result<(), String> {
        let prefix = mount.path.trim_end_matches('/').to_owned();
        let paths = match &mount.host {
            Some(host) => self.named.entry(host.clone()).or_default(),
            None => &mut self.any,
        };
        if let Some(other) = paths.mounts.get(&prefix) {
            return Err(other.server.name().to_owned());
        }
        paths.length_max = paths.length_max.max(prefix.len());
        paths.mounts.insert(
            prefix.clone(),
            Arc::new(Mounted {
                server,
                prefix,
                strip: mount.strip,
            }),
        );
        Ok(())
    }

    /// The mount for a host name and a path: one of that host before one of any, a longer path before a shorter.
    /// `host` is asked for only where a component is mounted by name.
    pub fn find(
        &self,
        host: impl FnOnce() -> Option<Authority>,
        path: &str,
    ) -> Option<&Arc<Mounted>> {
        let of = |host: Authority| self.named.get(&host.host().to_ascii_lowercase());
        let named = match self.named.is_empty() {
            true => None,
            false => host().and_then(of),
        };
        named
            .and_then(|paths| paths.longest(path))
            .or_else(|| self.any.longest(path))
    }
}

impl Paths {
    fn longest(&self, path: &str) -> Option<&Arc<Mounted>> {
        let mut prefix = path;
        loop {
            // A long path of many parts would be hashed as often as it has parts.
            if prefix.len() <= self.length_max
                && let Some(mounted) = self.mounts.get(prefix)
            {
                return Some(mounted);
            }
            prefix = &prefix[..prefix.rfind('/')?];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Kind;

    fn mounts(list: &[(&str, &str, Option<&str>)]) -> Mounts {
        let mut mounts = Mounts::default();
        for (name, path, host) in list {
            let mount = Mount {
                path: (*path).into(),
                host: host.map(Into::into),
                strip: true,
            };
            mounts
                .add(WebServer::new(name, Kind::Component), &mount)
                .unwrap();
        }
        mounts
    }

    #[test]
    fn the_most_special_mount_wins() {
        let mounts = mounts(&[
            ("root", "/", Some("shop.example.com")),
            ("shop", "/shop", None),
            ("cart", "/shop/cart", None),
            ("admin", "/shop", Some("shop.example.com")),
        ]);
        for (host, path, expected) in [
            (None, "/shop", Some("shop")),
            (None, "/shop/", Some("shop")),
            (None, "/shop/a/b", Some("shop")),
            (None, "/shop/cart", Some("cart")),
            (None, "/shop/cart/1", Some("cart")),
            (None, "/shop/cartoon", Some("shop")),
            (None, "/shopping", None),
            (None, "/", None),
            (Some("Shop.Example.Com"), "/", Some("root")),
            (Some("shop.example.com"), "/shop/x", Some("admin")),
            (Some("other.example.com"), "/shop/x", Some("shop")),
        ] {
            let found = mounts
                .find(|| host.map(|host| host.parse().unwrap()), path)
                .map(|mounted| mounted.server.name());
            assert_eq!(found, expected, "{host:?} {path}");
        }
    }

    #[test]
    fn a_place_is_taken_once() {
        let mut mounts = mounts(&[("one", "/a", None)]);
        let mount = Mount {
            path: "/a".into(),
            host: None,
            strip: true,
        };
        assert_eq!(
            mounts.add(WebServer::new("two", Kind::Component), &mount),
            Err("one".into())
        );
    }
}
