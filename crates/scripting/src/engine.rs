//! A Lua state that runs one script at a time, on a stack of its own.
//!
//! A script asks ([`Ask`]) and is answered ([`Answer`]): for a command, for the time, and every so many instructions
//! whether to go on. To ask is to leave its stack, which takes some nanoseconds, so whoever runs it holds everything
//! else in its own hands meanwhile, may serve others before it answers, and may do so wherever the script is, inside
//! `pcall`, a sort's comparison or a coroutine of Lua's.
//!
//! Why the `unsafe` here is sound:
//! - What both sides share ([`Shared`]) lives in one allocation as long as the state; the script's side touches it only
//!   while it runs, the other side only while it does not, and nobody keeps a reference across a change of sides.
//! - Nothing that must be dropped is alive on the script's stack when it asks, nor when Lua raises an error, so a
//!   script that is given up can simply be forgotten.
//! - The state may move to another thread, even in the middle of a script: neither Lua nor the functions here keep
//!   anything that belongs to a thread.
#![allow(unsafe_code)]

use crate::convert;
use crate::debugger::{self, Debugger};
use crate::lua::{GLOBALS, Kind, Lua, Raise};
use crate::memory::{self, Memory};
use crate::random::Lrand48;
use crate::sandbox;
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use mlua_sys as sys;
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_int;
use std::ptr::{self, NonNull};
use tanist_resp::Proto;

/// Instructions between two looks at whether to go on.
pub const SLICE: u32 = 100_000;
/// Bytes of a script's stack. Only what is touched takes memory. Lua's own limits (200 nested calls through C, each
/// with at most one buffer of 8 KiB; `sandbox` bounds patterns) stay within half of it.
const STACK: usize = 8 << 20;

/// What a script asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Carry out a command: [`Engine::request`]. Answer [`Answer::Go`].
    Call,
    /// Whether the user may carry out a command: [`Engine::request`]. Answer with what is so.
    Check,
    /// Write a line to the log: the first argument of [`Engine::request`] is the level's digit, the second the text.
    Log,
    /// The time. Answer [`Answer::Seconds`].
    Clock,
    /// So many instructions are over. Answer [`Answer::Go`] or [`Answer::Kill`].
    Pause,
    /// Send the first argument of [`Engine::request`] to who debugs the script. Answer [`Answer::Go`].
    Tell,
    /// Wait for what who debugs the script has to say; it goes where replies go. Answer [`Answer::Go`] or
    /// [`Answer::Gone`].
    Hear,
}

/// What it is told.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Answer {
    /// It is done; or: go on.
    Go,
    /// End with an error that cannot be caught.
    Kill,
    /// The user may do that.
    Allowed,
    /// The user may not.
    Denied,
    /// There is no such command.
    Unknown,
    /// Seconds from some moment on.
    Seconds(f64),
    /// Nobody is there any more.
    Gone,
}

/// Where a script has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It waits for an answer.
    Asks(Ask),
    /// It has ended; its reply is [`Engine::output`].
    Done {
        /// With an error.
        failed: bool,
    },
}

/// What a state is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// `EVAL` and its relatives.
    Scripts,
    /// `FUNCTION` and `FCALL`.
    Functions,
}

/// Versions that scripts see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Versions {
    /// `redis.REDIS_VERSION`, `major.minor.patch`.
    pub redis: &'static str,
    /// `server.SERVER_NAME`.
    pub name: &'static str,
    /// `server.VALKEY_VERSION`.
    pub valkey: &'static str,
}

/// A function that the state keeps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Kept(c_int);

impl Kept {
    /// Takes the function on top of the stack.
    pub(crate) fn of(lua: Lua) -> Kept {
        Kept(lua.keep())
    }
}

/// Bytes in a buffer of the exchange, for its request. They are looked at only while the script waits for the answer,
/// and nobody touches the buffer meanwhile.
pub(crate) fn borrow_forever(bytes: &[u8]) -> &'static [u8] {
    // SAFETY: see above; the request is lent to callers of `Engine::request` only for as long as the engine is.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr(), bytes.len()) }
}

