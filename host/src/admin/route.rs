//! The routes of admin: one table, from which finding, `Allow`, the OpenAPI description and the documentation follow.

use hyper::Method;
use percent_encoding::percent_decode_str;

use super::problem::Problem;

/// What one method does at one path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) action: Action,
    pub(super) method: &'static str,
    /// May hold one `{name}`, which stands for the name of a web server, and one `{id}` for what is of that server.
    pub(super) path: &'static str,
    /// What generated clients call it.
    pub(super) id: &'static str,
    /// What it does, in one line.
    pub(super) summary: &'static str,
    /// What to know beside.
    pub(super) details: &'static str,
    pub(super) takes: Takes,
    /// The schema of what it answers.
    pub(super) answers: &'static str,
    /// Problems beyond those that the path, the method and the body bring along.
    pub(super) problems: &'static [u16],
}

/// What admin does for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Health,
    Readiness,
    Info,
    Description,
    Servers,
    Server,
    Set,
    Start,
    Stop,
    ReloadServer,
    Reload,
    Statistics,
    Generations,
    Errors,
    ClearCache,
    Sessions,
    EndSession,
    Metrics,
    Processes,
    Explain,
    Settings,
    Log,
    Deploy,
    Events,
}

/// What an operation reads of the body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing: a body that is there is passed over.
    Nothing,
    /// Settings for this start; an empty body is none.
    Settings,
    /// Session options, as a merge patch.
    Patch,
    /// A WebAssembly component; read piece by piece.
    Module,
}

/// The operation that a request means, and of which web server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) operation: &'static Operation,
    /// Empty where the path names none.
    pub(super) server: String,
    /// Of what is of a server; empty where the path names none.
    pub(super) id: String,
}

