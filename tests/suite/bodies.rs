//! Whatever is sent to admin as settings, it ends in an answer and never in a failure of the host's own.

use http::Request;
use serde_json::json;
use tessera_tests::Site;

/// Numbers that look random and are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Settings that are seldom right, as JSON that is sometimes broken.
    fn body(&mut self) -> Vec<u8> {
        const KEYS: &[&str] = &[
            "HTTPPort",
            "HTTPEnabled",
            "IPAddressToListen",
            "rootFolder",
            "defaultHomepage",
            "maxRequestSize",
            "maxConcurrentProcesses",
            "characterSet",
            "CORSSettings",
            "HTTPSPort",
            "HTTPSEnabled",
            "minTLSVersion",
            "cipherSuite",
            "certificateFolder",
            "pool",
            "pool.max",
            "limits.memory",
            "mount.path",
            "mount",
            "environment",
            "environment.A",
            "log.level",
            "name",
            "",
            ".",
            "a.b.c",
            "pool.",
            "\u{0}",
            "x",
        ];
        const VALUES: &[&str] = &[
            "null",
            "true",
            "0",
            "-1",
            "1.5",
            "80",
            "65536",
            "600000",
            "1e300",
            "9223372036854775808",
            "\"\"",
            "\"\\u0000\"",
            "\"../..\"",
            "\"/etc\"",
            "\"127.0.0.1\"",
            "\"64 MiB\"",
            "[]",
            "[null]",
            "{}",
            "[[]]",
            "{\"max\":3}",
            "{\"max\":null,\"min\":99}",
            "{\"a\":{\"b\":1}}",
            "[{\"host\":\"a\",\"methods\":7}]",
        ];
        let members: Vec<_> = (0..self.below(4))
            .map(|_| format!("{}:{}", json!(self.pick(KEYS)), self.pick(VALUES)))
            .collect();
        let mut body = format!("{{{}}}", members.join(",")).into_bytes();
        if self.below(4) == 0 {
            let at = self.below(body.len());
            body[at] = u8::try_from(self.below(256)).unwrap();
        }
        body
    }
}

#[tokio::test]
async fn no_body_makes_it_fail() {
    let server = Site::new()
        .guest_with("echo", "HTTPPort = 8099\n[mount]\n")
        .start()
        .await;
    server.admin.stop("echo").await;
    let mut random = Random(0x5eed_0003);
    for number in 0..300 {
        let (method, path) = if random.below(2) == 0 {
            ("POST", "/api/v1/servers/echo/start")
        } else {
            ("PATCH", "/api/v1/servers/echo")
        };
        let body = random.body();
        let shown = format!("{number}: {method} {}", String::from_utf8_lossy(&body));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(body.into())
            .unwrap();
        let reply = server.admin.request(request).await;
        assert!(reply.status.as_u16() < 500, "{shown}: {reply:?}");
        let answer = reply.json();
        let errors = answer["errors"].to_string();
        assert!(!errors.contains("\"errCode\":1099"), "{shown}: {answer}");
        if answer == json!({"success": true}) {
            server.admin.stop("echo").await;
        }
    }
    let all = server.admin.document("/api/v1/servers").await;
    assert_eq!(all[0]["isRunning"], json!(true), "{all}");
}
