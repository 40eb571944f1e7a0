//! What is served: files, a certificate, components, and a folder for each server to work in. All of it is gone at the end.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::options::Placement;
use crate::{load, server, site};

/// The files of one size, with the bytes of each.
pub(crate) const SIZES: [(&str, u64); 4] = [
    ("1k.txt", 1024),
    ("10k.txt", 10 * 1024),
    ("100k.txt", 100 * 1024),
    ("10m.bin", 10 * 1024 * 1024),
];
/// A text that compresses as others do.
pub(crate) const TEXT: (&str, usize) = ("text.txt", 64 * 1024);
/// The files of the folder `many`.
pub(crate) const MANY: u64 = 10_000;
pub(crate) const MANY_BYTES: u64 = 1024;
const MANY_IN_FOLDER: u64 = 100;
const KIB: [u8; 1024] = [b'x'; 1024];

/// A folder with all that.
pub(crate) struct Work {
    folder: TempDir,
}

impl Work {
    /// Writes it. The many files only if they are wanted.
    pub(crate) fn new(with_many: bool) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("tessera-bench-")
            .tempdir()
            .map_err(|error| error.to_string())?;
        let work = Self { folder };
        let write = |path: PathBuf, content: &[u8]| {
            fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))
        };
        make(&work.root())?;
        for (name, bytes) in SIZES {
            let content = KIB.repeat((bytes / 1024) as usize);
            write(work.root().join(name), &content)?;
        }
        let text = work.root().join(TEXT.0);
        write(text.clone(), site::page(TEXT.1).as_bytes())?;
        compress(&text)?;
        if with_many {
            work.write_many()?;
        }
        let (certificate, key) = load::certificate().map_err(|error| error.to_string())?;
        make(&work.certificate())?;
        write(work.certificate().join("cert.pem"), certificate.as_bytes())?;
        write(work.certificate().join("key.pem"), key.as_bytes())?;
        Ok(work)
    }

    fn write_many(&self) -> Result<(), String> {
        for number in 0..MANY {
            let path = self.root().join(many(number));
            if number % MANY_IN_FOLDER == 0 {
                make(path.parent().unwrap_or(&path))?;
            }
            fs::write(&path, KIB).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }

    /// The folder of all.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that is served.
    pub(crate) fn root(&self) -> PathBuf {
        self.path().join("root")
    }

    /// The folder of the certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.path().join("certificate")
    }

    /// A site of Tessera with the components that are measured.
    pub(crate) fn site(&self, ports: [u16; 3], with_components: bool) -> Result<PathBuf, String> {
        let site = self.path().join("site");
        let old = self.path().join("old-site");
        let _ = fs::remove_dir_all(&old);
        let _ = fs::rename(&site, &old);
        make(&site.join(".tessera"))?;
        if with_components {
            // What was compiled once is compiled.
            let code = ".tessera/code";
            let _ = fs::rename(old.join(code), site.join(code));
        }
        self.settle(ports)?;
        let failed = |error: std::io::Error| format!("{}: {error}", site.display());
        for name in ["cert.pem", "key.pem"] {
            fs::copy(self.certificate().join(name), site.join(name)).map_err(failed)?;
        }
        if with_components {
            for (name, guest) in COMPONENTS {
                let folder = site.join("components").join(name);
                make(&folder)?;
                fs::copy(
                    server::test_guest(guest)?,
                    folder.join(format!("{name}.wasm")),
                )
                .map_err(failed)?;
                let settings = format!("tessera/components/{name}/settings.toml");
                fs::copy(configuration(&settings), folder.join("settings.toml")).map_err(failed)?;
            }
        }
        Ok(site)
    }

    /// The site that is there already, on other ports.
    pub(crate) fn settle(&self, ports: [u16; 3]) -> Result<PathBuf, String> {
        let site = self.path().join("site");
        let settings = self.filled("tessera/tessera.toml", ports, Placement::Shared)?;
        fs::write(site.join("tessera.toml"), settings)
            .map_err(|error| format!("{}: {error}", site.display()))?;
        Ok(site)
    }

    /// A configuration of `benches/peers` with the names in it replaced.
    pub(crate) fn filled(
        &self,
        name: &str,
        ports: [u16; 3],
        placement: Placement,
    ) -> Result<String, String> {
        let path = configuration(name);
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let [http, h2c, https] = ports.map(|port| port.to_string());
        Ok(fill(
            &text,
            &[
                ("HTTP", &http),
                ("PORT", &http),
                ("H2C", &h2c),
                ("HTTPS", &https),
                ("CORES", &placement.cores().to_string()),
                ("ROOT", &self.root().to_string_lossy()),
                ("CERTIFICATE", &self.certificate().to_string_lossy()),
                ("WORK", &self.path().to_string_lossy()),
            ],
        ))
    }

    /// The same, written to a file beside.
    pub(crate) fn write_filled(
        &self,
        name: &str,
        ports: [u16; 3],
        placement: Placement,
    ) -> Result<PathBuf, String> {
        let path = self.path().join(name);
        fs::write(&path, self.filled(name, ports, placement)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

/// The components of Tessera's site: their name, which is their path, and the guest that is copied there.
pub(crate) const COMPONENTS: [(&str, &str); 5] = [
    ("measured", "measured"),
    ("fresh", "measured"),
    ("wasi2", "wasihttp"),
    ("wasi2-reuse", "wasihttp"),
    ("wasi3", "wasihttp3"),
];

/// The path of one of the many files.
pub(crate) fn many(number: u64) -> String {
    format!("many/d{}/f{number}.bin", number / MANY_IN_FOLDER)
}

/// A script for wrk that asks for them, all alike.
pub(crate) fn many_script() -> String {
    format!(
        "local thread = 0\n\
         function setup(it) thread = thread + 1; it:set('number', thread) end\n\
         function init() math.randomseed(number * 7919) end\n\
         function request()\n\
           local file = math.random(0, {})\n\
           return wrk.format('GET', '/many/d' .. math.floor(file / {MANY_IN_FOLDER}) .. '/f' .. file .. '.bin')\n\
         end\n",
        MANY - 1
    )
}

/// Where the configurations of peers are.
pub(crate) fn configuration(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(name)
}

/// Puts values in the place of `@NAME@`.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("@{name}@"), value);
    }
    text
}

fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Makes the `.gz` beside a file, for servers that send it as it is.
fn compress(file: &Path) -> Result<(), String> {
    let done = Command::new("gzip")
        .args(["-9", "-k", "-n"])
        .arg(file)
        .stdin(Stdio::null())
        .status();
    match done {
        Ok(status) if status.success() => Ok(()),
        other => {
            let _ = writeln!(
                std::io::stderr(),
                "gzip: {other:?}: no file is compressed ahead"
            );
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_every_configuration_is_filled_in() {
        let work = Work::new(false).unwrap();
        for name in [
            "nginx.conf",
            "Caddyfile",
            "static-web-server.flags",
            "workerd.capnp",
            "tessera/tessera.toml",
        ] {
            let text = work
                .filled(name, [8080, 8081, 8443], Placement::Pinned)
                .unwrap();
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            for line in lines {
                assert!(!line.contains('@'), "{name}: {line}");
            }
        }
    }

    #[test]
    fn the_many_files_are_spread_over_folders() {
        assert_eq!(many(0), "many/d0/f0.bin");
        assert_eq!(many(9_999), "many/d99/f9999.bin");
        assert!(many_script().contains("math.random(0, 9999)"));
    }
}
