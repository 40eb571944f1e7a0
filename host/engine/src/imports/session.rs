//! `tessera:web/session`: the session of the client.
//!
//! All of these may wait for the store, but a store in memory never does: the future is then ready at once, and the
//! guest goes on without a switch.

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, WasmList};

use crate::session::{
    NoSessions, SESSION_KEY_BYTES_MAX, SESSION_VALUE_BYTES_MAX, Session, SessionError,
    SessionExpected, SessionValue, SessionWork,
};
use crate::state::State;

/// `session.stored`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
pub(super) struct WitStored {
    value: Vec<u8>,
    version: u64,
}

/// `session.expected`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(variant)]
enum WitExpected {
    #[component(name = "any")]
    Any,
    #[component(name = "absent")]
    Absent,
    #[component(name = "version")]
    Version(u64),
}

/// `session.session-error`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(variant)]
pub(super) enum WitError {
    #[component(name = "disabled")]
    Disabled,
    #[component(name = "conflict")]
    Conflict(Option<WitStored>),
    #[component(name = "too-large")]
    TooLarge,
    #[component(name = "unavailable")]
    Unavailable(String),
}

pub(super) type Context<'a> = StoreContextMut<'a, State>;
pub(super) type Done<T> = Result<T, WitError>;
pub(super) type Object = dyn Session;

pub(super) fn add_to_linker(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    add_facts(linker)?;
    add_rights(linker)?;
    add_storage(linker)?;
    add_continuation(linker)
}

/// What the session is.
fn add_facts(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    macro_rules! fact {
        ($name:literal, $tell:expr, $without:expr) => {
            linker.func_wrap_async($name, |mut store: Context<'_>, (): ()| {
                Box::new(async move {
                    let session = ready(&mut store).await?;
                    Ok((session.map_or_else($without, $tell),))
                })
            })?;
        };
    }
    fact!("id", Object::id, String::new);
    fact!("user-name", Object::user_name, String::new);
    fact!("is-guest", |it| it.privileges().is_empty(), || true);
    fact!("get-privileges", Object::privileges, Vec::new);
    fact!("idle-timeout", Object::idle_timeout, u32::default);
    fact!("expiration-date", Object::expiration_date, String::new);
    linker.func_wrap_async(
        "has-privilege",
        |mut store: Context<'_>, (name,): (String,)| {
            Box::new(async move {
                let session = ready(&mut store).await?;
                Ok((session.is_some_and(|session| session.has_privilege(&name)),))
            })
        },
    )
}

/// Who its user is, what that one may, and for how long.
fn add_rights(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "set-privileges",
        |store: Context<'_>, (privileges, user_name): (Vec<String>, Option<String>)| {
            Box::new(async move {
                Ok((does(store, |it| it.set_privileges(privileges, user_name)).await,))
            })
        },
    )?;
    linker.func_wrap_async("clear-privileges", |store: Context<'_>, (): ()| {
        Box::new(async move { Ok((does(store, Object::clear_privileges).await,)) })
    })?;
    linker.func_wrap_async(
        "set-idle-timeout",
        |store: Context<'_>, (minutes,): (u32,)| {
            Box::new(async move { Ok((does(store, |it| it.set_idle_timeout(minutes)).await,)) })
        },
    )
}

fn add_storage(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async("get", |store: Context<'_>, (key,): (String,)| {
        Box::new(async move {
            let stored = does(store, |it| it.get(key)).await;
            Ok((stored.map(|stored| stored.map(WitStored::from)),))
        })
    })?;
    linker.func_wrap_async(
        "set",
        |store: Context<'_>, (key, value, expected): (String, WasmList<u8>, WitExpected)| {
            Box::new(async move {
                // Looked at where it lies, and copied once if it is within the limit.
                let value = value.as_le_slice(&store);
                if key.len() > SESSION_KEY_BYTES_MAX || value.len() > SESSION_VALUE_BYTES_MAX {
                    return Ok((Err(WitError::TooLarge),));
                }
                let value = Bytes::copy_from_slice(value);
                Ok((does(store, |it| it.set(key, value, expected.into())).await,))
            })
        },
    )?;
    linker.func_wrap_async(
        "remove",
        |store: Context<'_>, (key, expected): (String, WitExpected)| {
            Box::new(async move { Ok((does(store, |it| it.remove(key, expected.into())).await,)) })
        },
    )?;
    linker.func_wrap_async("keys", |store: Context<'_>, (): ()| {
        Box::new(async move { Ok((does(store, Object::keys).await,)) })
    })
}

/// How it goes on elsewhere, and how it ends.
fn add_continuation(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        "create-otp",
        |store: Context<'_>, (lifespan,): (Option<u32>,)| {
            Box::new(async move { Ok((does(store, |it| it.create_otp(lifespan)).await,)) })
        },
    )?;
    linker.func_wrap_async("restore", |store: Context<'_>, (token,): (String,)| {
        Box::new(async move { Ok((does(store, |it| it.restore(token)).await,)) })
    })?;
    linker.func_wrap("process-count", |store: Context<'_>, (id,): (String,)| {
        let sessions = store.data().exchange.call.sessions.as_ref();
        Ok((sessions.map_or(0, |sessions| sessions.process_count(&id)),))
    })?;
    linker.func_wrap_async("close", |store: Context<'_>, (): ()| {
        Box::new(async move { Ok((does(store, Object::close).await,)) })
    })
}

/// The session, looked up; none where the server keeps none. Without the store the web process ends: a guest that was
/// told "no privilege" would take it for an answer.
async fn ready<'a>(store: &'a mut Context<'_>) -> wasmtime::Result<Option<&'a Object>> {
    let exchange = &mut store.data_mut().exchange;
    let Some(session) = exchange.session() else {
        return Ok(None);
    };
    if !session.is_ready() {
        let result = session.ready().await;
        exchange.note_session(&result);
        if result.is_err() {
            return Err(NoSessions.into());
        }
    }
    Ok(exchange.current.session.as_deref())
}

/// Does what has a result of its own.
pub(super) async fn does<T>(
    mut store: Context<'_>,
    work: impl FnOnce(&mut Object) -> SessionWork<'_, T>,
) -> Done<T> {
    let exchange = &mut store.data_mut().exchange;
    let is_late = exchange
        .current
        .early
        .as_ref()
        .is_some_and(|early| early.is_sent());
    let Some(session) = exchange.session() else {
        return Err(WitError::Disabled);
    };
    if is_late {
        session.head_is_sent();
    }
    let result = work(&mut **session).await;
    exchange.note_session(&result);
    result.map_err(WitError::from)
}

impl From<WitExpected> for SessionExpected {
    fn from(expected: WitExpected) -> Self {
        match expected {
            WitExpected::Any => Self::Any,
            WitExpected::Absent => Self::Absent,
            WitExpected::Version(version) => Self::Version(version),
        }
    }
}

impl From<SessionValue> for WitStored {
    fn from(stored: SessionValue) -> Self {
        Self {
            value: stored.value.into(),
            version: stored.version,
        }
    }
}

impl From<SessionError> for WitError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Conflict(now) => Self::Conflict(now.map(WitStored::from)),
            SessionError::TooLarge => Self::TooLarge,
            SessionError::Legacy => Self::Disabled,
            SessionError::Ended | SessionError::Late | SessionError::Unavailable => {
                Self::Unavailable(error.to_string())
            }
        }
    }
}
