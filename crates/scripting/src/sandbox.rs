//! What scripts see: the globals, all of them read-only, and nothing that reaches outside.
//!
//! Lua 5.1 cannot make a table read-only, so scripts are given an empty one in its place whose metatable leads to the
//! real one for reading and refuses to be written to. Functions that go past metatables (`next`, `rawget`, `rawset`,
//! `getmetatable`, `setmetatable`, `table.insert`) are wrapped to know such tables, so that a script cannot tell the
//! difference, let alone leave something behind for the next one.

use crate::api;
use crate::engine::{Purpose, Shared, Versions, handle_error, set_globals};
use crate::libs;
use crate::lua::{GLOBALS, Kind, Lua, Raise, Ran, upvalue};
use mlua_sys as sys;
use std::ffi::{c_int, c_void};

/// Where the real globals lie on the stack of every state.
pub(crate) const REAL_GLOBALS: c_int = 1;
/// Where the handler of errors lies.
pub(crate) const ERROR_HANDLER: c_int = 2;
/// The metatable that leads from the globals that scripts see to the real ones.
const WAY_TO_GLOBALS: c_int = 3;
/// What libraries see while they are being loaded.
const LIBRARY_GLOBALS: c_int = 4;
/// So many places are taken for good.
pub(crate) const FIXED: c_int = 4;

/// The functions of Lua's own that scripts have.
const BASE: [&str; 21] = [
    "assert",
    "collectgarbage",
    "error",
    "gcinfo",
    "getmetatable",
    "ipairs",
    "load",
    "loadstring",
    "next",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawset",
    "select",
    "setmetatable",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "xpcall",
];

/// Only its address counts: under it, the metatable of a read-only table has the real one.
static MARK: u8 = 0;

fn mark() -> *const c_void {
    (&raw const MARK).cast()
}

/// Fills a new state.
pub(crate) fn set_up(lua: Lua, purpose: Purpose, versions: Versions) {
    lua.push_table(0, 64);
    lua.push_function(handle_error, 0);
    lua.push_table(0, 8);
    lua.push_table(0, 4);
    debug_assert_eq!(lua.top(), FIXED);
    open_libraries(lua);
    for name in BASE {
        copy_global(lua, name);
    }
    lua.push_bytes(b"Lua 5.1");
    lua.set_field(REAL_GLOBALS, "_VERSION");
    wrap_base(lua);
    fill_math(lua);
    wrap_strings(lua);
    for library in ["math", "string", "table", "coroutine"] {
        lua.push_bytes(library.as_bytes());
        lua.raw_get(GLOBALS);
        if library == "table" {
            wrap(
                lua,
                "insert",
                |lua| if is_read_only(lua, 1) { Err(refusal_without_place()) } else { Ok(()) },
            );
        }
        publish(lua, library);
    }
    lua.push_table(0, 1);
    function(lua, "clock", api::clock);
    publish(lua, "os");
    libs::bit::push(lua);
    publish(lua, "bit");
    libs::json::push(lua);
    publish(lua, "cjson");
    libs::msgpack::push(lua);
    publish(lua, "cmsgpack");
    libs::pack::push(lua);
    publish(lua, "struct");
    push_api(lua, purpose, versions);
    protect(lua);
    lua.push_copy(-1);
    lua.set_field(REAL_GLOBALS, "redis");
    lua.set_field(REAL_GLOBALS, "server");
    if purpose == Purpose::Scripts {
        for name in ["__redis__err__handler", "__server__err__handler"] {
            lua.push_copy(ERROR_HANDLER);
            lua.set_field(REAL_GLOBALS, name);
        }
    }
    fill_library_globals(lua, versions);
    protect_globals(lua);
    lua.set_top(FIXED);
}

/// Libraries that are being loaded see less: nothing but how to register functions.
pub(crate) fn show_library_globals(lua: Lua, on: bool) {
    lua.push_copy(if on { LIBRARY_GLOBALS } else { REAL_GLOBALS });
    lua.set_field(WAY_TO_GLOBALS, "__index");
}

fn open_libraries(lua: Lua) {
    type Open = unsafe extern "C-unwind" fn(*mut sys::lua_State) -> c_int;
    let openers: [(&str, Open); 4] = [
        ("", sys::luaopen_base),
        ("table", sys::luaopen_table),
        ("string", sys::luaopen_string),
        ("math", sys::luaopen_math),
    ];
    for (name, open) in openers {
        lua.push_c_function(open);
        lua.push_bytes(name.as_bytes());
        lua.call(1, 0);
    }
}

