//! Between replies and Lua's values, both ways and for both protocols.
//!
//! What becomes of a reply (source: the documentation of Redis' Lua API): integers are numbers, strings strings, arrays
//! tables, nothing is `false` (`nil` with version 3), a status `{ok=}`, an error `{err=}`; version 3 adds `{map=}`,
//! `{set=}`, `{double=}`, `{big_number=}`, `{verbatim_string={string=, format=}}` and truth values.

use crate::engine::{Exchange, Shared};
use crate::lua::{Kind, Lua, to_integer};
use tanist_resp::{Proto, Reply};

/// Pushes the reply that `bytes` begins with; returns what follows it. Bytes that are no reply are `nil`, and so is
/// what is nested deeper than Lua's stack.
pub(crate) fn push_reply(lua: Lua, bytes: &[u8], proto: Proto) -> &[u8] {
    if !lua.ensure(4) {
        return b"";
    }
    let Some((kind, line, rest)) = split(bytes) else {
        lua.push_nil();
        return b"";
    };
    match kind {
        b'$' => push_bulk(lua, line, rest, proto),
        b':' => {
            lua.push_number(int(line) as f64);
            rest
        }
        b'+' => {
            push_tagged(lua, "ok", line);
            rest
        }
        b'-' => {
            push_tagged(lua, "err", line);
            // It was counted when the command gave it.
            lua.push_bool(true);
            lua.set_field(-2, "ignore_error_stats_update");
            rest
        }
        b'*' => push_array(lua, line, rest, proto),
        b'_' => {
            lua.push_nil();
            rest
        }
        b'#' => {
            lua.push_bool(line == b"t");
            rest
        }
        b',' => {
            lua.push_table(0, 1);
            lua.push_number(std::str::from_utf8(line).ok().and_then(|t| t.parse().ok()).unwrap_or(f64::NAN));
            lua.set_field(-2, "double");
            rest
        }
        b'(' => {
            push_tagged(lua, "big_number", line);
            rest
        }
        b'=' => push_verbatim(lua, line, rest),
        b'%' => push_map(lua, line, rest, proto),
        b'~' => push_set(lua, line, rest, proto),
        b'|' => {
            // Attributes are dropped; the reply itself follows.
            let mut rest = rest;
            for _ in 0..2 * int(line).max(0) {
                rest = push_reply(lua, rest, proto);
                lua.pop(1);
            }
            push_reply(lua, rest, proto)
        }
        _ => {
            lua.push_nil();
            rest
        }
    }
}

fn push_bulk<'b>(lua: Lua, line: &[u8], rest: &'b [u8], proto: Proto) -> &'b [u8] {
    match usize::try_from(int(line)).ok().and_then(|n| Some((rest.get(..n)?, rest.get(n + 2..)?))) {
        Some((data, rest)) => {
            lua.push_bytes(data);
            rest
        }
        None => {
            push_nothing(lua, proto);
            rest
        }
    }
}

fn push_nothing(lua: Lua, proto: Proto) {
    match proto {
        Proto::Resp2 => lua.push_bool(false),
        Proto::Resp3 => lua.push_nil(),
    }
}

fn push_tagged(lua: Lua, tag: &str, text: &[u8]) {
    lua.push_table(0, 1);
    lua.push_bytes(text);
    lua.set_field(-2, tag);
}

fn push_array<'b>(lua: Lua, line: &[u8], mut rest: &'b [u8], proto: Proto) -> &'b [u8] {
    let Ok(n) = usize::try_from(int(line)) else {
        push_nothing(lua, proto);
        return rest;
    };
    // No more room at first than there are bytes for elements.
    lua.push_table(n.min(rest.len() / 3), 0);
    for i in 1..=n {
        if rest.is_empty() {
            break;
        }
        rest = push_reply(lua, rest, proto);
        lua.raw_set_at(-2, i);
    }
    rest
}

fn push_map<'b>(lua: Lua, line: &[u8], mut rest: &'b [u8], proto: Proto) -> &'b [u8] {
    lua.push_table(0, 1);
    lua.push_table(0, 0);
    for _ in 0..int(line).max(0) {
        if rest.is_empty() {
            break;
        }
        rest = push_reply(lua, rest, proto);
        rest = push_reply(lua, rest, proto);
        set_pair(lua);
    }
    lua.set_field(-2, "map");
    rest
}

fn push_set<'b>(lua: Lua, line: &[u8], mut rest: &'b [u8], proto: Proto) -> &'b [u8] {
    lua.push_table(0, 1);
    lua.push_table(0, 0);
    for _ in 0..int(line).max(0) {
        if rest.is_empty() {
            break;
        }
        rest = push_reply(lua, rest, proto);
        lua.push_bool(true);
        set_pair(lua);
    }
    lua.set_field(-2, "set");
    rest
}

