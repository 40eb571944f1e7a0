//! One rendering of a page: what it asks for, and how it is answered.

mod machine;
mod values;
mod pages;
mod loops;
mod output;

use std::sync::Arc;

use crate::fault::{Code, Fault};
use crate::limits::Limits;
use crate::program::Template;
use crate::value::Value;
use crate::variables::Variables;
use loops::Loop;
use machine::Machine;
use output::Output;

/// Faults that a rendering keeps for the log; more are counted only.
const FAULTS_MAX: usize = 32;

/// What a page sees of its web process. Nothing in it waits.
pub trait Context {
    /// The value of a process variable. Names are to be found without regard to case. It is asked for once, and again after
    /// each call of a method.
    fn variable(&self, name: &str) -> Option<Value>;

    /// Takes a process variable that `4DEVAL name:=value` sets. False leaves it with the page, for its own tags.
    fn assign(&mut self, name: &str, value: &Value) -> bool {
        let _ = (name, value);
        false
    }
}

/// Where a page goes to.
pub trait Sink {
    /// Bytes of the page as they are.
    fn bytes(&mut self, bytes: &[u8]);

    /// Text that a tag inserts: for pages that are not UTF-8, the place to convert it.
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Whether it should be emptied before more comes. What is being inserted is finished all the same.
    fn is_full(&self) -> bool {
        false
    }
}

impl Sink for Vec<u8> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Why a rendering came back.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step {
    /// A method is to be called; [`Renderer::answer`] takes what it returns.
    Call(Call),
    /// A page is to be included: its path is relative to the web folder. [`Renderer::include`] takes it.
    Include {
        /// Without `.` and `..`, with `/` between folders.
        path: String,
    },
    /// The sink is full.
    Full,
    /// A slice of work is done: others may have the thread for a while.
    Pause,
    /// The page is finished.
    Done,
}

/// A method that is to be called.
#[derive(Clone, Debug)]
pub struct Call {
    /// As it is written on the page: to be found without regard to case.
    pub method: Arc<str>,
    /// What it is called with.
    pub arguments: Vec<Value>,
    /// What it is called for.
    pub occasion: Occasion,
}

/// What a method is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occasion {
    /// Its name stands in an expression.
    Expression,
    /// 4DSCRIPT: On Web Authentication comes first.
    Script,
    /// A 4DLOOP begins with it, with 0: On Web Authentication may come first.
    LoopStart,
    /// The rounds of a 4DLOOP, with 1, 2, 3...
    LoopRound,
}

/// Why a method returned nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallFailure {
    /// There is no such method.
    Missing,
    /// It is not available to tags.
    Denied,
    /// It failed.
    Failed,
}

/// What the last step asked for.
#[derive(Debug)]
enum Pending {
    /// The value of a method's call in an expression.
    Value,
    /// The value of a name that is no variable, of which a property may be wanted.
    Place {
        place: u32,
        is_text: bool,
    },
    Script,
    Loop {
        is_start: bool,
    },
    Include(Arc<str>),
}

#[derive(Debug)]
enum Answer {
    Value(Result<Value, CallFailure>),
    Page(Option<Arc<Template>>),
}

/// A page that is being gone through.
#[derive(Debug)]
struct Frame {
    template: Arc<Template>,
    /// The next instruction.
    pc: u32,
    /// Where the page's names are in the variables.
    slots: Vec<u32>,
    /// Relative to the web folder.
    page: Arc<str>,
    /// The folder of 4DBASE.
    base: Option<Arc<str>>,
    /// Loops of the pages around this one.
    loops: usize,
}

/// What was counted against the limits.
#[derive(Debug, Default)]
struct Counters {
    rounds: u64,
    includes: u64,
    calls: u64,
    texts: u64,
    work: u64,
    /// The work after which it comes back.
    work_until: u64,
}

/// One rendering of a page. See the crate's documentation for how it is driven.
#[derive(Debug)]
pub struct Renderer {
    limits: Limits,
    frames: Vec<Frame>,
    stack: Vec<Value>,
    loops: Vec<Loop>,
    variables: Variables,
    counters: Counters,
    output: Output,
    pending: Option<Pending>,
    answer: Option<Answer>,
    faults: Vec<Fault>,
    fault_count: u64,
}

impl Renderer {
    /// Begins to render `template`. Paths of included pages are relative to `page`, which is relative to the web folder.
    pub fn new(template: Arc<Template>, page: &str, limits: Limits) -> Self {
        let mut renderer = Self {
            output: Output::new(limits.output_bytes_max),
            limits,
            frames: Vec::new(),
            stack: Vec::new(),
            loops: Vec::new(),
            variables: Variables::new(),
            counters: Counters::default(),
            pending: None,
            answer: None,
            faults: Vec::new(),
            fault_count: 0,
        };
        let first = template.names.len();
        // The first page may have as many names as it was compiled with.
        let names_max = renderer.limits.variables_max.max(first);
        let slots = renderer.variables.slots(&template, names_max);
        renderer.frames.push(Frame {
            template,
            pc: 0,
            slots: slots.unwrap_or_default(),
            page: page.into(),
            base: None,
            loops: 0,
        });
        renderer
    }

    /// Goes on until something is needed, the sink is full or the page is finished.
    ///
    /// A step that asked for something and got no answer counts as one that failed.
    pub fn run<C, S>(&mut self, context: &mut C, sink: &mut S) -> Step
    where
        C: Context + ?Sized,
        S: Sink + ?Sized,
    {
        let until = self.counters.work.saturating_add(self.limits.slice.max(1));
        self.counters.work_until = until.min(self.limits.work_max);
        Machine::new(self, context, sink).run()
    }

    /// Answers [`Step::Call`].
    pub fn answer(&mut self, returned: Result<Value, CallFailure>) {
        self.answer = Some(Answer::Value(returned));
    }

    /// Answers [`Step::Include`]: with a page of [`Template::compile_included`], or None if it cannot be opened.
    pub fn include(&mut self, template: Option<Arc<Template>>) {
        self.answer = Some(Answer::Page(template));
    }

    /// What went wrong so far, at most 32 of them.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How much went wrong so far.
    pub fn fault_count(&self) -> u64 {
        self.fault_count
    }

    /// What was sent so far, in bytes, if the sink took texts as they are.
    pub fn output_bytes(&self) -> u64 {
        self.output.bytes
    }

    fn note(&mut self, template: &Template, page: &Arc<str>, tag: u32, code: Code) {
        self.fault_count += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(template.fault(tag, code, page));
        }
    }
}

impl From<CallFailure> for Code {
    fn from(failure: CallFailure) -> Self {
        match failure {
            CallFailure::Missing => Self::NoMethod,
            CallFailure::Denied => Self::Denied,
            CallFailure::Failed => Self::CallFailed,
        }
    }
}
