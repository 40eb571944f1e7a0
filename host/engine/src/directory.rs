//! What components may ask about web servers; the host answers through [`ServerDirectory`].

/// Which web server a component means (WEB Server's three selectors).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The asking component's own.
    Database,
    /// The host's.
    HostDatabase,
    /// The one that received the request.
    ReceivingRequest,
}

/// One property of a web server object.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Name, as the WebServer class spells it.
    pub name: String,
    /// The value.
    pub value: PropertyValue,
}

/// The value of a property.
#[derive(Clone, Debug, PartialEq)]
pub enum PropertyValue {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list or an object, as JSON.
    Json(String),
}

/// The web server objects, as components see them. Implemented by the host's registry.
pub trait ServerDirectory: Send + Sync + 'static {
    /// The name of the host's server.
    fn host(&self) -> String;
    /// All names, the host's first, running or not.
    fn names(&self) -> Vec<String>;
    /// All properties of a server, `None` if there is none of that name.
    fn properties(&self, name: &str) -> Option<Vec<Property>>;
}

/// A directory without servers, for checking and testing components outside of a host.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDirectory;

impl ServerDirectory for NoDirectory {
    fn host(&self) -> String {
        String::new()
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn properties(&self, _name: &str) -> Option<Vec<Property>> {
        None
    }
}
