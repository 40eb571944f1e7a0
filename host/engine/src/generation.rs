//! A generation: one loaded version of a component, with its settings and its pool of instances.

use std::collections::HashMap;
use std::sync::Arc;
#[cfg(feature = "p3")]
use std::sync::OnceLock;
use std::time::Duration;

use crate::component::{Component, ComponentInfo, DeclaredHandler, Method};
use crate::directory::ServerDirectory;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::forensics::{Cost, Costs};
use crate::grants::{Granted, Grants};
use crate::meters::Meters;
use crate::pace::Pace;
use crate::pool::{Kept, Pool, PoolStatistics};
use crate::process;
use crate::reached;
use crate::state::Profile;
use crate::tally::Tally;
use crate::wasi_http::Outbound;
#[cfg(feature = "p3")]
use crate::wasi_http::Service;

/// How the instances of a component are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolPolicy {
    /// What suits the component: `Reuse` for one of the Tessera world, `Fresh` for one of `wasi:http` 0.2, `Concurrent`
    /// for one of 0.3.
    Auto,
    /// An instance for each request; nothing survives it.
    Fresh,
    /// An instance serves one request after the other.
    Reuse,
    /// An instance serves several requests at a time; for components of `wasi:http` 0.3.
    Concurrent,
    /// An instance belongs to a session; a request without one has an instance for itself.
    Session,
}

/// Settings of the pool of instances.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// Whether instances are kept.
    pub policy: PoolPolicy,
    /// Instances made ahead.
    pub min: usize,
    /// Most idle instances that are kept.
    pub max: usize,
    /// Requests that an instance serves at a time, where it may have several.
    pub concurrency: u32,
    /// Requests after which an instance is retired; 0 is never.
    pub max_requests: u32,
    /// Bytes that an instance may grow by before it is retired.
    pub max_growth: u64,
    /// Most requests that wait when no more instances may be made.
    pub queue: usize,
    /// How long a request waits when no more instances may be made.
    pub queue_timeout: Duration,
}

/// Limits of one instance and of one web process.
#[derive(Clone, Copy, Debug)]
pub struct InstanceLimits {
    /// Bytes of linear memory.
    pub memory: u64,
    /// Elements of all tables together.
    pub table_elements: usize,
    /// Wall-clock time of a web process.
    pub deadline: Duration,
    /// Wall-clock time of a response that is sent piece by piece.
    pub stream_time: Duration,
    /// Time that a web process may compute.
    pub cpu_time: Duration,
    /// Bytes of a response.
    pub response_size: u64,
    /// Requests that a web process may send to other servers.
    pub outbound_calls: u32,
    /// Bytes that the guest may pass in one call of a host function; never less than a response needs.
    pub call_size: u64,
    /// Handles of host resources, and of its own.
    pub handles: usize,
}

/// Everything a generation is made of, beside the component.
#[derive(Clone)]
pub struct GenerationOptions {
    /// Name of the web server, for the log and for `web-server.server`.
    pub name: Arc<str>,
    /// Settings of the pool.
    pub pool: PoolOptions,
    /// Limits.
    pub limits: InstanceLimits,
    /// Environment variables of the guest.
    pub environment: Vec<(String, String)>,
    /// What else the component may use.
    pub grants: Grants,
    /// What the component may ask about web servers.
    pub directory: Arc<dyn ServerDirectory>,
    /// Its way to other servers.
    pub outbound: Arc<dyn Outbound>,
    /// The first requests that are watched for traps, see [`Tally::trial_news`]; 0 is none.
    pub trial_requests: u64,
}

/// One version of a component that serves.
pub struct Generation {
    pub(crate) engine: Arc<Engine>,
    pub(crate) component: Component,
    pub(crate) profile: Arc<Profile>,
    pub(crate) pool_options: PoolOptions,
    pub(crate) limits: InstanceLimits,
    pub(crate) pool: Arc<Pool>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) costs: Costs,
    pub(crate) meters: Arc<Meters>,
    tally: Arc<Tally>,
    #[cfg(feature = "p3")]
    service: OnceLock<Arc<Service>>,
    methods: Vec<Method>,
    handlers: Vec<DeclaredHandler>,
    /// Names in lower case, as URLs are compared.
    by_name: HashMap<String, usize>,
}

