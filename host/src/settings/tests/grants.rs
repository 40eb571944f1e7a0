//! What a component is granted: secrets, configuration, folders, key-value buckets.

use super::*;

fn reasons(text: &str) -> Vec<String> {
    let error = component_settings(text).unwrap_err();
    let reason = |fault: &Fault| format!("{}: {}", fault.key().unwrap_or_default(), fault.reason());
    error.faults().iter().map(reason).collect()
}

#[test]
fn grants_are_read_with_full_paths() {
    let text = "[secrets]\nTOKEN = 'secrets/token'\nKEY = '/run/secrets/key'\n[config]\ncolor = 'red'\n\
                [keyvalue]\na = 'memory'\nb = {store = 'file', size = '1 KiB'}\n\
                [keyvalue.c]\nstore = 'redis://:pw@host:7000/2'\nshare = 'carts'\n\
                [permissions]\nfolders = [{path = 'data', guest = '/data', write = true}, {path = '/srv', guest = '/srv'}]\n";
    let settings = component_settings(text).unwrap();
    let grants = &settings.grants;
    let secrets: Vec<_> = grants.secrets.iter().collect();
    let token = Path::new(SHOP).join("secrets/token");
    assert_eq!(
        secrets,
        [
            (&"KEY".to_owned(), &PathBuf::from("/run/secrets/key")),
            (&"TOKEN".to_owned(), &token)
        ]
    );
    assert_eq!(grants.config.iter().collect::<Vec<_>>(), [("color", "red")]);
    let bucket = |store, share: Option<&str>, bytes_max| Bucket {
        store,
        share: share.map(str::to_owned),
        bytes_max,
    };
    let url = Secret::new("redis://:pw@host:7000/2");
    assert_eq!(
        grants.buckets.values().collect::<Vec<_>>(),
        [
            &bucket(StoreKind::Memory, None, 16 << 20),
            &bucket(StoreKind::File, None, 1024),
            &bucket(StoreKind::Redis(url), Some("carts"), 16 << 20),
        ]
    );
    let folder = |path: &str, guest: &str, write| FolderGrant {
        path: path.into(),
        guest: guest.to_owned(),
        write,
    };
    assert_eq!(
        settings.permissions.folders,
        [
            folder("/site/components/shop/data", "/data", true),
            folder("/srv", "/srv", false)
        ]
    );
    assert!(!format!("{settings:?}").contains("pw@"));
}

#[test]
fn a_secret_has_a_name_of_its_own() {
    let text = "[environment]\nA = 'x'\n[config]\nB = 'x'\n[secrets]\nA = 'a'\nB = 'b'\nC = 'c'\n";
    assert_eq!(
        reasons(text),
        [
            "secrets.A: is in [environment] too; name it differently",
            "secrets.B: is in [config] too; name it differently"
        ]
    );
}

#[test]
fn no_folder_holds_what_is_not_the_components() {
    let folder =
        |path: &str| format!("[permissions]\nfolders = [{{path = '{path}', guest = '/data'}}]\n");
    for (path, reason) in [
        (
            "/site/components/shop",
            "must not hold the folder of the site or component",
        ),
        ("/site", "must not hold the folder of the site or component"),
        ("/", "must not hold the folder of the site or component"),
        ("/site/.tessera", "must not be in .tessera"),
        ("/site/.tessera/code", "must not be in .tessera"),
        (
            "/site/components/other/data",
            "must not be in the folder of another",
        ),
    ] {
        let reasons = reasons(&folder(path));
        assert_eq!(reasons.len(), 1, "{path}: {reasons:?}");
        assert!(reasons[0].contains(reason), "{path}: {reasons:?}");
    }
    for path in ["/site/WebFolder", "/site/data", "data", "/srv"] {
        component_settings(&folder(path)).unwrap();
    }
}

#[test]
fn a_bare_module_names_full_paths() {
    let read = |text: &str| {
        let document = Document::parse(Path::new("settings.toml"), text);
        ComponentSettings::read("shop", None, Reader::new(Scope::Component, document, &[]))
    };
    for text in [
        "secrets.A = 'a'",
        "permissions.folders = [{path = 'a', guest = '/a'}]",
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains("a bare module has no folder"), "{error}");
    }
    read("secrets.A = '/a'\npermissions.folders = [{path = '/a', guest = '/a'}]").unwrap();
}

#[test]
fn each_change_is_told_by_its_table() {
    let empty = component_settings("").unwrap();
    for (text, key) in [
        ("secrets.A = 'a'", "secrets"),
        ("config.A = 'a'", "config"),
        ("keyvalue.A = 'file'", "keyvalue"),
        (
            "permissions.folders = [{path = 'a', guest = '/a'}]",
            "permissions.folders",
        ),
    ] {
        let newer = component_settings(text).unwrap();
        let expected = [Change {
            key,
            effect: Effect::Reload,
        }];
        assert_eq!(empty.changes(&newer), expected, "{text}");
    }
}
