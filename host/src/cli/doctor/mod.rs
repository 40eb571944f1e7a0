//! `tessera doctor`: what of this machine stands in the way of a site, now or soon.

mod files;
mod machine;

use std::path::{Path, PathBuf};

use serde::Serialize;
use tessera_host::server::discover;
use tessera_host::settings::{ComponentSettings, HostSettings, Web};

use super::failure::Failure;
use super::output::{self, printable};
use super::{log, site};

/// Looks at ports, limits, address space, certificates, files and the clock: what stands in the way of a site.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder of the site.
    #[arg(value_name = "SITE", default_value = ".")]
    site: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    /// It works, but not for long, or not as well as it could.
    Warning,
    /// It does not work.
    Bad,
}

/// What was found.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    detail: String,
    /// What to do about it.
    advice: Option<String>,
}

impl Finding {
    fn good(check: &'static str, detail: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Good,
            detail: detail.into(),
            advice: None,
        }
    }

    fn warning(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Warning,
            detail: detail.into(),
            advice: Some(advice.into()),
        }
    }

    fn bad(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            state: State::Bad,
            ..Self::warning(check, detail, advice)
        }
    }
}

/// A web server of the site, as its settings have it.
struct Planned {
    name: String,
    web: Web,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    log::start_quiet()?;
    let folder = site::existing(&arguments.site)?;
    let mut findings = Vec::new();
    match HostSettings::load(folder, &[]) {
        Ok(settings) => {
            let is_served = files::is_served(folder);
            let servers = planned(folder, &settings, &mut findings);
            findings.extend(machine::ports(&servers, is_served));
            findings.extend(machine::limits(&settings));
            findings.push(machine::address_space(&settings));
            findings.extend(files::certificates(&servers));
            findings.extend(files::permissions(folder, &servers));
        }
        Err(error) => {
            let advice = "mend the settings; `tessera check` says the same";
            findings.push(Finding::bad("settings", error.to_string(), advice));
        }
    }
    findings.push(machine::clock(folder));
    if arguments.json {
        output::print_json(&findings)?;
    } else {
        output::print(&text(&findings))?;
    }
    match findings.iter().filter(|it| it.state == State::Bad).count() {
        0 => Ok(()),
        count => Err(Failure::other(format!(
            "{} in the way of {}",
            match count {
                1 => "1 thing is".to_owned(),
                count => format!("{count} things are"),
            },
            folder.display()
        ))),
    }
}

/// The host's server and the components', as far as their settings are right.
fn planned(folder: &Path, settings: &HostSettings, findings: &mut Vec<Finding>) -> Vec<Planned> {
    let mut servers = vec![Planned {
        name: "the host".to_owned(),
        web: settings.web.clone(),
    }];
    let found = match discover(folder) {
        Ok(found) => found,
        Err(error) => {
            let detail = format!("{}: {error}", folder.join("components").display());
            let advice = "let the user that runs tessera read it";
            findings.push(Finding::bad("components", detail, advice));
            return servers;
        }
    };
    for found in found {
        match ComponentSettings::load(&found.name, found.folder.as_deref(), &[]) {
            Ok(component) => servers.push(Planned {
                name: found.name,
                web: component.web,
            }),
            Err(error) => {
                let advice = "mend the settings; `tessera check` says the same";
                findings.push(Finding::bad("settings", error.to_string(), advice));
            }
        }
    }
    findings.push(Finding::good(
        "settings",
        format!("of {}", output::count(servers.len(), "web server")),
    ));
    servers
}

fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let word = match finding.state {
            State::Good => "good",
            State::Warning => "warning",
            State::Bad => "bad",
        };
        let mut lines = finding.detail.lines();
        let first = printable(lines.next().unwrap_or_default());
        text.push_str(&format!("{word:8} {:14} {first}\n", finding.check));
        for line in lines {
            text.push_str(&format!("{:23} {}\n", "", printable(line)));
        }
        if let Some(advice) = &finding.advice {
            text.push_str(&format!("{:23} -> {}\n", "", printable(advice)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_and_its_advice_another() {
        let findings = [
            Finding::good("clock", "12:00"),
            Finding::bad("ports", "port 80\u{1b}\nand 81", "choose others"),
        ];
        let expected = "\
good     clock          12:00
bad      ports          port 80\\u{1b}
                        and 81
                        -> choose others
";
        assert_eq!(text(&findings), expected);
    }
}