fn copy_global(lua: Lua, name: &str) {
    lua.push_bytes(name.as_bytes());
    lua.raw_get(GLOBALS);
    lua.set_field(REAL_GLOBALS, name);
}

/// Takes the table on top of the stack and makes it a read-only global.
fn publish(lua: Lua, name: &str) {
    protect(lua);
    lua.set_field(REAL_GLOBALS, name);
}

fn function<F: Fn(Lua) -> Ran + Copy>(lua: Lua, name: &str, f: F) {
    lua.push_function(f, 0);
    lua.set_field(-2, name);
}

/// Exchanges the table on top of the stack for one that shows it but cannot be changed.
fn protect(lua: Lua) {
    lua.push_table(0, 0);
    lua.push_table(0, 4);
    lua.push_copy(-3);
    lua.set_field(-2, "__index");
    lua.push_function(|_| Err(refusal()), 0);
    lua.set_field(-2, "__newindex");
    lua.push_mark(mark());
    lua.push_copy(-4);
    lua.raw_set(-3);
    lua.set_metatable(-2);
    lua.remove(-2);
}

/// What scripts call globals: a read-only table that leads to the real ones, which complain about what they lack.
fn protect_globals(lua: Lua) {
    complain_about_absent(lua, REAL_GLOBALS);
    lua.push_table(0, 0);
    let way = WAY_TO_GLOBALS;
    show_library_globals(lua, false);
    lua.push_function(|_| Err(refusal()), 0);
    lua.set_field(way, "__newindex");
    lua.push_mark(mark());
    lua.push_copy(REAL_GLOBALS);
    lua.raw_set(way);
    // What `getmetatable(_G)` shows.
    lua.push_table(0, 1);
    lua.push_function(absent, 0);
    lua.set_field(-2, "__index");
    protect(lua);
    lua.set_field(way, "__metatable");
    lua.push_copy(way);
    lua.set_metatable(-2);
    lua.push_copy(-1);
    lua.set_field(REAL_GLOBALS, "_G");
    set_globals(lua);
}

fn complain_about_absent(lua: Lua, table: c_int) {
    let table = lua.absolute(table);
    lua.push_table(0, 1);
    lua.push_function(absent, 0);
    lua.set_field(-2, "__index");
    lua.set_metatable(table);
}

fn absent(lua: Lua) -> Ran {
    let name = String::from_utf8_lossy(lua.text(2).unwrap_or_default()).into_owned();
    Err(Raise::At(format!("Script attempted to access nonexistent global variable '{name}'").into()))
}

fn refusal() -> Raise {
    Raise::At("Attempt to modify a readonly table".into())
}

fn refusal_without_place() -> Raise {
    Raise::Bare("Attempt to modify a readonly table".into())
}

/// Pushes the real table behind the read-only one at `index`; `false`, with nothing pushed, if it is not one.
pub(crate) fn push_real(lua: Lua, index: c_int) -> bool {
    if lua.kind(index) != Kind::Table || !lua.push_metatable(index) {
        return false;
    }
    lua.push_mark(mark());
    lua.raw_get(-2);
    lua.remove(-2);
    if lua.kind(-1) == Kind::Table {
        return true;
    }
    lua.pop(1);
    false
}

fn is_read_only(lua: Lua, index: c_int) -> bool {
    let yes = push_real(lua, index);
    if yes {
        lua.pop(1);
    }
    yes
}

/// Lets `look` see the arguments before the function `name` of the table on top of the stack does.
fn wrap<F: Fn(Lua) -> Result<(), Raise> + Copy>(lua: Lua, name: &str, look: F) {
    lua.field(-1, name);
    lua.push_wrapped(look);
    lua.set_field(-2, name);
}

/// Puts the real table in the place of a read-only first argument.
fn see_through(lua: Lua) -> Result<(), Raise> {
    if push_real(lua, 1) {
        lua.replace(1);
    }
    Ok(())
}

fn wrap_base(lua: Lua) {
    lua.push_copy(REAL_GLOBALS);
    wrap(lua, "next", see_through);
    wrap(lua, "rawget", see_through);
    wrap(lua, "rawset", |lua| if is_read_only(lua, 1) { Err(refusal_without_place()) } else { Ok(()) });
    wrap(lua, "setmetatable", |lua| if is_read_only(lua, 1) { Err(refusal_without_place()) } else { Ok(()) });
    lua.field(-1, "next");
    lua.push_function(pairs, 1);
    lua.set_field(-2, "pairs");
    lua.field(-1, "getmetatable");
    lua.push_wrapped(|lua| {
        // A read-only table shows what its metatable says it does, or nothing.
        if push_real(lua, 1) {
            lua.pop(1);
            lua.push_metatable(1);
            lua.field(-1, "__metatable");
            if lua.kind(-1) == Kind::Nil {
                // What has no metatable.
                lua.set_top(0);
                lua.push_bool(false);
            } else {
                lua.set_top(1);
            }
        }
        Ok(())
    });
    lua.set_field(-2, "getmetatable");
    function(lua, "pcall", pcall);
    function(lua, "xpcall", xpcall);
    function(lua, "unpack", unpack);
    function(lua, "load", load);
    function(lua, "loadstring", loadstring);
    lua.pop(1);
}

