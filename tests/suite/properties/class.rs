//! The rows of the properties of the WebServer class. How they are read says `table.rs`.

/// What may be set at the top level of either file, in the order of the reference page.
pub(super) const ROWS: &str = r#"
HTTPEnabled | both | boolean | restart | true
  beside {"HTTPSEnabled": true}
  takes false true
  refuses 1 0 "true" "" [] {} => true or false

HTTPPort | both | number | restart | 80 | null
  takes 1 65535 8097
  takes 0 => 80
  refuses -1 65536 100000000000000000000 => from 0 to 65535
  refuses "80" "" 80.5 true [80] {} => a whole number

HTTPSEnabled | both | boolean | restart | false
  beside {"HTTPEnabled": true}
  takes false true
  refuses 1 0 "false" [] {} => true or false

HTTPSPort | both | number | restart | 443 | null
  takes 65535 1 8447
  takes 0 => 443
  refuses -1 65536 100000000000000000000 => from 0 to 65535
  refuses "443" 443.5 false [443] {} => a whole number
  beside {"HTTPPort": 8097, "HTTPSEnabled": true, "HTTPEnabled": true}
  refuses 8097 => the same port

IPAddressToListen | both | text or list of texts | restart | "0.0.0.0"
  takes "127.0.0.1" ["127.0.0.2", "127.0.0.3"]
  takes ["127.0.0.5"] => "127.0.0.5"
  takes "::ffff:127.0.0.4" => "127.0.0.4"
  takes "::" => "0.0.0.0"
  takes "0.0.0.0"
  stored "::1" ["192.0.2.7", "2001:db8::7"]
  stored "2001:DB8:0:0::8" => "2001:db8::8"
  refuses "localhost" "" "256.0.0.1" "127.0.0.1:80" "[::1]" "127.0.0.1 " [] ["a"] [1] => an IPv4 or IPv6 address
  refuses ["::1", "0::1"] => only once
  refuses ["0.0.0.0", "::1"] => must not name others
  refuses 1 true {} => must be an IPv4 or IPv6 address

certificateFolder | both | text | restart | "OWN"
  beside {"rootFolder": "WebFolder"}
  takes "tls" => "OWN/tls"
  takes "more/tls" => "OWN/more/tls"
  takes "OWN/tls"
  refuses "" "tls/" "./tls" "../tls" "more/../tls" "more//tls" "tls\u0000" => without ".."
  refuses "WebFolder/tls" => the private key could be fetched
  refuses 5 true [] {} => must be an absolute path

minTLSVersion | both | number | restart | 3
  takes 3 4
  refuses 1 => TLS 1.0
  refuses 2 => TLS 1.1
  refuses 0 5 -1 => 3 (TLS 1.2) or 4 (TLS 1.3)
  refuses "3" 3.5 true [] {} => 3 (TLS 1.2) or 4 (TLS 1.3), not a

cipherSuite | both | text | restart | ""
  takes "TLS_AES_256_GCM_SHA384" ""
  takes "ECDHE-ECDSA-AES128-GCM-SHA256:TLS_CHACHA20_POLY1305_SHA256"
  takes "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
  refuses "AES256-SHA" "tls_aes_256_gcm_sha384" "TLS_AES_256_GCM_SHA384:" ":" "HIGH:!aNULL" => no cipher suite of the TLS library
  refuses 1 true ["TLS_AES_256_GCM_SHA384"] {} => must be a text

rootFolder | both | text | reload | "OWN/WebFolder"
  takes "public" => "OWN/public"
  takes "public/html" => "OWN/public/html"
  takes "OWN/public"
  stored "/srv/pages"
  refuses "" "a/" "." ".." "../x" "a/../../x" "a//b" ".git" "a/.b" "a\\b" "c:a" "a\u0000" => inside the folder
  refuses "components" "Logs/a" "COMPONENTS/b" => not in components or Logs
  refuses "OWN" => must not hold the folder
  refuses 5 true [] {} => must be an absolute path