/// All operations, in the order of the documentation; those of one path stand together.
pub(super) static OPERATIONS: &[Operation] = &[
    Operation {
        action: Action::Servers,
        method: "GET",
        path: "/api/v1/servers",
        id: "listServers",
        summary: "Every web server, running or not: the host's first, then the components' by name.",
        details: "WEB Server list.",
        takes: Takes::Nothing,
        answers: "ServerList",
        problems: &[],
    },
    Operation {
        action: Action::Server,
        method: "GET",
        path: "/api/v1/servers/{name}",
        id: "showServer",
        summary: "One web server with every property.",
        details: "Running: the values in use. Stopped: the values of the next start.",
        takes: Takes::Nothing,
        answers: "Server",
        problems: &[],
    },
    Operation {
        action: Action::Set,
        method: "PATCH",
        path: "/api/v1/servers/{name}",
        id: "setServer",
        summary: "Sets session options of a web server; null takes one back.",
        details: "They last until the process ends, also across stop and start. Either all of them are taken or, \
                  when one is wrong, none.",
        takes: Takes::Patch,
        answers: "ChangedServer",
        problems: &[422],
    },
    Operation {
        action: Action::Start,
        method: "POST",
        path: "/api/v1/servers/{name}/start",
        id: "startServer",
        summary: "Starts a web server, with settings that last until it stops.",
        details: "Whether it started is in the answer; the status is 200 either way.",
        takes: Takes::Settings,
        answers: "StartResult",
        problems: &[],
    },
    Operation {
        action: Action::Stop,
        method: "POST",
        path: "/api/v1/servers/{name}/stop",
        id: "stopServer",
        summary: "Stops a web server, and answers when its requests in progress have ended.",
        details: "Takes back the settings that it was started with. Of a stopped server it does nothing.",
        takes: Takes::Nothing,
        answers: "StopResult",
        problems: &[],
    },
    Operation {
        action: Action::ReloadServer,
        method: "POST",
        path: "/api/v1/servers/{name}/reload",
        id: "reloadServer",
        summary: "Reads the files of one web server again.",
        details: "A version that cannot be loaded leaves the one before it serving. So does one that imports more than \
                  it, unless `accept=true` is in the query.",
        takes: Takes::Nothing,
        answers: "ReloadList",
        problems: &[],
    },
    Operation {
        action: Action::Generations,
        method: "GET",
        path: "/api/v1/servers/{name}/generations",
        id: "listGenerations",
        summary: "The last versions of a component, the newest first: what they are, and what they have done.",
        details: "Those that were refused, too. At most 20, or `limit`.",
        takes: Takes::Nothing,
        answers: "GenerationList",
        problems: &[],
    },
    Operation {
        action: Action::Errors,
        method: "GET",
        path: "/api/v1/servers/{name}/errors",
        id: "listErrors",
        summary: "The last requests that a component failed to answer, the newest first.",
        details: "With the backtrace, the memory and the time of those that trapped. At most 50, or `limit`; the log has all.",
        takes: Takes::Nothing,
        answers: "ErrorList",
        problems: &[],
    },
    Operation {
        action: Action::Statistics,
        method: "GET",
        path: "/api/v1/servers/{name}/statistics",
        id: "showStatistics",
        summary: "What a web server has answered since it started, and what the page cache holds of its files, the most \
                  requested first.",
        details: "WEB GET STATISTICS. Sizes are those of the whole cache, which web servers may share. At most 1000 \
                  objects are named.",
        takes: Takes::Nothing,
        answers: "Statistics",
        problems: &[],
    },
    Operation {
        action: Action::Processes,
        method: "GET",
        path: "/api/v1/servers/{name}/processes",
        id: "showProcesses",
        summary: "The web processes of a web server, and the instances that are kept for them.",
        details: "Requests that wait for an instance, and those that were refused, too.",
        takes: Takes::Nothing,
        answers: "Processes",
        problems: &[],
    },
    Operation {
        action: Action::ClearCache,
        method: "DELETE",
        path: "/api/v1/servers/{name}/cache",
        id: "clearCache",
        summary: "Forgets what the page cache holds of a web server's files.",
        details: "As /4DCACHECLEAR does.",
        takes: Takes::Nothing,
        answers: "Done",
        problems: &[],
    },
    Operation {
        action: Action::Sessions,
        method: "GET",
        path: "/api/v1/servers/{name}/sessions",
        id: "listSessions",
        summary: "The sessions of a web server's clients.",
        details: "Without secrets, and without what is in their storage. At most 1000, or `limit`; with \
                  `next` of one part of the list as `after` comes the next. `user=NAME` lists those of one user.",
        takes: Takes::Nothing,
        answers: "SessionList",
        problems: &[503],
    },
    Operation {
        action: Action::EndSession,
        method: "DELETE",
        path: "/api/v1/servers/{name}/sessions/{id}",
        id: "endSession",
        summary: "Ends a session.",
        details: "Its client is a guest from the next request on.",
        takes: Takes::Nothing,
        answers: "Done",
        problems: &[503],
    },
    Operation {
        action: Action::Settings,
        method: "GET",
        path: "/api/v1/servers/{name}/settings",
        id: "listSettings",
        summary: "Every setting of a web server: its value, what is allowed, and when a change takes effect.",
        details: "Running: the values in use. Stopped: those of the next start. Without secrets and variables.",
        takes: Takes::Nothing,
        answers: "SettingList",
        problems: &[409],
    },
    Operation {
        action: Action::Log,
        method: "GET",
        path: "/api/v1/servers/{name}/log",
        id: "readLog",
        summary: "The end of a log file of a web server, and with `after` what was added since.",
        details: "Whole lines, at most 1000 or `limit`, and 256 KiB; only of the web server's own folder in `Logs/`.",
        takes: Takes::Nothing,
        answers: "LogTail",
        problems: &[503],
    },
    Operation {
        action: Action::Deploy,
        method: "PUT",
        path: "/api/v1/components/{name}",
        id: "deployComponent",
        summary: "Takes a module, examines it as a load would, and lets it serve as this component.",
        details: "A module that is no good, or imports more than the version that serves (unless `accept=true`), changes \
                  nothing. At most 128 MiB.",
        takes: Takes::Module,
        answers: "Deployed",
        problems: &[409, 422, 503],
    },
    Operation {
        action: Action::Events,
        method: "GET",
        path: "/api/v1/events",
        id: "followFigures",
        summary: "The figures of all web servers once a second, as server-sent events.",
        details: "`event: figures`; the schema is that of `data`. At most 16 streams. `event: end`: the session of the page is \
                  over.",
        takes: Takes::Nothing,
        answers: "Figures",
        problems: &[503],
    },
    Operation {
        action: Action::Reload,
        method: "POST",
        path: "/api/v1/reload",
        id: "reloadAll",
        summary: "Reads the files of all web servers again.",
        details: "A version that cannot be loaded leaves the one before it serving.",
        takes: Takes::Nothing,
        answers: "ReloadList",
        problems: &[],
    },
    Operation {
        action: Action::Info,
        method: "GET",
        path: "/api/v1/info",
        id: "showInfo",
        summary: "The host's web server and the process: state, settings, version, counts.",
        details: "WEB Get server info; `cache=true` adds what is kept of the host's files in memory.",
        takes: Takes::Nothing,
        answers: "Info",
        problems: &[],
    },
    Operation {
        action: Action::Explain,
        method: "GET",
        path: "/api/v1/explain",
        id: "explainUrl",
        summary: "What would answer a GET of a URL: which web server, mount, handler, file or component.",
        details: "`url` in the query is a path of the host, or a URL with the host and port that clients use. Nothing is run; \
                  a file is looked for as for a request.",
        takes: Takes::Nothing,
        answers: "Explained",
        problems: &[],
    },
    Operation {
        action: Action::Description,
        method: "GET",
        path: "/api/v1/openapi.json",
        id: "showDescription",
        summary: "This API as an OpenAPI 3.1 document.",
        details: "Made from the code that answers, so that it cannot differ.",
        takes: Takes::Nothing,
        answers: "Description",
        problems: &[],
    },
    Operation {
        action: Action::Metrics,
        method: "GET",
        path: "/metrics",
        id: "showMetrics",
        summary: "What is counted and measured, as Prometheus reads it.",
        details: "Text, not JSON. docs/metrics.md lists all of it.",
        takes: Takes::Nothing,
        answers: "Metrics",
        problems: &[],
    },
    Operation {
        action: Action::Health,
        method: "GET",
        path: "/healthz",
        id: "checkHealth",
        summary: "Whether the process runs.",
        details: "For whoever restarts it.",
        takes: Takes::Nothing,
        answers: "Status",
        problems: &[],
    },
    Operation {
        action: Action::Readiness,
        method: "GET",
        path: "/readyz",
        id: "checkReadiness",
        summary: "Whether requests may be sent to the site.",
        details: "Not while a web server that should run does not, nor while the process ends. Servers that were \
                  stopped by hand, and those that do not launch at startup, are not waited for.",
        takes: Takes::Nothing,
        answers: "Status",
        problems: &[503],
    },
];

