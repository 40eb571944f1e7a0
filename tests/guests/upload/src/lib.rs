//! Tells what parts a body has, and reads them.

use std::io::Read;

use serde_json::{Value as Tree, json};
use tessera_guest::prelude::{Json, *};
use tessera_guest::request::PartReader;

/// `/4DACTION/parts`: number, name, type, file name, size, and a sum over the content of each.
#[web_method]
fn parts() -> Result<Json<Tree>, Error> {
    let count = request::body_part_count()?;
    let mut parts = Vec::new();
    for number in 1..=count {
        let part = request::body_part(number)?;
        let (length, sum) = summed(number)?;
        parts.push(json!({
            "name": part.name,
            "type": part.mime_type,
            "file": part.file_name,
            "size": part.size,
            "read": length,
            "sum": sum,
        }));
    }
    Ok(Json(json!(parts)))
}

fn summed(number: u32) -> Result<(u64, u64), Error> {
    let mut reader = PartReader::new(number);
    let mut space = vec![0; 256 * 1024];
    let (mut length, mut sum) = (0, 0_u64);
    loop {
        let count = reader.read(&mut space)?;
        if count == 0 {
            return Ok((length, sum));
        }
        length += count as u64;
        for byte in &space[..count] {
            sum = sum.wrapping_mul(31).wrapping_add(u64::from(*byte));
        }
    }
}

/// `/4DACTION/part/2`: the content of a part as it is.
#[web_method]
fn part(number: u32) -> Result<impl Reply, Error> {
    let content = request::body_part_content(number)?;
    let part = request::body_part(number)?;
    Ok(blob(content, part.mime_type))
}
