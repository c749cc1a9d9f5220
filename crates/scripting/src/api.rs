//! The functions of `redis` (also called `server`).

use crate::convert;
use crate::debugger;
use crate::engine::{Answer, Ask, Kept, Registered, Shared};
use crate::flags::Flags;
use crate::lua::{Kind, Lua, Raise, Ran};
use crate::sha1;
use tanist_resp::{Proto, double};

/// Bytes that a number as an argument takes at most.
const NUMBER: usize = 40;

/// `redis.call` and `redis.pcall`, which gives errors back instead of raising them.
pub(crate) fn call(lua: Lua) -> Ran {
    carry_out(lua, true)
}

/// See [`call`].
pub(crate) fn pcall(lua: Lua) -> Ran {
    carry_out(lua, false)
}

fn carry_out(lua: Lua, raises: bool) -> Ran {
    let shared = Shared::of(lua);
    shared.killed()?;
    if let Err(raise) = take_arguments(lua, shared) {
        return match raise {
            Raise::Table(text) if !raises => {
                lua.set_top(0);
                lua.push_error_table(&text);
                Ok(1)
            }
            raise => Err(raise),
        };
    }
    let debugged = shared.exchange().debugger.is_some();
    if debugged {
        debugger::note_call(shared);
    }
    shared.ask(Ask::Call);
    if debugged {
        debugger::note_reply(shared);
    }
    let (reply, proto) = {
        let exchange = shared.exchange();
        // Nobody may look at the arguments any more: they are about to go.
        exchange.request.clear();
        (exchange.reply.as_slice(), exchange.proto)
    };
    let failed = reply.first() == Some(&b'-');
    lua.set_top(0);
    convert::push_reply(lua, reply, proto);
    if failed && raises { Err(Raise::Top) } else { Ok(1) }
}

/// Makes the arguments on the stack those of the request. Numbers are printed as replies print them.
fn take_arguments(lua: Lua, shared: &Shared) -> Result<(), Raise> {
    let count = lua.top();
    if count == 0 {
        return Err(Raise::Table("Please specify at least one argument for this call".into()));
    }
    let exchange = shared.exchange();
    exchange.request.clear();
    exchange.scratch.clear();
    for i in 1..=count {
        let argument = match lua.kind(i) {
            Kind::String => lua.bytes(i).unwrap_or_default(),
            Kind::Number => {
                // Room for all that may come, so that what is there stays in place.
                if exchange.scratch.is_empty() {
                    exchange.scratch.reserve(NUMBER * (count - i + 1) as usize);
                }
                let start = exchange.scratch.len();
                print_number(lua.number(i).unwrap_or_default(), &mut exchange.scratch);
                crate::engine::borrow_forever(&exchange.scratch[start..])
            }
            _ => return Err(Raise::Table("Command arguments must be strings or integers".into())),
        };
        exchange.request.push(argument);
    }
    Ok(())
}

fn print_number(n: f64, out: &mut Vec<u8>) {
    if n.is_nan() {
        out.extend_from_slice(if n.is_sign_negative() { b"-nan" } else { b"nan" });
    } else if n == 0.0 {
        out.push(b'0');
    } else {
        out.extend_from_slice(double::format(n).as_bytes());
    }
}

/// `redis.error_reply(text)`
pub(crate) fn error_reply(lua: Lua) -> Ran {
    if lua.top() != 1 || lua.kind(1) != Kind::String {
        lua.set_top(0);
        lua.push_error_table("wrong number or type of arguments");
        return Ok(1);
    }
    let text = lua.bytes(1).unwrap_or_default();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    debugger::note_error(Shared::of(lua), &[b"-", text]);
    lua.push_table(0, 1);
    if text.contains(&b' ') {
        lua.push_bytes(text);
    } else {
        lua.push_bytes(&[b"ERR ", text].concat());
    }
    lua.set_field(-2, "err");
    Ok(1)
}

/// `redis.status_reply(text)`
pub(crate) fn status_reply(lua: Lua) -> Ran {
    if lua.top() != 1 || lua.kind(1) != Kind::String {
        lua.set_top(0);
        lua.push_error_table("wrong number or type of arguments");
        return Ok(1);
    }
    lua.push_table(0, 1);
    lua.push_copy(1);
    lua.set_field(-2, "ok");
    Ok(1)
}