impl Generation {
    /// Makes a generation: asks the component for its methods, and makes the instances that wait ahead.
    pub async fn new(
        engine: Arc<Engine>,
        component: Component,
        options: GenerationOptions,
    ) -> Result<Arc<Self>, LoadError> {
        let imports = &component.info().imports;
        let granted = Granted::new(&options.name, options.grants, imports)?;
        let profile = Arc::new(Profile {
            component: options.name,
            environment: options.environment,
            granted,
            response_bytes_max: usize::try_from(options.limits.response_size).unwrap_or(usize::MAX),
            handles_max: options.limits.handles,
            call_bytes_max: reached::call_bytes_max(&options.limits),
            directory: options.directory,
            spill_folder: engine.spill_folder.clone(),
            core_dumps: engine.core_dumps.clone(),
            outbound: options.outbound,
            outbound_calls: options.limits.outbound_calls,
        });
        let pool_options = PoolOptions {
            policy: component.policy(options.pool.policy)?,
            ..options.pool
        };
        let meters = engine.meters.of(&profile.component);
        let holder = engine.slots.holder(&profile.component);
        let pool = Arc::new(Pool::new(pool_options, holder));
        engine.register(&pool);
        engine.generation_began();
        let mut generation = Self {
            engine,
            component,
            profile,
            pool_options,
            limits: options.limits,
            pool,
            pace: Arc::default(),
            costs: Costs::default(),
            meters,
            tally: Arc::new(Tally::new(options.trial_requests)),
            #[cfg(feature = "p3")]
            service: OnceLock::new(),
            methods: Vec::new(),
            handlers: Vec::new(),
            by_name: HashMap::new(),
        };
        if generation.component.hooks.has_actions() {
            (generation.methods, generation.handlers) = process::ask_methods(&generation)
                .await
                .map_err(LoadError::Methods)?;
            for (index, method) in generation.methods.iter().enumerate() {
                if generation
                    .by_name
                    .insert(method.name.to_lowercase(), index)
                    .is_some()
                {
                    return Err(LoadError::DoubledMethod(method.name.clone()));
                }
            }
        }
        for handler in &generation.handlers {
            if generation.method(&handler.method).is_none() {
                return Err(LoadError::NoHandlerMethod(handler.method.clone()));
            }
        }
        let generation = Arc::new(generation);
        generation.refill().await.map_err(LoadError::Methods)?;
        Ok(generation)
    }

    /// The instances that serve several requests at a time.
    #[cfg(feature = "p3")]
    pub(crate) fn service(self: &Arc<Self>) -> &Arc<Service> {
        self.service.get_or_init(|| Service::new(self))
    }

    /// What the component offers and wants.
    pub fn info(&self) -> &ComponentInfo {
        self.component.info()
    }

    /// Whether instances see exactly these environment variables.
    pub fn has_environment(&self, environment: &[(String, String)]) -> bool {
        self.profile.environment == environment
    }

    /// The component's methods.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// The handlers that the component declares, in their order; each names one of its methods.
    pub fn handlers(&self) -> &[DeclaredHandler] {
        &self.handlers
    }

    /// The method of a name, compared without regard to case.
    pub fn method(&self, name: &str) -> Option<&Method> {
        if let Some(index) = self.by_name.get(name) {
            return self.methods.get(*index);
        }
        self.methods.get(*self.by_name.get(&name.to_lowercase())?)
    }

    /// Counts of now.
    pub fn statistics(&self) -> PoolStatistics {
        self.pool.statistics()
    }

    /// What it has done so far; outlives it.
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// What web processes of its component have cost so far.
    pub fn meters(&self) -> &Arc<Meters> {
        &self.meters
    }

    /// What a web process that trapped had taken, by the number of its request. Given once, and only for the last ones.
    pub fn cost_of(&self, request: u64) -> Option<Cost> {
        self.costs.take(request)
    }

    /// Ends the pool: instances still running are dropped when their request has ended.
    pub fn retire(&self) {
        self.pool.close();
        #[cfg(feature = "p3")]
        if let Some(service) = self.service.get() {
            service.close();
        }
    }

    /// Keeps instances again after [`Generation::retire`].
    pub fn revive(&self) {
        self.pool.open();
        #[cfg(feature = "p3")]
        if let Some(service) = self.service.get() {
            service.open();
        }
    }

    /// Makes the instances that should wait ahead.
    pub(crate) async fn refill(&self) -> Result<(), crate::ProcessError> {
        if self.pool_options.policy == PoolPolicy::Reuse && !self.component.is_service() {
            while self.pool.idle() < self.pool_options.min.min(self.pool_options.max) {
                let instance = process::new_idle_instance(self).await?;
                if !self.pool.put(Kept::Instance(instance)) {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.retire();
        self.engine.generation_ended();
    }
}
