//! Certificates and keys: what is taken, what is refused and with which words, which names are covered.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, UNIX_EPOCH};

use rcgen::{CertificateParams, KeyPair, RsaKeySize};
use rustls::CipherSuite;

use crate::settings::TlsVersion;
use crate::tls::files::BYTES_MAX;
use crate::tls::{CERTIFICATE, KEY, ServerTls, library};

use super::{Folder, inner_key, pair, pair_of, pem};

#[test]
fn the_library_is_named_with_its_versions() {
    let words: Vec<_> = library().split([' ', '(', ')']).collect();
    let ["rustls", rustls, "", "aws-lc-rs", aws_lc_rs, ""] = words[..] else {
        panic!("{:?}", library());
    };
    for version in [rustls, aws_lc_rs] {
        let numbers = version.split('.').map(str::parse::<u32>);
        assert!(numbers.clone().all(|number| number.is_ok()), "{version}");
        assert_eq!(numbers.count(), 3, "{version}");
    }
}

#[test]
fn every_usual_form_of_a_key_is_taken() {
    let ec = pair(&["a.test"]);
    let rsa_key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let rsa_certificate = CertificateParams::new(["a.test".to_owned()])
        .unwrap()
        .self_signed(&rsa_key)
        .unwrap()
        .pem();
    let rsa_der = rsa_key.serialize_der();
    let p384 = pair_of(&rcgen::PKCS_ECDSA_P384_SHA384, &["a.test"]);
    let ed25519 = pair_of(&rcgen::PKCS_ED25519, &["a.test"]);
    let parameters = pem("EC PARAMETERS", &[6, 8, 42, 134, 72, 206, 61, 3, 1, 7]);
    let sec1 = pem("EC PRIVATE KEY", inner_key(&ec.key_der));
    let forms = [
        ("PKCS#8", &ec.certificate, ec.key.clone()),
        ("SEC1", &ec.certificate, sec1.clone()),
        ("SEC1 after its curve", &ec.certificate, parameters + &sec1),
        ("P-384", &p384.certificate, p384.key.clone()),
        ("Ed25519", &ed25519.certificate, ed25519.key.clone()),
        ("RSA in PKCS#8", &rsa_certificate, rsa_key.serialize_pem()),
        (
            "RSA in PKCS#1",
            &rsa_certificate,
            pem("RSA PRIVATE KEY", inner_key(&rsa_der)),
        ),
        (
            "after its certificate",
            &ec.certificate,
            ec.certificate.clone() + &ec.key,
        ),
        (
            "after a text",
            &ec.certificate,
            format!("Bag Attributes\n{}", ec.key),
        ),
        (
            "after a byte order mark",
            &ec.certificate,
            format!("\u{feff}{}", ec.key),
        ),
    ];
    for (form, certificate, key) in forms {
        for line_end in ["\n", "\r\n"] {
            let folder = Folder::empty();
            fs::write(
                folder.at(CERTIFICATE),
                certificate.replace("\r\n", "\n").replace('\n', line_end),
            )
            .unwrap();
            fs::write(
                folder.at(KEY),
                key.replace("\r\n", "\n").replace('\n', line_end),
            )
            .unwrap();
            let loaded = ServerTls::load(&folder.settings());
            let loaded = loaded.unwrap_or_else(|error| panic!("{form}: {error}"));
            assert_eq!(*loaded.names(), ["a.test".to_owned()], "{form}");
        }
    }
}

#[test]
fn each_fault_names_the_file_and_what_to_do() {
    let (good, other) = (pair(&["a.test"]), pair(&["a.test"]));
    let good_der = &good.der;
    let tests: &[(&str, &str, &[u8], &[&str])] = &[
        ("certificate: a key", CERTIFICATE, good.key.as_bytes(), &["no certificate", "BEGIN CERTIFICATE"]),
        ("certificate: empty", CERTIFICATE, b"", &["not PEM"]),
        ("certificate: DER", CERTIFICATE, good_der, &["not PEM", "openssl"]),
        ("certificate: cut", CERTIFICATE, &good.certificate.as_bytes()[..200], &["damaged", "END"]),
        (
            "certificate: not base64",
            CERTIFICATE,
            b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
            &["damaged", "base64"],
        ),
        (
            "certificate: not DER",
            CERTIFICATE,
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            &["first certificate cannot be used", "issuer"],
        ),
        ("key: a certificate", KEY, good.certificate.as_bytes(), &["no private key", "BEGIN PRIVATE KEY"]),
        ("key: DER", KEY, &good.key_der, &["not PEM", "openssl"]),
        ("key: of another pair", KEY, other.key.as_bytes(), &["does not belong", CERTIFICATE]),
        (
            "key: encrypted in PKCS#8",
            KEY,
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            &["encrypted", "openssl pkey"],
        ),
        (
            "key: encrypted the old way",
            KEY,
            b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n\
              -----END RSA PRIVATE KEY-----\n",
            &["encrypted", "openssl pkey"],
        ),
        (
            "key: not DER",
            KEY,
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            &["cannot be used", "RSA of 2048"],
        ),
        ("key: larger than any", KEY, &vec![b'x'; BYTES_MAX as usize + 1], &["larger than"]),
    ];
    for (what, file, content, parts) in tests {
        let folder = Folder::with(&good);
        fs::write(folder.at(file), content).unwrap();
        let error = ServerTls::load(&folder.settings()).unwrap_err();
        assert!(!error.is_missing(), "{what}: {error}");
        let error = error.to_string();
        let path = folder.at(file).display().to_string();
        assert!(error.starts_with(&path), "{what}: {error}");
        for part in *parts {
            assert!(error.contains(part), "{what}: {part}: {error}");
        }
        assert_eq!(error.lines().count(), 1, "{what}: {error}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for file in [CERTIFICATE, KEY] {
        let folder = Folder::with(&pair(&["a.test"]));
        fs::remove_file(folder.at(file)).unwrap();
        let error = ServerTls::load(&folder.settings()).unwrap_err();
        assert!(error.is_missing(), "{error}");
        let error = error.to_string();
        assert!(
            error.contains(file) && error.contains("--dev-tls"),
            "{error}"
        );

        fs::create_dir(folder.at(file)).unwrap();
        let error = ServerTls::load(&folder.settings()).unwrap_err().to_string();
        assert!(error.contains("not a regular file"), "{error}");
        fs::remove_dir(folder.at(file)).unwrap();

        // A pipe that nobody writes to: opening it would wait forever.
        let mode = rustix::fs::Mode::from_bits_truncate(0o600);
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, folder.at(file), kind, mode, 0).unwrap();
        let error = ServerTls::load(&folder.settings()).unwrap_err().to_string();
        assert!(error.contains("not a regular file"), "{error}");
    }
}

