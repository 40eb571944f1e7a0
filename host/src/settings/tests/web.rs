//! The web server object: ports, TLS, and what goes together.

use rustls::CipherSuite;

use super::*;

/// A site with a component, both with a certificate and its key; whether they are right is not settings' to know.
fn site_with_pairs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shop = folder.path().join("components/shop");
    std::fs::create_dir_all(&shop).unwrap();
    for folder in [folder.path(), &shop] {
        for file in [CERTIFICATE_FILE, KEY_FILE] {
            std::fs::write(folder.join(file), "").unwrap();
        }
    }
    folder
}

fn host_of(site: &Path, overrides: &[&str]) -> Result<Web, SettingsError> {
    Ok(HostSettings::load(site, &parsed(overrides))?.web)
}

fn shop_of(site: &Path, overrides: &[&str]) -> Result<Web, SettingsError> {
    let shop = site.join("components/shop");
    Ok(ComponentSettings::load("shop", Some(&shop), &parsed(overrides))?.web)
}

#[test]
fn https_is_on_where_there_is_a_certificate() {
    let site = site_with_pairs();
    let host = host_of(site.path(), &[]).unwrap();
    let https = host.listen.https.unwrap();
    assert_eq!((host.listen.http, https.port), (Some(80), 443));
    let tls = Tls {
        certificate_folder: site.path().to_owned(),
        min_version: TlsVersion::Tls12,
        cipher_suites: None,
    };
    assert_eq!(https.tls, tls);
    let off = host_of(site.path(), &["HTTPSEnabled=false"]).unwrap();
    assert_eq!(off.listen.https, None);
    let on = [
        "HTTPSEnabled=true",
        "HTTPSPort=8443",
        "minTLSVersion=4",
        "HTTPEnabled=false",
    ];
    let on = host_of(site.path(), &on).unwrap().listen;
    let https = on.https.unwrap();
    assert_eq!((on.http, https.port), (None, 8443));
    assert_eq!(https.tls.min_version, TlsVersion::Tls13);

    // A key alone is no pair.
    std::fs::remove_file(site.path().join(CERTIFICATE_FILE)).unwrap();
    let settings = HostSettings::load(site.path(), &parsed(&["HTTPSPort=8443"])).unwrap();
    assert_eq!(settings.web.listen.https, None);
    assert_eq!(settings.properties()["HTTPSEnabled"], false);
    assert_eq!(settings.properties()["HTTPSPort"], 8443);
}

#[test]
fn a_component_has_https_where_it_names_the_port() {
    let site = site_with_pairs();
    assert_eq!(shop_of(site.path(), &[]).unwrap().listen.https, None);
    let listen = shop_of(site.path(), &["HTTPSPort=8443"]).unwrap().listen;
    let https = listen.https.unwrap();
    assert_eq!((listen.http, https.port), (None, 8443));
    let shop = site.path().join("components/shop");
    assert_eq!(https.tls.certificate_folder, shop);
    // As with HTTPPort, a port of its own takes the place of the mount.
    let overrides = parsed(&["HTTPSPort=8443"]);
    let settings = ComponentSettings::load("shop", Some(&shop), &overrides).unwrap();
    assert_eq!(settings.mount, None);
    let off = shop_of(site.path(), &["HTTPSPort=8443", "HTTPSEnabled=false"]).unwrap();
    assert_eq!(off.listen.https, None);
}

