//! The access log: a line for every request that was answered, whatever happens to its file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use http::Request;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tessera_tests::{RawClient, Server, Site};

const LOG: &str = "Logs/logweb.txt";

/// The lines of a log, once one of them has a text.
async fn lines(server: &Server, path: &str, text: &str) -> Vec<String> {
    let path = server.site.at(path);
    server
        .wait_until(&format!("a line with {text}"), async || {
            let log = fs::read_to_string(&path).unwrap_or_default();
            let lines: Vec<_> = log.lines().map(str::to_owned).collect();
            (log.ends_with('\n') && log.contains(text)).then_some(lines)
        })
        .await
}

async fn line(server: &Server, path: &str, text: &str) -> String {
    let lines = lines(server, path, text).await;
    let found: Vec<_> = lines.iter().filter(|line| line.contains(text)).collect();
    assert_eq!(found.len(), 1, "{text}: {lines:#?}");
    found[0].clone()
}

/// A line without its date, which it must have.
fn undated(line: &str) -> String {
    let (before, rest) = line.split_once('[').unwrap();
    let (date, after) = rest.split_once(']').unwrap();
    assert_eq!(date.len(), "21/Nov/2026:19:01:06".len(), "{line}");
    format!("{before}[]{after}")
}

#[tokio::test]
async fn every_answer_has_a_line_with_what_was_sent() {
    let large = "x".repeat(600 * 1024);
    let server = Site::new()
        .settings("logRecording = 1\n")
        .page("a.txt", "alpha")
        .page("large.bin", &large)
        .guest_with("echo", "logRecording = 2\n")
        .start()
        .await;
    for _ in 0..3 {
        server.get("/a.txt").await;
    }
    let send = async |method: &str, path: &str, name: &str, value: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(name, value).body("".into()).unwrap();
        server.send(request).await
    };
    let modified = server.get("/a.txt").await;
    let modified = modified.header("last-modified").unwrap();
    assert_eq!(
        send("GET", "/a.txt?not-modified", "if-modified-since", modified)
            .await
            .status,
        304
    );
    send("HEAD", "/a.txt?head", "accept", "*/*").await;
    send("GET", "/large.bin?part", "range", "bytes=0-99").await;
    server.get("/large.bin?whole").await;
    server.get("/missing").await;
    // "ann b" with a password.
    send(
        "GET",
        "/a.txt?user",
        "authorization",
        "Basic YW5uIGI6c2VjcmV0",
    )
    .await;
    let refused = RawClient::exchange(server.address, "GET /bad\"quote\t HTTP/1.1\r\n\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
    let post = format!(
        "POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        1 << 30
    );
    let refused = RawClient::exchange(server.address, post).await;
    assert!(refused.starts_with("HTTP/1.1 413"), "{refused}");
    let field = format!(
        "GET /fields HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(70_000)
    );
    let refused = RawClient::exchange(server.address, field).await;
    assert!(refused.starts_with("HTTP/1.1 431"), "{refused}");

    // Lines are written when their connections are done, in whichever order that is.
    lines(&server, LOG, " 413 ").await;
    let all = lines(&server, LOG, " 431 ").await;
    let plain = "127.0.0.1 - - [] \"GET /a.txt HTTP/1.1\" 200 5";
    let undated: Vec<_> = all.iter().map(|line| undated(line)).collect();
    assert_eq!(
        undated.iter().filter(|line| *line == plain).count(),
        4,
        "{all:#?}"
    );
    for expected in [
        "\"GET /a.txt?not-modified HTTP/1.1\" 304 0",
        "\"HEAD /a.txt?head HTTP/1.1\" 200 0",
        "\"GET /large.bin?part HTTP/1.1\" 206 100",
        "\"GET /large.bin?whole HTTP/1.1\" 200 614400",
        "\"GET /missing HTTP/1.1\" 404 ",
        "127.0.0.1 - ann_b [] \"GET /a.txt?user HTTP/1.1\" 200 5",
        "\"GET /bad%22quote%09 HTTP/1.1\" 400 ",
        "\"POST /post HTTP/1.1\" 413 ",
        "127.0.0.1 - - [] \"GET /fields HTTP/1.1\" 431 ",
    ] {
        assert!(
            undated.iter().any(|line| line.contains(expected)),
            "{expected}: {all:#?}"
        );
    }

    // A component has a log of its own, and what its values are cannot end a field.
    let agent = "curl\\8\" \"forged";
    assert_eq!(
        send("GET", "/echo/x?y", "user-agent", agent).await.status,
        200
    );
    let line = line(&server, "Logs/echo/logweb.txt", "/echo/x?y").await;
    assert!(line.contains("\"GET /echo/x?y HTTP/1.1\" 200 "), "{line}");
    assert!(line.ends_with(" \"-\" \"curl%5C8%22 %22forged\""), "{line}");
}

