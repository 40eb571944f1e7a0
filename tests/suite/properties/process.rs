//! The rows of the settings that belong to the process as a whole: connections, admin, the log, the engine, traces.

/// As those of `own.rs`, and among them.
pub(super) const ROWS: &str = r#"
server.max_connections | host | number | process | 10000
  takes 1 1000000 10000
  refuses 0 1000001 -1 => from 1 to 1000000
  refuses "100" 1.5 true [] {} => a whole number

server.max_connections_per_address | host | number | process | 1000
  takes 0 1 1000000 1000
  refuses 1000001 -1 => from 0 to 1000000
  refuses "100" 1.5 true [] {} => a whole number

server.header_timeout | host | duration | process | "10 s"
  takes "100 ms" "10 min" 10
  refuses 0 "99 ms" 601 "10" => from 100 ms to 10 min
  refuses true [] {} => a duration from

server.body_timeout | host | duration | process | "20 s"
  takes "100 ms" "1 h" 20
  refuses 0 "99 ms" 3601 "10" => from 100 ms to 1 h
  refuses true [] {} => a duration from

server.send_timeout | host | duration | process | "30 s"
  takes "100 ms" "1 h" 30
  refuses 0 "99 ms" 3601 "10" => from 100 ms to 1 h
  refuses true [] {} => a duration from

server.min_rate | host | number | process | 240
  takes 0 1000000 240
  refuses 1000001 -1 => from 0 to 1000000
  refuses "100" 1.5 true [] {} => a whole number

server.drain_timeout | host | duration | process | "10 s"
  takes 0 "1 h" 10
  refuses -1 3601 "1 d" => from 0 s to 1 h
  refuses true [] {} => a duration from

tls.handshake_timeout | host | duration | process | "10 s"
  takes 0.1 "10 min" 10
  refuses 0 601 "" => from 100 ms to 10 min
  refuses true [] {} => a duration from

proxy.trusted | host | text or list of texts | process | []
  takes ["10.0.0.0/8", "2001:db8::/32"] ["192.0.2.1", "::1"] []
  takes "10.0.0.1" => ["10.0.0.1"]
  takes ["10.0.0.1/32", "::ffff:192.0.2.1"] => ["10.0.0.1", "192.0.2.1"]
  refuses "10.0.0.0/33" "localhost" "" "10.0.0" "10.0.0.*" ["a"] => an IPv4 or IPv6 address or network
  refuses "0.0.0.0/0" ["::/0"] => must not be everybody
  refuses "10.0.0.1/8" => must be 10.0.0.0/8 or a longer prefix
  refuses 1 true {} [1] => an IPv4 or IPv6 address or network

proxy.header | host | text | process | "none"
  takes "none" "x-forwarded-for" "forwarded"
  refuses "X-Forwarded-For" "" "x-real-ip" => "none" or "x-forwarded-for" or "forwarded"
  refuses 1 true [] {} => "none" or "x-forwarded-for" or "forwarded"

proxy.protocol | host | boolean | process | false
  takes true false
  refuses 1 "true" [] {} => true or false

admin.enabled | host | boolean | process | true
  takes false true
  refuses 1 "true" [] {} => true or false

admin.address | host | text | process | "127.0.0.1:7080"
  takes "[::1]:7080" "127.8.9.1:0" "127.0.0.1:7080"
  refuses "0.0.0.0:7080" "localhost:7080" "127.0.0.1" ":7080" "192.0.2.1:7080" "" => a loopback address
  refuses 7080 true [] {} => a loopback address

admin.access_key | host | text | process | generated at the first start
  takes "12345678" "a-key-of-the-tests"
  refuses "1234567" "1234 5678" "1234567ä" "" => a text of 8 to 256
  refuses 12345678 true [] {} => a text of 8 to 256

admin.health_address | host | text | process | ""
  takes "0.0.0.0:9080" "[::]:9080" "192.0.2.1:0" ""
  refuses "9080" "localhost:9080" "127.0.0.1" ":9080" => an IP address with a port
  refuses 9080 true [] {} => an IP address with a port

admin.health_metrics | host | boolean | process | false
  takes true false
  refuses 1 "true" [] {} => true or false

log.level | host | text | process | "info"
  takes "off" "trace" "info,hyper=warn" "info"
  refuses "inof" "" "info,hyper" "=info" "INFO" => one of off, error
  refuses 1 true [] {} => one of off, error

log.format | host | text | process | "text"
  takes "json" "text"
  refuses "xml" "" "JSON" => "text" or "json"
  refuses 1 true [] {} => "text" or "json"

log.diagnostic | host | text | process | "off"
  takes "error" "warn" "info" "debug" "trace" "off"
  refuses "all" "" "INFO" => "off" or "error"
  refuses 1 true [] {} => "off" or "error"

engine.max_instances | host | number | process | 1000
  takes 1 100000 1000
  refuses 0 100001 -1 => from 1 to 100000
  refuses "1000" 1.5 true [] {} => a whole number

engine.memory_pressure | host | number | process | 90
  takes 1 100 90
  refuses 0 101 -1 => from 1 to 100
  refuses "90" 1.5 true [] {} => a whole number

engine.code_cache | host | boolean | process | true
  takes false true
  refuses 1 "true" [] {} => true or false

engine.core_dumps | host | number | process | 0
  takes 1 100 0
  refuses -1 101 => from 0 to 100
  refuses "1" 1.5 true [] {} => a whole number

outbound.ca_file | host | text | process | ""
  takes "" ""
  stored "ca.pem" "/etc/ssl/ca.pem"
  refuses "../ca.pem" "ca/" => without ".."
  refuses 1 true [] {} => an absolute path

traces.endpoint | host | text | process | ""
  takes "" ""
  stored "http://127.0.0.1:4318/own"
  refuses "127.0.0.1:4318" "ftp://a" "http://" "http://a:b@c" => an http or https URL
  refuses 1 true [] {} => an http or https URL

traces.sample | host | number | process | 1
  takes 0.25 1.0
  refuses 1.5 -0.1 2 -1 => from 0 (none) to 1 (all)
  refuses "1" true [] {} => a number from 0

traces.trust_parents | host | boolean | process | false
  takes true false
  refuses 1 "true" [] {} => true or false

traces.headers_file | host | text | process | ""
  takes "" ""
  stored "collector.txt" "/etc/collector.txt"
  refuses "../a.txt" "a/" => without ".."
  refuses 1 true [] {} => an absolute path

traces.timeout | host | duration | process | "10 s"
  takes "100 ms" "1 min" 10
  refuses 0 "99 ms" 61 "10" => from 100 ms to 1 min
  refuses true [] {} => a duration from

traces.queue | host | number | process | 4096
  takes 1 100000 4096
  refuses 0 100001 -1 => from 1 to 100000
  refuses "1" 1.5 true [] {} => a whole number

traces.service_name | host | text | process | "tessera"
  takes "a" "my site" "tessera"
  refuses "" "a\nb" => a text of 1 to 100 bytes
  refuses 1 true [] {} => a text of 1 to 100 bytes
"#;
