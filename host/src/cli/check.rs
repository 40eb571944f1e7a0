//! `tessera check`: looks at settings and components without starting anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tessera_engine::{
    Component, Engine, EngineOptions, Generation, GenerationOptions, Hooks, Module, NoDirectory,
    NoOutbound, PoolOptions, PoolPolicy,
};
use tessera_host::server::{GrantError, Stores, discover, environment, grants, instance_limits};
use tessera_host::settings::{
    ComponentSettings, Handler, Handlers, HostSettings, Web, declared_json,
};
use tessera_host::tls::ServerTls;

use super::failure::{Failure, notice};
use super::output;
use super::ports::Listening;
use super::progress::Progress;
use super::report::{ComponentReport, MethodReport, Report, SettingsReport};
use super::{log, site};

/// What one component after the other may take; what it takes when it serves is up to its own settings.
const ENGINE_INSTANCES: u32 = 4;
const ENGINE_MEMORY_BYTES: u64 = 4 << 30;

/// Looks at the settings and components of a site, or at one component, without starting anything.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder of a site, or a component.
    #[arg(value_name = "SITE or FILE.wasm", default_value = ".")]
    path: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    log::start_quiet()?;
    let path = &arguments.path;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Failure::other)?;
    let report = if path.is_file() && site::is_module(path) {
        runtime.block_on(check_module(path))?
    } else {
        runtime.block_on(check_site(site::existing(path)?))?
    };
    if arguments.json {
        output::print_json(&report)?;
    } else {
        output::print(&report.text())?;
    }
    report.verdict()
}

async fn check_module(path: &Path) -> Result<Report, Failure> {
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let _progress = Progress::of(format!("checking {}", path.display()));
    let component = ComponentReport::of(&engine()?, name, path.to_owned(), None).await;
    Ok(Report::new(None, vec![component]))
}

async fn check_site(folder: &Path) -> Result<Report, Failure> {
    let mut settings = SettingsReport::of(folder);
    let found = discover(folder).map_err(|error| {
        let components = folder.join("components");
        Failure::other(format!("{} cannot be read: {error}", components.display()))
    })?;
    if !settings.exists && found.is_empty() && !folder.join("WebFolder").exists() {
        notice(format_args!(
            "{} has neither tessera.toml, WebFolder nor components: `tessera serve` would begin a new site there",
            folder.display()
        ));
    }
    let engine = engine()?;
    let mut components = Vec::with_capacity(found.len());
    for found in found {
        let _progress = Progress::of(format!("checking {}", output::printable(&found.name)));
        components.push(ComponentReport::of(&engine, found.name, found.module, found.folder).await);
    }
    // What is wrong with the settings has been told.
    if let Ok(host) = HostSettings::load(folder, &[]) {
        let notes = missing(&host.web.requests.handlers, &components);
        settings.notes.extend(notes);
    }
    Ok(Report::new(Some(settings), components))
}

/// Says of each handler what it names that is not there: no fault, for components come and go.
fn missing(handlers: &Handlers, components: &[ComponentReport]) -> Vec<String> {
    let missing = |(index, handler): (usize, &Handler)| {
        let entry = index + 1;
        let class = handler.class.as_deref();
        let found = components
            .iter()
            .find(|component| class.is_none_or(|class| class == component.name));
        let Some(component) = found else {
            let class = class.unwrap_or_default();
            return Some(format!(
                "handlers: entry {entry}: there is no component {class:?}"
            ));
        };
        let is_it = |method: &MethodReport| method.name.eq_ignore_ascii_case(&handler.method);
        // Of one that could not be loaded nothing is known.
        if component.error.is_some() || component.methods.iter().any(is_it) {
            return None;
        }
        let (name, method) = (&component.name, &handler.method);
        Some(format!(
            "handlers: entry {entry}: the component {name:?} has no method {method:?}"
        ))
    };
    handlers
        .list
        .iter()
        .enumerate()
        .filter_map(missing)
        .collect()
}

fn engine() -> Result<Arc<Engine>, Failure> {
    let options = EngineOptions {
        instances: ENGINE_INSTANCES,
        memory: ENGINE_MEMORY_BYTES,
        // A check leaves no trace.
        code_cache: None,
        spill_folder: std::env::temp_dir(),
        core_dumps: None,
    };
    Engine::new(&options).map_err(Failure::other)
}

impl SettingsReport {
    /// Looks at the settings of the host's web server, and at its certificate.
    fn of(site: &Path) -> Self {
        let file = site.join("tessera.toml");
        let mut report = Self {
            exists: file.exists(),
            error: None,
            notes: Vec::new(),
            listening: None,
            file,
        };
        match HostSettings::load(site, &[]) {
            Err(error) => report.error = Some(error.to_string()),
            Ok(settings) => {
                let listening = Listening::new("the host", &settings.web);
                report.error = certificate_fault(&settings.web);
                report.listening = Some(listening);
            }
        }
        report
    }
}

