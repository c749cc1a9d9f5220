//! Lua 5.1 as scripts of Redis know it: sandbox, libraries, conversions, and running in slices.
//!
//! Knows nothing of the node: a script that wants a command carried out asks whoever runs it (see [`Engine`]).
//!
//! Where things are:
//! - `engine`: a Lua state, and running one script in it, on a stack of its own.
//! - `lua`: the C interface behind methods; `memory`: its allocator. With `engine`, the room for `unsafe`.
//! - `sandbox`, `api`, `libs/`: what scripts see.
//! - `debugger/`: stopping a script and looking at it.
//! - `convert`: replies to Lua's values and back.
//! - `scripts`: the cache of `EVAL`; `library`: the libraries of `FUNCTION`.

mod api;
mod convert;
mod debugger;
mod engine;
mod flags;
mod library;
mod libs;
mod lua;
mod memory;
mod random;
mod sandbox;
mod scripts;
pub mod sha1;

#[cfg(test)]
mod tests;

pub use debugger::Debugger;
pub use engine::{Answer, Ask, Engine, Kept, Purpose, REPL_ALL, SLICE, Step, Versions};
pub use flags::Flags;
pub use library::{Function, Libraries, Library, Line, LoadError, Policy};
pub use scripts::{Found, Scripts};
