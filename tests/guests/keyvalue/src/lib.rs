//! Uses buckets through both drafts of wasi:keyvalue.

use serde_json::{Value as Tree, json};
use tessera_guest::prelude::{Json, *};

mod bindings {
    wit_bindgen::generate!({ path: "wit", generate_all });
}

use bindings::wasi::keyvalue0_2_0_draft as first;
use bindings::wasi::keyvalue0_2_0_draft2 as second;
use second::atomics::{Cas, CasError};
use second::store::Bucket;

/// `/4DACTION/set/bucket/key/value`
#[web_method]
fn set(param: &str) -> Json<Tree> {
    let [bucket, key, value] = parts(param);
    answer(second::store::open(bucket).and_then(|it| it.set(key, value.as_bytes())))
}

/// `/4DACTION/get/bucket/key`
#[web_method]
fn get(param: &str) -> Json<Tree> {
    let [bucket, key, _] = parts(param);
    answer(second::store::open(bucket).and_then(|it| it.get(key).map(text)))
}

/// `/4DACTION/add/bucket/key/5`
#[web_method]
fn add(param: &str) -> Json<Tree> {
    let [bucket, key, delta] = parts(param);
    let delta = delta.parse().unwrap_or_default();
    answer(second::store::open(bucket).and_then(|it| second::atomics::increment(&it, key, delta)))
}

/// `/4DACTION/fill/bucket/key/1000`: a value of so many bytes.
#[web_method]
fn fill(param: &str) -> Json<Tree> {
    let [bucket, key, count] = parts(param);
    let value = vec![b'x'; count.parse().unwrap_or_default()];
    answer(second::store::open(bucket).and_then(|it| it.set(key, &value)))
}

/// `/4DACTION/append/bucket/key/x`: adds to a text by compare-and-swap, however often another one was quicker.
#[web_method]
fn append(param: &str) -> Json<Tree> {
    let [bucket, key, more] = parts(param);
    answer(second::store::open(bucket).and_then(|it| append_to(&it, key, more)))
}

fn append_to(bucket: &Bucket, key: &str, more: &str) -> Result<String, second::store::Error> {
    let mut cas = Cas::new(bucket, key)?;
    loop {
        let mut text = text(cas.current()?).unwrap_or_default();
        text.push_str(more);
        match second::atomics::swap(cas, text.as_bytes()) {
            Ok(()) => return Ok(text),
            Err(CasError::CasFailed(newer)) => cas = newer,
            Err(CasError::StoreError(error)) => return Err(error),
        }
    }
}

/// `/4DACTION/hoard/bucket/key`: handles for compare-and-swap, as many as it gets.
#[web_method]
fn hoard(param: &str) -> Json<Tree> {
    let [bucket, key, _] = parts(param);
    let Ok(bucket) = second::store::open(bucket) else {
        return Json(json!("no bucket"));
    };
    let mut held = Vec::new();
    loop {
        match Cas::new(&bucket, key) {
            Ok(cas) => held.push(cas),
            Err(error) => return Json(json!([held.len(), format!("{error:?}")])),
        }
    }
}

/// `/4DACTION/everything/bucket`: each function of both drafts.
#[web_method]
fn everything(param: &str) -> Json<Tree> {
    let first = everything_of_first(param).map_err(|error| format!("{error:?}"));
    let second = everything_of_second(param).map_err(|error| format!("{error:?}"));
    Json(json!([first, second]))
}

fn everything_of_first(name: &str) -> Result<Tree, first::store::Error> {
    let bucket = first::store::open(name)?;
    bucket.set("a", b"1")?;
    first::batch::set_many(
        &bucket,
        &[("b".into(), b"2".into()), ("c".into(), b"3".into())],
    )?;
    let sum = first::atomics::increment(&bucket, "b", 40)?;
    let many = first::batch::get_many(&bucket, &["c".into(), "none".into(), "b".into()])?;
    let many: Vec<_> = many
        .into_iter()
        .map(|found| found.map(|(key, value)| (key, text(Some(value)))))
        .collect();
    let page = bucket.list_keys(None)?;
    let mut keys = page.keys;
    keys.sort();
    let unknown = bucket.list_keys(Some(7)).is_err();
    bucket.delete("a")?;
    first::batch::delete_many(&bucket, &["b".into(), "none".into()])?;
    let left = (bucket.exists("a")?, bucket.exists("c")?);
    bucket.delete("c")?;
    Ok(
        json!({ "sum": sum, "many": many, "keys": keys, "more": page.cursor, "unknown": unknown, "left": left }),
    )
}

fn everything_of_second(name: &str) -> Result<Tree, second::store::Error> {
    let bucket = second::store::open(name)?;
    bucket.set("a", b"1")?;
    second::batch::set_many(
        &bucket,
        &[("b".into(), b"2".into()), ("c".into(), b"3".into())],
    )?;
    let sum = second::atomics::increment(&bucket, "b", -40)?;
    let many = second::batch::get_many(&bucket, &["c".into(), "none".into(), "b".into()])?;
    let many: Vec<_> = many
        .into_iter()
        .map(|(key, value)| (key, text(value)))
        .collect();
    let page = bucket.list_keys(None)?;
    let mut keys = page.keys;
    keys.sort();
    let cas = Cas::new(&bucket, "a")?;
    bucket.set("a", b"2")?;
    let swapped = match second::atomics::swap(cas, b"3") {
        Err(CasError::CasFailed(cas)) => {
            let seen = text(cas.current()?);
            (seen, second::atomics::swap(cas, b"4").is_ok())
        }
        _ => (None, false),
    };
    second::batch::delete_many(&bucket, &["b".into(), "c".into()])?;
    let left = (text(bucket.get("a")?), bucket.exists("c")?);
    bucket.delete("a")?;
    Ok(
        json!({ "sum": sum, "many": many, "keys": keys, "more": page.cursor, "swapped": swapped, "left": left }),
    )
}

/// `/4DACTION/count/bucket/key/2500`: so many keys, listed by both drafts and deleted.
#[web_method]
fn count(param: &str) -> Json<Tree> {
    let [name, _, count] = parts(param);
    answer(count_of(name, count.parse().unwrap_or_default()))
}

fn count_of(name: &str, count: usize) -> Result<Tree, second::store::Error> {
    let bucket = second::store::open(name)?;
    let keys: Vec<String> = (0..count).map(|number| format!("k{number}")).collect();
    for some in keys.chunks(500) {
        let pairs: Vec<_> = some.iter().map(|key| (key.clone(), Vec::new())).collect();
        second::batch::set_many(&bucket, &pairs)?;
    }
    let (mut found, mut cursor) = (0, None);
    loop {
        let page = bucket.list_keys(cursor.as_deref())?;
        found += page.keys.len();
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    let (mut found_by_first, mut cursor) = (0, None);
    let same = first::store::open(name).map_err(|_| second::store::Error::NoSuchStore)?;
    while let Ok(page) = same.list_keys(cursor) {
        found_by_first += page.keys.len();
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    for some in keys.chunks(500) {
        second::batch::delete_many(&bucket, some)?;
    }
    Ok(json!([found, found_by_first]))
}

fn parts(param: &str) -> [&str; 3] {
    let mut parts = param.splitn(3, '/');
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

fn text(value: Option<Vec<u8>>) -> Option<String> {
    value.map(|value| String::from_utf8_lossy(&value).into_owned())
}

fn answer<T: serde::Serialize>(result: Result<T, second::store::Error>) -> Json<Tree> {
    Json(match result {
        Ok(value) => json!(value),
        Err(error) => json!({ "error": format!("{error:?}") }),
    })
}
