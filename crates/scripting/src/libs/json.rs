//! `cjson`: JSON, with the settings, limits and messages of lua-cjson 2.1.0.

use super::json_parser::Parser;
use super::{number, room, text};
use crate::lua::{Kind, Lua, Raise, Ran, upvalue};
use std::ffi::c_int;

/// The settings, as places in the table that is the upvalue of every function of one instance.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Setting {
    SparseConvert = 1,
    SparseRatio,
    SparseSafe,
    EncodeDepth,
    DecodeDepth,
    EncodeInvalid,
    DecodeInvalid,
    KeepBuffer,
    Precision,
}

const DEFAULTS: [f64; 9] = [0.0, 2.0, 10.0, 1000.0, 1000.0, 0.0, 1.0, 1.0, 14.0];

/// Pushes a new instance of the library.
pub(crate) fn push(lua: Lua) {
    lua.push_table(0, 16);
    lua.push_table(DEFAULTS.len(), 0);
    for (i, value) in DEFAULTS.into_iter().enumerate() {
        lua.push_number(value);
        lua.raw_set_at(-2, i + 1);
    }
    // Stack: the library, its settings.
    function(lua, "encode", encode);
    function(lua, "decode", decode);
    function(lua, "encode_sparse_array", |lua| {
        arguments(lua, 3)?;
        choice(lua, 1, Setting::SparseConvert, &["off", "on"])?;
        integer(lua, 2, Setting::SparseRatio, 0, i32::MAX)?;
        integer(lua, 3, Setting::SparseSafe, 0, i32::MAX)?;
        Ok(3)
    });
    function(lua, "encode_max_depth", |lua| {
        arguments(lua, 1)?;
        integer(lua, 1, Setting::EncodeDepth, 1, i32::MAX)
    });
    function(lua, "decode_max_depth", |lua| {
        arguments(lua, 1)?;
        integer(lua, 1, Setting::DecodeDepth, 1, i32::MAX)
    });
    function(lua, "encode_number_precision", |lua| {
        arguments(lua, 1)?;
        integer(lua, 1, Setting::Precision, 1, 14)
    });
    function(lua, "encode_keep_buffer", |lua| {
        arguments(lua, 1)?;
        choice(lua, 1, Setting::KeepBuffer, &["off", "on"])
    });
    function(lua, "encode_invalid_numbers", |lua| {
        arguments(lua, 1)?;
        choice(lua, 1, Setting::EncodeInvalid, &["off", "on", "null"])
    });
    function(lua, "decode_invalid_numbers", |lua| {
        arguments(lua, 1)?;
        choice(lua, 1, Setting::DecodeInvalid, &["off", "on"])
    });
    lua.pop(1);
    lua.push_function(
        |lua| {
            push(lua);
            Ok(1)
        },
        0,
    );
    lua.set_field(-2, "new");
    push_null(lua);
    lua.set_field(-2, "null");
    text(lua, "_NAME", "cjson");
    text(lua, "_VERSION", "2.1.0");
}

/// `null`, which unlike nil can be in a table.
pub(super) fn push_null(lua: Lua) {
    lua.push_mark(std::ptr::null());
}

/// Adds a function with the settings on top of the stack to the library below them.
fn function<F: Fn(Lua) -> Ran + Copy>(lua: Lua, name: &str, f: F) {
    lua.push_copy(-1);
    lua.push_function(f, 1);
    lua.set_field(-3, name);
}

fn setting(lua: Lua, setting: Setting) -> f64 {
    lua.raw_get_at(upvalue(1), setting as usize);
    let value = lua.number(-1).unwrap_or_default();
    lua.pop(1);
    value
}

fn set(lua: Lua, setting: Setting, value: f64) {
    lua.push_number(value);
    lua.raw_set_at(upvalue(1), setting as usize);
}

/// Makes sure that there are exactly so many arguments, absent ones being nil.
fn arguments(lua: Lua, count: c_int) -> Result<(), Raise> {
    if lua.top() > count {
        return Err(Raise::Argument(count + 1, "found too many arguments".into()));
    }
    lua.set_top(count);
    Ok(())
}

