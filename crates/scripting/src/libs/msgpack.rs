//! `cmsgpack`: MessagePack, with the limits and messages of lua-cmsgpack 0.4.0, which knows strings and no binary strings.

use super::{function, room, text};
use crate::lua::{Kind, Lua, Raise, Ran};

/// Tables nested deeper than this are written as nil.
const NESTING: usize = 16;

/// Pushes the library.
pub(crate) fn push(lua: Lua) {
    lua.push_table(0, 8);
    function(lua, "pack", pack);
    function(lua, "unpack", |lua| unpack(lua, 0, 0));
    function(lua, "unpack_one", |lua| {
        let offset = optional(lua, 2)?;
        unpack(lua, 1, offset)
    });
    function(lua, "unpack_limit", |lua| {
        let limit = lua.check_integer(2)?;
        let offset = optional(lua, 3)?;
        unpack(lua, limit, offset)
    });
    text(lua, "_NAME", "cmsgpack");
    text(lua, "_VERSION", "lua-cmsgpack 0.4.0");
    text(lua, "_COPYRIGHT", "Copyright (C) 2012, Redis Ltd.");
    text(lua, "_DESCRIPTION", "MessagePack C implementation for Lua");
}

fn optional(lua: Lua, argument: i32) -> Result<i64, Raise> {
    match lua.kind(argument) {
        Kind::None | Kind::Nil => Ok(0),
        _ => lua.check_integer(argument),
    }
}

fn pack(lua: Lua) -> Ran {
    let count = lua.top();
    if count == 0 {
        return Err(complaint("MessagePack pack needs input."));
    }
    if !lua.ensure(count) {
        return Err(complaint("Too many arguments for MessagePack pack."));
    }
    let mut out = Vec::new();
    for i in 1..=count {
        lua.push_copy(i);
        write(lua, &mut out, 0)?;
    }
    lua.push_bytes(&out);
    Ok(1)
}

/// About the arguments as a whole, which Lua numbers zero.
fn complaint(text: &'static str) -> Raise {
    Raise::At(format!("bad argument #0 to 'pack' ({text})").into())
}

/// Writes the value on top of the stack, and takes it.
fn write(lua: Lua, out: &mut Vec<u8>, level: usize) -> Result<(), Raise> {
    room(lua, out)?;
    match lua.kind(-1) {
        Kind::String => {
            let bytes = lua.bytes(-1).unwrap_or_default();
            write_length(out, bytes.len(), (0xa0, 31), Some(0xd9), (0xda, 0xdb));
            out.extend_from_slice(bytes);
        }
        Kind::Boolean => out.push(if lua.boolean(-1) { 0xc3 } else { 0xc2 }),
        Kind::Number => write_number(out, lua.number(-1).unwrap_or_default()),
        Kind::Table if level < NESTING => write_table(lua, out, level)?,
        _ => out.push(0xc0),
    }
    lua.pop(1);
    Ok(())
}

/// A length: in the first byte up to a limit, else in one (if there is a code for that), two or four bytes.
fn write_length(out: &mut Vec<u8>, len: usize, small: (u8, usize), one: Option<u8>, wide: (u8, u8)) {
    if len <= small.1 {
        out.push(small.0 | len as u8);
    } else if let (Some(code), Ok(len)) = (one, u8::try_from(len)) {
        out.extend_from_slice(&[code, len]);
    } else if let Ok(len) = u16::try_from(len) {
        out.push(wide.0);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(wide.1);
        out.extend_from_slice(&(len as u32).to_be_bytes());
    }
}

fn write_number(out: &mut Vec<u8>, n: f64) {
    const LEAST: f64 = -9_223_372_036_854_775_808.0;
    if n == n.trunc() && (LEAST..-LEAST).contains(&n) {
        return write_integer(out, n as i64);
    }
    if f64::from(n as f32) == n {
        out.push(0xca);
        out.extend_from_slice(&(n as f32).to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&n.to_be_bytes());
    }
}

