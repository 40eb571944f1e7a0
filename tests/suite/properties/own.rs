//! The rows of the settings that only Tessera knows, in tables of their own. How they are read says `table.rs`.

/// What stands in a table of either file, in the order of the reference page. The default is that of the reference
/// page: no web server shows them.
pub(super) const ROWS: &str = r#"
keep_alive.enabled | both | boolean | reload | true
  takes false true
  refuses 1 "true" [] {} => true or false

keep_alive.max_requests | both | number | reload | 100
  takes 0 1 1000000000
  refuses -1 1000000001 => from 0 to 1000000000
  refuses "100" 1.5 true [] {} => a whole number

keep_alive.timeout | both | duration | reload | "15 s"
  takes "100 ms" 0.1 "1 h" 3600 "0.5 min" 15
  refuses 0 0.09 "99 ms" 3601 "61 min" "15" "15 m" "" -1 => from 100 ms to 1 h
  refuses true [] {} => a duration from

web.launch_at_startup | both | boolean | process | true
  takes true false
  refuses 1 "true" [] {} => true or false

web.send_extended_characters | both | boolean | reload | false
  takes true false
  refuses 1 "true" [] {} => true or false

web.allow_4dsync | both | boolean | reload | false
  takes true false
  refuses 1 "true" [] {} => true or false

weblog.fields | both | list of texts | reload | ["DATE","TIME","C_IP","USER","METHOD","CS_URI_STEM","CS_URI_QUERY","STATUS","BYTES_SENT","TRANSFER_TIME","CS(HOST)","CS(USER_AGENT)","CS(REFERER)"]
  takes ["DATE"] ["CS(COOKIE)", "URL"]
  refuses [] ["date"] ["DATE", "DATE"] => field
  refuses 5 true "DATE" {} => a list of

weblog.rotation | both | text | reload | ""
  takes "every 6 hours from 00:30" "every 2 weeks on Mon,Thu at 03:00" "every 10 MB" ""
  refuses "daily" "every 25 hours from 00:00" "every 1 days at 25:00" => "every 100 MB"
  refuses 5 true [] {} => "every 100 MB"

weblog.keep | both | number | reload | 50
  takes 0 1 100000
  refuses -1 100001 => from 0 to 100000
  refuses "5" 1.5 true [] {} => a whole number

weblog.mask_secrets | both | boolean | reload | true
  takes false true
  refuses 1 "true" [] {} => true or false

rate_limit.requests | both | number | reload | 0
  takes 0 100000 1000000
  refuses -1 1000001 => from 0 to 1000000
  refuses "1" 1.5 true [] {} => a whole number

rate_limit.burst | both | number | reload | 0
  takes 0 100000 1000000
  refuses -1 1000001 => from 0 to 1000000
  refuses "1" 1.5 true [] {} => a whole number

sessions.store | both | text | reload | "file"
  takes "memory" "file"
  stored "redis://127.0.0.1:6379/0"
  refuses "disk" "redis://" "rediss://host" "" => or the URL of a Redis server
  refuses 1 true [] {} => or the URL of a Redis server

sessions.size | both | size | reload | "256 MiB"
  takes 65536 "64 KiB" "64 GiB"
  refuses 65535 "65 GiB" -1 "64 M" "" => from 64 KiB to 64 GiB
  refuses 1.5 true [] {} => a size from

sessions.session_size | both | size | reload | "64 KiB"
  takes 1024 "1 KiB" "1 MiB"
  refuses 1023 1048577 -1 "1 M" "" => from 1 KiB to 1 MiB
  refuses 1.5 true [] {} => a size from

sessions.roles | both | table | reload | {}
  takes {} {"reader": [], "an editor": ["reader", "print"]}
  refuses {"WebAdmin": []} {"a": ["WebAdmin"]} => must not name WebAdmin
  refuses {"a": "b"} {"a": [1]} => must be a list of names
  refuses {"a,b": []} {"a": [" b"]} => is no name
  refuses "a" 1 true [] => a table of at most 256 names

files.listing | both | boolean | reload | false
  takes true false
  refuses 1 "true" [] {} => true or false

files.clean_urls | both | boolean | reload | false
  takes true false
  refuses 1 "true" [] {} => true or false

files.fallback | host | text | reload | ""
  takes "app.html" "app/index.html" ""
  refuses "/app.html" "a/" ".." "../a" ".hidden" "a/.b" "a\\b" "a//b" => inside rootFolder
  refuses 5 true [] {} => must be a path

cache.enabled | both | boolean | reload | true
  takes false true
  refuses 1 "true" [] {} => true or false

cache.size | host | size | reload | "10 MiB"
  takes 0 "64 GiB" "64mib" 10485760
  refuses -1 "65 GiB" 68719476737 "1.5 MiB" "64 M" "" => from 0 bytes to 64 GiB
  refuses 1.5 true [] {} => a size from

cache.own_size | component | size | reload | 0
  takes "64 GiB" "64mib" 10485760 0
  refuses -1 "65 GiB" 68719476737 "1.5 MiB" "64 M" "" => from 0 bytes to 64 GiB
  refuses 1.5 true [] {} => a size from