defaultHomepage | both | text | reload | "index.html"
  takes "" "2024" "a/b c.html" "start.html"
  refuses "/index.html" "a/" ".." "../a" ".hidden" "a/.b" "a\\b" "c:d" "a//b" "a\u0000" => inside rootFolder
  refuses 5 true [] {} => must be a path

maxRequestSize | both | number | reload | 2000000
  takes 500000 2147483647 1000000
  refuses 499999 2147483648 0 -1 => from 500000 to 2147483647
  refuses "500000" "1 MiB" 500000.5 true [] {} => a whole number

maxConcurrentProcesses | both | number | reload | 100
  takes 10 32000 50
  refuses 9 32001 0 -10 => from 10 to 32000
  refuses "10" 10.5 true [] {} => a whole number

HTTPTrace | both | boolean | reload | false
  takes true false
  refuses 1 "yes" [] {} => true or false

characterSet | both | text or number | reload | "UTF-8"
  takes 4 => "ISO-8859-1"
  takes 2256 => "Windows-1256"
  takes "Shift-JIS"
  takes "EUC-KR" => "euc-kr"
  takes "shift_jis" => "Shift-JIS"
  takes "utf-8" => "UTF-8"
  refuses 0 3 5 2257 -4 "latin1" "UTF-16" "" => a name or number of
  refuses 4.5 true [] {} => a name or number of

HTTPCompressionLevel | both | number | reload | 1
  takes 1 9 -1 5
  refuses 0 10 -2 => from 1 (fastest) to 9 (smallest), or -1
  refuses "9" 1.5 true [] {} => a whole number

HTTPCompressionThreshold | both | number | reload | 1024
  takes 0 2147483647 2048
  refuses -1 2147483648 => from 0 to 2147483647
  refuses "1 KiB" 1024.5 false [] {} => a whole number

CORSEnabled | both | boolean | reload | false
  takes true false
  refuses 1 "true" [] {} => true or false

CORSSettings | both | list of tables | reload | []
  takes []
  takes [{"host": "Shop.Example", "methods": "get; post;GET"}] => [{"host": "shop.example", "methods": "GET;POST"}]
  takes [{"host": "*"}, {"methods": "get"}, {"host": ""}] => [{"host": "*", "methods": ""}]
  takes [{"host": "192.168.*:8081", "methods": ""}, {"host": "https://*.a.example", "methods": "PUT"}]
  refuses "*" 1 true {} => a list of at most 1000
  refuses ["*"] => entry 1: must be {host, methods}
  refuses [{"host": "a b"}] [{"host": "http://a/b"}] [{"host": "null"}] => must be one of the forms
  refuses [{"host": "*"}, {"hosts": "*"}] => entry 2: has no "hosts"
  refuses [{"host": "*", "methods": "fetch"}] => method "fetch"
  refuses [{"host": 5}] [{"host": "*", "methods": ["get"]}] => must be a text

HSTSEnabled | both | boolean | restart | false
  beside {"HTTPSEnabled": true}
  takes true false
  refuses 1 "true" [] {} => true or false
  beside {"HTTPSEnabled": false}
  refuses true => HTTPS is enabled

HSTSMaxAge | both | number | reload | 63072000
  takes 0 2147483647 300
  refuses -1 2147483648 => from 0 to 2147483647
  refuses "1 h" 0.5 true [] {} => a whole number

rules | both | list of tables | reload | []
  takes []
  takes [{"RegExPattern": "/(.*)", "removeHeaders": "Server", "comment": 5}] => [{"regexPattern": "/(.*)", "removeHeaders": "Server"}]
  takes [{"regexPattern": "a"}, {"regexPattern": "^/b$", "setHeaders": {"X-One": "1"}, "addHeaders": {"Vary": "Cookie"}, "removeHeaders": ["Date"]}]
  takes [{"regexPattern": "/c/", "denyAccess": false, "redirect": "/d?e=f", "status": 301}]
  refuses "*" 1 true {} => a list of at most 1000
  refuses ["*"] => entry 1: must be {regexPattern, ...}
  refuses [{"status": 404}] => entry 1: needs regexPattern
  refuses [{"regexPattern": "/"}, {"regexPattern": "("}] => entry 2: regexPattern "(" must be a regular expression
  refuses [{"regexPattern": "/", "status": 99}] => status 99 must be from 200 to 599
  refuses [{"regexPattern": "/", "setHeaders": {"X-One": "a\nb"}}] => must be of visible ASCII