/// Sets a number if the argument is one; pushes what is set.
fn integer(lua: Lua, argument: c_int, which: Setting, least: i32, most: i32) -> Ran {
    if lua.kind(argument) != Kind::Nil {
        let value = lua.check_integer(argument)?;
        if value < least.into() || value > most.into() {
            return Err(Raise::Argument(1, format!("expected integer between {least} and {most}").into()));
        }
        set(lua, which, value as f64);
    }
    lua.push_number(setting(lua, which));
    Ok(1)
}

/// Sets one of several words, the second of which is also `true`, if the argument is one; pushes what is set.
fn choice(lua: Lua, argument: c_int, which: Setting, words: &[&str]) -> Ran {
    match lua.kind(argument) {
        Kind::Nil => {}
        Kind::Boolean => set(lua, which, f64::from(u8::from(lua.boolean(argument)))),
        _ => {
            let word = lua.check_text(argument)?;
            let Some(i) = words.iter().position(|w| w.as_bytes() == word) else {
                let word = String::from_utf8_lossy(word);
                return Err(Raise::Argument(argument, format!("invalid option '{word}'").into()));
            };
            set(lua, which, i as f64);
        }
    }
    match setting(lua, which) as usize {
        i @ (0 | 1) => lua.push_bool(i == 1),
        i => lua.push_bytes(words[i].as_bytes()),
    }
    Ok(1)
}

fn decode(lua: Lua) -> Ran {
    if lua.top() != 1 {
        return Err(Raise::Argument(1, "expected 1 argument".into()));
    }
    let text = lua.check_text(1)?;
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err(Raise::At("JSON parser does not support UTF-16 or UTF-32".into()));
    }
    let depth = setting(lua, Setting::DecodeDepth) as usize;
    let invalid = setting(lua, Setting::DecodeInvalid) != 0.0;
    Parser::new(lua, text, depth, invalid).document().map_err(|error| Raise::At(error.into()))?;
    Ok(1)
}

fn encode(lua: Lua) -> Ran {
    if lua.top() != 1 {
        return Err(Raise::Argument(1, "expected 1 argument".into()));
    }
    let mut encoder = Encoder {
        lua,
        out: Vec::new(),
        depth: setting(lua, Setting::EncodeDepth) as usize,
        precision: setting(lua, Setting::Precision) as usize,
        invalid: setting(lua, Setting::EncodeInvalid) as u8,
        sparse: (
            setting(lua, Setting::SparseConvert) != 0.0,
            setting(lua, Setting::SparseRatio) as i64,
            setting(lua, Setting::SparseSafe) as i64,
        ),
    };
    encoder.value(0)?;
    lua.push_bytes(&encoder.out);
    Ok(1)
}

struct Encoder {
    lua: Lua,
    out: Vec<u8>,
    depth: usize,
    precision: usize,
    /// What becomes of numbers that JSON does not have: refused, written all the same, or null.
    invalid: u8,
    /// Whether sparse arrays become objects, from which ratio and from which index on.
    sparse: (bool, i64, i64),
}

impl Encoder {
    /// Writes the value on top of the stack, and leaves it.
    fn value(&mut self, depth: usize) -> Result<(), Raise> {
        let lua = self.lua;
        room(lua, &self.out)?;
        match lua.kind(-1) {
            Kind::String => self.string(lua.bytes(-1).unwrap_or_default()),
            Kind::Number => self.number(-1)?,
            Kind::Boolean => self.out.extend_from_slice(if lua.boolean(-1) { b"true" } else { b"false" }),
            Kind::Nil => self.out.extend_from_slice(b"null"),
            Kind::LightUserdata if lua.address(-1).is_null() => self.out.extend_from_slice(b"null"),
            Kind::Table => self.table(depth + 1)?,
            _ => return Err(self.refuse(-1, "type not supported")),
        }
        Ok(())
    }

