//! A module that is to become a component, or its next version: examined before it is put where components are found.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tessera_engine::{ComponentInfo, new_imports, permissions_asked};

use super::discover::found_at;
use super::{Kind, Reloader, WebServer};
use crate::settings::ComponentSettings;

/// A module that may take over.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// What it exports and imports.
    pub(crate) info: ComponentInfo,
    /// The settings of `[permissions]` that its imports are about.
    pub(crate) asked: Vec<&'static str>,
    /// The names of its methods.
    pub(crate) methods: Vec<String>,
    /// SHA-256 in hexadecimal.
    pub(crate) digest: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// Where it belongs.
    pub(crate) place: PathBuf,
}

/// Why a module does not become a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The host's own web server has that name.
    NameTaken,
    /// It imports what the version that serves does not, and nobody has accepted that.
    NewImports(Vec<String>),
    /// What the load would have said.
    Wrong(String),
}

impl Reloader {
    /// Examines a module under the name of a component as a load would: it is compiled, linked, asked for its methods and
    /// probed, with the settings of the component. Nothing takes over. `module` is where it lies for now.
    ///
    /// # Errors
    ///
    /// With what is wrong.
    pub(crate) async fn examine(
        self: &Arc<Self>,
        name: &str,
        module: &Path,
        may_import_more: bool,
    ) -> Result<Candidate, Unfit> {
        let host = self.registry.host();
        if host.name() == name {
            return Err(Unfit::NameTaken);
        }
        let components = self.site.join("components");
        let folder = Some(components.join(name)).filter(|folder| folder.is_dir());
        let file = format!("{name}.wasm");
        let place = folder.as_ref().unwrap_or(&components).join(&file);
        // Where the module lies for now is nothing to tell.
        let passing = module.display().to_string();
        let wrong = |error: String| Unfit::Wrong(error.replace(&passing, &file));

        let registered = self.registry.find(name);
        let overrides = match registered {
            Some(_) => self.turn(name).lock().await.layers.in_use(&[]),
            None => Vec::new(),
        };
        let settings = ComponentSettings::load(name, folder.as_deref(), &overrides)
            .map_err(|error| wrong(error.to_string()))?;
        let found = found_at(name, module, folder);
        let found = found.ok_or_else(|| wrong(format!("{file}: is not there any more")))?;
        let (draft, component) = self.loader.compile(&found, &settings).await;
        let component = component.map_err(|error| wrong(error.to_string()))?;
        let info = component.info().clone();
        if !may_import_more && !settings.reload.accept_new_imports {
            let serving = registered.as_ref().and_then(|server| server.serving());
            let before = serving.as_ref().and_then(|it| it.generation.as_ref());
            let new = before.map(|before| new_imports(&before.info().imports, &info.imports));
            if let Some(new) = new.filter(|new| !new.is_empty()) {
                let new = new.into_iter().map(str::to_owned);
                return Err(Unfit::NewImports(new.collect()));
            }
        }
        // Of a component that there is not yet, an object that nobody else sees.
        let server = registered.unwrap_or_else(|| WebServer::new(name, Kind::Component));
        let generation = self
            .successor(&server, &found, &settings, component, true)
            .await
            .map_err(|error| wrong(error.message))?;
        let methods = generation.methods().iter();
        let methods = methods.map(|method| method.name.clone()).collect();
        generation.retire();
        Ok(Candidate {
            asked: permissions_asked(&info.imports),
            info,
            methods,
            digest: draft.digest,
            bytes: draft.bytes,
            place,
        })
    }
}
