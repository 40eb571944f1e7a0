//! The files in `deploy/` fit the program: what they start, ask and wait for is there.

use std::fs;

use tessera_tests::{Site, repository};

fn read(path: &str) -> String {
    fs::read_to_string(repository().join("deploy").join(path)).unwrap()
}

/// The text of a block scalar, `key: |`, in a YAML file.
fn block(yaml: &str, key: &str) -> String {
    let start = format!("{key}: |");
    let mut lines = yaml.lines().skip_while(|line| line.trim() != start);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let outer = indent(lines.next().unwrap());
    let inside = lines.take_while(|line| line.trim().is_empty() || indent(line) > outer);
    inside.map(|line| line.trim().to_owned() + "\n").collect()
}

/// The number that stands after `key:`.
fn number(yaml: &str, key: &str) -> u64 {
    let prefix = format!("{key}: ");
    let found = yaml
        .lines()
        .find_map(|line| line.trim().trim_start_matches("- ").strip_prefix(&prefix));
    found.unwrap_or_else(|| panic!("no {key}")).parse().unwrap()
}

#[tokio::test]
async fn the_settings_of_the_cluster_start_a_site_whose_ports_the_manifests_name() {
    let settings = block(&read("kubernetes/config.yaml"), "tessera.toml");
    let site = Site::new().settings(&settings);
    let exit = site.run(site.path(), &["check"]).await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let server = site.start().await;
    server.wait_for_log(&["health", "/readyz"]).await;

    let deployment = read("kubernetes/deployment.yaml");
    for (name, setting) in [
        ("http", "HTTPPort = "),
        ("health", "health_address = \"0.0.0.0:"),
    ] {
        let line = settings.lines().find_map(|line| line.strip_prefix(setting));
        let port = line.unwrap().trim_end_matches('"');
        let declared = format!("name: {name}\n              containerPort: {port}\n");
        assert!(
            deployment.contains(&declared),
            "{name} {port}: {deployment}"
        );
    }
    assert!(read("kubernetes/service.yaml").contains("targetPort: http\n"));
}

#[test]
fn requests_in_flight_have_the_time_that_the_settings_give_them() {
    let deployment = read("kubernetes/deployment.yaml");
    let settings = read("kubernetes/config.yaml");
    let drain = settings
        .lines()
        .find_map(|line| line.trim().strip_prefix("drain_timeout = \""))
        .and_then(|line| line.strip_suffix(" s\""))
        .unwrap();
    let drain: u64 = drain.parse().unwrap();
    let pause: u64 = deployment
        .lines()
        .find_map(|line| line.trim().strip_prefix("command: [\"sleep\", \""))
        .and_then(|line| line.strip_suffix("\"]"))
        .unwrap()
        .parse()
        .unwrap();
    // What the end takes beyond the drain, 5 seconds, is what the host tells a service manager, too.
    let grace = number(&deployment, "terminationGracePeriodSeconds");
    assert!(grace >= pause + drain + 5, "{grace} {pause} {drain}");
    let unit = read("tessera.service");
    for line in ["Type=notify", "WatchdogSec=30s", "KillMode=mixed"] {
        assert!(unit.lines().any(|other| other == line), "{line}");
    }
}

#[test]
fn image_and_cluster_run_it_as_the_same_user_on_the_same_site() {
    let (image, deployment) = (read("Containerfile"), read("kubernetes/deployment.yaml"));
    let user = image
        .lines()
        .find_map(|line| line.strip_prefix("USER "))
        .unwrap();
    let (user, group) = user.split_once(':').unwrap();
    assert_eq!(number(&deployment, "runAsUser").to_string(), user);
    assert_eq!(number(&deployment, "runAsGroup").to_string(), group);
    assert_eq!(number(&deployment, "fsGroup").to_string(), group);
    assert!(image.contains("VOLUME /site\n") && deployment.contains("mountPath: /site\n"));
    assert!(image.contains("STOPSIGNAL SIGTERM\n"));
    assert!(image.contains("CMD [\"tessera\", \"health\", \"--site\", \"/site\"]\n"));
}
