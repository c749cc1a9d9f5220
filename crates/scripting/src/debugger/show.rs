//! Values of Lua and replies of commands, for people to read.

use crate::lua::{Kind, Lua};
use crate::sandbox;
use std::io::Write;

/// Tables within tables are shown so deep.
const DEPTH: usize = 10;

/// Appends the value on top of the stack, which stays there. What is longer than `room` bytes may be cut off anywhere behind
/// them: tables that hold others often would be without bounds.
pub(super) fn value(lua: Lua, room: usize, out: &mut Vec<u8>) {
    nested(lua, room, 0, out);
}

fn nested(lua: Lua, room: usize, depth: usize, out: &mut Vec<u8>) {
    if depth == DEPTH || !lua.ensure(8) {
        return out.extend_from_slice(b"<max recursion level reached! Nested table?>");
    }
    match lua.kind(-1) {
        Kind::String => {
            let bytes = lua.bytes(-1).unwrap_or_default();
            out.extend_from_slice(&bytes[..bytes.len().min(room.saturating_sub(out.len()))]);
        }
        Kind::Boolean => out.extend_from_slice(if lua.boolean(-1) { b"true" } else { b"false" }),
        Kind::Number => out.extend_from_slice(number(lua.number(-1).unwrap_or_default()).as_bytes()),
        Kind::Nil | Kind::None => out.extend_from_slice(b"nil"),
        Kind::Table => table(lua, room, depth, out),
        kind => {
            let name = if kind == Kind::LightUserdata { "light-userdata" } else { kind.name() };
            // A vector takes whatever is written to it.
            let _ = write!(out, " \"{name}@{:p}\"", lua.address(-1));
        }
    }
}

/// The table on top of the stack: its values alone if its keys are 1, 2, 3 and so on.
fn table(lua: Lua, room: usize, depth: usize, out: &mut Vec<u8>) {
    // What scripts may only read is an empty table in front of the real one.
    if !sandbox::push_real(lua, -1) {
        lua.push_copy(-1);
    }
    let bare = is_sequence(lua);
    out.push(b'{');
    lua.push_nil();
    while lua.next(-2) {
        if out.len() >= room {
            lua.pop(2);
            break;
        }
        if !bare {
            out.push(b'[');
            lua.push_copy(-2);
            nested(lua, room, depth + 1, out);
            lua.pop(1);
            out.extend_from_slice(b"]=");
        }
        nested(lua, room, depth + 1, out);
        out.extend_from_slice(b"; ");
        lua.pop(1);
    }
    out.push(b'}');
    lua.pop(1);
}

/// Whether the table on top of the stack has the keys 1, 2, 3 and so on, in this order, and no others.
fn is_sequence(lua: Lua) -> bool {
    let mut expected = 1.0;
    lua.push_nil();
    while lua.next(-2) {
        lua.pop(1);
        if lua.kind(-1) != Kind::Number || lua.number(-1) != Some(expected) {
            lua.pop(1);
            return false;
        }
        expected += 1.0;
    }
    true
}

