//! `wasi:config/store`: what `[config]` and `[secrets]` of the component's settings say.

use wasmtime::component::Linker;
use wasmtime_wasi_config::WasiConfig;

use crate::state::State;

pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi_config::add_to_linker(linker, |state| {
        WasiConfig::from(&state.profile.granted.config)
    })
}
