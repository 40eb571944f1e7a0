//! A store in a Redis server: what several hosts have in common.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, FromRedisValue, Pipeline, RedisError};
use tokio::runtime::Handle;

use super::{Change, KeyPage, Space, Store, StoreError, Waiting};

/// A web process waits for it, so that it is better told soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Attempts to connect again within one request to the server; the next request tries again.
const RETRIES: usize = 1;
/// Rounds of SCAN without a key before a page is given back as it is: a large database of others must not hold the
/// caller up.
const SCAN_ROUNDS: usize = 100;

/// Replaces or deletes a value if it is the expected one.
const SWAP: &str = "\
local now = redis.call('GET', KEYS[1]) \
if ARGV[1] == '1' then if now ~= ARGV[2] then return 0 end elseif now then return 0 end \
if ARGV[3] == '0' then redis.call('DEL', KEYS[1]) \
elseif ARGV[5] == '0' then redis.call('SET', KEYS[1], ARGV[4]) \
else redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5]) end \
return 1";

/// Buckets in a Redis server, over one connection for all.
pub struct RedisStore {
    connection: ConnectionManager,
    /// The connection lives here: the runtimes that serve may end before it.
    runtime: Handle,
    health: Arc<Health>,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("RedisStore")
            .field("address", &self.health.address)
            .finish_non_exhaustive()
    }
}

/// Says once that the server is away, and once that it is back.
struct Health {
    address: String,
    is_down: AtomicBool,
}

impl Health {
    fn note<T>(&self, result: Result<T, RedisError>) -> Result<T, StoreError> {
        match result {
            Ok(value) => {
                if self.is_down.swap(false, Ordering::Relaxed) {
                    tracing::info!(address = self.address, "the Redis server is back");
                }
                Ok(value)
            }
            Err(error) if is_no_number(&error) => Err(StoreError::NotANumber),
            Err(error) => {
                if !self.is_down.swap(true, Ordering::Relaxed) {
                    tracing::error!(address = self.address, %error, "the Redis server fails; its buckets cannot be used until it is back");
                }
                Err(StoreError::Unavailable)
            }
        }
    }
}

/// Whether the connection had been closed, as it is when the server was started again: the next attempt has a new one.
fn is_lost(error: &RedisError) -> bool {
    error.is_connection_dropped() && !error.is_timeout()
}

fn is_no_number(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains("not an integer") || text.contains("would overflow")
}

impl RedisStore {
    /// A store in the server of a URL, which is connected to when it is first needed.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, without the URL.
    pub fn open(url: &str, runtime: Handle) -> Result<Self, String> {
        let failed = |error: RedisError| format!("the URL of the Redis server is wrong: {error}");
        let client = redis::Client::open(url).map_err(failed)?;
        let address = client.get_connection_info().addr().to_string();
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_number_of_retries(RETRIES);
        let _guard = runtime.enter();
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(failed)?;
        Ok(Self {
            connection,
            runtime: runtime.clone(),
            health: Arc::new(Health {
                address,
                is_down: AtomicBool::new(false),
            }),
        })
    }

    /// Makes all of some changes, or none. To make them again comes to the same.
    fn change(&self, pipeline: Pipeline) -> Waiting<'static, ()> {
        let mut connection = self.connection.clone();
        self.run(async move {
            match pipeline.query_async(&mut connection).await {
                Err(error) if is_lost(&error) => pipeline.query_async(&mut connection).await,
                result => result,
            }
        })
    }

    /// Asks what changes nothing, and so can be asked again.
    fn ask<T: FromRedisValue + Send + 'static>(&self, command: Cmd) -> Waiting<'static, T> {
        let mut connection = self.connection.clone();
        self.run(async move {
            match command.query_async(&mut connection).await {
                Err(error) if is_lost(&error) => command.query_async(&mut connection).await,
                result => result,
            }
        })
    }

    /// Sends what must not be done twice: whether it was done is not known when the connection is lost.
    fn once<T: FromRedisValue + Send + 'static>(&self, command: Cmd) -> Waiting<'static, T> {
        let mut connection = self.connection.clone();
        self.run(async move { command.query_async(&mut connection).await })
    }

    fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, RedisError>> + Send + 'static,
    ) -> Waiting<'static, T> {
        let health = self.health.clone();
        let task = self.runtime.spawn(work);
        Box::pin(async move {
            match task.await {
                Ok(result) => health.note(result),
                Err(_) => Err(StoreError::Unavailable),
            }
        })
    }
}

