//! Certificates that are replaced while they are in use.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::tls::{CERTIFICATE, KEY, Refreshed, ServerTls};

use super::{Folder, Pair, pair};

fn names(server: &ServerTls) -> Vec<String> {
    server.names().to_vec()
}

fn failure(server: &ServerTls) -> String {
    match server.refresh() {
        Refreshed::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

/// As an installer does that has everything ready.
fn rename_into(folder: &Folder, pair: &Pair) {
    for (name, content) in [(CERTIFICATE, &pair.certificate), (KEY, &pair.key)] {
        fs::write(folder.at("new"), content).unwrap();
        fs::rename(folder.at("new"), folder.at(name)).unwrap();
    }
}

#[test]
fn a_new_pair_is_used_from_the_next_handshake_on() {
    let folder = Folder::with(&pair(&["one.test"]));
    let server = ServerTls::load(&folder.settings()).unwrap();
    let first = server.config();
    assert_eq!(server.refresh(), Refreshed::Unchanged);
    assert!(Arc::ptr_eq(&first, &server.config()));

    // In place and by renaming.
    folder.put(&pair(&["two.test"]));
    assert_eq!(server.refresh(), Refreshed::Replaced);
    assert_eq!(names(&server), ["two.test"]);
    assert!(server.covers("two.test") && !server.covers("one.test"));
    assert!(!Arc::ptr_eq(&first, &server.config()));
    rename_into(&folder, &pair(&["three.test"]));
    assert_eq!(server.refresh(), Refreshed::Replaced);
    assert_eq!(names(&server), ["three.test"]);
    assert_eq!(server.refresh(), Refreshed::Unchanged);
}

#[test]
fn a_change_is_seen_whatever_the_file_says_of_its_age() {
    // Pairs of the same size, the times of the files set back, all within one tick of a clock.
    let folder = Folder::with(&pair(&["a.test"]));
    let server = ServerTls::load(&folder.settings()).unwrap();
    let old = SystemTime::now() - Duration::from_secs(100_000);
    for name in ["b.test", "c.test", "d.test", "e.test"] {
        folder.put(&pair(&[name]));
        for file in [CERTIFICATE, KEY] {
            let file = File::options().append(true).open(folder.at(file)).unwrap();
            file.set_times(FileTimes::new().set_modified(old)).unwrap();
        }
        assert_eq!(server.refresh(), Refreshed::Replaced, "{name}");
        assert_eq!(names(&server), [name]);
    }
}

#[test]
fn a_bad_pair_leaves_the_old_one_and_is_told_once() {
    let good = pair(&["one.test"]);
    let folder = Folder::with(&good);
    let server = ServerTls::load(&folder.settings()).unwrap();
    let in_use = server.config();

    fs::write(folder.at(CERTIFICATE), "nothing").unwrap();
    let error = failure(&server);
    assert!(
        error.contains(CERTIFICATE) && error.contains("not PEM"),
        "{error}"
    );
    assert_eq!(server.refresh(), Refreshed::Unchanged);

    fs::write(folder.at(CERTIFICATE), "nothing else").unwrap();
    assert_eq!(server.refresh(), Refreshed::Unchanged);

    fs::remove_file(folder.at(KEY)).unwrap();
    fs::write(folder.at(CERTIFICATE), &good.certificate).unwrap();
    let error = failure(&server);
    assert!(
        error.contains(KEY) && error.contains("no such file"),
        "{error}"
    );
    assert_eq!(server.refresh(), Refreshed::Unchanged);
    assert!(Arc::ptr_eq(&in_use, &server.config()));

    // The pair in use is back: the same fault would be a new one.
    folder.put(&good);
    assert_eq!(server.refresh(), Refreshed::Restored);
    assert_eq!(server.refresh(), Refreshed::Unchanged);
    assert!(Arc::ptr_eq(&in_use, &server.config()));
    fs::remove_file(folder.at(KEY)).unwrap();
    failure(&server);
}

#[test]
fn half_of_a_pair_waits_for_the_other() {
    let folder = Folder::with(&pair(&["one.test"]));
    let server = ServerTls::load(&folder.settings()).unwrap();
    let new = pair(&["two.test"]);
    fs::write(folder.at(CERTIFICATE), &new.certificate).unwrap();
    let error = failure(&server);
    assert!(error.contains("does not belong"), "{error}");
    assert_eq!(server.refresh(), Refreshed::Unchanged);
    assert_eq!(names(&server), ["one.test"]);
    fs::write(folder.at(KEY), &new.key).unwrap();
    assert_eq!(server.refresh(), Refreshed::Replaced);
    assert_eq!(names(&server), ["two.test"]);
}

#[test]
fn links_are_followed_however_the_change_comes() {
    let root = Folder::empty();
    let version = |name: &str, pair: &Pair| {
        fs::create_dir(root.at(name)).unwrap();
        fs::write(root.at(name).join(CERTIFICATE), &pair.certificate).unwrap();
        fs::write(root.at(name).join(KEY), &pair.key).unwrap();
    };
    let turn = |link: &str, to: &Path| {
        symlink(to, root.at("new-link")).unwrap();
        fs::rename(root.at("new-link"), root.at(link)).unwrap();
    };
    version("v1", &pair(&["one.test"]));
    version("v2", &pair(&["two.test"]));
    version("v3", &pair(&["three.test"]));

    // Kubernetes: both names are links through a folder that is itself a link.
    turn("..data", Path::new("v1"));
    turn(CERTIFICATE, &Path::new("..data").join(CERTIFICATE));
    turn(KEY, &Path::new("..data").join(KEY));
    let server = ServerTls::load(&root.settings()).unwrap();
    assert_eq!(server.refresh(), Refreshed::Unchanged);
    turn("..data", Path::new("v2"));
    assert_eq!(server.refresh(), Refreshed::Replaced);
    assert_eq!(names(&server), ["two.test"]);

    // certbot: each name is a link that is turned by itself.
    turn(KEY, &Path::new("v3").join(KEY));
    turn(CERTIFICATE, &Path::new("v3").join(CERTIFICATE));
    assert_eq!(server.refresh(), Refreshed::Replaced);
    assert_eq!(names(&server), ["three.test"]);

    // A link that leads nowhere.
    turn("..data", Path::new("nowhere"));
    assert_eq!(server.refresh(), Refreshed::Unchanged);
    turn(KEY, &Path::new("..data").join(KEY));
    assert!(failure(&server).contains("no such file"));
    assert_eq!(names(&server), ["three.test"]);
}

#[test]
fn files_that_have_long_been_there_are_not_read_again() {
    let folder = Folder::with(&pair(&["one.test"]));
    let files = crate::tls::files::Files::of(folder.path());
    let look = files.look();
    assert!(!look.is_settled(), "just written");
    assert_eq!(files.look(), look);
    // What is not there has no age.
    let missing = crate::tls::files::Files::of(&folder.at("nowhere"));
    assert!(missing.look().is_settled());
}