#[tokio::test]
async fn formats_and_fields_change_at_once() {
    let server = Site::new()
        .page("a.txt", "alpha")
        .guest("echo")
        .start()
        .await;
    for (name, folder, url) in [("site", "Logs", "/a.txt"), ("echo", "Logs/echo", "/echo/a")] {
        let set = async |options: Value| drop(server.admin.set(name, &options).await);
        let log = format!("{folder}/logweb.txt");
        set(json!({"logRecording": 1})).await;
        server.get(&format!("{url}?clf")).await;
        assert!(line(&server, &log, "?clf").await.contains("] \"GET "));

        set(json!({"logRecording": 3, "weblog.fields": ["METHOD", "CS_URI_QUERY", "STATUS", "TRANSFER_TIME"]})).await;
        server.get(&format!("{url}?elf")).await;
        let all = lines(&server, &log, "elf").await;
        assert!(
            all.iter().all(|line| !line.contains("clf")),
            "one file, one format: {all:#?}"
        );
        let fields = "#Fields: cs-method cs-uri-query sc-status time-taken";
        assert_eq!(
            (all[0].as_str(), all[2].as_str()),
            ("#Version: 1.0", fields)
        );
        let mut values = all[3].split(' ');
        assert_eq!(
            (values.next(), values.next(), values.next()),
            (Some("GET"), Some("elf"), Some("200"))
        );
        assert!(values.next().unwrap().parse::<u64>().unwrap() < 60_000);

        set(json!({"logRecording": 4, "weblog.fields": ["DATE", "URL", "C_IP"]})).await;
        server.get(&format!("{url}?wlf")).await;
        let line = line(&server, &log, "?wlf").await;
        let fields: Vec<_> = line.split('\t').collect();
        assert_eq!(fields[0].split(' ').count(), 3, "{line}");
        let expected = format!("http://{}{url}?wlf", server.address);
        assert_eq!(fields[1..], [expected.as_str(), "127.0.0.1"]);

        set(json!({"logRecording": 5})).await;
        server.get(&format!("{url}?json")).await;
        let lines = lines(&server, &format!("{folder}/logweb.jsonl"), "?json").await;
        let entry: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(
            (&entry["status"], &entry["method"]),
            (&json!(200), &json!("GET"))
        );
        assert_eq!(entry["target"], json!(format!("{url}?json")));
        assert_eq!(
            (&entry["server"], &entry["user"]),
            (&json!(name), &json!(null))
        );

        set(json!({"logRecording": 0})).await;
        server.get(&format!("{url}?none")).await;
        set(json!({"logRecording": 5})).await;
        server.get(&format!("{url}?again")).await;
        let path = format!("{folder}/logweb.jsonl");
        let all = self::lines(&server, &path, "?again").await;
        assert!(all.iter().all(|line| !line.contains("?none")), "{all:#?}");
    }
}

#[tokio::test]
async fn fields_of_wlf_are_not_for_elf() {
    let site = Site::new().settings("logRecording = 3\n[weblog]\nfields = [\"DATE\", \"URL\"]\n");
    let exit = site.try_start().await.unwrap_err();
    assert_eq!(exit.code, Some(2), "{exit:?}");
    assert!(
        exit.stderr.contains("URL is a field of WLF only"),
        "{exit:?}"
    );
}

