//! When a script stops, and the conversation while it stands.
//!
//! All of this runs on the script's stack, in the middle of a line. Nothing that must be dropped is alive here when
//! something is asked, and the session is borrowed for a few lines at a time: the code that the client wants run may reach
//! it as well.

use super::command::Command;
use super::{Debugger, Reason, frames, show};
use crate::api;
use crate::engine::{Answer, Ask, Exchange, Shared, borrow_forever};
use crate::lua::{Kind, Lua};

/// The most arguments of a script's command that are shown, its name included.
const ARGUMENTS: usize = 10;
/// Errors that speak of the script, not of a reply, by how they begin.
const OF_SCRIPT: [&[u8]; 4] = [
    b"-ERR Unknown command called from script",
    b"-ERR Wrong number of args calling command from script",
    b"-ERR This Valkey command is not allowed from script",
    b"-ERR ACL failure in script",
];

/// A line of the script is about to run, or many instructions are over (`slice`).
///
/// # Errors
/// With what ends the script.
pub(super) fn on_event(lua: Lua, shared: &Shared, slice: bool) -> Result<(), &'static str> {
    let Some(line) = frames::line_of_script(lua, 0) else { return Ok(()) };
    let Some(debugger) = &mut shared.exchange().debugger else { return Ok(()) };
    debugger.current = line;
    let reason = if slice { None } else { debugger.reason() };
    let reason = match reason {
        Some(reason) => reason,
        None if slice && runs_too_long(shared) => Reason::TooLong,
        None => return Ok(()),
    };
    if let Some(debugger) = &mut shared.exchange().debugger {
        debugger.stop(reason);
    }
    if !converse(lua, shared)? && reason == Reason::TooLong {
        return Err("timeout during Lua debugging with client closing connection");
    }
    let now = seconds(shared);
    if let Some(debugger) = &mut shared.exchange().debugger {
        debugger.since = Some(now);
    }
    Ok(())
}

fn seconds(shared: &Shared) -> f64 {
    match shared.ask(Ask::Clock) {
        Answer::Seconds(seconds) => seconds,
        _ => 0.0,
    }
}

fn runs_too_long(shared: &Shared) -> bool {
    let now = seconds(shared);
    let Some(debugger) = &mut shared.exchange().debugger else { return false };
    now - *debugger.since.get_or_insert(now) >= debugger.patience
}

/// Talks to the client until the script is to go on. `false`: nobody is there any more.
fn converse(lua: Lua, shared: &Shared) -> Result<bool, &'static str> {
    loop {
        tell(shared);
        let Some(command) = hear(shared)? else { return Ok(false) };
        match command {
            Command::Step => {
                if let Some(debugger) = &mut shared.exchange().debugger {
                    debugger.step = true;
                }
                return Ok(true);
            }
            Command::Continue => return Ok(true),
            Command::Abort => return Err("script aborted for user request"),
            Command::Eval => evaluate(lua, shared),
            Command::Call => call(lua, shared),
            command => look(lua, shared, command),
        }
    }
}

/// Sends what is to be told.
fn tell(shared: &Shared) {
    let Exchange { request, scratch, debugger: Some(debugger), .. } = shared.exchange() else { return };
    *scratch = debugger.message();
    request.clear();
    request.push(borrow_forever(scratch));
    // Who does not take it will not say anything either.
    shared.ask(Ask::Tell);
    shared.exchange().request.clear();
}

/// Waits for a command. `None`: nobody is there any more.
fn hear(shared: &Shared) -> Result<Option<Command>, &'static str> {
    loop {
        let Some(debugger) = &mut shared.exchange().debugger else { return Ok(None) };
        if let Some(command) = debugger.next_command()? {
            return Ok(Some(command));
        }
        let answer = shared.ask(Ask::Hear);
        let Exchange { reply, debugger: Some(debugger), .. } = shared.exchange() else { return Ok(None) };
        if answer == Answer::Gone {
            debugger.leave_alone();
            return Ok(None);
        }
        debugger.hear(reply)?;
    }
}