/// A number with six digits, as C's `%g` prints it.
fn number(n: f64) -> String {
    if n.is_nan() {
        return if n.is_sign_negative() { "-nan" } else { "nan" }.into();
    }
    if n.is_infinite() {
        return if n < 0.0 { "-inf" } else { "inf" }.into();
    }
    let scientific = format!("{n:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let places = usize::try_from(5 - exponent).unwrap_or(0);
        return trimmed(&format!("{n:.places$}")).into();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
}

/// Without zeros at the end of the fraction.
fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// Appends a reply; returns what follows it in `bytes`. What is longer than `room` bytes may be cut off behind them.
pub(super) fn reply<'b>(bytes: &'b [u8], room: usize, out: &mut Vec<u8>) -> &'b [u8] {
    let Some((&kind, after)) = bytes.split_first() else { return b"" };
    let end = after.iter().position(|&b| b == b'\r').unwrap_or(after.len());
    let (line, rest) = (&after[..end], after.get(end + 2..).unwrap_or_default());
    let n = tanist_resp::number::parse_i64(line).unwrap_or(-1);
    match (kind, usize::try_from(n)) {
        (b':' | b'(', _) => out.extend_from_slice(line),
        (b'+' | b'-', _) => out.extend_from_slice(tanist_text::words::quote(&bytes[..=end]).as_bytes()),
        (b'_', _) => out.extend_from_slice(b"(null)"),
        (b'#', _) => out.extend_from_slice(if line == b"t" { b"#true" } else { b"#false" }),
        (b',', _) => {
            out.extend_from_slice(b"(double) ");
            out.extend_from_slice(line);
        }
        (b'$' | b'*', Err(_)) => out.extend_from_slice(b"NULL"),
        (b'$' | b'=', Ok(len)) => {
            let text = rest.get(..len).unwrap_or(rest);
            out.extend_from_slice(tanist_text::words::quote(&text[..text.len().min(room)]).as_bytes());
            return rest.get(len + 2..).unwrap_or_default();
        }
        (b'*' | b'>', Ok(n)) => return several(rest, (n, 1), ["[", ",", "]"], room, out),
        (b'~', Ok(n)) => return several(rest, (n, 1), ["~(", ",", ")"], room, out),
        (b'%', Ok(n)) => return several(rest, (n, 2), ["{", ",", "}"], room, out),
        _ => {}
    }
    rest
}

/// Appends `n` replies, or pairs of them, between the marks.
fn several<'b>(
    mut bytes: &'b [u8],
    (n, width): (usize, usize),
    [open, between, close]: [&str; 3],
    room: usize,
    out: &mut Vec<u8>,
) -> &'b [u8] {
    out.extend_from_slice(open.as_bytes());
    for i in 0..n {
        if bytes.is_empty() || out.len() >= room {
            break;
        }
        if i > 0 {
            out.extend_from_slice(between.as_bytes());
        }
        bytes = reply(bytes, room, out);
        if width == 2 {
            out.extend_from_slice(b" => ");
            bytes = reply(bytes, room, out);
        }
    }
    out.extend_from_slice(close.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_digits() {
        for (n, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.333333"),
            (100_000.0, "100000"),
            (999_999.4, "999999"),
            (999_999.5, "1e+06"),
            (123_456_789.0, "1.23457e+08"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1e100, "1e+100"),
            (f64::NAN, "nan"),
            (-f64::NAN, "-nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn replies_are_shown() {
        for (bytes, text) in [
            (":-5\r\n", "-5"),
            ("+OK\r\n", "\"+OK\""),
            ("-ERR a \"b\"\r\n", "\"-ERR a \\\"b\\\"\""),
            ("$-1\r\n", "NULL"),
            ("*-1\r\n", "NULL"),
            ("_\r\n", "(null)"),
            ("#t\r\n", "#true"),
            (",1.5\r\n", "(double) 1.5"),
            ("$4\r\na\r\nb\r\n", "\"a\\r\\nb\""),
            ("*3\r\n:1\r\n$1\r\nx\r\n*0\r\n", "[1,\"x\",[]]"),
            ("~2\r\n:1\r\n:2\r\n", "~(1,2)"),
            ("%2\r\n:1\r\n:2\r\n+a\r\n_\r\n", "{1 => 2,\"+a\" => (null)}"),
            // No reply of ours: no harm is done.
            ("*1000000000\r\n:1\r\n", "[1]"),
            ("$1000\r\nabc", "\"abc\""),
            ("", ""),
            ("?", ""),
        ] {
            let mut out = Vec::new();
            reply(bytes.as_bytes(), 1000, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text, "{bytes:?}");
        }
        let mut out = Vec::new();
        reply(format!("*1000\r\n{}", ":1\r\n".repeat(1000)).as_bytes(), 10, &mut out);
        assert_eq!(out.len(), 11, "no more than is wanted");
    }
}
