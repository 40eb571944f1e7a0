//! A web process whose answer may go out while it is made.

use std::pin::Pin;
use std::sync::Arc;

use super::outlet::Outlet;
use crate::answer::{Answer, AnswerBody};
use crate::call::{Call, Deadline, Target};
use crate::cpu::CpuMeter;
use crate::due::Due;
use crate::ended::Ended;
use crate::error::ProcessError;
use crate::generation::Generation;
use crate::process::{exchange, performed};
use crate::wasi_http::{self, Asked};

impl Generation {
    /// Runs the hooks of a component that sends raw data.
    pub(crate) fn begin_raw(
        self: &Arc<Self>,
        call: Call,
        target: Target,
        deadline: Deadline,
        meter: Arc<CpuMeter>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, ProcessError>> + Send>> {
        let due = Due::moving(deadline);
        let asked = Asked {
            id: call.id,
            is_head: call.method == http::Method::HEAD,
            deadline,
            due: due.clone(),
            is_raw: true,
        };
        let (responder, head, body) = wasi_http::responder();
        let mut exchange = exchange(self, call, deadline);
        let is_guarded = self.component.hooks.has_authentication() && !target.is_handler();
        let outlet = Outlet::new(responder, due, is_guarded, &self.limits);
        exchange.outlet = Some(Box::new(outlet));
        let (generation, counted) = (self.clone(), meter.clone());
        let work = Box::pin(async move {
            let ended = performed(&generation, exchange, target, counted).await;
            answered(ended)
        });
        let generation = self.clone();
        Box::pin(
            async move { wasi_http::answer(work, (head, body), meter, &generation, asked).await },
        )
    }
}

/// Sends the answer of a web process that kept it to its end.
fn answered(mut ended: Ended) -> Ended {
    let (is_ok, is_too_large) = (ended.is_ok(), ended.is_body_too_large());
    let Some(exchange) = ended.exchange() else {
        return ended;
    };
    let Some(outlet) = exchange.outlet.as_mut() else {
        return ended;
    };
    if outlet.is_open() && !is_ok {
        // Pieces end when the outlet is gone. Before that it must be known that this is not all of them.
        return ended;
    }
    let Some(responder) = outlet.close() else {
        return ended;
    };
    if is_too_large && matches!(exchange.answer.body, AnswerBody::Empty) {
        ended.fail(ProcessError::BodyTooLarge);
    } else if is_ok {
        let answer = ended
            .exchange()
            .map(|exchange| std::mem::take(&mut exchange.answer));
        responder.send_whole(answer.unwrap_or_default());
    }
    ended
}
