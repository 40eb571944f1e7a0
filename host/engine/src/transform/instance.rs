//! The tags of what a web process sent, on the instance that it runs on: methods are called there.

use tessera_tags::{Call, CallFailure, Value as TagValue};

use super::rendering::Rendering;
use super::{Draft, SentFile, Source};
use crate::answer::AnswerBody;
use crate::cpu::CpuSpent;
use crate::error::ProcessError;
use crate::folder::Document;
use crate::generation::Generation;
use crate::hooks;
use crate::instance::Instance;
use crate::json;
use crate::reached::Limit;
use crate::variables::Seen;
use crate::wit::Value;

/// What the methods that one page calls may return, all together, in bytes of memory.
const RETURNED_BYTES_MAX: usize = 64 << 20;

impl Instance {
    /// Sends a page that was asked for by its URL.
    pub(crate) fn send_page(&mut self, document: Document) {
        let exchange = &mut self.state_mut().exchange;
        let variables = exchange.process_variables.clone();
        // Nothing has gone to the client yet, so that nothing is in the way.
        let _ = exchange.answer.send_document(document, variables);
    }

    /// Whether what was sent is to be finished yet.
    pub(crate) fn has_draft(&self, result: &Result<(), ProcessError>) -> bool {
        match result {
            Ok(()) => self.state().exchange.answer.draft.is_some(),
            Err(ProcessError::Unauthorized { answer, .. }) => answer.draft.is_some(),
            Err(_) => false,
        }
    }

    /// Finishes what was sent. Who was refused has tags carried out, too, but none that call a method.
    pub(crate) async fn transform(
        &mut self,
        generation: &Generation,
        result: Result<(), ProcessError>,
    ) -> Result<(), ProcessError> {
        match result {
            Ok(()) => self.finish_draft(Some(generation)).await,
            Err(ProcessError::Unauthorized { reason, mut answer }) => {
                std::mem::swap(&mut self.state_mut().exchange.answer, &mut answer);
                self.finish_draft(None).await?;
                std::mem::swap(&mut self.state_mut().exchange.answer, &mut answer);
                Err(ProcessError::Unauthorized { reason, answer })
            }
            Err(error) => Err(error),
        }
    }

    async fn finish_draft(&mut self, generation: Option<&Generation>) -> Result<(), ProcessError> {
        let Some(source) = self.source() else {
            return Ok(());
        };
        let state = self.state();
        let (folder, meter) = (state.exchange.call.folder.clone(), state.meter.clone());
        let output_max = state.profile.response_bytes_max as u64;
        let mut rendering = Rendering::new(source, output_max);
        let mut room = RETURNED_BYTES_MAX;
        let is_spent = |spent| spent_too_much(spent, &meter);
        loop {
            let state = self.state_mut();
            let mut seen = Seen {
                variables: &mut state.exchange.process_variables,
                budget: state.limiter.budget(),
            };
            let step = rendering.advance(&mut seen, folder.as_ref(), Some(&meter));
            let Some(call) = step.await.map_err(is_spent)? else {
                break;
            };
            let returned = match generation {
                Some(generation) => self.call_for_tag(generation, call, &mut room).await?,
                None => Err(CallFailure::Denied),
            };
            if matches!(self.state().exchange.answer.body, AnswerBody::Redirect(_)) {
                return Ok(());
            }
            let going_on = rendering.answer(returned, Some(&meter));
            going_on.await.map_err(is_spent)?;
        }
        let state = self.state_mut();
        let (name, id) = (&state.profile.component, state.exchange.call.id);
        state.exchange.answer.body = rendering.finish(name, id);
        Ok(())
    }

