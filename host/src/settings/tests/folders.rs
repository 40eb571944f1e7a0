//! Where rootFolder and certificateFolder may be.

use super::*;

fn root(result: Result<Web, SettingsError>) -> Result<PathBuf, String> {
    let files = result.map_err(|error| error.to_string())?.files;
    Ok(files.unwrap().root)
}

#[test]
fn a_root_is_inside_or_well_away() {
    let cases = [
        ("'public/html'", Ok("/site/public/html")),
        ("'/site/public'", Ok("/site/public")),
        ("'/srv/www'", Ok("/srv/www")),
        ("'/srv/.www/a:b'", Ok("/srv/.www/a:b")),
        ("'/sitemap'", Ok("/sitemap")),
        ("''", Err("must be an absolute path, or one inside")),
        ("'../x'", Err("must be an absolute path, or one inside")),
        (
            "'a/../../x'",
            Err("must be an absolute path, or one inside"),
        ),
        (
            "'a/'",
            Err("without \"..\", dot folders or a slash at the end"),
        ),
        ("'.'", Err("must be an absolute path, or one inside")),
        ("'.tessera'", Err("must be an absolute path, or one inside")),
        ("'Components/shop'", Err("not in components or Logs")),
        ("'a\\b'", Err("must be an absolute path, or one inside")),
        ("'/srv/'", Err("must be an absolute path, or one inside")),
        (
            "'/srv//www'",
            Err("must be an absolute path, or one inside"),
        ),
        (
            "'/srv/../site'",
            Err("must be an absolute path, or one inside"),
        ),
        (
            "\"/srv/\\u0000\"",
            Err("must be an absolute path, or one inside"),
        ),
        ("1", Err("not a number")),
        ("'/'", Err("must not hold the folder of the site")),
        ("'/site'", Err("must not hold the folder of the site")),
        (
            "'/site/components'",
            Err("must not be in components, Logs or a dot folder"),
        ),
        (
            "'/site/logs/a'",
            Err("must not be in components, Logs or a dot folder"),
        ),
        (
            "'/site/.tessera'",
            Err("must not be in components, Logs or a dot folder"),
        ),
        (
            "'/site/a/.git'",
            Err("must not be in components, Logs or a dot folder"),
        ),
    ];
    for (value, expected) in cases {
        let text = format!("rootFolder = {value}");
        check(
            root(host_settings(&text, &[]).map(|it| it.web)),
            expected,
            value,
        );
    }
}

#[test]
fn a_component_keeps_out_of_the_site() {
    let cases = [
        ("'html'", Ok("/site/components/shop/html")),
        (
            "'/site/components/shop/html'",
            Ok("/site/components/shop/html"),
        ),
        ("'/site/WebFolder'", Ok("/site/WebFolder")),
        ("'/srv/www'", Ok("/srv/www")),
        ("'/site/components/shop'", Err("must not hold")),
        ("'/site/components'", Err("must not hold")),
        ("'/site'", Err("must not hold")),
        ("'/'", Err("must not hold")),
        (
            "'/site/components/blog/WebFolder'",
            Err("must not be in components"),
        ),
        (
            "'/site/components/shop/.git'",
            Err("must not be in components"),
        ),
        ("'/site/Logs'", Err("must not be in components")),
        ("'/site/.tessera/code'", Err("must not be in components")),
    ];
    for (value, expected) in cases {
        let text = format!("rootFolder = {value}");
        check(
            root(component_settings(&text).map(|it| it.web)),
            expected,
            value,
        );
    }
}

fn check(found: Result<PathBuf, String>, expected: Result<&str, &str>, value: &str) {
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, Path::new(expected), "{value}"),
        (Err(found), Err(expected)) => assert!(found.contains(expected), "{value}: {found}"),
        (found, _) => panic!("{value}: {found:?}"),
    }
}

#[test]
fn the_private_key_cannot_be_fetched() {
    let cases = [
        "certificateFolder = 'WebFolder'",
        "certificateFolder = 'WebFolder/.tls'",
        "certificateFolder = '/site/WebFolder/tls'",
        "certificateFolder = 'tls'\nrootFolder = 'tls'",
        "certificateFolder = '/etc/tls'\nrootFolder = '/etc'",
    ];
    for text in cases {
        let error = host_settings(text, &[]).unwrap_err();
        assert_eq!(error.faults().len(), 1, "{text}: {error}");
        assert!(
            error.to_string().contains("could be fetched"),
            "{text}: {error}"
        );
    }
    for folder in ["tls", ".tls", ".tessera/tls", "/etc/tls", "/etc"] {
        let text = format!("certificateFolder = '{folder}'");
        let host = host_settings(&text, &[]).unwrap();
        let full = Path::new(SITE).join(folder);
        assert_eq!(
            host.properties()["certificateFolder"],
            full.to_str().unwrap()
        );
    }
    // Another folder for the certificate does not open the one before.
    for origin in [Origin::Start, Origin::Session, Origin::Guest] {
        let settings =
            json!({"rootFolder": "tls", "certificateFolder": "other", "HTTPSEnabled": false});
        let error = host_with("certificateFolder = 'tls'", &given(origin, &settings)).unwrap_err();
        assert!(error.to_string().contains("could be fetched"), "{error}");
    }
}

