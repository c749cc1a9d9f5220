//! The libraries that Redis gives scripts beside Lua's own.

pub(crate) mod bit;
pub(crate) mod json;
mod json_parser;
pub(crate) mod msgpack;
pub(crate) mod number;
pub(crate) mod pack;

use crate::engine::Shared;
use crate::lua::{Lua, Raise, Ran};

/// Adds a function to the table on top of the stack.
fn function<F: Fn(Lua) -> Ran + Copy>(lua: Lua, name: &str, f: F) {
    lua.push_function(f, 0);
    lua.set_field(-2, name);
}

/// Complains if what is being made of Lua's values is larger than all of them may be together: a few tables that name each
/// other often make any size.
fn room(lua: Lua, made: &[u8]) -> Result<(), Raise> {
    if Shared::of(lua).memory.room_for(made.len()) {
        Ok(())
    } else {
        Err(Raise::Bare("not enough memory".into()))
    }
}

/// Adds a text to the table on top of the stack.
fn text(lua: Lua, name: &str, text: &str) {
    lua.push_bytes(text.as_bytes());
    lua.set_field(-2, name);
}