handlers | both | list of tables | reload | []
  takes []
  takes [{"pattern": "a/b", "class": "shop", "method": "m", "verbs": "get, POST", "comment": ""}] => [{"pattern": "a/b", "class": "shop", "method": "m", "verbs": "get, POST"}]
  takes [{"regexPattern": "^/a$", "class": "shop", "method": "m"}, {"pattern": "c", "regexPattern": "d", "class": "shop", "method": "n"}]
  refuses "*" 1 true {} => a list of at most 1000
  refuses ["*"] => entry 1: must be {pattern, method, ...}
  refuses [{"class": "shop", "method": "m"}] => needs pattern or regexPattern
  refuses [{"class": "shop", "pattern": "a"}] => needs method
  refuses [{"pattern": "a(", "class": "shop", "method": "m"}] => must be a regular expression
  refuses [{"regexPattern": "^/4DACTION/a", "class": "shop", "method": "m"}] => must not be of /4daction

scalableSession | both | boolean | reload | true
  beside {"keepSession": false}
  takes false true
  refuses 1 "true" [] {} => true or false

keepSession | both | boolean | reload | false
  beside {"scalableSession": false}
  takes true false
  refuses 1 "true" [] {} => true or false
  beside {"scalableSession": true}
  refuses true => needs scalableSession = false

inactiveProcessTimeout | both | number | reload | -
  beside {"scalableSession": false}
  takes 1 525600 30
  takes 0 => 480
  refuses -1 525601 => from 0 to 525600
  refuses "1 h" 1.5 true [] {} => a whole number

inactiveSessionTimeout | both | number | reload | -
  beside {"scalableSession": false}
  takes 1 525600 30
  takes 0 => 480
  refuses -1 525601 => from 0 to 525600
  refuses "1 h" 1.5 true [] {} => a whole number

maxSessions | both | number | reload | -
  beside {"scalableSession": false, "maxConcurrentProcesses": 32000}
  takes 1 32000 200
  takes 0 => 100
  refuses -1 32001 => from 0 to 32000
  refuses "1" 1.5 true [] {} => a whole number
  beside {"scalableSession": false, "maxConcurrentProcesses": 50}
  refuses 51 => above maxConcurrentProcesses

sessionCookieDomain | both | text | reload | ""
  takes "example.com" "/*.4d.fr" ".4d.fr" ""
  refuses "exa mple.com" "a;b" "a..b" "10.0.0.1" "http://a.b" "größe.de" "a\r\nb" => a domain name
  refuses 5 true [] {} => a domain name

sessionCookiePath | both | text | reload | ""
  takes "/" "/4DACTION" ""
  refuses "4DACTION" "/a;b" "/a b" "/a,b" "/a\r\nb" "/ä" => a path such as
  refuses 5 true [] {} => a path such as

sessionCookieSameSite | both | text | reload | "Strict"
  takes "Lax" "None" "Strict"
  refuses "lax" "" "Loose" => "Strict" or "Lax" or "None"
  refuses 5 true [] {} => "Strict" or "Lax" or "None"

sessionIPAddressValidation | both | boolean | reload | true
  takes false true
  refuses 0 "false" [] {} => true or false

debugLog | both | number | reload | 0
  takes 1 3 5 7 0
  refuses 2 4 6 8 -1 => one of 0 (none)
  refuses "1" 1.5 true [] {} => one of 0 (none)

logRecording | both | number | reload | 0
  takes 1 2 3 4 5 0
  refuses 6 -1 => one of 0 (none)
  refuses "CLF" 1.5 true [] {} => one of 0 (none)
"#;