    /// What is to be rendered, with the variables back as they were when it was sent. None if there is nothing to render.
    fn source(&mut self) -> Option<Source> {
        let exchange = &mut self.state_mut().exchange;
        let answer = &mut exchange.answer;
        let Draft {
            document,
            variables,
        } = *answer.draft.take()?;
        if let AnswerBody::Redirect(_) = answer.body {
            return None;
        }
        let body = std::mem::take(&mut answer.body);
        let source = match document {
            Some(document) => match Source::of_document(&document) {
                Some(source) => source,
                None => {
                    let call = &mut exchange.call;
                    answer.body = AnswerBody::File(Box::new(SentFile {
                        document,
                        method: call.method.clone(),
                        headers: std::mem::take(&mut call.headers),
                    }));
                    return None;
                }
            },
            None => match Source::of_body(body, answer.headers.get(http::header::CONTENT_TYPE)) {
                Ok(source) => source,
                Err(body) => {
                    answer.body = body;
                    return None;
                }
            },
        };
        exchange.process_variables = variables;
        Some(source)
    }

    /// Calls a method for a tag. What it sends instead of returning it stands for what it returns, if it is text; of other
    /// things only a redirection goes further than the tag.
    async fn call_for_tag(
        &mut self,
        generation: &Generation,
        call: Call,
        room: &mut usize,
    ) -> Result<Result<TagValue, CallFailure>, ProcessError> {
        let name = match generation.method(&call.method) {
            None => return Ok(Err(CallFailure::Missing)),
            Some(method) if !method.available => return Ok(Err(CallFailure::Denied)),
            Some(method) => method.name.clone(),
        };
        let arguments = call.arguments.iter().map(wit_value).collect();
        let returned = self.call_method(name, arguments).await?;
        let answer = &mut self.state_mut().exchange.answer;
        answer.draft = None;
        let sent = match &answer.body {
            AnswerBody::Redirect(_) => AnswerBody::Empty,
            _ => std::mem::take(&mut answer.body),
        };
        let value = match (returned, sent) {
            (Ok(Value::Null), AnswerBody::Text { text, .. }) => Value::Text(text),
            (Ok(value), _) => value,
            (Err(message), _) => {
                self.tell(&call, &message);
                return Ok(Err(CallFailure::Failed));
            }
        };
        let value = tag_value(value, room).map_err(|message| {
            self.tell(&call, &message);
            CallFailure::Failed
        });
        Ok(value)
    }

    fn tell(&self, call: &Call, message: &str) {
        let state = self.state();
        let request = format_args!("{:016x}", state.exchange.call.id);
        let (server, method) = (&*state.profile.component, &*call.method);
        tracing::warn!(server, %request, method, "the method failed that a tag called: {message}");
    }
}

fn spent_too_much(spent: CpuSpent, meter: &crate::cpu::CpuMeter) -> ProcessError {
    ProcessError::Limit {
        hook: hooks::TAGS,
        limit: Limit::CpuTime,
        value: format!("{:?}", meter.limit()),
        message: spent.to_string(),
    }
}

/// A value of a tag, as a method takes it.
fn wit_value(value: &TagValue) -> Value {
    match value {
        TagValue::Null => Value::Null,
        TagValue::Boolean(value) => Value::Boolean(*value),
        TagValue::Number(value) => Value::Number(*value),
        TagValue::Text(text) => Value::Text(text.as_ref().to_owned()),
        list_or_object => Value::Json(json::write(list_or_object)),
    }
}

/// What a method returned, as tags see it, if there is room for it.
fn tag_value(value: Value, room: &mut usize) -> Result<TagValue, String> {
    let too_much =
        || format!("methods of one page may return {RETURNED_BYTES_MAX} bytes, and returned more");
    let (value, bytes) = match value {
        Value::Null => (TagValue::Null, 0),
        Value::Boolean(value) => (value.into(), 0),
        Value::Number(value) => (value.into(), 0),
        Value::Text(text) => {
            let bytes = text.len();
            (text.into(), bytes)
        }
        Value::Json(text) => json::parse(&text, *room).map_err(|error| match error {
            json::JsonError::Invalid(why) => format!("what it returned is not JSON: {why}"),
            json::JsonError::TooLarge => too_much(),
        })?,
    };
    *room = room.checked_sub(bytes).ok_or_else(too_much)?;
    Ok(value)
}
