//! Where the folders of a web server may be: nothing secret in the one that is served.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::{Fault, Place};
use super::kind::folder::is_served_path;
use super::overrides::Origin;
use super::reader::Reader;
use super::table;

/// The file of a certificate in `certificateFolder`.
pub const CERTIFICATE_FILE: &str = "cert.pem";
/// The file of its private key there.
pub const KEY_FILE: &str = "key.pem";

/// What relative folders are relative to. Full paths.
pub(super) struct Base {
    /// The folder of the site or component; none for a bare module.
    pub(super) own: Option<PathBuf>,
    /// The folder of the site; none when a component is looked at outside of one.
    pub(super) site: Option<PathBuf>,
}

impl Base {
    pub(super) fn of_site(site: &Path) -> Self {
        let site = full(site);
        Self {
            own: Some(site.clone()),
            site: Some(site),
        }
    }

    /// The folder of a component is `components/NAME` of its site.
    pub(super) fn of_component(folder: Option<&Path>) -> Self {
        let own = folder.map(full);
        let site = own.as_deref().and_then(|own| {
            let components = own.parent()?;
            let is_in_site = components.file_name()? == "components";
            components
                .parent()
                .filter(|_| is_in_site)
                .map(Path::to_owned)
        });
        Self { own, site }
    }
}

/// The folders of a web server, as full paths; none where a bare module names none.
pub(super) struct Folders {
    pub(super) root: Option<PathBuf>,
    pub(super) certificate: Option<PathBuf>,
}

impl Folders {
    pub(super) fn read(reader: &mut Reader, base: &Base) -> Self {
        let root = reader.value(&table::ROOT_FOLDER);
        let certificate = reader.named(&table::CERTIFICATE_FOLDER);
        let resolve = |path: &Path| match &base.own {
            Some(own) => Some(own.join(path)),
            None => path.is_absolute().then(|| path.to_owned()),
        };
        let folders = Self {
            root: resolve(&root),
            certificate: match &certificate {
                Some(path) => resolve(path),
                None => base.own.clone(),
            },
        };
        let needs_folder = "a bare module has no folder: give an absolute path, or put the module \
                            into a folder of its name";
        if folders.root.is_none() {
            reader.refuse(&[&table::ROOT_FOLDER], needs_folder);
        }
        if certificate.is_some() && folders.certificate.is_none() {
            reader.refuse(&[&table::CERTIFICATE_FOLDER], needs_folder);
        }
        folders.check_root(reader, base);
        folders.check_secrets(reader, base);
        folders.check_guest(reader, base);
        let shown = |path: &Option<PathBuf>| {
            path.as_ref()
                .map(|path| path.to_string_lossy().into_owned())
        };
        reader.show(&table::ROOT_FOLDER, shown(&folders.root).into());
        reader.show(
            &table::CERTIFICATE_FOLDER,
            shown(&folders.certificate).into(),
        );
        folders
    }

    /// Whether both files of the pair are there; whether they are right is found out when they are read.
    pub(super) fn has_pair(&self) -> bool {
        let is_file = |name| {
            let folder = self.certificate.as_ref();
            folder.is_some_and(|folder| folder.join(name).is_file())
        };
        is_file(CERTIFICATE_FILE) && is_file(KEY_FILE)
    }

    /// What is served is neither the site nor what Tessera keeps in it.
    fn check_root(&self, reader: &mut Reader, base: &Base) {
        let Some(root) = &self.root else { return };
        let outer = [&base.own, &base.site];
        let is_above = outer
            .into_iter()
            .flatten()
            .any(|folder| is_inside(folder, root));
        if is_above {
            let reason = "must not hold the folder of the site or component: its settings and keys \
                          could be fetched";
            refuse_root(reader, root, reason);
            return;
        }
        // The innermost folder that holds it decides what is reserved.
        let inner = outer
            .into_iter()
            .flatten()
            .find_map(|folder| root.strip_prefix(folder).ok());
        if inner.is_some_and(|inner| !inner.to_str().is_some_and(is_served_path)) {
            let reason = "must not be in components, Logs or a dot folder of the site or component";
            refuse_root(reader, root, reason);
        }
    }

    /// The private key cannot be fetched, whichever layer named its folder: who may set the root of a server must not
    /// get at the key by naming another folder for it.
    fn check_secrets(&self, reader: &mut Reader, base: &Base) {
        let Some(root) = &self.root else { return };
        let named = reader.written(&table::CERTIFICATE_FOLDER);
        let named = named.iter().filter_map(|(path, _)| match &base.own {
            Some(own) => Some(own.join(path)),
            None => path.is_absolute().then(|| path.clone()),
        });
        if named.into_iter().any(|folder| is_inside(&folder, root)) {
            let reason =
                "must keep certificateFolder out of rootFolder: the private key could be fetched";
            reader.refuse(&[&table::CERTIFICATE_FOLDER, &table::ROOT_FOLDER], reason);
        }
    }

    /// A component may move its folders only where it is at home.
    fn check_guest(&self, reader: &mut Reader, base: &Base) {
        let is_away = |(path, place): &(PathBuf, Place)| {
            *place == Place::Given(Origin::Guest) && !base.holds(path)
        };
        if reader.written(&table::ROOT_FOLDER).iter().any(is_away) {
            reader.refuse(&[&table::ROOT_FOLDER], GUEST_REASON);
        }
        if reader
            .written(&table::CERTIFICATE_FOLDER)
            .iter()
            .any(is_away)
        {
            reader.refuse(&[&table::CERTIFICATE_FOLDER], GUEST_REASON);
        }
    }
}

const GUEST_REASON: &str =
    "must be in the web server's own folder: only the operator may name others";

impl Base {
    fn holds(&self, path: &Path) -> bool {
        let Some(own) = &self.own else { return false };
        is_inside(&own.join(path), own)
    }
}

fn refuse_root(reader: &mut Reader, root: &Path, reason: &str) {
    if !reader.refuse(&[&table::ROOT_FOLDER], reason) {
        let path = root.to_owned();
        let (line, column) = (None, None);
        reader.add(Fault::of_place(Place::File { path, line, column }, reason));
    }
}

/// Whether a folder is another or in it, as they are named or as they are on disk. Blocks on the file system.
pub(crate) fn is_inside(folder: &Path, outer: &Path) -> bool {
    folder.starts_with(outer) || real(folder).starts_with(real(outer))
}

/// Follows links, as far as the path exists.
fn real(path: &Path) -> PathBuf {
    let mut missing: Vec<OsString> = Vec::new();
    let mut existing = path;
    loop {
        if let Ok(mut real) = existing.canonicalize() {
            real.extend(missing.iter().rev());
            return real;
        }
        let (Some(name), Some(parent)) = (existing.file_name(), existing.parent()) else {
            return path.to_owned();
        };
        missing.push(name.to_owned());
        existing = parent;
    }
}

fn full(path: &Path) -> PathBuf {
    // Fails only when there is no current folder; then the path as it was given is the best.
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