#[test]
fn https_without_a_certificate_says_where_it_belongs() {
    let check = |result: Result<Web, SettingsError>, key: &str, folder: &Path| {
        let error = result.unwrap_err();
        assert_eq!(error.faults().len(), 1, "{error}");
        assert_eq!(error.faults()[0].key(), Some(key), "{error}");
        let text = error.to_string();
        for part in [
            &*folder.join("cert.pem").to_string_lossy(),
            "key.pem",
            "tessera serve --dev-tls",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    };
    let site = tempfile::tempdir().unwrap();
    let shop = site.path().join("components/shop");
    check(
        host_of(site.path(), &["HTTPSEnabled=true"]),
        "HTTPSEnabled",
        site.path(),
    );
    let tls = ["HTTPSEnabled=true", "certificateFolder=tls"];
    check(
        host_of(site.path(), &tls),
        "HTTPSEnabled",
        &site.path().join("tls"),
    );
    // The only port of a component must not be lost in silence.
    check(
        shop_of(site.path(), &["HTTPSPort=8443"]),
        "HTTPSPort",
        &shop,
    );
    check(
        shop_of(site.path(), &["HTTPSPort=8443", "HTTPSEnabled=true"]),
        "HTTPSEnabled",
        &shop,
    );
}

#[test]
fn http_and_https_need_a_port_each() {
    let site = site_with_pairs();
    for overrides in [
        &["HTTPPort=443"][..],
        &["HTTPSPort=80"],
        &["HTTPPort=8080", "HTTPSPort=8080"],
    ] {
        let error = host_of(site.path(), overrides).unwrap_err().to_string();
        assert!(error.contains("same port for HTTP and HTTPS"), "{error}");
    }
    assert!(host_of(site.path(), &["HTTPPort=443", "HTTPEnabled=false"]).is_ok());
    assert!(host_settings("HTTPPort = 443", &[]).is_ok());
}

#[test]
fn cipher_suites_are_offered_in_their_order() {
    use CipherSuite::*;
    let site = site_with_pairs();
    let suites = |list: &str| {
        let list = format!("cipherSuite={list}");
        let listen = host_of(site.path(), &[&list]).unwrap().listen;
        listen.https.unwrap().tls.cipher_suites
    };
    assert_eq!(suites(""), None);
    let both = "ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256";
    let expected = vec![
        TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        TLS13_AES_128_GCM_SHA256,
    ];
    assert_eq!(suites(both), Some(expected));
    // A list of TLS 1.2 says nothing about TLS 1.3.
    let expected = vec![
        TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TLS13_AES_256_GCM_SHA384,
        TLS13_AES_128_GCM_SHA256,
        TLS13_CHACHA20_POLY1305_SHA256,
    ];
    assert_eq!(suites("ECDHE-ECDSA-CHACHA20-POLY1305"), Some(expected));
    assert_eq!(
        suites("TLS_CHACHA20_POLY1305_SHA256"),
        Some(vec![TLS13_CHACHA20_POLY1305_SHA256])
    );
}

#[test]
fn every_cipher_suite_is_one_of_the_library() {
    let all = rustls::crypto::aws_lc_rs::default_provider().cipher_suites;
    let mut known: Vec<_> = all.iter().map(|suite| u16::from(suite.suite())).collect();
    let listed = table::CIPHER_SUITE.allowed();
    let names = listed
        .strip_prefix("any of ")
        .and_then(|names| names.split_once(", joined"));
    let names = names.unwrap().0.replace(", ", ":");
    let site = site_with_pairs();
    let list = format!("cipherSuite={names}");
    let listen = host_of(site.path(), &[&list]).unwrap().listen;
    let suites = listen.https.unwrap().tls.cipher_suites.unwrap();
    let mut offered: Vec<_> = suites.into_iter().map(u16::from).collect();
    known.sort_unstable();
    offered.sort_unstable();
    assert_eq!(offered, known);
}

#[test]
fn hsts_needs_https() {
    let site = site_with_pairs();
    let hsts = |overrides: &[&str]| host_of(site.path(), overrides).map(|web| web.responses.hsts);
    assert_eq!(hsts(&[]), Ok(None));
    assert_eq!(hsts(&["HSTSEnabled=true"]), Ok(Some(63_072_000)));
    assert_eq!(hsts(&["HSTSEnabled=true", "HSTSMaxAge=0"]), Ok(Some(0)));
    let error = hsts(&["HSTSEnabled=true", "HTTPSEnabled=false"]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("HSTS requires that HTTPS is enabled"),
        "{error}"
    );
    assert!(shop_of(site.path(), &["HSTSEnabled=true"]).is_err());
    assert!(shop_of(site.path(), &["HSTSEnabled=true", "HTTPSPort=8443"]).is_ok());
}

#[test]
fn everything_that_a_request_is_served_with_is_read() {
    let text = "HTTPTrace = true\ncharacterSet = 2251\nHTTPCompressionLevel = -1\n\
                HTTPCompressionThreshold = 7\nCORSEnabled = true\nmaxConcurrentProcesses = 10\n\
                [[CORSSettings]]\nhost = 'a.example'\nmethods = 'get'\n[[CORSSettings]]\nhost = '*'\n\
                [web]\nlaunch_at_startup = false\nsend_extended_characters = true\nallow_4dsync = true\n\
                [keep_alive]\nenabled = false\nmax_requests = 7\ntimeout = 3\n";
    let rule = |host: &str, methods: &[&str]| CorsRule {
        host: host.to_owned(),
        methods: methods.iter().map(ToString::to_string).collect(),
    };
    let rules = vec![rule("a.example", &["GET"]), rule("*", &[])];
    let responses = Responses {
        charset: Charset::Windows1251,
        extended_characters: true,
        compression: Compression {
            level: None,
            threshold: 7,
        },
        cors: Some(Cors { rules }),
        hsts: None,
        rules: Rules::default(),
    };
    let keep_alive = KeepAlive {
        enabled: false,
        requests_max: Some(7),
        timeout: Duration::from_secs(3),
    };
    let component = format!("HTTPPort = 8080\n{text}");
    let webs = [
        host_settings(text, &[]).unwrap().web,
        component_settings(&component).unwrap().web,
    ];
    for web in webs {
        assert_eq!(web.responses, responses);
        assert_eq!(web.keep_alive, keep_alive);
        assert!(!web.launch_at_startup && web.requests.trace && web.requests.sync_urls);
        assert_eq!(web.requests.processes_max, 10);
    }
    let web = host_settings("", &[]).unwrap().web;
    assert_eq!(web.responses, Responses::default());
    assert_eq!(web.keep_alive, KeepAlive::default());
    assert!(web.launch_at_startup);
    let size = |text| {
        host_settings(text, &[])
            .unwrap()
            .web
            .requests
            .body_bytes_max
    };
    assert_eq!(size("maxRequestSize = 2147483646"), Some(2_147_483_646));
    assert_eq!(size("maxRequestSize = 2147483647"), None);
}

#[test]
fn legacy_sessions_are_shown_where_there_are_no_scalable_ones() {
    let keys = [
        "inactiveProcessTimeout",
        "inactiveSessionTimeout",
        "maxSessions",
    ];
    let scalable = component_settings("").unwrap().properties();
    assert!(keys.iter().all(|key| !scalable.contains_key(*key)));
    for text in [
        "scalableSession = false",
        "scalableSession = false\nkeepSession = true",
    ] {
        let shown = component_settings(text).unwrap().properties();
        assert_eq!(
            keys.map(|key| shown[key].as_u64().unwrap()),
            [480, 480, 100]
        );
    }
    // The default cannot be above the limit.
    let text = "scalableSession = false\nmaxConcurrentProcesses = 50\nmaxSessions = 0";
    assert_eq!(
        component_settings(text).unwrap().properties()["maxSessions"],
        50
    );
    let text = "scalableSession = false\nmaxConcurrentProcesses = 50\nmaxSessions = 100";
    assert!(component_settings(text).is_err());
}

#[test]
fn a_wrong_host_of_cors_is_told_with_its_line() {
    let text =
        "HTTPPort = 80\n[[CORSSettings]]\nhost = '*'\n[[CORSSettings]]\nhost = 'ftp://a.b'\n";
    let error = host_settings(text, &[]).unwrap_err().to_string();
    assert!(
        error.starts_with("/site/tessera.toml:2: CORSSettings = "),
        "{error}"
    );
    assert!(
        error.contains("entry 2: host \"ftp://a.b\" must be one of the forms"),
        "{error}"
    );
}
