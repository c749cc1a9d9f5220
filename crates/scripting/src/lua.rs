//! The C interface of Lua 5.1, as far as this crate needs it, behind methods: the room for `unsafe`, together with
//! `engine`.
//!
//! What makes it sound:
//! - An error of Lua's leaves C and Rust frames by `longjmp`, so no frame with something to drop may be in its way.
//!   Functions made here return their error instead ([`Raise`]); it is raised in [`enter`], when nothing is left to
//!   drop. The methods of [`Lua`] are those of the interface that raise nothing but lack of memory, and while functions
//!   made here run, the allocator (`memory`) never lacks it. Only where Lua itself runs does it keep to the limit.
//! - Indices are those of the running function's frame: arguments, what it has pushed itself, upvalues. Lua grants
//!   twenty places beyond the arguments; who needs more asks with [`Lua::ensure`].
//! - A string's bytes live as long as Lua can reach it: callers keep it on the stack while they look at it.
#![allow(unsafe_code)]

use crate::debugger;
use crate::engine::Shared;
use mlua_sys as sys;
use std::borrow::Cow;
use std::ffi::{c_int, c_void};

/// One thread of a Lua state, and the frame of the function that runs in it.
#[derive(Clone, Copy)]
pub(crate) struct Lua(*mut sys::lua_State);

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    None,
    Nil,
    Boolean,
    LightUserdata,
    Number,
    String,
    Table,
    Function,
    Userdata,
    Thread,
}

impl Kind {
    /// The name in messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Kind::None => "no value",
            Kind::Nil => "nil",
            Kind::Boolean => "boolean",
            Kind::LightUserdata | Kind::Userdata => "userdata",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Table => "table",
            Kind::Function => "function",
            Kind::Thread => "thread",
        }
    }
}