/// `pairs(t)`
fn pairs(lua: Lua) -> Ran {
    lua.check_table(1)?;
    lua.set_top(1);
    lua.push_copy(upvalue(1));
    lua.insert(1);
    lua.push_nil();
    Ok(3)
}

/// `pcall(f, ...)`: of an error that is a table with a text in `err`, the text is given.
fn pcall(lua: Lua) -> Ran {
    if lua.top() == 0 {
        lua.push_bool(true);
    }
    let arguments = lua.top() - 1;
    if lua.call(arguments, sys::LUA_MULTRET) {
        if !lua.ensure(1) {
            return Err(Raise::Bare("stack overflow".into()));
        }
        lua.push_bool(true);
        lua.insert(1);
        return Ok(lua.top());
    }
    if lua.kind(-1) == Kind::Table {
        lua.field(-1, "err");
        if lua.text(-1).is_some() {
            lua.remove(-2);
        }
    }
    lua.push_bool(false);
    lua.insert(1);
    Ok(lua.top())
}

/// `xpcall(f, handler)`. A script that is killed is not asked what it thinks of that: Lua calls handlers of errors that
/// arise in its hook without looking at the time again.
fn xpcall(lua: Lua) -> Ran {
    if lua.top() < 2 {
        return Err(Raise::Argument(2, "value expected".into()));
    }
    lua.set_top(2);
    lua.push_function(
        |lua| {
            if Shared::of(lua).killed().is_err() {
                return Ok(1);
            }
            lua.set_top(1);
            lua.push_copy(upvalue(1));
            lua.insert(1);
            lua.call_unprotected(1);
            Ok(1)
        },
        1,
    );
    lua.insert(1);
    let ok = lua.call_handled(0, sys::LUA_MULTRET, 1);
    lua.push_bool(ok);
    lua.replace(1);
    Ok(lua.top())
}

/// `unpack(t [, from [, to]])`. Lua's own one relies on an `int` that overflows.
fn unpack(lua: Lua) -> Ran {
    lua.check_table(1)?;
    let optional = |argument, default| match lua.kind(argument) {
        Kind::None | Kind::Nil => Ok(default),
        _ => lua.check_integer(argument).map(|n| n as i32),
    };
    let from = optional(2, 1)?;
    let to = optional(3, c_int::try_from(lua.len(1)).unwrap_or(c_int::MAX))?;
    if from > to {
        return Ok(0);
    }
    match c_int::try_from(i64::from(to) - i64::from(from) + 1) {
        Ok(count) if lua.ensure(count) => {
            for i in from..=to {
                lua.raw_get_int(1, i);
            }
            Ok(count)
        }
        _ => Err(Raise::At("too many results to unpack".into())),
    }
}

/// `loadstring(code [, name])`; compiled code is refused.
fn loadstring(lua: Lua) -> Ran {
    let code = lua.check_text(1)?;
    let name = match lua.kind(2) {
        Kind::None | Kind::Nil => code,
        _ => lua.check_text(2)?,
    };
    Ok(compiled(lua, code, name))
}

/// `load(f [, name])`, with pieces from a function.
fn load(lua: Lua) -> Ran {
    if lua.kind(1) != Kind::Function {
        return Err(lua.expected(1, "function"));
    }
    let name = match lua.kind(2) {
        Kind::None | Kind::Nil => b"=(load)".as_slice(),
        _ => lua.check_text(2)?,
    };
    lua.set_top(2);
    let mut code = Vec::new();
    loop {
        lua.push_copy(1);
        if !lua.call(0, 1) {
            lua.push_nil();
            lua.insert(-2);
            return Ok(2);
        }
        match (lua.kind(-1), lua.text(-1)) {
            (Kind::Nil, _) => break,
            (_, Some([])) => break,
            (_, Some(piece)) => code.extend_from_slice(piece),
            _ => {
                lua.push_nil();
                lua.push_bytes(b"reader function must return a string");
                return Ok(2);
            }
        }
        lua.pop(1);
    }
    Ok(compiled(lua, &code, name))
}

