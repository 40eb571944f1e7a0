//! What was bought, one line of JSON each, in the one folder that the component may write to.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};

use serde::{Deserialize, Serialize};
use tessera_guest::Error;

use crate::Cart;

const FILE: &str = "/data/orders.jsonl";
/// Most that the file holds: a busy day is a message, not a full disk.
const BYTES_MAX: u64 = 1 << 20;
/// Orders that a page shows.
const SHOWN_MAX: usize = 50;

/// One order.
#[derive(Deserialize, Serialize)]
pub(crate) struct Order {
    pub(crate) customer: String,
    pub(crate) cart: Cart,
}

/// Adds an order.
pub(crate) fn write(order: &Order) -> Result<(), Error> {
    let line = serde_json::to_string(order)? + "\n";
    let mut file = OpenOptions::new().create(true).append(true).open(FILE)?;
    let length = file.metadata()?.len();
    if length + line.len() as u64 > BYTES_MAX {
        return Err(Error::refused(
            503,
            "There are too many orders. Try again later.",
        ));
    }
    // In one piece, so that orders of the same moment do not mix.
    Ok(file.write_all(line.as_bytes())?)
}

/// The latest orders, the newest first.
pub(crate) fn latest() -> Result<Vec<Order>, Error> {
    let lines = match fs::read_to_string(FILE) {
        Ok(lines) => lines,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let orders = lines.lines().rev().take(SHOWN_MAX);
    Ok(orders.map(serde_json::from_str).collect::<Result<_, _>>()?)
}
