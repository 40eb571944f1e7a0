//! The sessions of one web server in their store: read, changed if nobody was quicker, taken away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tessera_engine::{Bucket, KeyPage, SessionError, Space, StoreError};

use super::stores::SessionStores;
use crate::settings::StoreKind;

/// What of a store belongs to one web server.
#[derive(Debug)]
pub(super) struct Vault {
    server: Arc<str>,
    stores: Arc<SessionStores>,
    kind: StoreKind,
    bytes_max: u64,
    bucket: OnceLock<Bucket>,
    /// That the store is full, or cannot be opened, was said.
    is_told: AtomicBool,
}

impl Vault {
    pub(super) fn new(
        server: Arc<str>,
        stores: Arc<SessionStores>,
        kind: StoreKind,
        bytes_max: u64,
    ) -> Self {
        Self {
            server,
            stores,
            kind,
            bytes_max,
            bucket: OnceLock::new(),
            is_told: AtomicBool::new(false),
        }
    }

    pub(super) async fn read(&self, key: String) -> Result<Option<Bytes>, SessionError> {
        let read = self.bucket().await?.get(key).await;
        read.map_err(|error| self.failed(&error))
    }

    /// Writes if what is there is what was read, and says whether it did.
    pub(super) async fn swap(
        &self,
        key: String,
        expected: Option<Bytes>,
        value: Option<Bytes>,
        lifetime: Duration,
    ) -> Result<bool, SessionError> {
        let bucket = self.bucket().await?;
        let swapped = bucket.swap(expected, (key, value), Some(lifetime)).await;
        if swapped == Ok(true) {
            self.is_told.store(false, Ordering::Relaxed);
        }
        swapped.map_err(|error| self.failed(&error))
    }

    pub(super) async fn remove(&self, key: String) -> Result<(), SessionError> {
        let removed = self.bucket().await?.write(vec![(key, None)], None).await;
        removed.map_err(|error| self.failed(&error))
    }

    /// Keys, a page at a time.
    pub(super) async fn keys(&self, from: Option<String>) -> Result<KeyPage, SessionError> {
        let page = self.bucket().await?.keys(from).await;
        page.map_err(|error| self.failed(&error))
    }

    /// Whether the store was opened, and is there to be asked.
    pub(super) fn is_open(&self) -> bool {
        self.bucket.get().is_some()
    }

    /// The store, opened when it is first needed: a site without sessions has none.
    async fn bucket(&self) -> Result<&Bucket, SessionError> {
        if let Some(bucket) = self.bucket.get() {
            return Ok(bucket);
        }
        let (stores, kind) = (self.stores.clone(), self.kind.clone());
        let opened = match kind {
            StoreKind::Memory => stores.open(&kind),
            _ => tokio::task::spawn_blocking(move || stores.open(&kind))
                .await
                .unwrap_or_else(|panic| Err(panic.to_string())),
        };
        let store = opened.map_err(|reason| {
            if !self.is_told.swap(true, Ordering::Relaxed) {
                let server = &*self.server;
                tracing::error!(server, "sessions are not available: {reason}");
            }
            SessionError::Unavailable
        })?;
        let space = Space {
            // Those of key-value buckets begin with "own/" or "shared/".
            name: format!("sessions/{}", self.server).into(),
            bytes_max: self.bytes_max,
        };
        Ok(self.bucket.get_or_init(|| Bucket::new(store, space)))
    }

    fn failed(&self, error: &StoreError) -> SessionError {
        match error {
            StoreError::ValueTooLarge(_) | StoreError::KeyTooLong(_) => SessionError::TooLarge,
            StoreError::Full(bytes) => {
                if !self.is_told.swap(true, Ordering::Relaxed) {
                    let (server, bytes) = (&*self.server, *bytes);
                    tracing::warn!(
                        server,
                        bytes,
                        "there is no room for another session: see [sessions] size"
                    );
                }
                SessionError::Unavailable
            }
            _ => SessionError::Unavailable,
        }
    }
}