/// Puts the key and value on top into the table below them, unless the key cannot be one.
fn set_pair(lua: Lua) {
    if lua.kind(-2) == Kind::Nil {
        lua.pop(2);
    } else {
        lua.raw_set(-3);
    }
}

fn push_verbatim<'b>(lua: Lua, line: &[u8], rest: &'b [u8]) -> &'b [u8] {
    let parts = usize::try_from(int(line)).ok().and_then(|n| Some((rest.get(..n)?, rest.get(n + 2..)?)));
    let Some(([a, b, c, b':', text @ ..], rest)) = parts else {
        lua.push_nil();
        return b"";
    };
    lua.push_table(0, 1);
    lua.push_table(0, 2);
    lua.push_bytes(text);
    lua.set_field(-2, "string");
    lua.push_bytes(&[*a, *b, *c]);
    lua.set_field(-2, "format");
    lua.set_field(-2, "verbatim_string");
    rest
}

/// The kind of a reply, its first line and what follows.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&kind, after) = bytes.split_first()?;
    let end = after.iter().position(|&b| b == b'\r')?;
    Some((kind, &after[..end], after.get(end + 2..)?))
}

fn int(line: &[u8]) -> i64 {
    tanist_resp::number::parse_i64(line).unwrap_or(0)
}

/// Writes the value on top of the stack as the script's reply.
pub(crate) fn write_reply(lua: Lua, shared: &Shared) {
    let exchange = shared.exchange();
    let Exchange { output, errors, client, proto, .. } = &mut *exchange;
    let mut writer = Writer { lua, script: *proto, errors, shared, full: false };
    writer.value(&mut Reply::new(output, *client));
    if writer.full {
        output.clear();
        finish_error(exchange, b"ERR not enough memory for the reply", false, false);
    }
}

struct Writer<'a> {
    lua: Lua,
    /// The protocol that the script has chosen.
    script: Proto,
    errors: &'a mut Vec<Vec<u8>>,
    shared: &'a Shared,
    /// The reply has become larger than scripts may be: a few tables that name each other often make any size.
    full: bool,
}