#[test]
fn wrong_certificate_folders_say_what_is_allowed() {
    for value in [
        "''",
        "'../tls'",
        "'tls/'",
        "'.'",
        "'a//b'",
        "1",
        "\"/etc/\\u0007\"",
    ] {
        let error = host_settings(&format!("certificateFolder = {value}"), &[]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("an absolute path, or one inside"),
            "{value}: {text}"
        );
    }
}

#[test]
fn links_are_followed_before_folders_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    std::fs::create_dir_all(site.join("tls")).unwrap();
    let link = |to: &str, from: &str| std::os::unix::fs::symlink(site.join(to), site.join(from));
    link("tls", "served").unwrap();
    link("", "WebFolder").unwrap();
    let load = |overrides: &[&str]| {
        HostSettings::load(&site, &parsed(overrides)).map_err(|error| error.to_string())
    };
    let error = load(&["certificateFolder=tls", "rootFolder=served"]).unwrap_err();
    assert!(error.contains("could be fetched"), "{error}");
    // The default may be a link, too.
    let error = load(&[]).unwrap_err();
    let root = site.join("WebFolder");
    let expected = format!("{}: must not hold the folder of the site", root.display());
    assert!(error.starts_with(&expected), "{error}");
    assert!(load(&["rootFolder=served"]).is_ok());
}

#[test]
fn a_component_moves_folders_only_where_it_is_at_home() {
    let guest = |settings: Json| {
        component_with(
            "HTTPPort = 8080\nHTTPSPort = 8443\nHTTPSEnabled = false",
            &given(Origin::Guest, &settings),
        )
    };
    for settings in [
        json!({"rootFolder": "html"}),
        json!({"rootFolder": "/site/components/shop/html"}),
        json!({"certificateFolder": "tls"}),
    ] {
        assert!(guest(settings.clone()).is_ok(), "{settings}");
    }
    for settings in [
        json!({"rootFolder": "/srv/www"}),
        json!({"rootFolder": "/site/WebFolder"}),
        json!({"certificateFolder": "/etc/tls"}),
        json!({"certificateFolder": "/site"}),
    ] {
        let error = guest(settings.clone()).unwrap_err();
        assert_eq!(error.faults().len(), 1, "{settings}: {error}");
        assert!(error.to_string().contains("only the operator"), "{error}");
        assert_eq!(error.faults()[0].kind(), FaultKind::BadValue);
    }
    // What the operator wrote stays where it is.
    let overrides = given(Origin::Guest, &json!({"HTTPTrace": true}));
    assert!(component_with("rootFolder = '/srv/www'", &overrides).is_ok());
}

#[test]
fn a_bare_module_has_only_the_folders_that_are_named_in_full() {
    let load = |overrides: &[&str]| {
        ComponentSettings::load("hello", None, &parsed(overrides))
            .map_err(|error| error.to_string())
    };
    assert_eq!(load(&[]).unwrap().web.files, None);
    assert_eq!(
        load(&[]).unwrap().properties()["certificateFolder"],
        Json::Null
    );
    let files = load(&["rootFolder=/srv/www"]).unwrap().web.files.unwrap();
    assert_eq!(files.root, Path::new("/srv/www"));
    let error = load(&["rootFolder=html"]).unwrap_err();
    assert!(error.contains("a bare module has no folder"), "{error}");
    let error = load(&[
        "HTTPSPort=8443",
        "HTTPSEnabled=false",
        "certificateFolder=tls",
    ])
    .unwrap_err();
    assert!(error.contains("a bare module has no folder"), "{error}");
    let error = load(&["HTTPSPort=8443"]).unwrap_err();
    assert!(error.contains("needs certificateFolder"), "{error}");
    let guest = given(Origin::Guest, &json!({"rootFolder": "/srv/www"}));
    let error = ComponentSettings::load("hello", None, &guest).unwrap_err();
    assert!(error.to_string().contains("only the operator"), "{error}");
}

#[test]
fn the_certificate_folder_is_known_whatever_else_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path();
    let find = |overrides: &[&str]| HostSettings::certificate_folder(site, &parsed(overrides));
    assert_eq!(find(&[]).as_deref(), Some(site));
    std::fs::write(
        site.join("tessera.toml"),
        "HTTPSEnabled = true\nx = 1\ncertificateFolder = 'tls'",
    )
    .unwrap();
    assert_eq!(find(&[]), Some(site.join("tls")));
    assert_eq!(
        find(&["certificateFolder=/etc/tls"]),
        Some(PathBuf::from("/etc/tls"))
    );
    std::fs::write(site.join("tessera.toml"), "certificateFolder = 1").unwrap();
    assert_eq!(find(&[]), None);
}