/// `redis.sha1hex(text)`
pub(crate) fn sha1hex(lua: Lua) -> Ran {
    if lua.top() != 1 {
        return Err(Raise::Table("wrong number of arguments".into()));
    }
    let digest = sha1::hex(&sha1::digest(lua.text(1).unwrap_or_default()));
    lua.push_bytes(&digest);
    Ok(1)
}

/// `redis.log(level, ...)`
pub(crate) fn log(lua: Lua) -> Ran {
    let count = lua.top();
    if count < 2 {
        return Err(Raise::Table("server.log() requires two arguments or more.".into()));
    }
    let Some(level) = lua.number(1) else {
        return Err(Raise::Table("First argument must be a number (log level).".into()));
    };
    if !(0.0..4.0).contains(&level) {
        return Err(Raise::Table("Invalid log level.".into()));
    }
    let shared = Shared::of(lua);
    let exchange = shared.exchange();
    exchange.request.clear();
    exchange.scratch.clear();
    exchange.scratch.push(b'0' + level as u8);
    for i in 2..=count {
        if i > 2 {
            exchange.scratch.push(b' ');
        }
        exchange.scratch.extend_from_slice(lua.text(i).unwrap_or(b"(null)"));
    }
    let (level, text) = exchange.scratch.split_at(1);
    exchange.request.push(crate::engine::borrow_forever(level));
    exchange.request.push(crate::engine::borrow_forever(text));
    shared.ask(Ask::Log);
    shared.exchange().request.clear();
    Ok(0)
}

/// `redis.setresp(version)`
pub(crate) fn setresp(lua: Lua) -> Ran {
    if lua.top() != 1 {
        return Err(Raise::Table("server.setresp() requires one argument.".into()));
    }
    let proto = match lua.number(1) {
        Some(2.0) => Proto::Resp2,
        Some(3.0) => Proto::Resp3,
        _ => return Err(Raise::Table("RESP version must be 2 or 3.".into())),
    };
    Shared::of(lua).exchange().proto = proto;
    Ok(0)
}

/// `redis.set_repl(flags)`
pub(crate) fn set_repl(lua: Lua) -> Ran {
    if lua.top() != 1 {
        return Err(Raise::Table("server.set_repl() requires one argument.".into()));
    }
    let flags = lua.number(1).unwrap_or_default();
    if !(0.0..4.0).contains(&flags) {
        return Err(Raise::Table(
            "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.".into(),
        ));
    }
    Shared::of(lua).exchange().repl = flags as u8;
    Ok(0)
}

/// `redis.replicate_commands()`: effects are what is replicated, always.
pub(crate) fn replicate_commands(lua: Lua) -> Ran {
    lua.push_bool(true);
    Ok(1)
}

/// `redis.breakpoint()`: whether somebody debugs the script, and will see it stop at the next line.
pub(crate) fn breakpoint(lua: Lua) -> Ran {
    let debugger = &mut Shared::of(lua).exchange().debugger;
    if let Some(debugger) = debugger {
        debugger.ask_to_stop();
    }
    lua.push_bool(debugger.is_some());
    Ok(1)
}

/// `redis.debug(...)`: shows values to who debugs the script, if somebody does.
pub(crate) fn debug(lua: Lua) -> Ran {
    let shared = Shared::of(lua);
    if let Some(debugger) = &mut shared.exchange().debugger {
        debugger.show_arguments(lua, shared.memory.most());
    }
    Ok(0)
}

/// `redis.acl_check_cmd(name, ...)`
pub(crate) fn acl_check_cmd(lua: Lua) -> Ran {
    let shared = Shared::of(lua);
    take_arguments(lua, shared)?;
    let answer = shared.ask(Ask::Check);
    shared.exchange().request.clear();
    match answer {
        Answer::Unknown => Err(Raise::Table("Invalid command passed to server.acl_check_cmd()".into())),
        answer => {
            lua.push_bool(answer != Answer::Denied);
            Ok(1)
        }
    }
}

/// `os.clock()`, by the clock of who runs the script.
pub(crate) fn clock(lua: Lua) -> Ran {
    let seconds = match Shared::of(lua).ask(Ask::Clock) {
        Answer::Seconds(seconds) => seconds,
        _ => 0.0,
    };
    lua.push_number(seconds);
    Ok(1)
}