cache.max_object_size | both | size | reload | "512 KiB"
  takes 0 "1 GiB" 1048576 "512 KiB"
  refuses -1 "2 GiB" 1073741825 "64 M" "" => from 0 bytes to 1 GiB
  refuses 1.5 true [] {} => a size from

cache.revalidate | both | duration | reload | "1 s"
  takes 0 "1 h" "100 ms" "1 s"
  refuses -1 3601 "61 min" "soon" => from 0 s to 1 h
  refuses true [] {} => a duration from
"#;

/// Those of components, behind those of the process.
pub(super) const OF_COMPONENTS: &str = r#"
mount.path | component | text | reload | "/" and the component's name; "/" alone where `mount.host` is named
  takes "/" "/a/b-c.d" "/a~!$&'()*+,;=:@/" "/shop"
  refuses "shop" "" "//" "/a//b" "/a/../b" "/a b" "/a?b" "/%41" "/a#b" => starts with a slash
  refuses 1 true [] {} => a path such as

mount.host | component | text | reload | any
  takes "shop.example.com" "Shop.Example.COM." "localhost" "10.0.0.1" "2001:db8::1"
  refuses "shop.example.com:80" "" "a..b" "-a.com" "1.2.3.999" "[::1]" "größe.de" => a DNS name
  refuses 1 true [] {} => a DNS name

mount.strip | component | boolean | reload | true
  takes false true
  refuses 1 "true" [] {} => true or false

authentication.mode | component | text | reload | "custom"
  takes "custom" "basic" "digest"
  refuses "Basic" "" "none" => "custom" or "basic" or "digest"
  refuses 1 true [] {} => "custom" or "basic" or "digest"

authentication.realm | component | text | reload | the component's name
  takes "The shop" "a" "!#[]~"
  refuses "" "a\"b" "a\\b" "caf\u00e9" "a\nb" => 1 to 100 characters of ASCII
  refuses 1 true [] {} => 1 to 100 characters of ASCII

authentication.users_file | component | boolean | reload | false
  takes false
  refuses true => needs the mode
  beside {"authentication.mode": "basic"}
  takes true false
  refuses 1 "true" [] {} => true or false
  beside {"authentication.mode": "digest"}
  refuses true => needs the mode

pool.policy | component | text | reload | "auto"
  takes "fresh" "reuse" "auto"
  stored "concurrent"
  refuses "Reuse" "" "sessions" => "auto" or "reuse" or "fresh" or "concurrent" or "session"
  refuses 1 true [] {} => "auto" or "reuse" or "fresh" or "concurrent" or "session"
  beside {"keepSession": false}
  refuses "session" => needs keepSession = true

pool.min | component | number | reload | 0
  takes 0 1
  beside {"pool.max": 1000}
  stored 1000
  refuses -1 1001 => from 0 to 1000
  refuses "1" 1.5 true [] {} => a whole number
  beside {"pool.max": 4}
  refuses 5 => must not be above pool.max

pool.max | component | number | reload | 10
  takes 1 1000 10
  stored 0
  refuses -1 1001 => from 0 to 1000
  refuses "1" 1.5 true [] {} => a whole number

pool.concurrency | component | number | reload | 16
  takes 1 1000 16
  refuses 0 -1 1001 => from 1 to 1000
  refuses "1" 1.5 true [] {} => a whole number

pool.max_requests | component | number | reload | 1000
  takes 0 1 1000000000
  refuses -1 1000000001 => from 0 to 1000000000
  refuses "1" 1.5 true [] {} => a whole number

pool.max_growth | component | size | reload | "32 MiB"
  takes 65536 "4 GiB" "32 MiB"
  refuses 65535 4294967297 "" => from 64 KiB to 4 GiB
  refuses 1.5 true [] {} => a size from

pool.queue | component | number | reload | 100
  takes 0 10000 100
  refuses -1 10001 => from 0 to 10000
  refuses "1" 1.5 true [] {} => a whole number

pool.queue_timeout | component | duration | reload | "1 s"
  takes 0 "1 min" "250ms"
  refuses -1 61 60.001 "2 min" => from 0 s to 1 min
  refuses true [] {} => a duration from

limits.memory | component | size | reload | "128 MiB"
  takes "128 MiB" "1 GiB"
  stored 1048576 "4 GiB"
  refuses 1048575 4294967297 "5 GiB" "64 M" 0 -1 => from 1 MiB to 4 GiB
  refuses 1.5 true [] {} => a size from

limits.table_elements | component | number | reload | 100000
  takes 50000 100000
  stored 10
  refuses 9 100001 -1 => from 10 to 100000
  refuses "100" 1.5 true [] {} => a whole number

limits.deadline | component | duration | reload | "30 s"
  takes 3600 "1 h" 30
  stored "10 ms" 0.01
  refuses "9 ms" 0 3601 "30" => from 10 ms to 1 h
  refuses true [] {} => a duration from

limits.stream_time | component | duration | reload | "1 h"
  takes 86400 "24 h" 3600
  stored "10 ms" 0.01
  refuses "9 ms" 0 86401 "30" => from 10 ms to 24 h
  refuses true [] {} => a duration from