/// A function that a library has registered while it was loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Registered {
    pub(crate) name: Vec<u8>,
    pub(crate) description: Option<Vec<u8>>,
    pub(crate) flags: crate::Flags,
    pub(crate) function: Kept,
}

/// What is running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Job {
    Script,
    Function,
    Load,
}

/// What passes between the two sides.
pub(crate) struct Exchange {
    /// The arguments of [`Ask::Call`], [`Ask::Check`], [`Ask::Log`] and [`Ask::Tell`]. They live in Lua's strings or in
    /// `scratch`.
    pub(crate) request: Vec<&'static [u8]>,
    pub(crate) scratch: Vec<u8>,
    /// The answer to [`Ask::Call`].
    pub(crate) reply: Vec<u8>,
    /// The protocol that the script has chosen for replies to it.
    pub(crate) proto: Proto,
    /// The protocol of who gets the script's own reply, and that reply.
    pub(crate) client: Proto,
    pub(crate) output: Vec<u8>,
    /// Codes of the errors in `output` that nobody has counted.
    pub(crate) errors: Vec<Vec<u8>>,
    /// What `redis.set_repl` has chosen, as its bits.
    pub(crate) repl: u8,
    pub(crate) random: Lrand48,
    /// What a library that is being loaded has registered.
    pub(crate) registered: Vec<Registered>,
    pub(crate) registering: bool,
    /// The session that debugs this run.
    pub(crate) debugger: Option<Box<Debugger>>,
    killed: bool,
    purpose: Purpose,
}

/// All that functions called by Lua find behind the state's allocator.
pub(crate) struct Shared {
    pub(crate) memory: Memory,
    yielder: Cell<*const Yielder<Answer, Ask>>,
    exchange: UnsafeCell<Exchange>,
}

impl Shared {
    /// What the state of `lua` shares with who runs it.
    pub(crate) fn of<'a>(lua: Lua) -> &'a Shared {
        let mut behind = ptr::null_mut();
        // SAFETY: every state is made by `Engine::new`, whose allocator has a `Shared` behind it.
        unsafe {
            sys::lua_getallocf(lua.raw(), &mut behind);
            &*behind.cast::<Shared>()
        }
    }

    /// For the script's side, between two questions.
    #[expect(clippy::mut_from_ref, reason = "the two sides take turns, see the module's comment")]
    pub(crate) fn exchange(&self) -> &mut Exchange {
        // SAFETY: no other reference is alive: functions take it for a few lines, within which nothing asks, and Lua
        // is given nothing to do that could call another function of ours.
        unsafe { &mut *self.exchange.get() }
    }

    /// Leaves the script's stack until there is an answer. Without anybody to ask, the answer is [`Answer::Go`].
    pub(crate) fn ask(&self, ask: Ask) -> Answer {
        // SAFETY: the yielder is that of the running coroutine, or null.
        match unsafe { self.yielder.get().as_ref() } {
            Some(yielder) => yielder.suspend(ask),
            None => Answer::Go,
        }
    }

    /// Whether the script is to end; then every function of ours raises this.
    pub(crate) fn killed(&self) -> Result<(), Raise> {
        let exchange = self.exchange();
        if exchange.killed { Err(Raise::Table(killed_text(exchange.purpose).into())) } else { Ok(()) }
    }
}

fn killed_text(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Scripts => "Script killed by user with SCRIPT KILL.",
        Purpose::Functions => "Script killed by user with FUNCTION KILL.",
    }
}

impl AsRef<Memory> for Shared {
    fn as_ref(&self) -> &Memory {
        &self.memory
    }
}

type Script = Coroutine<Answer, Ask, bool, DefaultStack>;

/// A Lua state.
pub struct Engine {
    lua: Lua,
    shared: NonNull<Shared>,
    stack: Option<DefaultStack>,
    running: Option<Script>,
    purpose: Purpose,
}

// SAFETY: see the module's comment: nothing in it belongs to a thread.
unsafe impl Send for Engine {}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("purpose", &self.purpose).field("running", &self.is_running()).finish()
    }
}