fn write_integer(out: &mut Vec<u8>, n: i64) {
    match n {
        -32..=127 => out.push(n as u8),
        128..=0xff => out.extend_from_slice(&[0xcc, n as u8]),
        0x100..=0xffff => {
            out.push(0xcd);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xce);
            out.extend_from_slice(&(n as u32).to_be_bytes());
        }
        0x1_0000_0000.. => {
            out.push(0xcf);
            out.extend_from_slice(&n.to_be_bytes());
        }
        -0x80..=-33 => out.extend_from_slice(&[0xd0, n as u8]),
        -0x8000..=-0x81 => {
            out.push(0xd1);
            out.extend_from_slice(&(n as i16).to_be_bytes());
        }
        -0x8000_0000..=-0x8001 => {
            out.push(0xd2);
            out.extend_from_slice(&(n as i32).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend_from_slice(&n.to_be_bytes());
        }
    }
}

fn write_table(lua: Lua, out: &mut Vec<u8>, level: usize) -> Result<(), Raise> {
    if !lua.ensure(4) {
        return Err(Raise::At("stack overflow (in function mp_encode_lua_table)".into()));
    }
    let (pairs, is_array) = shape(lua);
    if is_array {
        let len = lua.len(-1);
        write_length(out, len, (0x90, 15), None, (0xdc, 0xdd));
        for i in 1..=len {
            lua.raw_get_at(-1, i);
            write(lua, out, level + 1)?;
        }
        return Ok(());
    }
    write_length(out, pairs, (0x80, 15), None, (0xde, 0xdf));
    lua.push_nil();
    while lua.next(-2) {
        lua.push_copy(-2);
        write(lua, out, level + 1)?;
        write(lua, out, level + 1)?;
    }
    Ok(())
}

/// The number of pairs of the table on top of the stack, and whether their keys are 1 to that number.
fn shape(lua: Lua) -> (usize, bool) {
    let (mut count, mut most, mut dense) = (0usize, 0i32, true);
    lua.push_nil();
    while lua.next(-2) {
        lua.pop(1);
        count += 1;
        let key = if lua.kind(-1) == Kind::Number { lua.number(-1).unwrap_or_default() } else { 0.0 };
        dense &= key > 0.0 && f64::from(key as i32) == key;
        most = most.max(key as i32);
    }
    (count, dense && most as usize == count)
}

/// Reads up to `limit` values from `offset` on; without either, all. With them, the first result is where to go on, or
/// -1 at the end.
fn unpack(lua: Lua, limit: i64, offset: i64) -> Ran {
    let bytes = lua.check_text(1)?;
    if offset < 0 || limit < 0 {
        // What the original calls the limit is the length.
        let len = bytes.len();
        let text = format!("Invalid request to unpack with offset of {offset} and limit of {len}.");
        return Err(Raise::At(text.into()));
    }
    let Some(left) = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)) else {
        let len = bytes.len();
        return Err(Raise::At(format!("Start offset {offset} greater than input length {len}.").into()));
    };
    lua.set_top(1);
    let all = limit == 0 && offset == 0;
    let mut reader = Reader { lua, left };
    let mut count = 0;
    while !reader.left.is_empty() && (all || count < limit) {
        reader.value()?;
        count += 1;
    }
    let count = count as i32;
    if all {
        return Ok(count);
    }
    if !lua.ensure(1) {
        return Err(Raise::At("stack overflow (in function mp_unpack_full)".into()));
    }
    let next = if reader.left.is_empty() { -1.0 } else { (bytes.len() - reader.left.len()) as f64 };
    lua.push_number(next);
    lua.insert(2);
    Ok(count + 1)
}

