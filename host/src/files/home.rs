//! The home page of a new site.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};

use crate::settings::Files;

const HOME_PAGE: &str = include_str!("home.html");

/// Makes the root and a home page in it, if there is none. Never writes over a file.
pub fn create_home_page(files: &Files) -> io::Result<()> {
    let Some(page) = &files.home_page else {
        return Ok(());
    };
    let path = files.root.join(page);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => file.write_all(HOME_PAGE.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Missing;

    #[test]
    fn a_page_that_is_there_stays() {
        let site = tempfile::tempdir().unwrap();
        let files = Files {
            root: site.path().join("WebFolder"),
            home_page: Some("index.html".into()),
            missing: Missing::default(),
        };
        create_home_page(&files).unwrap();
        let page = files.root.join("index.html");
        assert_eq!(fs::read_to_string(&page).unwrap(), HOME_PAGE);
        fs::write(&page, "mine").unwrap();
        create_home_page(&files).unwrap();
        assert_eq!(fs::read_to_string(&page).unwrap(), "mine");
    }
}