impl Engine {
    /// A state with the sandbox set up.
    ///
    /// # Errors
    /// When the system grants no memory for a stack.
    pub fn new(purpose: Purpose, versions: Versions) -> Result<Engine, String> {
        let stack = DefaultStack::new(STACK).map_err(|error| error.to_string())?;
        let shared = Box::new(Shared {
            memory: Memory::default(),
            yielder: Cell::new(ptr::null()),
            exchange: UnsafeCell::new(Exchange {
                request: Vec::new(),
                scratch: Vec::new(),
                reply: Vec::new(),
                proto: Proto::Resp2,
                client: Proto::Resp2,
                output: Vec::new(),
                errors: Vec::new(),
                repl: REPL_ALL,
                random: Lrand48::default(),
                registered: Vec::new(),
                registering: false,
                debugger: None,
                killed: false,
                purpose,
            }),
        });
        let shared = NonNull::from(Box::leak(shared));
        // SAFETY: the allocator fits its contract, and what is behind it lives until the state is closed.
        let lua = Lua::new(unsafe { sys::lua_newstate(memory::allocate::<Shared>, shared.as_ptr().cast()) });
        sandbox::set_up(lua, purpose, versions);
        debugger::watch_slices(lua, hook);
        Ok(Engine { lua, shared, stack: Some(stack), running: None, purpose })
    }

    /// Compiles a script or a library.
    ///
    /// # Errors
    /// With Lua's message.
    pub fn compile(&mut self, code: &[u8]) -> Result<Kept, Vec<u8>> {
        let name = match self.purpose {
            Purpose::Scripts => "@user_script",
            Purpose::Functions => "@user_function",
        };
        if self.is_running() {
            return Err(b"a script is running".to_vec());
        }
        self.lua.set_top(sandbox::FIXED);
        if self.lua.compile(code, name) {
            Ok(Kept(self.lua.keep()))
        } else {
            let message = self.lua.bytes(-1).unwrap_or_default().to_vec();
            self.lua.pop(1);
            Err(message)
        }
    }

    /// Forgets a function.
    pub fn forget(&mut self, function: Kept) {
        self.lua.forget(function.0);
    }