/// Carries out a command that only looks at things or changes the session.
fn look(lua: Lua, shared: &Shared, command: Command) {
    let room = shared.memory.most();
    let Some(debugger) = &mut shared.exchange().debugger else { return };
    match command {
        Command::Help => debugger.say_help(),
        Command::Maxlen => {
            let wanted = debugger.word(1).map(<[u8]>::to_vec);
            debugger.change_shown(wanted.as_deref());
        }
        Command::List => {
            let middle = debugger.word(1).map_or(0, leading_number);
            let middle = if middle > 0 { middle } else { debugger.current as i64 };
            let context = debugger.word(2).map_or(5, leading_number);
            debugger.say_lines(middle, context);
        }
        Command::Whole => debugger.say_lines(1, i64::MAX),
        Command::Break => match debugger.word(1) {
            None => debugger.say_breakpoints(),
            Some(word) => match tanist_resp::number::parse_i64(word) {
                Some(line) => debugger.change_breakpoints(line),
                None => {
                    let line = [b"Invalid argument:'", word, b"'"].concat();
                    debugger.log.push(line);
                }
            },
        },
        Command::Trace => trace(lua, debugger),
        Command::Print => match debugger.word(1).map(<[u8]>::to_vec) {
            Some(name) => print(lua, debugger, &name, room),
            None => print_all(lua, debugger, room),
        },
        _ => debugger.say("<error> Unknown debugger command or wrong number of arguments."),
    }
}

/// The number that a word begins with, zero if it begins with none.
fn leading_number(word: &[u8]) -> i64 {
    let sign = usize::from(matches!(word.first(), Some(b'-' | b'+')));
    let digits = word[sign..].iter().take_while(|b| b.is_ascii_digit()).count();
    let text = word[..sign + digits].strip_prefix(b"+").unwrap_or(&word[..sign + digits]);
    tanist_resp::number::parse_i64(text).unwrap_or(0)
}

/// Shows the calls that have led to where the script stands.
fn trace(lua: Lua, debugger: &mut Debugger) {
    let mut level = 0;
    while let Some(frame) = frames::frame(lua, level) {
        if let Some(line) = frame.line_of_script {
            let name = frame.name.as_deref().unwrap_or(b"top level");
            let from = if level == 0 { "In" } else { "From" };
            debugger.log.push([from.as_bytes(), b" ", name, b":"].concat());
            debugger.say_line(line);
        }
        level += 1;
    }
}

/// Shows the local variable of this name that is nearest, or one of two globals.
fn print(lua: Lua, debugger: &mut Debugger, name: &[u8], room: usize) {
    let mut level = 0;
    while frames::frame(lua, level).is_some() {
        let mut i = 1;
        while let Some(found) = frames::push_local(lua, level, i) {
            if found == name {
                show_value(lua, debugger, b"<value> ", room);
                return lua.pop(1);
            }
            lua.pop(1);
            i += 1;
        }
        level += 1;
    }
    match name {
        b"KEYS" | b"ARGV" => {
            frames::push_global(lua, if name == b"KEYS" { c"KEYS" } else { c"ARGV" });
            show_value(lua, debugger, b"<value> ", room);
            lua.pop(1);
        }
        _ => debugger.say("No such variable."),
    }
}

/// Shows all local variables of the running function.
fn print_all(lua: Lua, debugger: &mut Debugger, room: usize) {
    let (mut i, mut any) = (1, false);
    while let Some(name) = frames::push_local(lua, 0, i) {
        if name != b"(*temporary)" {
            show_value(lua, debugger, &[b"<value> ", name.as_slice(), b" = "].concat(), room);
            any = true;
        }
        lua.pop(1);
        i += 1;
    }
    if !any {
        debugger.say("No local variables in the current context.");
    }
}

/// Shows the value on top of the stack, which stays there.
fn show_value(lua: Lua, debugger: &mut Debugger, before: &[u8], room: usize) {
    let mut line = before.to_vec();
    show::value(lua, debugger.worth_showing(room), &mut line);
    debugger.say_shortened(line);
}

