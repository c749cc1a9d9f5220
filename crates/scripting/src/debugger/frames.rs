//! The call stack as a debugger sees it, and the hook that Lua calls at lines: the room for `unsafe` of the debugger.
//!
//! The rules of `lua` and `engine` hold here as well: nothing that must be dropped is in the way of an error, and Lua is
//! refused no memory while functions of ours run.
#![allow(unsafe_code)]

use super::session;
use crate::engine::{SLICE, Shared};
use crate::lua::Lua;
use mlua_sys as sys;
use std::ffi::{CStr, c_int};

/// What scripts are called where their source is asked for.
const SCRIPT: &[u8] = b"@user_script";

/// Has Lua tell of lines and of slices: a session begins.
pub(crate) fn watch_lines(lua: Lua) {
    // SAFETY: the state is alive, and does not run.
    unsafe {
        sys::lua_sethook(lua.raw(), Some(hook), sys::LUA_MASKCOUNT | sys::LUA_MASKLINE, SLICE as c_int)
    };
}

/// Has Lua tell of slices alone, to this hook.
pub(crate) fn watch_slices(lua: Lua, hook: sys::lua_Hook) {
    // SAFETY: as in `watch_lines`.
    unsafe { sys::lua_sethook(lua.raw(), Some(hook), sys::LUA_MASKCOUNT, SLICE as c_int) };
}

/// Called by Lua before each line and every so many instructions.
unsafe extern "C-unwind" fn hook(raw: *mut sys::lua_State, event: *mut sys::lua_Debug) {
    let lua = Lua::new(raw);
    let shared = Shared::of(lua);
    // SAFETY: Lua hands over what has happened.
    let slice = unsafe { (*event).event } == sys::LUA_HOOKCOUNT;
    shared.memory.let_refuse(false);
    let error = match session::on_event(lua, shared, slice) {
        Ok(()) => {
            shared.memory.let_refuse(true);
            return;
        }
        Err(error) => error,
    };
    lua.push_error_table(error);
    shared.memory.let_refuse(true);
    // SAFETY: a hook may raise errors and has room for one; nothing here needs to be dropped.
    unsafe { sys::lua_error(raw) };
}

/// A function that is being called.
pub(super) struct Frame {
    /// What its caller calls it.
    pub(super) name: Option<Vec<u8>>,
    /// Its current line, if it is part of the script.
    pub(super) line_of_script: Option<usize>,
}

/// The function at `level` of the call stack; the running one is at zero.
pub(super) fn frame(lua: Lua, level: c_int) -> Option<Frame> {
    let ar = info(lua, level, c"nSl")?;
    // SAFETY: the strings of a function live as long as the function; there may be no name.
    let name = unsafe { (!ar.name.is_null()).then(|| CStr::from_ptr(ar.name).to_bytes().to_vec()) };
    Some(Frame { name, line_of_script: line(&ar) })
}

/// The current line of the function at `level`, if it is part of the script.
pub(super) fn line_of_script(lua: Lua, level: c_int) -> Option<usize> {
    line(&info(lua, level, c"Sl")?)
}

fn line(ar: &sys::lua_Debug) -> Option<usize> {
    // SAFETY: `ar` was asked for the source, which is there for functions of every kind.
    let source = unsafe { CStr::from_ptr(ar.source) }.to_bytes();
    usize::try_from(ar.currentline).ok().filter(|_| source == SCRIPT)
}

fn info(lua: Lua, level: c_int, what: &CStr) -> Option<sys::lua_Debug> {
    // SAFETY: `ar` is filled by Lua before it is read.
    unsafe {
        let mut ar: sys::lua_Debug = std::mem::zeroed();
        let found = sys::lua_getstack(lua.raw(), level, &mut ar) != 0
            && sys::lua_getinfo(lua.raw(), what.as_ptr(), &mut ar) != 0;
        found.then_some(ar)
    }
}

/// Pushes local variable `i`, from 1, of the function at `level`, and gives its name; `None`, with nothing pushed, if there
/// are fewer.
pub(super) fn push_local(lua: Lua, level: c_int, i: c_int) -> Option<Vec<u8>> {
    if !lua.ensure(1) {
        return None;
    }
    // SAFETY: `ar` names a function of the call stack before it is asked for; there is room for the value.
    unsafe {
        let mut ar: sys::lua_Debug = std::mem::zeroed();
        if sys::lua_getstack(lua.raw(), level, &mut ar) == 0 {
            return None;
        }
        let name = sys::lua_getlocal(lua.raw(), &raw const ar, i);
        (!name.is_null()).then(|| CStr::from_ptr(name).to_bytes().to_vec())
    }
}

/// Pushes a global variable that is there.
pub(super) fn push_global(lua: Lua, name: &CStr) {
    // SAFETY: there is room; what leads from the globals of scripts to the real ones raises nothing for one that exists.
    unsafe { sys::lua_getfield_(lua.raw(), sys::LUA_GLOBALSINDEX, name.as_ptr()) };
}