#[test]
fn a_file_without_the_right_to_read_it_is_told() {
    let folder = Folder::with(&pair(&["a.test"]));
    fs::set_permissions(folder.at(KEY), fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read(folder.at(KEY)).is_ok() {
        // For root there is no such thing.
        return;
    }
    let error = ServerTls::load(&folder.settings()).unwrap_err().to_string();
    assert!(error.contains("must be able to read it"), "{error}");
}

#[test]
fn suites_that_cannot_work_are_refused() {
    let folder = Folder::with(&pair(&["a.test"]));
    let error_of = |min_version, suites: &[CipherSuite]| {
        let mut settings = folder.settings();
        settings.min_version = min_version;
        settings.cipher_suites = Some(suites.to_vec());
        ServerTls::load(&settings)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let ecdsa = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    let rsa = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
    let tls13 = CipherSuite::TLS13_AES_128_GCM_SHA256;
    let null = CipherSuite::TLS_RSA_WITH_NULL_SHA;
    assert_eq!(error_of(TlsVersion::Tls12, &[ecdsa]), Ok(()));
    for fine in [&[ecdsa, tls13][..], &[rsa, ecdsa], &[tls13]] {
        assert_eq!(error_of(TlsVersion::Tls12, fine), Ok(()), "{fine:?}");
    }
    assert_eq!(error_of(TlsVersion::Tls13, &[rsa, tls13]), Ok(()));
    let tests = [
        (TlsVersion::Tls13, &[ecdsa][..], "minTLSVersion = 4"),
        (TlsVersion::Tls12, &[rsa], "ECDSA key"),
        (TlsVersion::Tls12, &[rsa, tls13], "ECDSA key"),
        (TlsVersion::Tls12, &[null, tls13], "CipherSuite(0x2)"),
    ];
    for (min_version, suites, part) in tests {
        let error = error_of(min_version, suites).unwrap_err();
        assert!(
            error.starts_with("cipherSuite: ") && error.contains(part),
            "{error}"
        );
    }
}

#[test]
fn names_are_covered_as_clients_match_them() {
    let names = ["shop.test", "*.Example.test", "MIXED.test", "127.0.0.1"];
    let folder = Folder::with(&pair(&names));
    let server = ServerTls::load(&folder.settings()).unwrap();
    assert_eq!(
        *server.names(),
        ["shop.test", "*.example.test", "mixed.test"].map(str::to_owned)
    );
    let table = [
        ("shop.test", true),
        ("SHOP.Test", true),
        ("shop.test.", true),
        ("mixed.test", true),
        ("www.shop.test", false),
        ("a.example.test", true),
        ("A.EXAMPLE.TEST.", true),
        ("a.b.example.test", false),
        ("example.test", false),
        (".example.test", false),
        ("*.example.test", true),
        ("test", false),
        ("127.0.0.1", false),
        ("", false),
        (".", false),
    ];
    for (name, covered) in table {
        assert_eq!(server.covers(name), covered, "{name:?}");
    }
}

#[test]
fn the_end_of_a_certificate_is_known() {
    let key = KeyPair::generate().unwrap();
    // One that has ended, one that has not, one beyond the two-digit years.
    for (year, seconds) in [
        (2020, 1_577_836_800),
        (2049, 2_493_072_000),
        (2060, 2_840_140_800),
    ] {
        let mut parameters = CertificateParams::new(["a.test".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        let folder = Folder::empty();
        let certificate = parameters.self_signed(&key).unwrap();
        fs::write(folder.at(CERTIFICATE), certificate.pem()).unwrap();
        fs::write(folder.at(KEY), key.serialize_pem()).unwrap();
        let server = ServerTls::load(&folder.settings()).unwrap();
        let expected = UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(server.not_after(), Some(expected), "{year}");
    }
}

#[test]
fn nothing_of_the_key_is_in_debug_output() {
    let pair = pair(&["a.test"]);
    let folder = Folder::with(&pair);
    let server = ServerTls::load(&folder.settings()).unwrap();
    let text = format!("{server:?}");
    assert!(text.contains("a.test") && text.len() < 1000, "{text}");
}
