//! `tessera:web/request`: the request that the web process answers.

use std::time::Instant;

use bytes::Bytes;
use http::header;
use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use crate::body::PIECE_BYTES_MAX;
use crate::call::{Call, field_value, hybrid_address, push_field_value, version_text};
use crate::form::{FormEncoding, plain_text, query_variables, url_encoded};
use crate::parts::Part;
use crate::state::State;
use crate::wit::{HeaderField, Variable, WitBodyError};

type BodyResult<T> = Result<T, WitBodyError>;

pub(super) fn add_to_linker(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    add_head(linker)?;
    add_body(linker)?;
    add_circumstances(linker)
}

fn add_head(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap("method", |store: StoreContextMut<'_, State>, (): ()| {
        Ok((store.data().exchange.call.method.as_str().to_owned(),))
    })?;
    linker.func_wrap("url", |store: StoreContextMut<'_, State>, (): ()| {
        Ok((store.data().exchange.call.url.clone(),))
    })?;
    linker.func_wrap("version", |store: StoreContextMut<'_, State>, (): ()| {
        Ok((version_text(store.data().exchange.call.version),))
    })?;
    linker.func_wrap(
        "header",
        |store: StoreContextMut<'_, State>, (name,): (String,)| Ok((header(store.data(), &name),)),
    )?;
    linker.func_wrap("headers", |store: StoreContextMut<'_, State>, (): ()| {
        Ok((headers(store.data()),))
    })?;
    linker.func_wrap("raw-header", |store: StoreContextMut<'_, State>, (): ()| {
        Ok((store.data().exchange.call.head_text(),))
    })
}

fn add_body(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap_async("variables", |store: StoreContextMut<'_, State>, (): ()| {
        Box::new(async move { Ok((variables(store).await,)) })
    })?;
    linker.func_wrap_async("body", |store: StoreContextMut<'_, State>, (): ()| {
        Box::new(async move { Ok((whole(store).await.map(|body| body.to_vec()),)) })
    })?;
    linker.func_wrap_async(
        "read-body",
        |mut store: StoreContextMut<'_, State>, (max,): (u32,)| {
            Box::new(async move {
                let max = (max as usize).min(PIECE_BYTES_MAX);
                let piece = store.data_mut().exchange.body.piece(max).await;
                Ok((piece
                    .map(|piece| piece.to_vec())
                    .map_err(WitBodyError::from),))
            })
        },
    )
}

fn add_circumstances(linker: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "is-secured-connection",
        |store: StoreContextMut<'_, State>, (): ()| Ok((store.data().exchange.call.peer.secured,)),
    )?;
    linker.func_wrap(
        "client-address",
        |store: StoreContextMut<'_, State>, (): ()| {
            Ok((hybrid_address(store.data().exchange.call.peer.client),))
        },
    )?;
    linker.func_wrap(
        "server-address",
        |store: StoreContextMut<'_, State>, (): ()| {
            Ok((hybrid_address(store.data().exchange.call.peer.server),))
        },
    )?;
    linker.func_wrap(
        "validate-digest",
        |store: StoreContextMut<'_, State>, (user, password): (String, String)| {
            let digest = &store.data().exchange.call.digest;
            let is_right = digest
                .as_ref()
                .is_some_and(|it| it.is_made_with(&user, &password));
            Ok((is_right,))
        },
    )?;
    linker.func_wrap("id", |store: StoreContextMut<'_, State>, (): ()| {
        Ok((format!("{:016x}", store.data().exchange.call.id),))
    })?;
    linker.func_wrap(
        "remaining-time",
        |store: StoreContextMut<'_, State>, (): ()| {
            let deadline = store.data().exchange.deadline_now();
            let left = deadline.at.saturating_duration_since(Instant::now());
            Ok((u64::try_from(left.as_millis()).unwrap_or(u64::MAX),))
        },
    )
}

/// One field's value, several joined as HTTP joins them.
fn header(state: &State, name: &str) -> Option<String> {
    let mut values = state.exchange.call.headers.map().get_all(name).iter();
    let mut text = field_value(values.next()?.as_bytes());
    let separator = if name.eq_ignore_ascii_case("cookie") {
        "; "
    } else {
        ", "
    };
    for value in values {
        text.push_str(separator);
        push_field_value(&mut text, value.as_bytes());
    }
    Some(text)
}

fn headers(state: &State) -> Vec<HeaderField> {
    let call = &state.exchange.call;
    let field = |name: &str, value: String| HeaderField {
        name: name.to_owned(),
        value,
    };
    let sent = call.headers.map();
    let mut fields = Vec::with_capacity(sent.len() + 3);
    fields.push(field("X-METHOD", call.method.as_str().to_owned()));
    fields.push(field("X-URL", call.url.clone()));
    fields.push(field("X-VERSION", version_text(call.version).to_owned()));
    fields.extend(
        sent.iter()
            .map(|(name, value)| field(name.as_str(), field_value(value.as_bytes()))),
    );
    fields
}

/// The whole body, held to what the instance may hold: the guest is about to get a copy of it.
async fn whole(mut store: StoreContextMut<'_, State>) -> BodyResult<Bytes> {
    store
        .data_mut()
        .exchange
        .body
        .whole()
        .await
        .map_err(WitBodyError::from)
}

/// The form's fields if the body is a form, else the query's. Read once, then kept.
async fn variables(mut store: StoreContextMut<'_, State>) -> BodyResult<Vec<Variable>> {
    let exchange = &mut store.data_mut().exchange;
    if let Some(variables) = &exchange.variables {
        return Ok(variables.clone());
    }
    let variables = match form(&exchange.call) {
        Some(FormEncoding::UrlEncoded(charset)) => {
            url_encoded(&exchange.body.whole().await?, charset)?
        }
        Some(FormEncoding::PlainText(charset)) => {
            plain_text(&exchange.body.whole().await?, charset)?
        }
        Some(FormEncoding::Multipart(_)) => {
            let variable = |part: &Part| Variable {
                name: part.name.clone(),
                value: part.text(),
            };
            let parts = super::body_parts::parts(store.data_mut()).await?;
            parts.iter().map(variable).collect()
        }
        None => query_variables(&exchange.call.url)?,
    };
    store.data_mut().exchange.variables = Some(variables.clone());
    Ok(variables)
}

/// How the body is encoded, if it is a form.
pub(super) fn form(call: &Call) -> Option<FormEncoding> {
    let content_type = call.headers.map().get(header::CONTENT_TYPE);
    FormEncoding::of(content_type.map(|value| value.as_bytes()))
}
