//! Pages asked for by their URL: as long as they call no method, no instance is needed.

use std::sync::Arc;

use tessera_tags::{CallFailure, Context, Value};

use super::rendering::Rendering;
use super::{Source, page_limits};
use crate::answer::Answer;
use crate::folder::{Document, WebFolder};

/// Nothing has set a process variable where nothing has run.
struct NoVariables;

impl Context for NoVariables {
    fn variable(&self, _name: &str) -> Option<Value> {
        None
    }
}

/// Renders a page without an instance. `None` if one is needed, because a tag calls a method that may be called.
///
/// `method` says whether there is a method of a name, and whether it is available to tags.
pub async fn render_alone(
    document: &Document,
    folder: &Arc<dyn WebFolder>,
    server: &str,
    request: u64,
    method: impl Fn(&str) -> Option<bool> + Send,
) -> Option<Answer> {
    let mut answer = Answer::default();
    let Some(source) = Source::of_document(document) else {
        return Some(answer);
    };
    let mut rendering = Rendering::new(source, page_limits().output_bytes_max);
    loop {
        let step = rendering
            .advance(&mut NoVariables, Some(folder), None)
            .await;
        // Without a meter nothing is too much.
        let Ok(Some(call)) = step else {
            break;
        };
        let failure = match method(&call.method) {
            Some(true) => return None,
            Some(false) => CallFailure::Denied,
            None => CallFailure::Missing,
        };
        if rendering.answer(Err(failure), None).await.is_err() {
            break;
        }
    }
    answer.body = rendering.finish(server, request);
    Some(answer)
}