impl Writer<'_> {
    /// Writes the value on top of the stack, and takes it.
    fn value(&mut self, reply: &mut Reply<'_>) {
        let lua = self.lua;
        self.full |= !self.shared.memory.room_for(reply.position());
        if self.full {
            return lua.pop(1);
        }
        if !lua.ensure(4) {
            self.error(reply, b"ERR reached lua stack limit", false);
            return lua.pop(1);
        }
        match lua.kind(-1) {
            Kind::String => reply.bulk(lua.bytes(-1).unwrap_or_default()),
            Kind::Number => reply.int(to_integer(lua.number(-1).unwrap_or_default())),
            Kind::Boolean => match (self.script, lua.boolean(-1)) {
                (Proto::Resp2, true) => reply.int(1),
                (Proto::Resp2, false) => reply.null(),
                (Proto::Resp3, b) => reply.bool(b),
            },
            Kind::Table => self.table(reply),
            _ => reply.null(),
        }
        lua.pop(1);
    }

    /// Writes the table on top of the stack, and leaves it.
    fn table(&mut self, reply: &mut Reply<'_>) {
        let lua = self.lua;
        if self.has("err", Kind::String) {
            lua.pop(1);
            let (text, counted) = (error_text(lua), self.is_counted());
            return self.error(reply, &text, counted);
        }
        if self.has("ok", Kind::String) {
            line(reply, b'+', lua.bytes(-1).unwrap_or_default());
            return lua.pop(1);
        }
        if self.has("double", Kind::Number) {
            reply.double(lua.number(-1).unwrap_or_default());
            return lua.pop(1);
        }
        if self.has("map", Kind::Table) {
            self.map(reply);
            return lua.pop(1);
        }
        if self.has("set", Kind::Table) {
            self.set(reply);
            return lua.pop(1);
        }
        if self.has("big_number", Kind::String) {
            let digits = one_line(lua.bytes(-1).unwrap_or_default());
            match reply.proto() {
                Proto::Resp2 => reply.bulk(&digits),
                Proto::Resp3 => line(reply, b'(', &digits),
            }
            return lua.pop(1);
        }
        if self.has("verbatim_string", Kind::Table) {
            if self.verbatim(reply) {
                return lua.pop(1);
            }
            lua.pop(1);
        }
        self.array(reply);
    }

    /// Pushes the field of the table on top if it is of that kind.
    fn has(&self, name: &str, kind: Kind) -> bool {
        self.lua.field(-1, name);
        if self.lua.kind(-1) == kind {
            return true;
        }
        self.lua.pop(1);
        false
    }

    fn is_counted(&self) -> bool {
        is_counted(self.lua)
    }

    fn error(&mut self, reply: &mut Reply<'_>, text: &[u8], counted: bool) {
        if !counted {
            self.errors.push(code(text));
        }
        reply.error_bytes(text);
    }

    fn map(&mut self, reply: &mut Reply<'_>) {
        let lua = self.lua;
        let (mark, mut n) = (reply.deferred(), 0);
        lua.push_nil();
        while lua.next(-2) {
            // Stack: table, key, value. The key goes first and must stay.
            lua.push_copy(-2);
            self.value(reply);
            self.value(reply);
            n += 1;
        }
        reply.finish_map(mark, n);
    }

    fn set(&mut self, reply: &mut Reply<'_>) {
        let lua = self.lua;
        let (mark, mut n) = (reply.deferred(), 0);
        lua.push_nil();
        while lua.next(-2) {
            lua.pop(1);
            lua.push_copy(-1);
            self.value(reply);
            n += 1;
        }
        reply.finish_set(mark, n);
    }

    /// Writes the verbatim string on top of the stack; `false` if it is none.
    fn verbatim(&self, reply: &mut Reply<'_>) -> bool {
        let lua = self.lua;
        lua.field(-1, "format");
        lua.field(-2, "string");
        let ok = match (lua.bytes(-2), lua.bytes(-1)) {
            (Some(format), Some(string)) => {
                let mut three = *b"   ";
                three.iter_mut().zip(format).for_each(|(to, from)| *to = *from);
                reply.verbatim(three, string);
                true
            }
            _ => false,
        };
        lua.pop(2);
        ok
    }

    fn array(&mut self, reply: &mut Reply<'_>) {
        let lua = self.lua;
        let (mark, mut n) = (reply.deferred(), 0);
        loop {
            lua.raw_get_at(-1, n + 1);
            if lua.kind(-1) == Kind::Nil {
                lua.pop(1);
                break;
            }
            self.value(reply);
            n += 1;
        }
        reply.finish_array(mark, n);
    }
}

fn line(reply: &mut Reply<'_>, kind: u8, text: &[u8]) {
    reply.raw(&[kind]);
    reply.raw(&one_line(text));
    reply.raw(b"\r\n");
}

fn one_line(text: &[u8]) -> Vec<u8> {
    text.iter().map(|&b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }).collect()
}

/// What `errorstats` counts an error under.
fn code(text: &[u8]) -> Vec<u8> {
    text.split(|&b| b == b' ').next().unwrap_or_default().to_vec()
}

/// The text of the error that the table on top of the stack is.
fn error_text(lua: Lua) -> Vec<u8> {
    lua.field(-1, "err");
    let text = lua.text(-1).unwrap_or(b"ERR unknown error").to_vec();
    lua.pop(1);
    text
}

/// Whether the error that the table on top of the stack is was counted where it arose.
fn is_counted(lua: Lua) -> bool {
    lua.field(-1, "ignore_error_stats_update");
    let counted = lua.kind(-1) == Kind::Boolean && lua.boolean(-1);
    lua.pop(1);
    counted
}

/// Writes the error on top of the stack, which the error handler has made a table, as the script's reply. Of a library
/// that is being loaded, only its text.
pub(crate) fn write_error(lua: Lua, exchange: &mut Exchange, bare: bool) {
    if lua.kind(-1) != Kind::Table {
        // The handler itself has failed: too deep, or no room.
        let text = lua.text(-1).unwrap_or(b"unknown error");
        let text = [b"ERR ", text].concat();
        return finish_error(exchange, &text, false, bare);
    }
    let (mut text, counted) = (error_text(lua), is_counted(lua));
    lua.field(-1, "source");
    lua.field(-2, "line");
    if let (false, Some(source), Some(line)) = (bare, lua.text(-2), lua.text(-1)) {
        text.extend([b" script: on ", source, b":", line, b"."].concat());
    }
    finish_error(exchange, &text, counted, bare);
}

fn finish_error(exchange: &mut Exchange, text: &[u8], counted: bool, bare: bool) {
    if bare {
        return exchange.output.extend_from_slice(text);
    }
    if !counted {
        exchange.errors.push(code(text));
    }
    Reply::new(&mut exchange.output, exchange.client).error_bytes(text);
}