limits.cpu_time | component | duration | reload | "10 s"
  takes 3600 "1 h" 10
  stored "10 ms" 0.01
  refuses "9 ms" 0 3601 "30" => from 10 ms to 1 h
  refuses true [] {} => a duration from

limits.response_size | component | size | reload | "64 MiB"
  takes 1024 "1 KiB" "4 GiB" "64 MiB"
  refuses 1023 4294967297 "" => from 1 KiB to 4 GiB
  refuses 1.5 true [] {} => a size from

limits.outbound_calls | component | number | reload | 32
  takes 0 10000 32
  refuses -1 10001 => from 0 to 10000
  refuses "1" 1.5 true [] {} => a whole number

limits.call_size | component | size | reload | "64 MiB"
  takes 65536 "64 KiB" "4 GiB" "64 MiB"
  refuses 65535 4294967297 "" => from 64 KiB to 4 GiB
  refuses 1.5 true [] {} => a size from

limits.handles | component | number | reload | 1000
  takes 10 100000 1000
  refuses 9 100001 -1 => from 10 to 100000
  refuses "10" 1.5 true [] {} => a whole number

reload.accept_new_imports | component | boolean | reload | false
  takes true false
  refuses 1 "true" [] {} => true or false

reload.probe | component | text | reload | ""
  takes "" "/"
  stored "/health?deep=1" "/4DACTION/check"
  refuses "health" "/a b" "/a#b" "/größe" "http://a/" => starts with a slash
  refuses 1 true [] {} => a URL as the component sees it

reload.trial_requests | component | number | reload | 0
  takes 0 1 1000000
  refuses -1 1000001 => from 0 to 1000000
  refuses "1" 1.5 true [] {} => a whole number

reload.rollback_after_traps | component | number | reload | 1
  takes 1 2 1000000
  refuses 0 -1 1000001 => from 1 to 1000000
  refuses "1" 1.5 true [] {} => a whole number

permissions.control | component | list of texts | reload | []
  takes ["self"] ["host", "*", "a name"] []
  refuses [""] ["a/b"] [1] ["a\nb"] => names of components
  refuses "*" 1 true {} => a list of names

permissions.components | component | list of texts | reload | []
  takes ["self"] ["host", "*", "a name"] []
  refuses [""] ["a/b"] [1] ["a\nb"] => names of components
  refuses "*" 1 true {} => a list of names

permissions.folders | component | list of tables | reload | []
  takes [] [{"path": "/usr", "guest": "/data"}]
  stored [{"path": "data", "guest": "/data"}] [{"path": "/srv/data", "guest": "/a/b", "write": true}, {"path": "b", "guest": "/b"}]
  refuses [{}] [{"path": "", "guest": "/data"}] [{"path": "../x", "guest": "/data"}] => must be an absolute path
  refuses [{"path": "a", "guest": "data"}] [{"path": "a"}] [{"path": "a", "guest": "/a/"}] => must be a path such as
  refuses [{"path": "a", "guest": "/a"}, {"path": "b", "guest": "/a"}] => is there twice
  refuses [{"path": "a", "guest": "/a", "write": 1}] => true or false
  refuses [{"path": "a", "guest": "/a", "mode": "rw"}] => only path, guest and write
  refuses [{"path": "/", "guest": "/a"}] => must not hold the folder
  refuses ["a"] [1] => must be {path, guest, write}
  refuses "a" 1 true {} => a list of at most

permissions.hosts | component | list of texts | reload | []
  takes ["api.example.com"] ["*.example.org:8443", "http://localhost:9000"] []
  refuses ["a/b"] ["ftp://a"] [""] => is none of hosts
  refuses [1] => hosts such as
  refuses "*" 1 true {} => a list of hosts

environment.GREETING | component | text | reload | none
  takes "hello" "" "2024"
  refuses "a\u0000b" => without NUL
  refuses 1 true [] {} => without NUL

secrets.TOKEN | component | text | reload | none
  takes "token" "secrets/token"
  stored "/run/secrets/token"
  refuses "" "../token" "a/" "a//b" => the path of a file
  refuses 1 true [] {} => the path of a file

config.color | component | text | reload | none
  takes "red" "" "2024"
  refuses "a\u0000b" => without NUL
  refuses 1 true [] {} => without NUL

keyvalue.carts | component | table or text | reload | none
  takes "memory" {"store": "memory", "share": "carts-1", "size": "1 MiB"} {"store": "memory", "size": 4096}
  stored "file" "redis://127.0.0.1:6379/0" {"store": "redis://:password@host"}
  refuses "disk" "redis://" "rediss://host" "" => or the URL of a Redis server
  refuses {} {"size": 1} => needs store
  refuses {"store": "memory", "share": "a b"} {"store": "memory", "share": ""} => share must be a name
  refuses {"store": "memory", "size": 0} {"store": "memory", "size": "65 GiB"} {"store": "memory", "size": true} => size must be a size
  refuses {"store": "memory", "path": "x"} => only store, share and size
  refuses {"store": 1} => store must be a text
  refuses 1 true [] => or the URL of a Redis server
"#;