    /// Begins to run a function; [`Engine::resume`] with [`Answer::Go`] starts it. `client` is the protocol of its
    /// reply. While another one runs, nothing happens.
    pub fn begin<'k>(
        &mut self,
        function: Kept,
        keys: impl ExactSizeIterator<Item = &'k [u8]>,
        arguments: impl ExactSizeIterator<Item = &'k [u8]>,
        client: Proto,
    ) {
        if self.is_running() {
            return;
        }
        let lua = self.lua;
        lua.set_top(sandbox::FIXED);
        let job = match self.purpose {
            Purpose::Scripts => {
                push_strings(lua, keys);
                lua.set_field(sandbox::REAL_GLOBALS, "KEYS");
                push_strings(lua, arguments);
                lua.set_field(sandbox::REAL_GLOBALS, "ARGV");
                Job::Script
            }
            Purpose::Functions => {
                push_strings(lua, keys);
                push_strings(lua, arguments);
                Job::Function
            }
        };
        self.exchange_mut().client = client;
        self.start(function, job);
    }

    /// Begins to load a library: runs its code, which registers functions.
    pub(crate) fn begin_load(&mut self, function: Kept) {
        if self.is_running() {
            return;
        }
        self.lua.set_top(sandbox::FIXED);
        sandbox::show_library_globals(self.lua, true);
        self.exchange_mut().registering = true;
        self.start(function, Job::Load);
    }

    fn start(&mut self, function: Kept, job: Job) {
        let exchange = self.exchange_mut();
        exchange.proto = Proto::Resp2;
        exchange.repl = REPL_ALL;
        exchange.output.clear();
        exchange.output.shrink_to(KEPT_ROOM);
        exchange.errors.clear();
        exchange.registered.clear();
        let (lua, shared) = (self.lua, self.shared);
        let Some(stack) = self.stack.take() else { return };
        if self.is_debugged() {
            debugger::watch_lines(lua);
        }
        self.running = Some(Coroutine::with_stack(stack, move |yielder, _| {
            // SAFETY: the shared part outlives the coroutine, see `Drop`.
            let shared = unsafe { shared.as_ref() };
            shared.yielder.set(yielder);
            let ok = run(lua, shared, function, job);
            shared.yielder.set(ptr::null());
            ok
        }));
    }

    /// Lets the script go on with the answer to its question. Without a script, nothing happens.
    pub fn resume(&mut self, answer: Answer) -> Step {
        let Some(script) = &mut self.running else { return Step::Done { failed: true } };
        match script.resume(answer) {
            CoroutineResult::Yield(ask) => Step::Asks(ask),
            CoroutineResult::Return(ok) => {
                self.stack = self.running.take().map(Script::into_stack);
                let debugged = self.is_debugged();
                if std::mem::take(&mut self.exchange_mut().killed) || debugged {
                    debugger::watch_slices(self.lua, hook);
                }
                let exchange = self.exchange_mut();
                exchange.registering = false;
                exchange.reply.shrink_to(KEPT_ROOM);
                exchange.scratch.shrink_to(KEPT_ROOM);
                Step::Done { failed: !ok }
            }
        }
    }

    /// Debugs the next run.
    pub fn debug(&mut self, session: Box<Debugger>) {
        self.exchange_mut().debugger = Some(session);
    }

    /// Gives the session back, once the run has ended.
    pub fn end_debugging(&mut self) -> Option<Box<Debugger>> {
        self.exchange_mut().debugger.take()
    }

    /// Whether the run is debugged; then it never asks whether to go on.
    #[must_use]
    pub fn is_debugged(&self) -> bool {
        self.exchange().debugger.is_some()
    }

    /// Whether a script waits for an answer.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// What the script asks for, and where the reply goes: RESP in the protocol of [`Engine::proto`].
    pub fn request(&mut self) -> (&[&[u8]], &mut Vec<u8>) {
        let exchange = self.exchange_mut();
        exchange.reply.clear();
        (&exchange.request, &mut exchange.reply)
    }

    /// The protocol for replies to the script.
    #[must_use]
    pub fn proto(&self) -> Proto {
        self.exchange().proto
    }

    /// What `redis.set_repl` has chosen, as its bits.
    #[must_use]
    pub fn repl(&self) -> u8 {
        self.exchange().repl
    }

    /// The script's own reply, once it has ended.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.exchange().output
    }

    /// Codes of the errors in the reply that have not been counted when they arose.
    #[must_use]
    pub fn uncounted_errors(&self) -> &[Vec<u8>] {
        &self.exchange().errors
    }

    /// How many bytes the state may allocate: a script that wants more gets the error `not enough memory`. What
    /// functions of this crate need for a moment may go beyond; each of their results stays within.
    pub fn set_memory_limit(&mut self, bytes: usize) {
        self.memory_of_state().set_limit(bytes);
    }

    /// Bytes that the state has allocated.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.memory_of_state().used()
    }

    fn memory_of_state(&self) -> &Memory {
        // SAFETY: the shared part is alive, and nobody takes this field mutably.
        &unsafe { self.shared.as_ref() }.memory
    }

    /// What has been registered by a library that has just been loaded.
    pub(crate) fn take_registered(&mut self) -> Vec<Registered> {
        std::mem::take(&mut self.exchange_mut().registered)
    }

    fn exchange(&self) -> &Exchange {
        // SAFETY: the script does not run while somebody outside holds the engine.
        unsafe { &*self.shared.as_ref().exchange.get() }
    }

    fn exchange_mut(&mut self) -> &mut Exchange {
        // SAFETY: as in `exchange`.
        unsafe { &mut *self.shared.as_ref().exchange.get() }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(mut script) = self.running.take() {
            // SAFETY: nothing on its stack needs to be dropped, see the module's comment.
            unsafe { script.force_reset() };
        }
        // SAFETY: nobody runs in the state any more; what is behind its allocator goes last.
        unsafe {
            self.shared.as_ref().yielder.set(ptr::null());
            sys::lua_close(self.lua.raw());
            drop(Box::from_raw(self.shared.as_ptr()));
        }
    }
}