#[tokio::test]
async fn a_log_that_cannot_be_written_is_said_and_tried_again() {
    let site = Site::new()
        .settings("logRecording = 1\n")
        .page("a.txt", "alpha");
    fs::create_dir(site.at("Logs")).unwrap();
    symlink("/dev/full", site.at(LOG)).unwrap();
    let server = site.start().await;
    assert_eq!(server.get("/a.txt?kept").await.status, 200);
    server
        .wait_for_log(&["ERROR", "logweb.txt cannot be written", "No space left"])
        .await;
    let shown = server.properties("site").await;
    let error = shown["accessLog"]["error"].as_str().unwrap();
    assert!(error.contains("No space left"), "{shown}");
    assert_eq!(server.get("/a.txt?also").await.status, 200);

    fs::remove_file(server.site.at(LOG)).unwrap();
    server.wait_for_log(&["logweb.txt is written again"]).await;
    lines(&server, LOG, "?kept").await;
    lines(&server, LOG, "?also").await;
    assert_eq!(server.log().matches("cannot be written").count(), 1);
    let shown = server.properties("site").await;
    assert_eq!(shown["accessLog"]["error"], json!(null));
    assert_eq!(shown["accessLog"]["lost"], json!(0));

    // A folder that has vanished is made again.
    fs::remove_dir_all(server.site.at("Logs")).unwrap();
    server.get("/a.txt?after").await;
    lines(&server, LOG, "?after").await;
}

#[tokio::test]
async fn after_a_hangup_lines_go_to_a_new_file() {
    let site = Site::new()
        .settings("logRecording = 1\n")
        .page("a.txt", "alpha");
    let server = site.start().await;
    server.get("/a.txt?before").await;
    lines(&server, LOG, "?before").await;
    let moved = server.site.at("Logs/moved.txt");
    fs::rename(server.site.at(LOG), &moved).unwrap();
    let id = i32::try_from(server.id()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::HUP).unwrap();
    let path = server.site.at(LOG);
    server
        .wait_until("a new file", async || path.exists().then_some(()))
        .await;
    server.get("/a.txt?after").await;
    let all = lines(&server, LOG, "?after").await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(fs::read_to_string(&moved).unwrap().contains("?before"));
}

#[tokio::test]
async fn what_was_answered_is_in_the_log_of_a_server_that_has_stopped_and_a_torn_line_is_not() {
    let site = Site::new()
        .settings("logRecording = 1\n")
        .page("a.txt", "alpha");
    site.write(LOG, "a whole line\na torn li");
    let server = site.start().await;
    server.get("/a.txt?last").await;
    let (exit, site) = server.stop().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let log = site.read(LOG);
    let all: Vec<_> = log.lines().collect();
    assert_eq!((all.len(), all[0]), (2, "a whole line"), "{log}");
    assert!(all[1].contains("?last"), "{log}");
}

fn archives(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("Logweb Archives"));
    let names = entries.into_iter().flatten();
    let mut names: Vec<_> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_log_of_yesterday_goes_to_the_archive_and_the_newest_stay() {
    let settings = "logRecording = 1\n[weblog]\nrotation = \"every 1 days at 00:00\"\nkeep = 2\n";
    let site = Site::new()
        .settings(settings)
        .page("a.txt", "alpha")
        .guest_with("echo", settings);
    let yesterday = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
    for folder in ["Logs", "Logs/echo"] {
        for day in 1..=3 {
            site.write(
                &format!("{folder}/Logweb Archives/D2020_01_0{day}_T00_00_00.txt"),
                "old",
            );
        }
        let path = format!("{folder}/logweb.txt");
        site.write(&path, "yesterday\n");
        let file = fs::File::options()
            .write(true)
            .open(site.at(&path))
            .unwrap();
        file.set_modified(yesterday).unwrap();
    }
    let server = site.start().await;
    for (folder, url) in [("Logs", "/a.txt"), ("Logs/echo", "/echo/a")] {
        server.get(&format!("{url}?today")).await;
        let all = lines(&server, &format!("{folder}/logweb.txt"), "?today").await;
        assert_eq!(all.len(), 1, "{all:?}");
        let path = server.site.at(folder);
        let names = archives(&path);
        assert_eq!(
            (names.len(), names[0].as_str()),
            (2, "D2020_01_03_T00_00_00.txt")
        );
        let newest = path.join("Logweb Archives").join(&names[1]);
        assert_eq!(fs::read_to_string(newest).unwrap(), "yesterday\n");
    }
}

