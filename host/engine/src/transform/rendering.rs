//! One rendering, driven: pages that it includes are fetched, and others have the thread in between.

use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;
use tessera_tags::{Call, CallFailure, Context, Renderer, Step, Value};

use super::{Source, body_of, page_limits};
use crate::answer::AnswerBody;
use crate::clock::TICK;
use crate::cpu::{CpuMeter, CpuSpent};
use crate::folder::WebFolder;

/// A rendering, and what it has made so far.
pub(super) struct Rendering {
    renderer: Renderer,
    output: Vec<u8>,
    content_type: Option<HeaderValue>,
    /// When others had the thread last.
    since: Instant,
}

impl Rendering {
    /// Begins one that makes at most `output_bytes_max`.
    pub(super) fn new(source: Source, output_bytes_max: u64) -> Self {
        let mut limits = page_limits();
        limits.output_bytes_max = output_bytes_max;
        let output = Vec::with_capacity(source.template.source().len());
        Self {
            renderer: Renderer::new(source.template, &source.page, limits),
            output,
            content_type: source.content_type,
            since: Instant::now(),
        }
    }

    /// Goes on until a method is to be called, or the page is finished.
    ///
    /// # Errors
    ///
    /// When the web process has computed for as long as it may.
    pub(super) async fn advance<C: Context + Send>(
        &mut self,
        context: &mut C,
        folder: Option<&Arc<dyn WebFolder>>,
        meter: Option<&CpuMeter>,
    ) -> Result<Option<Call>, CpuSpent> {
        loop {
            match self.renderer.run(context, &mut self.output) {
                Step::Call(call) => return Ok(Some(call)),
                Step::Include { path } => {
                    let page = match folder {
                        Some(folder) => folder.included(&path).await,
                        None => None,
                    };
                    self.renderer.include(page);
                    self.breathe(meter).await?;
                }
                Step::Pause => self.breathe(meter).await?,
                Step::Done => return Ok(None),
                // The sink is never full.
                _ => {}
            }
        }
    }

    /// Answers the call, and lets others have the thread now and then: many short calls are as long as one.
    pub(super) async fn answer(
        &mut self,
        returned: Result<Value, CallFailure>,
        meter: Option<&CpuMeter>,
    ) -> Result<(), CpuSpent> {
        self.renderer.answer(returned);
        self.breathe(meter).await
    }

    async fn breathe(&mut self, meter: Option<&CpuMeter>) -> Result<(), CpuSpent> {
        if self.since.elapsed() >= TICK {
            if let Some(meter) = meter {
                meter.tick()?;
            }
            tokio::task::yield_now().await;
            self.since = Instant::now();
        }
        Ok(())
    }

    /// What came of it. What was wrong goes to the log, in one line.
    pub(super) fn finish(self, server: &str, request: u64) -> AnswerBody {
        let count = self.renderer.fault_count();
        if let Some(first) = self.renderer.faults().first() {
            let more = match count {
                1 => String::new(),
                _ => format!(" (and {} more)", count - 1),
            };
            let request = format_args!("{request:016x}");
            tracing::warn!(server, %request, "{first}{more}");
        }
        body_of(self.output, self.content_type)
    }
}