/// Room of the reply's buffer that is kept from script to script.
const KEPT_ROOM: usize = 64 << 10;
/// `redis.REPL_ALL`.
pub const REPL_ALL: u8 = 3;

/// The script's side of a run, on its own stack. Says whether it ended without an error.
fn run(lua: Lua, shared: &Shared, function: Kept, job: Job) -> bool {
    let arguments = lua.top() - sandbox::FIXED;
    // SAFETY: the function is one that was kept; it goes under its arguments. Errors end in the call.
    let ok = unsafe {
        sys::lua_rawgeti_(lua.raw(), sys::LUA_REGISTRYINDEX, function.0);
        sys::lua_insert(lua.raw(), sandbox::FIXED + 1);
        shared.memory.begin();
        sys::lua_pcall(lua.raw(), arguments, 1, sandbox::ERROR_HANDLER) == sys::LUA_OK
    };
    let refused = shared.memory.end();
    if !ok {
        convert::write_error(lua, shared.exchange(), job == Job::Load);
    } else if job != Job::Load {
        convert::write_reply(lua, shared);
    }
    lua.set_top(sandbox::FIXED);
    if refused {
        // Most of it is garbage now, and the next script is not to pay for that.
        lua.collect();
    }
    if job == Job::Load {
        sandbox::show_library_globals(lua, false);
    }
    ok && shared.exchange().errors.is_empty() && !shared.exchange().output.starts_with(b"-")
}

fn push_strings<'k>(lua: Lua, strings: impl ExactSizeIterator<Item = &'k [u8]>) {
    lua.push_table(strings.len(), 0);
    for (i, string) in strings.enumerate() {
        lua.push_bytes(string);
        lua.raw_set_at(-2, i + 1);
    }
}

/// Called by Lua every so many instructions.
unsafe extern "C-unwind" fn hook(raw: *mut sys::lua_State, _: *mut sys::lua_Debug) {
    let lua = Lua::new(raw);
    let shared = Shared::of(lua);
    if !shared.exchange().killed {
        if shared.ask(Ask::Pause) != Answer::Kill {
            return;
        }
        shared.exchange().killed = true;
    }
    let text = killed_text(shared.exchange().purpose);
    shared.memory.let_refuse(false);
    // SAFETY: a hook has room on the stack and may raise errors; nothing here needs to be dropped. From now on it is
    // called at every instruction, so that nothing can catch the error and go on.
    unsafe {
        sys::lua_sethook(raw, Some(hook), sys::LUA_MASKCOUNT, 1);
        if sys::lua_checkstack(raw, 4) != 0 {
            lua.push_error_table(text);
        } else {
            sys::lua_pushnil(raw);
        }
        shared.memory.let_refuse(true);
        sys::lua_error(raw);
    }
}

/// The error handler of every run: turns an error into a table and notes where it arose, as Redis does.
pub(crate) fn handle_error(lua: Lua) -> crate::lua::Ran {
    let position = lua.position(1).or_else(|| lua.position(2));
    if lua.kind(1) != Kind::Table {
        // What `tostring` makes of it, metatables aside.
        let text = match lua.kind(1) {
            Kind::Nil | Kind::None => b"nil".to_vec(),
            Kind::Boolean => lua.boolean(1).to_string().into_bytes(),
            Kind::String | Kind::Number => lua.text(1).unwrap_or_default().to_vec(),
            kind => format!("{}: {:p}", kind.name(), lua.address(1)).into_bytes(),
        };
        lua.push_table(0, 3);
        lua.push_bytes(&[b"ERR ", text.as_slice()].concat());
        lua.set_field(-2, "err");
    } else {
        lua.push_copy(1);
    }
    if let Some((source, line)) = position {
        lua.push_bytes(&source);
        lua.set_field(-2, "source");
        lua.push_number(line.into());
        lua.set_field(-2, "line");
    }
    Ok(1)
}

/// The globals of the running thread become those of scripts.
pub(crate) fn set_globals(lua: Lua) {
    lua.replace(GLOBALS);
}
