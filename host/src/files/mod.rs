//! Answers from the files of the HTML root. Read [`Pages::find`] first.

mod accept;
mod at_hand;
mod cache;
mod caches;
mod conditional;
mod documents;
mod error_pages;
mod find;
mod home;
mod instead;
mod listing;
mod look;
mod media;
mod page;
mod range;
mod reply;
mod resolve;
mod template;
mod variant;

pub use at_hand::AtHand;
pub use cache::{Object, Statistics, Usage};
pub use caches::{Caches, Pages};
pub use documents::send;
pub use error_pages::ErrorPages;
pub use find::{Found, Sought};
pub use home::create_home_page;
pub use listing::{Folder, Listings};
pub use page::Page;
pub use reply::{Reply, Wish};
pub use resolve::FileError;

#[cfg(test)]
mod tests;