/// Pushes a function, or nil and a message.
fn compiled(lua: Lua, code: &[u8], name: &[u8]) -> c_int {
    if lua.compile(code, &String::from_utf8_lossy(name)) {
        return 1;
    }
    lua.push_nil();
    lua.insert(-2);
    2
}

fn fill_math(lua: Lua) {
    lua.push_bytes(b"math");
    lua.raw_get(GLOBALS);
    function(lua, "random", api::random);
    function(lua, "randomseed", api::randomseed);
    lua.pop(1);
}

/// The most items of a pattern: matching takes stack for each of them.
const PATTERN: usize = 4096;

/// Bounds what patterns need of the stack, and hides the metatable of strings.
fn wrap_strings(lua: Lua) {
    lua.push_bytes(b"string");
    lua.raw_get(GLOBALS);
    for name in ["find", "match", "gmatch", "gfind", "gsub"] {
        wrap(lua, name, |lua| {
            let pattern = lua.bytes(2).unwrap_or_default();
            let items =
                |p: &[u8]| p.iter().filter(|b| matches!(b, b'?' | b'*' | b'+' | b'-' | b'(' | b')')).count();
            if pattern.len() > PATTERN && items(pattern) > PATTERN {
                return Err(Raise::At("pattern too complex".into()));
            }
            Ok(())
        });
    }
    lua.pop(1);
    lua.push_bytes(b"");
    if lua.push_metatable(-1) {
        // Through what scripts are shown of it they must not reach the real table of functions.
        lua.push_table(0, 1);
        lua.field(-2, "__index");
        protect(lua);
        lua.set_field(-2, "__index");
        protect(lua);
        lua.set_field(-2, "__metatable");
        lua.pop(1);
    }
    lua.pop(1);
}

fn push_api(lua: Lua, purpose: Purpose, versions: Versions) {
    lua.push_table(0, 32);
    function(lua, "call", api::call);
    function(lua, "pcall", api::pcall);
    function(lua, "error_reply", api::error_reply);
    function(lua, "status_reply", api::status_reply);
    function(lua, "sha1hex", api::sha1hex);
    function(lua, "setresp", api::setresp);
    function(lua, "set_repl", api::set_repl);
    function(lua, "acl_check_cmd", api::acl_check_cmd);
    if purpose == Purpose::Scripts {
        function(lua, "replicate_commands", api::replicate_commands);
        function(lua, "breakpoint", api::breakpoint);
        function(lua, "debug", api::debug);
    }
    for (name, flags) in
        [("REPL_ALL", 3.0), ("REPL_AOF", 1.0), ("REPL_SLAVE", 2.0), ("REPL_REPLICA", 2.0), ("REPL_NONE", 0.0)]
    {
        lua.push_number(flags);
        lua.set_field(-2, name);
    }
    fill_common_api(lua, versions);
}

/// What libraries have already while they are being loaded.
fn fill_common_api(lua: Lua, versions: Versions) {
    function(lua, "log", api::log);
    for (name, level) in [("LOG_DEBUG", 0.0), ("LOG_VERBOSE", 1.0), ("LOG_NOTICE", 2.0), ("LOG_WARNING", 3.0)]
    {
        lua.push_number(level);
        lua.set_field(-2, name);
    }
    for (name, text) in [
        ("REDIS_VERSION", versions.redis),
        ("VALKEY_VERSION", versions.valkey),
        ("SERVER_NAME", versions.name),
    ] {
        lua.push_bytes(text.as_bytes());
        lua.set_field(-2, name);
    }
    for (name, text) in [("REDIS_VERSION_NUM", versions.redis), ("VALKEY_VERSION_NUM", versions.valkey)] {
        lua.push_number(version_number(text));
        lua.set_field(-2, name);
    }
}

/// `major.minor.patch` as one number, a byte each.
fn version_number(text: &str) -> f64 {
    let parts = text.split('.').map(|part| part.parse::<u8>().unwrap_or(0));
    f64::from(parts.fold(0u32, |number, part| number << 8 | u32::from(part)))
}

fn fill_library_globals(lua: Lua, versions: Versions) {
    lua.push_table(0, 16);
    function(lua, "register_function", api::register_function);
    fill_common_api(lua, versions);
    complain_about_absent(lua, -1);
    protect(lua);
    lua.push_copy(-1);
    lua.set_field(LIBRARY_GLOBALS, "redis");
    lua.set_field(LIBRARY_GLOBALS, "server");
    complain_about_absent(lua, LIBRARY_GLOBALS);
}
