//! The mounts: where the host's server hands requests to components.

use std::collections::HashMap;
use std::sync::Arc;

use crate::server::WebServer;
use crate::settings::Mount;

/// All mounts of a site. Never changes: a reload makes another.
#[derive(Default)]
pub struct Mounts {
    /// By host name (`None` is any), then by path; `/` is the empty text.
    hosts: HashMap<Option<String>, HashMap<String, Arc<Mounted>>>,
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
        let paths = self.hosts.entry(mount.host.clone()).or_default();
        if let Some(other) = paths.get(&prefix) {
            return Err(other.server.name().to_owned());
        }
        paths.insert(
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
    pub fn find(&self, host: Option<&str>, path: &str) -> Option<&Arc<Mounted>> {
        let named = match host {
            // Not looked up, and not copied, where no component is mounted by name.
            Some(host) if self.hosts.keys().any(Option::is_some) => self
                .hosts
                .get(&Some(host.to_ascii_lowercase()))
                .and_then(|paths| longest(paths, path)),
            _ => None,
        };
        named.or_else(|| longest(self.hosts.get(&None)?, path))
    }
}

fn longest<'a>(paths: &'a HashMap<String, Arc<Mounted>>, path: &str) -> Option<&'a Arc<Mounted>> {
    let mut prefix = path;
    loop {
        if let Some(mounted) = paths.get(prefix) {
            return Some(mounted);
        }
        prefix = &prefix[..prefix.rfind('/')?];
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
            let found = mounts.find(host, path).map(|mounted| mounted.server.name());
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