/// An error that a function of ours raises.
#[derive(Debug)]
pub(crate) enum Raise {
    /// A text, behind the position of the caller: `user_script:1: text`.
    At(Cow<'static, str>),
    /// A text alone.
    Bare(Cow<'static, str>),
    /// A table `{err = "ERR text"}`, as functions of `redis` raise it.
    Table(Cow<'static, str>),
    /// A complaint about an argument: `bad argument #1 to 'name' (text)`.
    Argument(c_int, Cow<'static, str>),
    /// The value on top of the stack.
    Top,
}

/// The number of results on top of the stack, or an error.
pub(crate) type Ran = Result<c_int, Raise>;

/// Positions of upvalues.
pub(crate) const fn upvalue(i: c_int) -> c_int {
    sys::lua_upvalueindex(i)
}

/// The most bytes of code: the lexer counts in C's `int`.
const MOST_CODE: usize = 512 << 20;

/// The table that only Rust sees.
pub(crate) const REGISTRY: c_int = sys::LUA_REGISTRYINDEX;
/// The table of globals of the running thread.
pub(crate) const GLOBALS: c_int = sys::LUA_GLOBALSINDEX;

/// Calls `F` and raises its error, if any, once nothing is left to drop.
unsafe extern "C-unwind" fn enter<F: Fn(Lua) -> Ran + Copy>(raw: *mut sys::lua_State) -> c_int {
    const { assert!(size_of::<F>() == 0, "a function without captures") };
    // SAFETY: a value of a type without size may be conjured up; the closure was one when it was registered.
    let function: F = unsafe { std::ptr::NonNull::dangling().read() };
    let lua = Lua(raw);
    let shared = Shared::of(lua);
    shared.memory.let_refuse(false);
    let argument = match function(lua) {
        Ok(results) => {
            shared.memory.let_refuse(true);
            return results;
        }
        Err(raise) => lua.push_raise(raise),
    };
    shared.memory.let_refuse(true);
    // SAFETY: what is to be raised is on top of the stack, and this frame holds nothing to drop any more.
    unsafe {
        if argument > 0 {
            sys::luaL_argerror(raw, argument, sys::lua_tostring(raw, -1));
        }
        sys::lua_error(raw)
    }
}

/// Lets `F` look at the arguments, then calls the function that is the first upvalue, in the same frame.
unsafe extern "C-unwind" fn enter_wrapped<F: Fn(Lua) -> Result<(), Raise> + Copy>(
    raw: *mut sys::lua_State,
) -> c_int {
    const { assert!(size_of::<F>() == 0, "a function without captures") };
    // SAFETY: as in `enter`.
    let look: F = unsafe { std::ptr::NonNull::dangling().read() };
    let lua = Lua(raw);
    let shared = Shared::of(lua);
    shared.memory.let_refuse(false);
    if let Err(raise) = look(lua) {
        lua.push_raise(raise);
        shared.memory.let_refuse(true);
        // SAFETY: the error is on top, and nothing is left to drop.
        unsafe { sys::lua_error(raw) }
    }
    shared.memory.let_refuse(true);
    match lua.c_function(upvalue(1)) {
        // SAFETY: a function for this very state, which uses no upvalues of its own; nothing is left to drop.
        Some(function) => unsafe { function(raw) },
        None => 0,
    }
}

impl Lua {
    /// Wraps a thread of a state that is alive.
    pub(crate) fn new(raw: *mut sys::lua_State) -> Lua {
        Lua(raw)
    }

    pub(crate) fn raw(self) -> *mut sys::lua_State {
        self.0
    }

    /// Puts an error on the stack. Returns the number of the argument that it is about, if it is about one.
    fn push_raise(self, raise: Raise) -> c_int {
        // A function that has filled its stack needs room for the message all the same.
        if !matches!(raise, Raise::Top) {
            self.set_top(self.top().min(sys::LUA_MINSTACK - 5));
        }
        match raise {
            Raise::At(text) => {
                // SAFETY: pushes one string; `concat` joins the two on top.
                unsafe { sys::luaL_where(self.0, 1) };
                self.push_bytes(text.as_bytes());
                // SAFETY: two strings are on top.
                unsafe { sys::lua_concat(self.0, 2) };
            }
            Raise::Bare(text) => self.push_bytes(text.as_bytes()),
            Raise::Table(text) => self.push_error_table(&text),
            Raise::Argument(argument, text) => {
                self.push_bytes(text.as_bytes());
                self.push_bytes(b"\0");
                // SAFETY: two strings are on top. Lua's strings end in a zero byte anyway; a zero byte inside ends the
                // text early, which does no harm.
                unsafe { sys::lua_concat(self.0, 2) };
                return argument;
            }
            Raise::Top => {}
        }
        0
    }

    /// Pushes `{err = "ERR text"}`; a text that begins with `-` has its own code.
    pub(crate) fn push_error_table(self, text: &str) {
        debugger::note_error(Shared::of(self), &[text.as_bytes()]);
        self.push_table(0, 1);
        let text = match text.strip_prefix('-') {
            Some(coded) => Cow::Borrowed(coded),
            None => Cow::Owned(format!("ERR {text}")),
        };
        self.push_bytes(text.as_bytes());
        self.set_field(-2, "err");
    }

    pub(crate) fn top(self) -> c_int {
        // SAFETY: the state is alive.
        unsafe { sys::lua_gettop(self.0) }
    }

    pub(crate) fn set_top(self, index: c_int) {
        // SAFETY: within the frame by the callers' care.
        unsafe { sys::lua_settop(self.0, index) }
    }

    pub(crate) fn pop(self, n: c_int) {
        self.set_top(-n - 1);
    }

    /// Makes sure that `n` more values can be pushed; `false` if the stack has reached its limit.
    #[must_use]
    pub(crate) fn ensure(self, n: c_int) -> bool {
        // SAFETY: the state is alive.
        unsafe { sys::lua_checkstack(self.0, n) != 0 }
    }

    pub(crate) fn push_copy(self, index: c_int) {
        // SAFETY: a valid index.
        unsafe { sys::lua_pushvalue(self.0, index) }
    }

    pub(crate) fn remove(self, index: c_int) {
        // SAFETY: a valid index that is no pseudo-index.
        unsafe { sys::lua_remove(self.0, index) }
    }

    pub(crate) fn insert(self, index: c_int) {
        // SAFETY: a valid index that is no pseudo-index.
        unsafe { sys::lua_insert(self.0, index) }
    }

    pub(crate) fn replace(self, index: c_int) {
        // SAFETY: a valid index, and a value on top.
        unsafe { sys::lua_replace(self.0, index) }
    }

    pub(crate) fn kind(self, index: c_int) -> Kind {
        // SAFETY: an acceptable index.
        match unsafe { sys::lua_type(self.0, index) } {
            sys::LUA_TNIL => Kind::Nil,
            sys::LUA_TBOOLEAN => Kind::Boolean,
            sys::LUA_TLIGHTUSERDATA => Kind::LightUserdata,
            sys::LUA_TNUMBER => Kind::Number,
            sys::LUA_TSTRING => Kind::String,
            sys::LUA_TTABLE => Kind::Table,
            sys::LUA_TFUNCTION => Kind::Function,
            sys::LUA_TUSERDATA => Kind::Userdata,
            sys::LUA_TTHREAD => Kind::Thread,
            _ => Kind::None,
        }
    }

    pub(crate) fn boolean(self, index: c_int) -> bool {
        // SAFETY: an acceptable index.
        unsafe { sys::lua_toboolean(self.0, index) != 0 }
    }

    /// The number at `index`, or the one that its string reads as.
    pub(crate) fn number(self, index: c_int) -> Option<f64> {
        // SAFETY: acceptable indices.
        unsafe { (sys::lua_isnumber(self.0, index) != 0).then(|| sys::lua_tonumber(self.0, index)) }
    }

    /// The bytes of the string at `index`; `None` for anything else. They live as long as Lua can reach the string.
    pub(crate) fn bytes<'a>(self, index: c_int) -> Option<&'a [u8]> {
        if self.kind(index) != Kind::String {
            return None;
        }
        let mut len = 0;
        // SAFETY: a string's bytes stay in place as long as the string is reachable, which the caller sees to.
        unsafe {
            let start = sys::lua_tolstring(self.0, index, &mut len);
            Some(std::slice::from_raw_parts(start.cast(), len))
        }
    }

    /// The bytes of the string at `index`. A number there becomes a string first, in its place.
    pub(crate) fn text<'a>(self, index: c_int) -> Option<&'a [u8]> {
        if self.kind(index) == Kind::Number {
            // SAFETY: an acceptable index; converts in place.
            unsafe { sys::lua_tolstring(self.0, index, std::ptr::null_mut()) };
        }
        self.bytes(index)
    }

    /// What identifies the table, function or other object at `index`.
    pub(crate) fn address(self, index: c_int) -> *const c_void {
        // SAFETY: an acceptable index.
        unsafe { sys::lua_topointer(self.0, index) }
    }

    pub(crate) fn push_nil(self) {
        // SAFETY: there is room.
        unsafe { sys::lua_pushnil(self.0) }
    }

    pub(crate) fn push_bool(self, b: bool) {
        // SAFETY: there is room.
        unsafe { sys::lua_pushboolean(self.0, c_int::from(b)) }
    }

    pub(crate) fn push_number(self, n: f64) {
        // SAFETY: there is room.
        unsafe { sys::lua_pushnumber(self.0, n) }
    }

    pub(crate) fn push_bytes(self, bytes: &[u8]) {
        // SAFETY: there is room; the bytes are copied.
        unsafe { sys::lua_pushlstring_(self.0, bytes.as_ptr().cast(), bytes.len()) }
    }

    /// A light userdata that is only compared.
    pub(crate) fn push_mark(self, mark: *const c_void) {
        // SAFETY: there is room; nobody looks behind the pointer.
        unsafe { sys::lua_pushlightuserdata(self.0, mark.cast_mut()) }
    }

    /// An empty table with room for so many elements and fields.
    pub(crate) fn push_table(self, elements: usize, fields: usize) {
        let bound = |n: usize| n.min(1 << 20) as c_int;
        // SAFETY: there is room.
        unsafe { sys::lua_createtable(self.0, bound(elements), bound(fields)) }
    }

    /// A function with the `upvalues` values on top of the stack, which are taken.
    pub(crate) fn push_function<F: Fn(Lua) -> Ran + Copy>(self, _: F, upvalues: c_int) {
        // SAFETY: there is room or the upvalues make it; `enter` fits the type.
        unsafe { sys::lua_pushcclosure(self.0, enter::<F>, upvalues) }
    }

    /// A function of Lua's own.
    pub(crate) fn push_c_function(self, function: sys::lua_CFunction) {
        // SAFETY: there is room.
        unsafe { sys::lua_pushcclosure(self.0, function, 0) }
    }

    /// Exchanges the function on top of the stack, one of Lua's own without upvalues, for one that lets `look` see the
    /// arguments first.
    pub(crate) fn push_wrapped<F: Fn(Lua) -> Result<(), Raise> + Copy>(self, _: F) {
        // SAFETY: the function on top becomes the upvalue.
        unsafe { sys::lua_pushcclosure(self.0, enter_wrapped::<F>, 1) }
    }

    pub(crate) fn raw_get(self, table: c_int) {
        // SAFETY: a table at the index, the key on top.
        unsafe { sys::lua_rawget_(self.0, table) }
    }

    pub(crate) fn raw_get_at(self, table: c_int, i: usize) {
        // SAFETY: a table at the index. No table has more elements than an `int` counts.
        unsafe { sys::lua_rawgeti_(self.0, table, c_int::try_from(i).unwrap_or(c_int::MAX)) }
    }

    /// [`Lua::raw_get_at`] for any index.
    pub(crate) fn raw_get_int(self, table: c_int, i: c_int) {
        // SAFETY: a table at the index.
        unsafe { sys::lua_rawgeti_(self.0, table, i) }
    }

    /// Takes a key and a value from the stack.
    pub(crate) fn raw_set(self, table: c_int) {
        // SAFETY: a table at the index, a key that is neither nil nor NaN and a value on top.
        unsafe { sys::lua_rawset(self.0, table) }
    }

    pub(crate) fn raw_set_at(self, table: c_int, i: usize) {
        // SAFETY: a table at the index, a value on top.
        unsafe { sys::lua_rawseti_(self.0, table, c_int::try_from(i).unwrap_or(c_int::MAX)) }
    }

    /// The field `name` of the table at `table`, without metamethods.
    pub(crate) fn field(self, table: c_int, name: &str) {
        let table = self.absolute(table);
        self.push_bytes(name.as_bytes());
        self.raw_get(table);
    }

    /// Takes a value from the stack and makes it the field `name`, without metamethods.
    pub(crate) fn set_field(self, table: c_int, name: &str) {
        let table = self.absolute(table);
        self.push_bytes(name.as_bytes());
        self.insert(-2);
        self.raw_set(table);
    }

    /// The index counted from the frame's beginning.
    pub(crate) fn absolute(self, index: c_int) -> c_int {
        if index < 0 && index > REGISTRY { self.top() + index + 1 } else { index }
    }

    /// Exchanges the key on top for the next key and value; `false`, with nothing in its place, behind the last one.
    /// The table must not have got new keys meanwhile.
    pub(crate) fn next(self, table: c_int) -> bool {
        // SAFETY: a table at the index, nil or one of its keys on top.
        unsafe { sys::lua_next(self.0, table) != 0 }
    }

    /// `#` without metamethods.
    pub(crate) fn len(self, index: c_int) -> usize {
        // SAFETY: an acceptable index.
        unsafe { sys::lua_objlen(self.0, index) }
    }

    /// Pushes the metatable of the value at `index`, if it has one.
    pub(crate) fn push_metatable(self, index: c_int) -> bool {
        // SAFETY: an acceptable index.
        unsafe { sys::lua_getmetatable(self.0, index) != 0 }
    }

    /// Takes a table from the stack and makes it the metatable of the value at `index`.
    pub(crate) fn set_metatable(self, index: c_int) {
        // SAFETY: a valid index, a table on top.
        unsafe { sys::lua_setmetatable(self.0, index) };
    }

    /// The C function at `index`, to be called in the place of one that wraps it.
    pub(crate) fn c_function(self, index: c_int) -> Option<sys::lua_CFunction> {
        // SAFETY: an acceptable index.
        unsafe { sys::lua_tocfunction(self.0, index) }
    }

    /// Calls the function under `arguments` arguments, catching errors; `false` with the error on top.
    pub(crate) fn call(self, arguments: c_int, results: c_int) -> bool {
        // SAFETY: a function and its arguments are on top; errors end here.
        self.as_lua(|| unsafe { sys::lua_pcall(self.0, arguments, results, 0) == sys::LUA_OK })
    }

    /// [`Lua::call`] that lets the function at `handler` see an error where it arises.
    pub(crate) fn call_handled(self, arguments: c_int, results: c_int, handler: c_int) -> bool {
        // SAFETY: as in `call`, and a function at `handler`.
        self.as_lua(|| unsafe { sys::lua_pcall(self.0, arguments, results, handler) == sys::LUA_OK })
    }

    /// Calls the function under `arguments` arguments for one result. Its errors leave the caller's frame as well,
    /// which therefore holds nothing to drop.
    pub(crate) fn call_unprotected(self, arguments: c_int) {
        // SAFETY: a function and its arguments are on top; the caller has nothing to drop.
        self.as_lua(|| unsafe { sys::lua_call(self.0, arguments, 1) });
    }

    /// Lets Lua itself run: it may be refused memory, for its errors meet no frame of ours that they must not leave.
    fn as_lua<T>(self, run: impl FnOnce() -> T) -> T {
        let shared = Shared::of(self);
        let before = shared.memory.let_refuse(true);
        let result = run();
        shared.memory.let_refuse(before);
        result
    }

    /// Compiles text; pushes a function, or a message (`false`). What looks like compiled code is not accepted.
    pub(crate) fn compile(self, code: &[u8], name: &str) -> bool {
        if code.starts_with(b"\x1b") {
            // The message of a compiler that takes it for text.
            self.compile(b"\x01", name);
            let message =
                String::from_utf8_lossy(self.bytes(-1).unwrap_or_default()).replace("char(1)", "char(27)");
            self.pop(1);
            self.push_bytes(message.as_bytes());
            return false;
        }
        if code.len() > MOST_CODE {
            self.push_bytes(b"chunk is too long");
            return false;
        }
        let mut name: Vec<u8> = name.bytes().filter(|&b| b != 0).collect();
        // The parser makes a string of the name and forgets to hold on to it: this one, which is the same, does.
        self.push_bytes(&name);
        name.push(0);
        // SAFETY: the parser runs protected, and nothing of ours is in the way of its errors.
        let status = self.as_lua(|| unsafe {
            sys::luaL_loadbuffer(self.0, code.as_ptr().cast(), code.len(), name.as_ptr().cast())
        });
        self.remove(-2);
        status == sys::LUA_OK
    }

    /// Frees what nothing leads to any more, all at once.
    pub(crate) fn collect(self) {
        // SAFETY: the state is alive; there are no finalizers that could raise an error.
        unsafe { sys::lua_gc(self.0, sys::LUA_GCCOLLECT, 0) };
    }

    /// Takes a value from the stack and keeps it under a number.
    pub(crate) fn keep(self) -> c_int {
        // SAFETY: a value on top.
        unsafe { sys::luaL_ref(self.0, REGISTRY) }
    }

    /// Forgets what is kept under a number.
    pub(crate) fn forget(self, kept: c_int) {
        // SAFETY: the number came from `keep`.
        unsafe { sys::luaL_unref(self.0, REGISTRY, kept) }
    }

    /// Where the function at `level` of the call stack is: its source and current line. Functions in C are nowhere.
    pub(crate) fn position(self, level: c_int) -> Option<(Vec<u8>, c_int)> {
        // SAFETY: `ar` is filled by Lua before it is read, and its strings live while the function does.
        unsafe {
            let mut ar: sys::lua_Debug = std::mem::zeroed();
            if sys::lua_getstack(self.0, level, &mut ar) == 0
                || sys::lua_getinfo(self.0, c"nSl".as_ptr(), &mut ar) == 0
            {
                return None;
            }
            let what = std::ffi::CStr::from_ptr(ar.what).to_bytes();
            let source = std::ffi::CStr::from_ptr(ar.source).to_bytes().to_vec();
            (what != b"C").then_some((source, ar.currentline))
        }
    }
}

/// Reading arguments, with Lua's own complaints.
impl Lua {
    /// A string or a number as one.
    pub(crate) fn check_text<'a>(self, argument: c_int) -> Result<&'a [u8], Raise> {
        self.text(argument).ok_or_else(|| self.expected(argument, "string"))
    }

    /// A number or a string that reads as one.
    pub(crate) fn check_number(self, argument: c_int) -> Result<f64, Raise> {
        self.number(argument).ok_or_else(|| self.expected(argument, "number"))
    }

    /// A number cut down to an integer, as C's conversion does on common machines.
    pub(crate) fn check_integer(self, argument: c_int) -> Result<i64, Raise> {
        self.check_number(argument).map(to_integer)
    }

    pub(crate) fn check_table(self, argument: c_int) -> Result<(), Raise> {
        if self.kind(argument) == Kind::Table { Ok(()) } else { Err(self.expected(argument, "table")) }
    }

    /// `x expected, got y`.
    pub(crate) fn expected(self, argument: c_int, what: &str) -> Raise {
        Raise::Argument(argument, format!("{what} expected, got {}", self.kind(argument).name()).into())
    }
}

/// A number as C converts it to a 64-bit integer on x86-64: what does not fit becomes the least one.
pub(crate) fn to_integer(n: f64) -> i64 {
    const END: f64 = 9_223_372_036_854_775_808.0;
    if (-END..END).contains(&n) { n as i64 } else { i64::MIN }
}