#[tokio::test]
async fn a_log_that_has_its_size_goes_to_the_archive() {
    let settings = "logRecording = 1\n[weblog]\nrotation = \"every 1 MB\"\n";
    let site = Site::new().settings(settings).page("a.txt", "alpha");
    let line = "x".repeat(99) + "\n";
    site.write(LOG, line.repeat(9_999));
    let server = site.start().await;
    let url = format!("/a.txt?{}", "y".repeat(200));
    server.get(&url).await;
    let folder = server.site.at("Logs");
    server
        .wait_until("an archive", async || {
            (archives(&folder).len() == 1).then_some(())
        })
        .await;
    server.get("/a.txt?next").await;
    assert_eq!(lines(&server, LOG, "?next").await.len(), 1);
}

#[tokio::test]
async fn the_debug_log_has_what_its_level_says_and_no_secrets() {
    let server = Site::new()
        .settings("debugLog = 7\n")
        .page("a.txt", "alpha")
        .guest_with("echo", "debugLog = 7\n")
        .start()
        .await;
    for (name, folder, url) in [("site", "Logs", "/a.txt"), ("echo", "Logs/echo", "/echo/a")] {
        let ask = async |query: &str| {
            let request = Request::post(format!("{url}?{query}&$4DSID=token1"))
                .header("cookie", "4DSID_a=token2")
                .header("authorization", "Bearer token3")
                .body("posted".into());
            server.send(request.unwrap()).await
        };
        let file = format!("{folder}/HTTPDebugLog_1.txt");
        ask("seven").await;
        let all = lines(&server, &file, "?seven").await.join("\n");
        for part in [
            "# REQUEST\n# SocketID: ",
            "# PeerIP: 127.0.0.1\n# PeerPort: ",
            "#SequenceNumber:",
            &format!("POST {url}?seven&$4DSID=*** HTTP/1.1\n"),
            "cookie: 4DSID_a=***\n",
            "authorization: Bearer ***\n",
            "# RESPONSE\n",
            " ms)\n#ConnectionID: ",
            "server: Tessera/",
        ] {
            assert!(all.contains(part), "{part}: {all}");
        }
        // The component says in its body what it was sent.
        let mut heads = all.lines().filter(|line| !line.starts_with('{'));
        assert!(heads.all(|line| !line.contains("token")), "{all}");
        if name == "echo" {
            assert!(all.contains("\n\nposted\n[Body Size: 6]\n"), "{all}");
        }

        server
            .admin
            .set(name, &json!({"debugLog": 1, "weblog.mask_secrets": false}))
            .await;
        ask("one").await;
        let all = lines(&server, &file, "?one").await.join("\n");
        let (_, last) = all.split_once("?one").unwrap();
        assert!(
            last.contains("Bearer token3") && last.contains("4DSID_a=token2"),
            "{last}"
        );
        assert!(
            !last.contains("posted") && last.contains("[Body Size: "),
            "{last}"
        );

        server.admin.stop(name).await;
        server.admin.start(name, &json!({})).await;
        ask("next").await;
        lines(&server, &format!("{folder}/HTTPDebugLog_2.txt"), "?next").await;
        server.admin.set(name, &json!({"debugLog": 0})).await;
    }
}

#[tokio::test]
async fn the_diagnostic_log_has_what_the_process_says() {
    let settings = "[log]\ndiagnostic = \"warn\"\n[weblog]\nkeep = 2\n";
    let site = Site::new().settings(settings);
    for number in 7..10 {
        site.write(&format!("Logs/TesseraDiagnosticLog_{number}.txt"), "old\n");
    }
    site.write("components/broken.wasm", "no component");
    let server = site.start().await;
    let file = "Logs/TesseraDiagnosticLog_10.txt";
    let all = lines(&server, file, "broken").await;
    assert!(
        all[0].starts_with("sequenceNumber\ttimestamp\tloggerID"),
        "{all:#?}"
    );
    let mut numbers = Vec::new();
    for line in &all[1..] {
        let fields: Vec<_> = line.split('\t').collect();
        assert_eq!(fields.len(), 6, "{line}");
        numbers.push(fields[0].parse::<u64>().unwrap());
        assert!(
            fields[1].ends_with('Z') && fields[1].contains('.'),
            "{line}"
        );
        assert!(["Error", "Warning"].contains(&fields[4]), "{line}");
    }
    assert_eq!(numbers[0], 1, "{all:#?}");
    assert!(!server.site.at("Logs/TesseraDiagnosticLog_8.txt").exists());
    assert_eq!(server.site.read("Logs/TesseraDiagnosticLog_9.txt"), "old\n");
}
