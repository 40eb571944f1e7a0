//! The commands that look at a running host, and those that need none.

use serde_json::Value;
use tessera_tests::{Exit, Site, run};

fn json_of(exit: &Exit) -> Value {
    assert_eq!(exit.code, Some(0), "{exit:#?}");
    serde_json::from_str(&exit.stdout).unwrap_or_else(|error| panic!("{error}: {exit:#?}"))
}

#[tokio::test]
async fn processes_and_figures_of_all_servers_are_shown() {
    let server = Site::new()
        .page("a.txt", "alpha")
        .guest("echo")
        .start()
        .await;
    for _ in 0..3 {
        server.get("/echo/x").await;
        server.get("/a.txt").await;
    }
    let shown = server.cli(&["processes"]).await;
    assert_eq!(shown.code, Some(0), "{shown:#?}");
    assert_eq!(shown.stdout.lines().count(), 3, "{shown:#?}");
    let all = json_of(&server.cli(&["processes", "--json"]).await);
    assert_eq!(all[1]["name"], "echo");
    assert_eq!(all[1]["highest"], 1);
    let one = json_of(&server.cli(&["processes", "echo", "--json"]).await);
    assert_eq!(one[0], all[1]);

    let top = server.cli(&["top", "--once"]).await;
    assert_eq!(top.code, Some(0), "{top:#?}");
    assert!(top.stdout.starts_with("elapsed 00:0"), "{top:#?}");
    assert!(!top.stdout.contains('\u{1b}'), "{top:#?}");
    let top = json_of(&server.cli(&["top", "--json"]).await);
    let of = |name: &str| {
        let servers = top["servers"].as_array().unwrap();
        servers
            .iter()
            .find(|it| it["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(of("echo")["hits"], 3.0);
    assert!(of("site")["hitsPerSecond"].as_f64() > Some(0.0));
    assert!(of("site")["p99"].as_f64() > Some(0.0));
    assert_eq!(of("site")["cacheHits"], 2.0);

    let stats = json_of(&server.cli(&["stats", "site", "--json"]).await);
    assert_eq!(
        (&stats["requests"], &stats["cacheHits"]),
        (&3.into(), &2.into())
    );
    let told = json_of(&server.cli(&["explain", "/a.txt", "--json"]).await);
    assert_eq!(
        (&told["by"], &told["inMemory"]),
        (&"file".into(), &true.into())
    );
    let told = server.cli(&["explain", "/echo/x?a=b"]).await;
    assert!(told.stdout.contains("answered by  echo"), "{told:#?}");
}

#[tokio::test]
async fn the_end_of_a_log_is_shown() {
    let site = Site::new().file("Logs/logweb.txt", "1\n2\n3\n");
    let shown = run(site.path(), &["logs", "-n", "2", "--file", "logweb.txt"]).await;
    assert_eq!(
        (shown.code, &*shown.stdout),
        (Some(0), "2\n3\n"),
        "{shown:#?}"
    );
    let none = run(site.path(), &["logs", "--file", "none.txt"]).await;
    assert_eq!(none.code, Some(1), "{none:#?}");
}

#[tokio::test]
async fn shells_and_man_know_the_commands() {
    let folder = Site::new();
    for (shell, part) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef tessera"),
        ("fish", "complete -c tessera"),
    ] {
        let exit = run(folder.path(), &["completions", shell]).await;
        assert!(exit.stdout.contains(part), "{shell}: {exit:#?}");
        assert!(exit.stdout.contains("explain"), "{shell}");
    }
    let exit = run(folder.path(), &["man"]).await;
    assert!(exit.stdout.contains(".TH tessera"), "{exit:#?}");
    let exit = run(folder.path(), &["man", "pages"]).await;
    assert_eq!(exit.code, Some(0), "{exit:#?}");
    assert!(
        folder
            .read("pages/tessera-cache-clear.1")
            .contains(".SH NAME")
    );
}

#[tokio::test]
async fn doctor_finds_what_stands_in_the_way() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port();
    let settings = format!("HTTPPort = {port}\nIPAddressToListen = [\"127.0.0.1\"]\n");
    let site = Site::new().settings(&settings);
    let exit = run(site.path(), &["doctor"]).await;
    assert_eq!(exit.code, Some(1), "{exit:#?}");
    assert!(exit.stdout.contains("choose another HTTPPort"), "{exit:#?}");
    drop(busy);
    let exit = run(site.path(), &["doctor", "--json"]).await;
    let findings = json_of(&exit);
    let findings = findings.as_array().unwrap();
    for check in [
        "settings",
        "ports",
        "open files",
        "address space",
        "files",
        "clock",
    ] {
        let found = findings.iter().find(|it| it["check"] == check);
        let found = found.unwrap_or_else(|| panic!("{check}: {findings:?}"));
        assert_ne!(found["state"], "bad", "{found}");
    }
}
