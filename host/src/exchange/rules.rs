//! Which rules are about a request.

use std::sync::Arc;

use ::http::header::{
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};

use super::admit::{Visit, whole_path};
use crate::http::Request;
use crate::rules::Plan;
use crate::server::{Receiver, Serving};
use crate::settings::Mount;

/// The plan for a request: the rules of the server that answers, and after them those of the host where it handed the
/// request over by a path of its own. A component that is mounted by a host name is another site.
pub(super) fn plan(receiver: &Receiver, visit: &Visit, request: &mut Request) -> Plan {
    let mut plan = Plan::default();
    let rules = &visit.serving.web.responses.rules;
    if !rules.patterns.is_empty() {
        plan.add(rules, visit.path(request.uri()));
    }
    if !Arc::ptr_eq(&visit.server, &receiver.server)
        && visit.serving.mount.as_ref().is_some_and(is_by_path)
        && let Some(host) = receiver.server.serving()
    {
        plan.add(&host.web.responses.rules, whole_path(request.uri()));
    }
    if plan.has_status() {
        // With another status it is the whole that is sent.
        let headers = request.headers_mut();
        for name in [
            IF_MATCH,
            IF_NONE_MATCH,
            IF_MODIFIED_SINCE,
            IF_UNMODIFIED_SINCE,
            IF_RANGE,
            RANGE,
        ] {
            headers.remove(name);
        }
    }
    plan
}

/// The plan for a request that no server was found for.
pub(super) fn plan_of_refused(serving: Option<&Serving>, request: &Request) -> Plan {
    let mut plan = Plan::default();
    if let Some(serving) = serving {
        plan.add(&serving.web.responses.rules, whole_path(request.uri()));
    }
    plan
}

fn is_by_path(mount: &Mount) -> bool {
    mount.host.is_none()
}