const API: &str = "/api";
const METRICS: &str = "/metrics";
const NAME: &str = "{name}";
const ID: &str = "{id}";

impl Operation {
    /// Whether it is about one web server.
    pub(super) fn is_of_one_server(&self) -> bool {
        self.path.split('/').any(|step| step == NAME)
    }

    /// Whether it is about one thing of a web server.
    pub(super) fn is_of_one_id(&self) -> bool {
        self.path.split('/').any(|step| step == ID)
    }
}

/// Whether a path asks for the access key: everything of the API, whether it exists or not, and the metrics, which name
/// web servers and tell what they do.
pub(super) fn needs_key(path: &str) -> bool {
    let is_of_api = path
        .strip_prefix(API)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    is_of_api || path == METRICS
}

/// Finds the operation of a method and a path.
pub(super) fn find(method: &Method, path: &str) -> Result<Found, Problem> {
    let of_path = |operation: &'static Operation| {
        let (server, id) = names_of(operation.path, path)?;
        Some(Found {
            operation,
            server,
            id,
        })
    };
    let mut here: Vec<Found> = OPERATIONS.iter().filter_map(of_path).collect();
    if here.is_empty() {
        return Err(Problem::nothing_here(path));
    }
    let asked = if method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    match here.iter().position(|it| it.operation.method == asked) {
        Some(index) => Ok(here.swap_remove(index)),
        None => Err(Problem::method_not_allowed(&allowed(&here))),
    }
}

/// The methods for `Allow`; whatever may be read may also be asked for its head.
fn allowed(here: &[Found]) -> String {
    let methods = here.iter().map(|it| match it.operation.method {
        "GET" => "GET, HEAD",
        other => other,
    });
    methods.collect::<Vec<_>>().join(", ")
}

/// What a path has where the template has `{name}` and `{id}`, or an empty text where it has none; `None` when the two
/// differ.
fn names_of(template: &str, path: &str) -> Option<(String, String)> {
    let (mut expected, mut steps) = (template.split('/'), path.split('/'));
    let (mut server, mut id) = (String::new(), String::new());
    loop {
        match (expected.next(), steps.next()) {
            (None, None) => return Some((server, id)),
            (Some(NAME), Some(step)) => server = decoded(step)?,
            (Some(ID), Some(step)) => id = decoded(step)?,
            (Some(expected), Some(step)) if expected == step => {}
            _ => return None,
        }
    }
}

fn decoded(step: &str) -> Option<String> {
    let name = percent_decode_str(step).decode_utf8().ok()?;
    (!name.is_empty()).then(|| name.into_owned())
}