/// `eval`: runs the client's code, an expression if it can be one, and shows what comes of it.
fn evaluate(lua: Lua, shared: &Shared) {
    if compile(lua, shared) {
        let ok = lua.call(0, 1);
        let room = shared.memory.most();
        let Some(debugger) = &mut shared.exchange().debugger else { return };
        if ok {
            show_value(lua, debugger, b"<retval> ", room);
        } else {
            debugger.log.push([b"<error> ", message(lua).as_slice()].concat());
        }
    }
    lua.pop(1);
}

/// Compiles the words of the command; pushes a function, or something else (`false`).
fn compile(lua: Lua, shared: &Shared) -> bool {
    let Some(debugger) = &mut shared.exchange().debugger else {
        lua.push_nil();
        return false;
    };
    let words: Vec<&[u8]> = (1..debugger.words.len()).filter_map(|i| debugger.word(i)).collect();
    let code = words.join(&b' ');
    if lua.compile(&[b"return ", code.as_slice()].concat(), "@ldb_eval") {
        return true;
    }
    lua.pop(1);
    if lua.compile(&code, "@ldb_eval") {
        return true;
    }
    let line = [b"Error compiling code: ", lua.bytes(-1).unwrap_or_default()].concat();
    debugger.log.push(line);
    false
}

/// The text of the error on top of the stack.
fn message(lua: Lua) -> Vec<u8> {
    match lua.kind(-1) {
        Kind::Table => {
            lua.field(-1, "err");
            let text = lua.bytes(-1).unwrap_or(b"(null)").to_vec();
            lua.pop(1);
            text
        }
        Kind::String | Kind::Number => lua.text(-1).unwrap_or_default().to_vec(),
        _ => b"(null)".to_vec(),
    }
}

/// `valkey`, `redis`: carries out a command for the client as `redis.call` does for the script, which shows it.
fn call(lua: Lua, shared: &Shared) {
    let Some(debugger) = &mut shared.exchange().debugger else { return };
    let count = debugger.words.len() - 1;
    if !lua.ensure(count as i32 + 1) {
        return debugger.say("max lua stack reached");
    }
    lua.push_function(api::call, 0);
    for i in 1..=count {
        lua.push_bytes(debugger.word(i).unwrap_or_default());
    }
    debugger.step = true;
    // What has gone wrong has been shown.
    lua.call(count as i32, 1);
    if let Some(debugger) = &mut shared.exchange().debugger {
        debugger.step = false;
    }
    lua.pop(1);
}

/// Shows the command that is about to be carried out, if the script is stepped through.
#[cold]
pub(crate) fn note_call(shared: &Shared) {
    let Exchange { request, debugger: Some(debugger), .. } = shared.exchange() else { return };
    if !debugger.step {
        return;
    }
    let mut line = b"<command>".to_vec();
    for word in request.iter().take(ARGUMENTS) {
        line.push(b' ');
        line.extend_from_slice(word);
    }
    if request.len() > ARGUMENTS {
        line.extend_from_slice(format!(" ... ({} more)", request.len() - ARGUMENTS).as_bytes());
    }
    debugger.log.push(line);
}

/// Shows the reply that has come, if the script is stepped through.
#[cold]
pub(crate) fn note_reply(shared: &Shared) {
    let room = shared.memory.most();
    let Exchange { reply, debugger: Some(debugger), .. } = shared.exchange() else { return };
    if !debugger.step {
        return;
    }
    let mut line = b"<reply> ".to_vec();
    show::reply(reply, debugger.worth_showing(room), &mut line);
    debugger.say_shortened(line);
    if reply.first() == Some(&b'-') {
        let bare = OF_SCRIPT.iter().any(|begin| reply.starts_with(begin));
        let text = if bare { reply[b"-ERR ".len()..].trim_ascii_end() } else { reply };
        debugger.log.push([b"<error> ", text].concat());
    }
}

/// Shows an error that a function of ours makes, if the script is stepped through.
#[cold]
pub(crate) fn note_error(shared: &Shared, text: &[&[u8]]) {
    if let Some(debugger) = &mut shared.exchange().debugger
        && debugger.step
    {
        debugger.log.push([b"<error> ", text.concat().as_slice()].concat());
    }
}