/// `math.random([low,] high)`
pub(crate) fn random(lua: Lua) -> Ran {
    let fraction = f64::from(Shared::of(lua).exchange().random.draw() % i32::MAX) / f64::from(i32::MAX);
    let number = match lua.top() {
        0 => fraction,
        1 => {
            let high = lua.check_integer(1)? as i32;
            if high < 1 {
                return Err(Raise::Argument(1, "interval is empty".into()));
            }
            (fraction * f64::from(high)).floor() + 1.0
        }
        2 => {
            let (low, high) = (lua.check_integer(1)? as i32, lua.check_integer(2)? as i32);
            if low > high {
                return Err(Raise::Argument(2, "interval is empty".into()));
            }
            (fraction * (f64::from(high) - f64::from(low) + 1.0)).floor() + f64::from(low)
        }
        _ => return Err(Raise::At("wrong number of arguments".into())),
    };
    lua.push_number(number);
    Ok(1)
}

/// `math.randomseed(n)`
pub(crate) fn randomseed(lua: Lua) -> Ran {
    let seed = lua.check_integer(1)? as i32;
    Shared::of(lua).exchange().random = crate::random::Lrand48::seeded(seed);
    Ok(0)
}

/// `redis.register_function(name, callback)` or `{function_name=, callback=, flags=, description=}`, while a library
/// is being loaded.
pub(crate) fn register_function(lua: Lua) -> Ran {
    let fail = |text: &'static str| Err(Raise::Table(text.into()));
    if !Shared::of(lua).exchange().registering {
        return fail("server.register_function can only be called on FUNCTION LOAD command");
    }
    let registered = match lua.top() {
        1 if lua.kind(1) == Kind::Table => named(lua)?,
        1 => {
            return fail(
                "calling server.register_function with a single argument is only applicable to Lua table \
                 (representing named arguments).",
            );
        }
        2 => {
            let Some(name) = lua.text(1) else {
                return fail("first argument to server.register_function must be a string");
            };
            if lua.kind(2) != Kind::Function {
                return fail("second argument to server.register_function must be a function");
            }
            let name = name.to_vec();
            let function = Kept::of(lua);
            Registered { name, description: None, flags: Flags::default(), function }
        }
        _ => return fail("wrong number of arguments to server.register_function"),
    };
    Shared::of(lua).exchange().registered.push(registered);
    Ok(0)
}

/// The function that the table at the first place describes.
fn named(lua: Lua) -> Result<Registered, Raise> {
    let fail = |text: &'static str| Err(Raise::Table(text.into()));
    let (mut name, mut description, mut flags, mut callback) = (None, None, Flags::default(), false);
    lua.push_nil();
    while lua.next(1) {
        match (lua.kind(2), lua.bytes(2).unwrap_or_default()) {
            (Kind::String, b"function_name") => match lua.text(3) {
                Some(text) => name = Some(text.to_vec()),
                None => {
                    return fail("function_name argument given to server.register_function must be a string");
                }
            },
            (Kind::String, b"description") => match lua.text(3) {
                Some(text) => description = Some(text.to_vec()),
                None => {
                    return fail("description argument given to server.register_function must be a string");
                }
            },
            (Kind::String, b"callback") => {
                if lua.kind(3) != Kind::Function {
                    return fail("callback argument given to server.register_function must be a function");
                }
                callback = true;
            }
            (Kind::String, b"flags") => {
                if lua.kind(3) != Kind::Table {
                    return fail(
                        "flags argument to server.register_function must be a table representing function flags",
                    );
                }
                flags = flags_of(lua)?;
            }
            _ => return fail("unknown argument given to server.register_function"),
        }
        lua.set_top(2);
    }
    let Some(name) = name else {
        return fail("server.register_function must get a function name argument");
    };
    if !callback {
        return fail("server.register_function must get a callback argument");
    }
    // Kept only now, when nothing can fail any more.
    lua.field(1, "callback");
    let function = Kept::of(lua);
    Ok(Registered { name, description, flags, function })
}

/// The flags that the table at the third place lists.
fn flags_of(lua: Lua) -> Result<Flags, Raise> {
    let mut flags = Flags::default();
    for i in 1.. {
        lua.raw_get_at(3, i);
        match lua.kind(-1) {
            Kind::Nil => break,
            Kind::String if flags.add(lua.bytes(-1).unwrap_or_default()) => {}
            _ => return Err(Raise::Table("unknown flag given".into())),
        }
        lua.pop(1);
    }
    Ok(flags)
}
