//! File descriptors: every connection takes one, and every file that is being sent.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the process needs beside one for each connection: files, ports, the engine, the log.
const RESERVE: u64 = 256;

/// Lets the process have as many descriptors as it is allowed to, and says when they are too few for that many
/// connections. The usual limit of 1024 is for programs that cannot count further; there are none here.
pub fn provide(connections_max: u32) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let needed = u64::from(connections_max) + RESERVE;
    // No limit is `None`.
    if let Some(allowed) = allowed.filter(|allowed| *allowed < needed) {
        tracing::warn!(
            allowed,
            needed,
            "fewer file descriptors than server.max_connections needs: raise the limit (`ulimit -n`, LimitNOFILE=), or \
             lower the setting"
        );
    }
}
