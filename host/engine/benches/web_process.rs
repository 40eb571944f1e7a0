//! What one request costs the engine, from the call to the answer, without a network around it: on an instance that was
//! kept, and on one that is made for it.
//!
//! `cargo xtask guests`, then `cargo bench --workspace --bench web_process`.

use std::hint::black_box;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue};
use tessera_engine::{
    Call, Component, Engine, EngineOptions, Generation, GenerationOptions, Grants, InstanceLimits,
    Module, NoDirectory, NoOutbound, Peer, PoolOptions, PoolPolicy, Target,
};
use tokio::runtime::Builder;

const HELLO: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/components/hello.wasm"
);

fn web_process(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let wasm = std::fs::read(Path::new(HELLO));
    let wasm =
        wasm.unwrap_or_else(|error| panic!("{HELLO}: {error}; `cargo xtask guests` builds it"));
    let mut group = criterion.benchmark_group("web_process");
    for (name, policy) in [("reuse", PoolPolicy::Reuse), ("fresh", PoolPolicy::Fresh)] {
        let generation = runtime.block_on(generation(&wasm, policy));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                runtime.block_on(async {
                    let began = Instant::now();
                    for _ in 0..rounds {
                        let answer = generation.run(call(), Target::Connection).await;
                        black_box(answer.unwrap_or_else(|error| panic!("{error}")));
                    }
                    began.elapsed()
                })
            });
        });
    }
    group.finish();
}

async fn generation(wasm: &[u8], policy: PoolPolicy) -> Arc<Generation> {
    let engine = Engine::new(&EngineOptions {
        instances: 20,
        memory: 1 << 30,
        code_cache: None,
        core_dumps: None,
        spill_folder: std::env::temp_dir(),
    });
    let engine = engine.unwrap_or_else(|error| panic!("{error}"));
    let component =
        Component::load(&engine, &Module::of(wasm)).unwrap_or_else(|error| panic!("{error}"));
    let options = GenerationOptions {
        name: "hello".into(),
        pool: PoolOptions {
            policy,
            min: 0,
            max: 10,
            concurrency: 1,
            max_requests: 0,
            max_growth: 1 << 30,
            queue: 10,
            queue_timeout: Duration::from_secs(1),
        },
        limits: InstanceLimits {
            memory: 64 << 20,
            table_elements: 10_000,
            deadline: Duration::from_secs(30),
            stream_time: Duration::from_secs(60),
            cpu_time: Duration::from_secs(10),
            response_size: 32 << 20,
            outbound_calls: 10,
            call_size: 32 << 20,
            handles: 1000,
        },
        environment: Vec::new(),
        grants: Grants::default(),
        directory: Arc::new(NoDirectory),
        outbound: Arc::new(NoOutbound),
        trial_requests: 0,
    };
    let generation = Generation::new(engine, component, options).await;
    generation.unwrap_or_else(|error| panic!("{error}"))
}

/// A request as a browser's, but for most of its fields.
fn call() -> Call {
    let here = IpAddr::from([127, 0, 0, 1]);
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("127.0.0.1:8080"));
    headers.insert("accept", HeaderValue::from_static("*/*"));
    let peer = Peer {
        client: here,
        server: here,
        secured: false,
    };
    let url = "/a/b?c=d".to_owned();
    Call::get(1, url, headers.into(), peer, "bench".into())
}

criterion_group!(benches, web_process);
criterion_main!(benches);