    fn refuse(&self, index: c_int, why: &str) -> Raise {
        Raise::At(format!("Cannot serialise {}: {why}", self.lua.kind(index).name()).into())
    }

    fn table(&mut self, depth: usize) -> Result<(), Raise> {
        if depth > self.depth || !self.lua.ensure(3) {
            return Err(Raise::At(format!("Cannot serialise, excessive nesting ({depth})").into()));
        }
        match self.array_length()? {
            Some(n) => self.array(n, depth),
            None => self.object(depth),
        }
    }

    /// The greatest index, if the table on top of the stack is an array with elements.
    fn array_length(&self) -> Result<Option<i64>, Raise> {
        let lua = self.lua;
        let (mut most, mut count) = (0, 0);
        lua.push_nil();
        while lua.next(-2) {
            let key = if lua.kind(-2) == Kind::Number { lua.number(-2).unwrap_or_default() } else { 0.0 };
            if key < 1.0 || key != key.floor() {
                lua.pop(2);
                return Ok(None);
            }
            most = most.max(key as i32);
            count += 1;
            lua.pop(1);
        }
        let (convert, ratio, safe) = self.sparse;
        let most = i64::from(most);
        if ratio > 0 && most > count * ratio && most > safe {
            if !convert {
                return Err(self.refuse(-1, "excessively sparse array"));
            }
            return Ok(None);
        }
        Ok(Some(most).filter(|&n| n > 0))
    }

    fn array(&mut self, n: i64, depth: usize) -> Result<(), Raise> {
        self.out.push(b'[');
        for i in 1..=n {
            if i > 1 {
                self.out.push(b',');
            }
            self.lua.raw_get_at(-1, i as usize);
            self.value(depth)?;
            self.lua.pop(1);
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), Raise> {
        let lua = self.lua;
        self.out.push(b'{');
        let mut first = true;
        lua.push_nil();
        while lua.next(-2) {
            if !std::mem::take(&mut first) {
                self.out.push(b',');
            }
            match lua.kind(-2) {
                Kind::Number => {
                    self.out.push(b'"');
                    self.number(-2)?;
                    self.out.extend_from_slice(b"\":");
                }
                Kind::String => {
                    self.string(lua.bytes(-2).unwrap_or_default());
                    self.out.push(b':');
                }
                _ => return Err(self.refuse(-2, "table key must be a number or string")),
            }
            self.value(depth)?;
            lua.pop(1);
        }
        self.out.push(b'}');
        Ok(())
    }

    fn number(&mut self, index: c_int) -> Result<(), Raise> {
        let n = self.lua.number(index).unwrap_or_default();
        if n.is_finite() {
            number::print(&mut self.out, n, self.precision);
            return Ok(());
        }
        match self.invalid {
            0 => return Err(self.refuse(index, "must not be NaN or Inf")),
            1 if n.is_nan() => {
                self.out.extend_from_slice(if n.is_sign_negative() { b"-nan" } else { b"nan" })
            }
            1 => self.out.extend_from_slice(if n < 0.0 { b"-inf" } else { b"inf" }),
            _ => self.out.extend_from_slice(b"null"),
        }
        Ok(())
    }

    fn string(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        let mut from = 0;
        for (i, &b) in bytes.iter().enumerate() {
            let short = match b {
                b'"' => b'"',
                b'\\' => b'\\',
                b'/' => b'/',
                0x08 => b'b',
                b'\t' => b't',
                b'\n' => b'n',
                0x0c => b'f',
                b'\r' => b'r',
                0..=0x1f | 0x7f => 0,
                _ => continue,
            };
            self.out.extend_from_slice(&bytes[from..i]);
            from = i + 1;
            if short == 0 {
                self.out.extend_from_slice(format!("\\u{b:04x}").as_bytes());
            } else {
                self.out.extend_from_slice(&[b'\\', short]);
            }
        }
        self.out.extend_from_slice(&bytes[from..]);
        self.out.push(b'"');
    }
}
