//! Reads and writes what it was granted, and tries what it was not.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};

use serde_json::{Value as Tree, json};
use tessera_guest::prelude::{Json, *};

mod bindings {
    wit_bindgen::generate!({
        inline: r#"
            package test:grants;

            world grants {
                import wasi:config/store@0.2.0-rc.1;
            }

            package wasi:config@0.2.0-rc.1 {
                interface store {
                    variant error { upstream(string), io(string) }
                    get: func(key: string) -> result<option<string>, error>;
                    get-all: func() -> result<list<tuple<string, string>>, error>;
                }
            }
        "#,
        generate_all,
    });
}

use bindings::wasi::config::store;

/// `/4DACTION/config/name`
#[web_method]
fn config(param: &str) -> Json<Tree> {
    Json(json!(store::get(param).ok().flatten()))
}

/// `/4DACTION/all`: everything that wasi:config has, and all environment variables.
#[web_method]
fn all() -> Json<Tree> {
    let config: serde_json::Map<_, _> = store::get_all()
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name, json!(value)))
        .collect();
    let environment: serde_json::Map<_, _> = std::env::vars()
        .map(|(name, value)| (name, json!(value)))
        .collect();
    Json(json!({ "config": config, "environment": environment }))
}

/// `/4DACTION/read/data/file`: the file `/data/file`.
#[web_method]
fn read(param: &str) -> Json<Tree> {
    outcome(fs::read_to_string(format!("/{param}")))
}

/// `/4DACTION/list/data`
#[web_method]
fn list(param: &str) -> Json<Tree> {
    outcome(fs::read_dir(format!("/{param}")).map(|entries| {
        let mut names: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .collect();
        names.sort();
        names.join(" ")
    }))
}

/// `/4DACTION/write/data/file`
#[web_method]
fn write(param: &str) -> Json<Tree> {
    let path = format!("/{param}");
    outcome(fs::write(&path, "written").and_then(|()| fs::read_to_string(&path)))
}

/// `/4DACTION/remove/data/file`
#[web_method]
fn remove(param: &str) -> Json<Tree> {
    outcome(fs::remove_file(format!("/{param}")).map(|()| "removed".to_owned()))
}

/// `/4DACTION/network/127.0.0.1:80`: every way to the network.
#[web_method]
fn network(param: &str) -> Json<Tree> {
    let told = |outcome: std::io::Result<()>| match outcome {
        Ok(()) => json!("done"),
        Err(error) => json!({ "error": error.to_string() }),
    };
    Json(json!({
        "connect": told(TcpStream::connect(param).map(drop)),
        "listen": told(TcpListener::bind("127.0.0.1:0").map(drop)),
        "send": told(UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"x", param)).map(drop)),
        "lookup": told(std::net::ToSocketAddrs::to_socket_addrs("localhost:80").map(drop)),
    }))
}

fn outcome(result: std::io::Result<String>) -> Json<Tree> {
    Json(match result {
        Ok(text) => json!(text),
        Err(error) => json!({ "error": error.to_string() }),
    })
}
