//! The end of a session's instance: On Web Close Process is called while everything it held is still there.

use std::sync::Arc;

use super::Context;
use crate::call::Call;
use crate::cpu::{CpuMeter, Metered};
use crate::error::ProcessError;
use crate::pool::Cause;
use crate::process;
use crate::session::Sessions;

impl Context {
    /// Ends the instance when those requests that wait for it are answered. `sessions` tell the hook whose it is.
    ///
    /// Says whether there was an instance; the hook, if the component has it, has been called then. It runs on the threads
    /// for long-running guests, for at most `[limits] deadline`.
    ///
    /// # Errors
    ///
    /// When the hook trapped or took too long; the instance is gone all the same.
    pub async fn close(
        self: &Arc<Self>,
        sessions: Option<Arc<dyn Sessions>>,
    ) -> Result<bool, ProcessError> {
        let mut turn = self.last_turn().await;
        let Some(mut instance) = turn.take() else {
            return Ok(false);
        };
        turn.pool().count(Cause::Session, 1);
        let generation = self.generation.clone();
        if !generation.component.hooks.has_session_end() {
            return Ok(true);
        }
        let limit = generation.limits.deadline;
        let call = Call {
            sessions,
            ..Call::outside_of_a_request()
        };
        let exchange = process::idle_exchange_of(&generation, call);
        let meter = CpuMeter::new(generation.limits.cpu_time);
        let variables = turn.variables();
        let counted = meter.clone();
        let work = Box::pin(async move {
            // Nobody else gets a turn before the hook has returned.
            let _turn = turn;
            instance.begin(exchange, counted);
            instance.state_mut().exchange.process_variables = variables;
            instance.close_process().await
        });
        let closing = generation
            .engine
            .background()
            .spawn(Metered { work, meter });
        let abort = closing.abort_handle();
        match tokio::time::timeout(limit, closing).await {
            Ok(Ok(result)) => result.map(|()| true),
            Ok(Err(error)) => Err(ProcessError::Trap {
                hook: crate::hooks::CLOSE_PROCESS,
                message: format!("the hook ended unexpectedly: {error}"),
            }),
            Err(_) => {
                abort.abort();
                Err(ProcessError::Deadline(limit))
            }
        }
    }
}
