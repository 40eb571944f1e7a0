//! What components may ask of the host: one file for each interface of `wit/`, and what WASI has beside
//! that which comes with Wasmtime.
//!
//! The functions are linked by hand, one by one: a component that imports one that is not here is refused when
//! it is loaded, with the function's name, and the ones on the path of every request copy no more than they must.

mod body_parts;
mod config;
mod home_page;
mod keyvalue;
mod missing;
mod request;
mod response;
mod send_file;
mod session;
mod variables;
mod web_server;

use wasmtime::component::Linker;

use crate::state::State;

pub(crate) use missing::link_error;

pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut request = linker.instance("tessera:web/request@0.1.0")?;
    request::add_to_linker(&mut request)?;
    body_parts::add_to_linker(&mut request)?;
    let mut response = linker.instance("tessera:web/response@0.1.0")?;
    response::add_to_linker(&mut response)?;
    send_file::add_to_linker(&mut response)?;
    home_page::add_to_linker(&mut response)?;
    variables::add_to_linker(&mut linker.instance("tessera:web/variables@0.1.0")?)?;
    session::add_to_linker(&mut linker.instance("tessera:web/session@0.1.0")?)?;
    web_server::add_to_linker(&mut linker.instance("tessera:web/web-server@0.1.0")?)?;
    config::add_to_linker(linker)?;
    keyvalue::add_to_linker(linker)
}