/// What is wrong with the certificate of a server that has a port for HTTPS.
fn certificate_fault(web: &Web) -> Option<String> {
    let https = web.listen.https.as_ref()?;
    ServerTls::load(&https.tls)
        .err()
        .map(|error| error.to_string())
}

impl ComponentReport {
    /// Looks at a component as the host does before it lets one serve.
    async fn of(
        engine: &Arc<Engine>,
        name: String,
        module: PathBuf,
        folder: Option<PathBuf>,
    ) -> Self {
        let mut report = Self {
            name,
            module,
            error: None,
            hooks: Vec::new(),
            methods: Vec::new(),
            handlers: Vec::new(),
            exports: Vec::new(),
            imports: Vec::new(),
            notes: Vec::new(),
            mount: None,
            listening: None,
        };
        if let Err(error) = report.examine(engine, folder.as_deref()).await {
            report.error = Some(error);
        }
        report
    }

    async fn examine(&mut self, engine: &Arc<Engine>, folder: Option<&Path>) -> Result<(), String> {
        let settings = ComponentSettings::load(&self.name, folder, &[]);
        let module = self.module.display().to_string();
        let failed = |error: &dyn std::fmt::Display| format!("{module}: {error}");
        let wasm = fs::read(&self.module).map_err(|error| failed(&error))?;
        let component =
            Component::load(engine, &Module::of(&wasm)).map_err(|error| failed(&error))?;
        let info = component.info();
        self.hooks = hooks(info.hooks);
        self.exports.clone_from(&info.exports);
        self.imports.clone_from(&info.imports);
        // Only now, so that wrong settings do not hide what the module is.
        let settings = settings.map_err(|error| error.to_string())?;
        let options = generation_options(&self.name, &settings).map_err(|error| failed(&error))?;
        let generation = Generation::new(engine.clone(), component, options)
            .await
            .map_err(|error| failed(&error))?;
        let methods = generation.methods().iter();
        self.methods = methods
            .map(|method| MethodReport {
                name: method.name.clone(),
                available: method.available,
            })
            .collect();
        self.handlers = generation.handlers().iter().map(declared_json).collect();
        let handlers = &settings.web.requests.handlers;
        handlers
            .with_declared(generation.handlers())
            .map_err(|reason| format!("{module}: the handlers that it declares: {reason}"))?;
        self.notes
            .extend(missing(handlers, std::slice::from_ref(self)));
        let listening = Listening::new(&self.name, &settings.web);
        let fault = certificate_fault(&settings.web);
        self.mount = settings.mount;
        self.listening = Some(listening);
        fault.map_or(Ok(()), Err)
    }
}

/// An instance that is asked for its methods, and nothing kept.
fn generation_options(
    name: &str,
    settings: &ComponentSettings,
) -> Result<GenerationOptions, GrantError> {
    let environment = environment(settings)?;
    let grants = grants(name, settings, &environment, &Stores::for_a_check())?;
    Ok(GenerationOptions {
        name: name.into(),
        pool: PoolOptions {
            policy: PoolPolicy::Fresh,
            min: 0,
            max: 0,
            concurrency: 1,
            max_requests: 0,
            max_growth: u64::MAX,
            queue: 0,
            queue_timeout: settings.pool.queue_timeout,
        },
        limits: instance_limits(&settings.limits),
        environment,
        grants,
        directory: Arc::new(NoDirectory),
        outbound: Arc::new(NoOutbound),
        trial_requests: 0,
    })
}

fn hooks(hooks: Hooks) -> Vec<&'static str> {
    [
        (hooks.authentication, "On Web Authentication"),
        (hooks.connection, "On Web Connection"),
        (hooks.actions, "methods"),
        (hooks.session_end, "On Web Close Process"),
        (hooks.compiler, "COMPILER_WEB"),
    ]
    .into_iter()
    .filter_map(|(is_there, name)| is_there.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_that_is_wrong_with_a_site_is_found() {
        let site = tempfile::tempdir().unwrap();
        let components = site.path().join("components");
        fs::create_dir_all(components.join("shop")).unwrap();
        fs::write(site.path().join("tessera.toml"), "HTTPPort = \"high\"\n").unwrap();
        fs::write(components.join("empty.wasm"), "").unwrap();
        fs::write(components.join("shop/shop.wasm"), "text").unwrap();
        let report = check_site(site.path()).await.unwrap();
        let failure = report.verdict().unwrap_err();
        assert!(
            failure
                .message()
                .contains("tessera.toml is wrong; 2 of 2 components wrong"),
            "{failure:?}"
        );
        let text = report.text();
        assert!(text.contains("tessera.toml:1: HTTPPort"), "{text}");
        assert!(
            text.contains("empty.wasm: not a WebAssembly component: the file is empty"),
            "{text}"
        );
        assert!(!site.path().join(".tessera").exists());
    }
}