/// The length of the bucket's name tells where the key begins, whatever is in either.
fn prefix(space: &Space) -> String {
    format!("tessera:{}:{}:", space.name.len(), space.name)
}

fn place(space: &Space, key: &str) -> String {
    let mut place = prefix(space);
    place.push_str(key);
    place
}

/// A pattern of SCAN that stands for the text only.
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn milliseconds(lifetime: Option<Duration>) -> u64 {
    // 0 stands for none, and Redis knows no lifetime of 0; beyond a thousand years it refuses.
    const MAX: u128 = 1000 * 365 * 24 * 3600 * 1000;
    let clamp = |time: Duration| u64::try_from(time.as_millis().clamp(1, MAX)).unwrap_or(u64::MAX);
    lifetime.map_or(0, clamp)
}

impl Store for RedisStore {
    fn read<'a>(&'a self, space: &'a Space, keys: Vec<String>) -> Waiting<'a, Vec<Option<Bytes>>> {
        // MGET without keys is an error.
        if keys.is_empty() {
            return Box::pin(std::future::ready(Ok(Vec::new())));
        }
        let mut command = redis::cmd("MGET");
        for key in &keys {
            command.arg(place(space, key));
        }
        let asked = self.ask::<Vec<Option<Vec<u8>>>>(command);
        Box::pin(async move {
            let values = asked.await?;
            Ok(values.into_iter().map(|it| it.map(Bytes::from)).collect())
        })
    }

    fn write<'a>(
        &'a self,
        space: &'a Space,
        changes: Vec<Change>,
        lifetime: Option<Duration>,
    ) -> Waiting<'a, ()> {
        let mut pipeline = redis::pipe();
        pipeline.atomic();
        for (key, value) in &changes {
            let place = place(space, key);
            match (value, milliseconds(lifetime)) {
                (None, _) => pipeline.cmd("DEL").arg(place).ignore(),
                (Some(value), 0) => pipeline.cmd("SET").arg(place).arg(&**value).ignore(),
                (Some(value), lifetime) => pipeline
                    .cmd("SET")
                    .arg(place)
                    .arg(&**value)
                    .arg("PX")
                    .arg(lifetime)
                    .ignore(),
            };
        }
        self.change(pipeline)
    }

    fn swap<'a>(
        &'a self,
        space: &'a Space,
        expected: Option<Bytes>,
        (key, value): Change,
        lifetime: Option<Duration>,
    ) -> Waiting<'a, bool> {
        let mut command = redis::cmd("EVAL");
        command.arg(SWAP).arg(1).arg(place(space, &key));
        for value in [&expected, &value] {
            command
                .arg(u8::from(value.is_some()))
                .arg(value.as_deref().unwrap_or_default());
        }
        command.arg(milliseconds(lifetime));
        self.once(command)
    }

    fn increment<'a>(&'a self, space: &'a Space, key: String, delta: i64) -> Waiting<'a, i64> {
        let mut command = redis::cmd("INCRBY");
        command.arg(place(space, &key)).arg(delta);
        self.once(command)
    }

    fn keys<'a>(
        &'a self,
        space: &'a Space,
        from: Option<String>,
        max: usize,
    ) -> Waiting<'a, KeyPage> {
        Box::pin(async move {
            let prefix = prefix(space);
            let pattern = format!("{}*", literal(&prefix));
            let mut cursor: u64 = match from {
                None => 0,
                Some(from) => from.parse().map_err(|_| StoreError::BadCursor)?,
            };
            let mut page = KeyPage::default();
            for _ in 0..SCAN_ROUNDS {
                let mut command = redis::cmd("SCAN");
                command.arg(cursor).arg("MATCH").arg(&pattern);
                command.arg("COUNT").arg(max);
                let (next, places) = self.ask::<(u64, Vec<Vec<u8>>)>(command).await?;
                let keys = places.into_iter().filter_map(|place| {
                    let place = String::from_utf8(place).ok()?;
                    Some(place.strip_prefix(&prefix)?.to_owned())
                });
                page.keys.extend(keys);
                cursor = next;
                if cursor == 0 || !page.keys.is_empty() {
                    break;
                }
            }
            page.next = (cursor != 0).then(|| cursor.to_string());
            Ok(page)
        })
    }

    fn sweep(&self, _max: usize) -> Waiting<'_, usize> {
        // Redis does it by itself.
        Box::pin(std::future::ready(Ok(0)))
    }
}
