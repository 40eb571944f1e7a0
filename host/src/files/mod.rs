//! Answers from the files of the HTML root. Read [`Pages::find`] first.

mod cache;
mod caches;
mod conditional;
mod find;
mod home;
mod media;
mod page;
mod reply;
mod resolve;
mod variant;

pub use cache::{Object, Statistics};
pub use caches::{Caches, Pages};
pub use find::Found;
pub use home::create_home_page;
pub use page::Page;
pub use reply::{Reply, Wish};
pub use resolve::FileError;

#[cfg(test)]
mod tests;
