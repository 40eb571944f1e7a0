//! What to tell the author of a component that cannot be linked.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

use crate::error::LoadError;
use crate::state::State;

/// Interfaces of our own, all of whose missing functions are told at once.
const OWN: &str = "tessera:web/";
/// How Wasmtime ends its message about something that the linker does not have.
const MISSING: &str = "implementation is missing";

/// Why `component` cannot be linked, in the words of the contract where something of it is not provided.
pub(crate) fn link_error(
    linker: &Linker<State>,
    component: &Component,
    error: &wasmtime::Error,
) -> LoadError {
    let own = own_functions(linker, component);
    if !own.is_empty() {
        return LoadError::NotProvided(own.join(", "));
    }
    match missing_item(error) {
        Some(item) => LoadError::NotProvided(item),
        None => LoadError::Link(format!("{error:#}")),
    }
}

/// The functions of `tessera:web` that the component imports and the linker does not have.
fn own_functions(linker: &Linker<State>, component: &Component) -> Vec<String> {
    let engine = component.engine();
    let mut linker = linker.clone();
    let mut missing = Vec::new();
    for (interface, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else {
            continue;
        };
        if !interface.starts_with(OWN) {
            continue;
        }
        let Ok(mut provided) = linker.instance(interface) else {
            continue;
        };
        for (function, item) in instance.exports(engine) {
            // A linker cannot be asked what it has, but it does not take a name twice.
            let is_missing = matches!(item.ty, ComponentItem::ComponentFunc(_))
                && provided.func_new(function, |_, _, _, _| Ok(())).is_ok();
            if is_missing {
                missing.push(format!("{function} of {interface}"));
            }
        }
    }
    missing
}

/// The first item of any interface that Wasmtime did not find, if that is what it complains about.
fn missing_item(error: &wasmtime::Error) -> Option<String> {
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    if !chain.last()?.ends_with(MISSING) {
        return None;
    }
    // Each level but the last names what it is about in back quotes: the interface first, the item in it last.
    let mut names = chain.iter().filter_map(|text| text.split('`').nth(1));
    let interface = names.next()?;
    match names.next_back() {
        Some(item) => Some(format!("{item} of {interface}")),
        None => Some(interface.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, EngineOptions};

    /// A component that does nothing but import functions without parameters.
    fn importing(interface: &str, functions: &[&str]) -> Vec<u8> {
        let named = |name: &str| [&[0, name.len() as u8], name.as_bytes()].concat();
        let section = |id: u8, content: &[u8]| [&[id, content.len() as u8], content].concat();
        // One type: an instance; in it first the type of the functions, then each of them.
        let mut types = vec![1, 0x42, 1 + functions.len() as u8, 0x01, 0x40, 0, 0x01, 0];
        for function in functions {
            types.push(0x04);
            types.extend(named(function));
            types.extend([0x01, 0]);
        }
        let import = [&[1], &*named(interface), &[0x05, 0]].concat();
        let header = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
        [&header, &*section(7, &types), &*section(10, &import)].concat()
    }

    #[test]
    fn what_is_missing_is_named() {
        let options = EngineOptions {
            instances: 1,
            memory: 1 << 20,
            code_cache: None,
            spill_folder: std::env::temp_dir(),
            core_dumps: None,
        };
        let engine = Engine::new(&options).unwrap();
        let cases: [(&str, &[&str], &str); 4] = [
            (
                "tessera:web/web-server@0.1.0",
                &["fly", "sail"],
                "imports what is not in this version of Tessera: fly of tessera:web/web-server@0.1.0, \
                 sail of tessera:web/web-server@0.1.0; use",
            ),
            (
                "tessera:web/request@7.0.0",
                &["url"],
                "imports what is not in this version of Tessera: url of tessera:web/request@7.0.0; use",
            ),
            (
                "acme:printer/paper@1.2.3",
                &["feed"],
                "imports what is not in this version of Tessera: feed of acme:printer/paper@1.2.3; use",
            ),
            (
                "tessera:web/request@0.1.0",
                &["url"],
                "cannot be linked: component imports instance `tessera:web/request@0.1.0`",
            ),
        ];
        for (interface, functions, expected) in cases {
            let wasm = importing(interface, functions);
            let component = Component::from_binary(engine.wasmtime(), &wasm).unwrap();
            let error = engine.link(&component).err().unwrap().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let nothing = importing("tessera:web/request@0.1.0", &[]);
        let component = Component::from_binary(engine.wasmtime(), &nothing).unwrap();
        assert!(engine.link(&component).is_ok());
    }
}