struct Reader<'a> {
    lua: Lua,
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Raise> {
        match self.left.split_at_checked(n) {
            Some((taken, left)) => {
                self.left = left;
                Ok(taken)
            }
            None => Err(Raise::At("Missing bytes in input.".into())),
        }
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Raise> {
        let taken = self.take(N)?;
        let mut bytes = [0; N];
        bytes.copy_from_slice(taken);
        Ok(bytes)
    }

    fn u8(&mut self) -> Result<u8, Raise> {
        self.fixed::<1>().map(|[b]| b)
    }

    fn u16(&mut self) -> Result<usize, Raise> {
        self.fixed().map(|b| u16::from_be_bytes(b).into())
    }

    fn u32(&mut self) -> Result<usize, Raise> {
        self.fixed().map(|b| u32::from_be_bytes(b) as usize)
    }

    /// Pushes one value.
    fn value(&mut self) -> Result<(), Raise> {
        if !self.lua.ensure(2) {
            return Err(Raise::At(
                "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)"
                    .into(),
            ));
        }
        let number = match self.u8()? {
            n @ 0..=0x7f => f64::from(n),
            n @ 0xe0.. => f64::from(n as i8),
            n @ 0x80..=0x8f => return self.map(usize::from(n & 15)),
            n @ 0x90..=0x9f => return self.array(usize::from(n & 15)),
            n @ 0xa0..=0xbf => return self.string(usize::from(n & 31)),
            0xc0 => {
                self.lua.push_nil();
                return Ok(());
            }
            n @ (0xc2 | 0xc3) => {
                self.lua.push_bool(n == 0xc3);
                return Ok(());
            }
            0xd9 => {
                let len = self.u8()?;
                return self.string(len.into());
            }
            0xda => {
                let len = self.u16()?;
                return self.string(len);
            }
            0xdb => {
                let len = self.u32()?;
                return self.string(len);
            }
            0xca => f32::from_be_bytes(self.fixed()?).into(),
            0xcb => f64::from_be_bytes(self.fixed()?),
            0xcc => self.u8()?.into(),
            0xcd => self.u16()? as f64,
            0xce => self.u32()? as f64,
            0xcf => u64::from_be_bytes(self.fixed()?) as f64,
            0xd0 => i8::from_be_bytes(self.fixed()?).into(),
            0xd1 => i16::from_be_bytes(self.fixed()?).into(),
            0xd2 => i32::from_be_bytes(self.fixed()?).into(),
            0xd3 => i64::from_be_bytes(self.fixed()?) as f64,
            0xdc => {
                let len = self.u16()?;
                return self.array(len);
            }
            0xdd => {
                let len = self.u32()?;
                return self.array(len);
            }
            0xde => {
                let len = self.u16()?;
                return self.map(len);
            }
            0xdf => {
                let len = self.u32()?;
                return self.map(len);
            }
            _ => return Err(Raise::At("Bad data format in input.".into())),
        };
        self.lua.push_number(number);
        Ok(())
    }

    fn string(&mut self, len: usize) -> Result<(), Raise> {
        let bytes = self.take(len)?;
        self.lua.push_bytes(bytes);
        Ok(())
    }

    fn array(&mut self, len: usize) -> Result<(), Raise> {
        // Room only for what can be there.
        self.lua.push_table(len.min(self.left.len()), 0);
        for i in 1..=len {
            self.value()?;
            self.lua.raw_set_at(-2, i);
        }
        Ok(())
    }

    fn map(&mut self, len: usize) -> Result<(), Raise> {
        self.lua.push_table(0, len.min(self.left.len() / 2));
        for _ in 0..len {
            self.value()?;
            match (self.lua.kind(-1), self.lua.number(-1)) {
                (Kind::Nil, _) => return Err(Raise::Bare("table index is nil".into())),
                (Kind::Number, Some(n)) if n.is_nan() => {
                    return Err(Raise::Bare("table index is NaN".into()));
                }
                _ => {}
            }
            self.value()?;
            self.lua.raw_set(-3);
        }
        Ok(())
    }
}
