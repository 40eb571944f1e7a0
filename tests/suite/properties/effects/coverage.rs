//! Which test shows what a setting does. A setting that is not here fails a test, and so does a test that is gone.

use std::fs;

use tessera_tests::repository;

use super::super::table::{Of, Row, rows};

/// A setting, the test that shows what it does to the host, and the one for a component: as `file::test`, here those of
/// this folder and then those of the suite.
type Shown = (&'static str, &'static str, &'static str);

/// What a server does not have.
const NOTHING: &str = "";
/// The host itself has no texts of components; what it says of them is shown not to be that of a component on its port.
const CHARACTER_SETS: &str = "responses::each_of_the_thirteen_character_sets_is_what_is_sent";
const PROTOCOLS: &str = "network::each_protocol_is_switched_off_by_itself";
const PORTS: &str = "network::a_port_is_changed_by_the_next_start";
const ADDRESSES: &str = "network::a_web_server_listens_on_its_addresses_and_no_other";
const CERTIFICATES: &str = "tls::the_certificate_is_that_of_its_folder";
const VERSIONS: &str = "tls::versions_and_suites_are_those_of_the_start";
const HSTS: &str = "tls::browsers_are_told_to_stay_with_https_over_https_only";
const ROOT: &str = "requests::the_root_and_its_home_page_change_while_a_connection_is_open";
const LET_IN: &str = "requests::what_is_let_in_changes_while_a_connection_is_open";
const SIZE: &str = "requests::the_largest_body_changes_at_once_and_the_highest_value_is_no_limit";
const PROCESSES: &str = "requests::the_number_of_processes_changes_at_once";
const NO_FILE: &str = "files::what_answers_where_no_file_is_changes_at_once";
const RULES: &str = "rules::rules_and_handlers_change_while_a_connection_is_open";
const COMPRESSION: &str = "responses::compression_changes_while_a_connection_is_open";
const RATE: &str = "rate_limit::each_server_holds_each_client_to_its_rate";
const REQUESTS: &str = "connection::a_connection_has_as_many_requests_as_the_settings_say";
const SILENCE: &str = "connection::a_silent_connection_of_either_is_closed_in_its_time";
const INSTANCES: &str = "lifecycle::instances_and_what_they_have_change_at_once";
const ATTACKS: &str = "hostile::each_attack_meets_its_limit_and_harms_nobody";
const KEPT: &str = "cache::files_are_kept_as_far_as_they_may_be";
const LOOKS: &str = "cache::without_an_interval_every_request_sees_what_is_on_disk";
const SESSIONS: &str = "sessions/settings::settings_of_sessions_change_at_once";
const LOGS: &str = "web_logs::formats_and_fields_change_at_once";
const DEBUG: &str = "web_logs::the_debug_log_has_what_its_level_says_and_no_secrets";
const ARCHIVES: &str = "web_logs::a_log_of_yesterday_goes_to_the_archive_and_the_newest_stay";
/// Sessions keep instances, and the host has none of its own.
const HOST_LEGACY: &str = "sessions/legacy/mod::the_host_has_no_code_that_a_session_could_keep";
const CREDENTIALS: &str = "authentication/settings::settings_of_authentication_change_at_once";
const ONE_TRACE: &str = "traces::a_request_is_one_trace_through_components_that_ask_each_other";
const COLLECTOR_HANGS: &str =
    "traces::a_collector_that_hangs_holds_up_nothing_and_its_losses_are_counted";
const MOVES: &str = "lifecycle::a_component_moves_at_once";

const SHOWN_BY: &[Shown] = &[
    ("HTTPEnabled", PROTOCOLS, PROTOCOLS),
    ("HTTPPort", PORTS, PORTS),
    ("HTTPSEnabled", PROTOCOLS, PROTOCOLS),
    ("HTTPSPort", PORTS, PORTS),
    ("IPAddressToListen", ADDRESSES, ADDRESSES),
    ("certificateFolder", CERTIFICATES, CERTIFICATES),
    ("minTLSVersion", VERSIONS, VERSIONS),
    ("cipherSuite", VERSIONS, VERSIONS),
    ("rootFolder", ROOT, ROOT),
    ("defaultHomepage", ROOT, ROOT),
    ("maxRequestSize", SIZE, SIZE),
    ("maxConcurrentProcesses", PROCESSES, PROCESSES),
    ("HTTPTrace", LET_IN, LET_IN),
    ("characterSet", CHARACTER_SETS, CHARACTER_SETS),
    ("HTTPCompressionLevel", COMPRESSION, COMPRESSION),
    ("HTTPCompressionThreshold", COMPRESSION, COMPRESSION),
    ("CORSEnabled", LET_IN, LET_IN),
    ("CORSSettings", LET_IN, LET_IN),
    ("HSTSEnabled", HSTS, HSTS),
    ("HSTSMaxAge", HSTS, HSTS),
    ("rules", RULES, RULES),
    ("handlers", RULES, RULES),
    ("keep_alive.enabled", REQUESTS, REQUESTS),
    ("keep_alive.max_requests", REQUESTS, REQUESTS),
    ("keep_alive.timeout", SILENCE, SILENCE),
    (
        "web.launch_at_startup",
        "lifecycle::a_host_that_does_not_launch_waits_to_be_started",
        "control::what_does_not_launch_at_startup_waits_to_be_started",
    ),
    (
        "web.send_extended_characters",
        CHARACTER_SETS,
        "responses::extended_characters_are_sent_as_they_are_as_soon_as_they_may_be",
    ),
    ("web.allow_4dsync", LET_IN, LET_IN),
    ("logRecording", LOGS, LOGS),
    ("weblog.fields", LOGS, LOGS),
    ("weblog.rotation", ARCHIVES, ARCHIVES),
    ("weblog.keep", ARCHIVES, ARCHIVES),
    ("debugLog", DEBUG, DEBUG),
    ("weblog.mask_secrets", DEBUG, DEBUG),
    ("rate_limit.requests", RATE, RATE),
    ("rate_limit.burst", RATE, RATE),
    ("scalableSession", SESSIONS, SESSIONS),
    (
        "keepSession",
        HOST_LEGACY,
        "sessions/legacy/mod::variables_live_from_one_request_of_a_session_to_the_next",
    ),
    (
        "inactiveProcessTimeout",
        HOST_LEGACY,
        "sessions/legacy/ends::a_silent_session_is_closed_in_its_time",
    ),
    (
        "inactiveSessionTimeout",
        HOST_LEGACY,
        "sessions/legacy/mod::the_cookie_is_sent_again_with_each_response",
    ),
    (
        "maxSessions",
        HOST_LEGACY,
        "sessions/legacy/ends::the_session_that_was_silent_for_longest_makes_room",
    ),
    (
        "sessionIPAddressValidation",
        HOST_LEGACY,
        "sessions/legacy/mod::a_session_is_held_to_the_address_that_it_began_from",
    ),
    ("sessionCookieDomain", SESSIONS, SESSIONS),
    ("sessionCookiePath", SESSIONS, SESSIONS),
    ("sessionCookieSameSite", SESSIONS, SESSIONS),
    ("sessions.store", SESSIONS, SESSIONS),
    ("sessions.size", SESSIONS, SESSIONS),
    ("sessions.session_size", SESSIONS, SESSIONS),
    ("sessions.roles", SESSIONS, SESSIONS),
    ("cache.enabled", KEPT, KEPT),
    (
        "cache.size",
        "cache::the_size_is_that_of_all_or_of_one",
        NOTHING,
    ),
    (
        "cache.own_size",
        NOTHING,
        "cache::the_size_is_that_of_all_or_of_one",
    ),
    ("cache.max_object_size", KEPT, KEPT),
    ("cache.revalidate", LOOKS, LOOKS),
    ("files.listing", NO_FILE, NO_FILE),
    ("files.clean_urls", NO_FILE, NO_FILE),
    ("files.fallback", NO_FILE, NOTHING),
    (
        "server.max_connections",
        "connection::past_the_limit_of_connections_new_ones_wait",
        NOTHING,
    ),
    (
        "server.max_connections_per_address",
        "addresses::past_the_limit_of_an_address_its_connections_are_closed",
        NOTHING,
    ),
    (
        "proxy.trusted",
        "client_address::only_trusted_proxies_name_the_client",
        NOTHING,
    ),
    (
        "proxy.header",
        "client_address::only_the_field_of_the_settings_is_believed",
        NOTHING,
    ),
    (
        "proxy.protocol",
        "client_address::a_proxy_announces_each_connection",
        NOTHING,
    ),
    (
        "server.header_timeout",
        "connection::a_slow_head_is_cut_off",
        NOTHING,
    ),
    (
        "server.body_timeout",
        "slow::a_body_that_does_not_go_on_is_late",
        NOTHING,
    ),
    (
        "server.send_timeout",
        "slow::a_client_that_reads_nothing_makes_room_for_others",
        NOTHING,
    ),
    (
        "server.min_rate",
        "slow::a_body_that_drips_is_late",
        NOTHING,
    ),
    ("server.drain_timeout", "cli::draining_has_an_end", NOTHING),
    (
        "tls.handshake_timeout",
        "tls::a_handshake_that_does_not_end_is_cut",
        NOTHING,
    ),
    ("admin.enabled", "process::there_may_be_no_admin", NOTHING),
    (
        "admin.address",
        "listen::a_busy_admin_port_is_passed_over",
        NOTHING,
    ),
    ("admin.access_key", "admin::the_key_may_be_set", NOTHING),
    (
        "admin.health_address",
        "health::probes_of_other_machines_learn_whether_the_site_is_ready_and_nothing_else",
        NOTHING,
    ),
    (
        "admin.health_metrics",
        "health::metrics_are_there_only_if_they_may_be_and_for_the_key",
        NOTHING,
    ),
    (
        "log.level",
        "process::the_log_has_what_its_level_says_and_code_is_kept_only_where_it_may_be",
        NOTHING,
    ),
    (
        "log.format",
        "failures::the_log_has_the_request_and_the_backtrace",
        NOTHING,
    ),
    (
        "log.diagnostic",
        "web_logs::the_diagnostic_log_has_what_the_process_says",
        NOTHING,
    ),
    (
        "engine.max_instances",
        "processes::without_an_instance_in_time_it_is_a_503",
        NOTHING,
    ),
    (
        "engine.code_cache",
        "process::the_log_has_what_its_level_says_and_code_is_kept_only_where_it_may_be",
        NOTHING,
    ),
    ("traces.endpoint", ONE_TRACE, NOTHING),
    (
        "traces.sample",
        "traces::without_chances_nothing_is_sent_and_traces_of_others_pass_through",
        NOTHING,
    ),
    (
        "traces.trust_parents",
        "traces::parents_decide_only_where_they_are_trusted",
        NOTHING,
    ),
    (
        "traces.headers_file",
        "traces::fields_for_the_collector_come_from_a_file_that_nobody_else_may_read",
        NOTHING,
    ),
    ("traces.timeout", COLLECTOR_HANGS, NOTHING),
    ("traces.queue", COLLECTOR_HANGS, NOTHING),
    ("traces.service_name", ONE_TRACE, NOTHING),
    ("mount.path", NOTHING, MOVES),
    ("mount.host", NOTHING, MOVES),
    ("mount.strip", NOTHING, MOVES),
    ("authentication.mode", NOTHING, CREDENTIALS),
    ("authentication.realm", NOTHING, CREDENTIALS),
    ("authentication.users_file", NOTHING, CREDENTIALS),
    ("pool.policy", NOTHING, INSTANCES),
    ("pool.min", NOTHING, INSTANCES),
    ("pool.max", NOTHING, INSTANCES),
    (
        "pool.concurrency",
        NOTHING,
        "wasi_http::an_instance_of_0_3_has_several_requests_at_a_time",
    ),
    ("pool.max_requests", NOTHING, INSTANCES),
    (
        "pool.queue_timeout",
        NOTHING,
        "processes::without_an_instance_in_time_it_is_a_503",
    ),
    (
        "limits.memory",
        NOTHING,
        "limits::an_instance_past_its_memory_is_a_500",
    ),
    (
        "limits.deadline",
        NOTHING,
        "limits::a_handler_past_its_deadline_is_a_504",
    ),
    (
        "limits.stream_time",
        NOTHING,
        "raw_data::a_stream_ends_with_its_time",
    ),
    ("limits.response_size", NOTHING, INSTANCES),
    (
        "limits.outbound_calls",
        NOTHING,
        "wasi_http::requests_go_out_as_permitted",
    ),
    (
        "permissions.hosts",
        NOTHING,
        "wasi_http::requests_go_out_as_permitted",
    ),
    (
        "limits.table_elements",
        NOTHING,
        "hostile::tables_have_a_largest_size",
    ),
    ("limits.cpu_time", NOTHING, ATTACKS),
    ("limits.handles", NOTHING, ATTACKS),
    (
        "limits.call_size",
        NOTHING,
        "hostile::what_is_passed_to_the_host_has_a_largest_size",
    ),
    (
        "pool.max_growth",
        NOTHING,
        "pools::an_instance_that_has_grown_retires",
    ),
    (
        "pool.queue",
        NOTHING,
        "pools::who_finds_the_queue_full_is_told_at_once",
    ),
    (
        "engine.memory_pressure",
        "pools::under_pressure_files_and_idle_instances_make_room",
        NOTHING,
    ),
    (
        "engine.core_dumps",
        "failures::the_last_core_dumps_are_kept_if_they_are_wanted",
        NOTHING,
    ),
    (
        "outbound.ca_file",
        "outbound_tls::servers_are_asked_by_tls_that_a_trusted_authority_has_signed",
        NOTHING,
    ),
    (
        "reload.accept_new_imports",
        NOTHING,
        "succession::a_version_that_imports_more_waits_to_be_accepted",
    ),
    (
        "reload.probe",
        NOTHING,
        "succession::a_version_that_fails_its_probe_does_not_take_over",
    ),
    (
        "reload.trial_requests",
        NOTHING,
        "succession::a_version_that_traps_on_trial_is_taken_back",
    ),
    (
        "reload.rollback_after_traps",
        NOTHING,
        "succession::a_version_that_traps_on_trial_is_taken_back",
    ),
    (
        "permissions.control",
        NOTHING,
        "lifecycle::what_a_component_may_do_changes_at_once",
    ),
    (
        "permissions.components",
        NOTHING,
        "neighbours::a_component_calls_those_that_its_permissions_name",
    ),
    (
        "permissions.folders",
        NOTHING,
        "grants::folders_are_read_only_unless_said_otherwise",
    ),
    ("environment.GREETING", NOTHING, INSTANCES),
    (
        "secrets.TOKEN",
        NOTHING,
        "grants::a_secret_is_given_and_read_again_by_a_reload",
    ),
    (
        "config.color",
        NOTHING,
        "grants::configuration_is_what_the_settings_say",
    ),
    (
        "keyvalue.carts",
        NOTHING,
        "keyvalue::buckets_are_a_components_own_unless_they_are_shared",
    ),
];

/// The test for a setting of one of the two kinds of web servers.
fn shown_by(row: &Row, of: Of) -> Option<&'static str> {
    if !row.of.covers(of) {
        return Some(NOTHING);
    }
    let (_, host, component) = SHOWN_BY.iter().find(|(key, ..)| *key == row.key)?;
    Some(if of == Of::Host { host } else { component })
}

/// Whether there is a test of that name, in this folder or in the suite.
fn is_there(path: &str) -> bool {
    let (file, test) = path.split_once("::").unwrap();
    let folders = ["tests/suite/properties/effects", "tests/suite"];
    folders.iter().any(|folder| {
        let path = repository().join(format!("{folder}/{file}.rs"));
        let text = fs::read_to_string(path).unwrap_or_default();
        text.contains(&format!("#[tokio::test]\nasync fn {test}() {{"))
    })
}

#[test]
fn every_setting_has_a_test_of_what_it_does() {
    let mut missing = Vec::new();
    for row in rows() {
        for of in [Of::Host, Of::Component] {
            let found = match shown_by(row, of) {
                None => false,
                Some(NOTHING) => !row.of.covers(of),
                Some(test) => is_there(test),
            };
            if !found {
                missing.push(format!("{} of {of:?}", row.key));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "no test shows what these do: {missing:#?}"
    );
    let is_row = |(key, ..): &&Shown| rows().iter().any(|row| row.key == *key);
    let stale: Vec<_> = SHOWN_BY.iter().filter(|shown| !is_row(shown)).collect();
    assert!(stale.is_empty(), "not settings: {stale:?}");
}
