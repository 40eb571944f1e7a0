//! Renders pages for tests: variables, methods and files are tables.

use std::collections::HashMap;
use std::sync::Arc;

use tessera_tags::{
    Call, CallFailure, Context, Fault, Limits, Renderer, Step, Syntax, Template, Value,
};

type Method = fn(&mut Site, &[Value]) -> Result<Value, CallFailure>;

/// A site as a page sees it.
#[derive(Default)]
pub(crate) struct Site {
    pub(crate) variables: HashMap<String, Value>,
    pub(crate) methods: HashMap<&'static str, Method>,
    pub(crate) files: HashMap<&'static str, &'static str>,
    pub(crate) limits: Limits,
    /// Methods that were called, with what for.
    pub(crate) calls: Vec<String>,
    /// How often it paused.
    pub(crate) pauses: usize,
    /// Whether the site takes variables that a page sets.
    pub(crate) takes_variables: bool,
}

impl Context for Site {
    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.get(&name.to_lowercase()).cloned()
    }

    fn assign(&mut self, name: &str, value: &Value) -> bool {
        if self.takes_variables {
            self.variables.insert(name.to_lowercase(), value.clone());
        }
        self.takes_variables
    }
}

/// What came of a page.
pub(crate) struct Rendered {
    pub(crate) text: String,
    pub(crate) faults: Vec<Fault>,
}

impl Site {
    pub(crate) fn with(variables: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let variables = variables.into_iter();
        Self {
            variables: variables
                .map(|(name, value)| (name.to_lowercase(), value))
                .collect(),
            ..Self::default()
        }
    }

    pub(crate) fn method(mut self, name: &'static str, method: Method) -> Self {
        self.methods.insert(name, method);
        self
    }

    pub(crate) fn file(mut self, path: &'static str, text: &'static str) -> Self {
        self.files.insert(path, text);
        self
    }

    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    fn call(&mut self, call: &Call) -> Result<Value, CallFailure> {
        self.calls.push(format!(
            "{} {:?} {:?}",
            call.method, call.occasion, call.arguments
        ));
        let name = call.method.to_lowercase();
        let method = *self
            .methods
            .get(name.as_str())
            .ok_or(CallFailure::Missing)?;
        method(self, &call.arguments)
    }

    pub(crate) fn render(&mut self, page: &str) -> String {
        self.rendered("index.shtml", page.as_bytes()).text
    }

    pub(crate) fn rendered(&mut self, path: &str, page: &[u8]) -> Rendered {
        let bytes = self.bytes(path, page);
        Rendered {
            text: String::from_utf8_lossy(&bytes.0).into_owned(),
            faults: bytes.1,
        }
    }

    pub(crate) fn bytes(&mut self, path: &str, page: &[u8]) -> (Vec<u8>, Vec<Fault>) {
        let template = Template::compile(page.to_vec(), Syntax::All, &self.limits).unwrap();
        let mut renderer = Renderer::new(Arc::new(template), path, self.limits.clone());
        let mut output = Vec::new();
        loop {
            match renderer.run(self, &mut output) {
                Step::Done => return (output, renderer.faults().to_vec()),
                Step::Call(call) => {
                    let returned = self.call(&call);
                    renderer.answer(returned);
                }
                Step::Include { path } => renderer.include(self.included(&path)),
                Step::Pause => self.pauses += 1,
                step => panic!("{step:?}"),
            }
        }
    }

    fn included(&self, path: &str) -> Option<Arc<Template>> {
        let text = self.files.get(path)?;
        let template = Template::compile_included(text.as_bytes().to_vec(), &self.limits);
        Some(Arc::new(template.unwrap()))
    }
}

/// Renders each page and compares.
pub(crate) fn check(site: &mut Site, pages: &[(&str, &str)]) {
    for (page, expected) in pages {
        assert_eq!(site.render(page), *expected, "{page}");
    }
}
