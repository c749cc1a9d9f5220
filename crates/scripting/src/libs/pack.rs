//! `struct`: values as bytes in formats of C, as Roberto Ierusalimschy's library of that name has them.

use super::{function, room};
use crate::lua::{Kind, Lua, Raise, Ran, to_integer};

/// The most bytes of an integer.
const LARGEST: usize = 32;
/// The alignment that `!` without a number asks for.
const NATURAL: usize = 8;

/// Pushes the library.
pub(crate) fn push(lua: Lua) {
    lua.push_table(0, 3);
    function(lua, "pack", pack);
    function(lua, "unpack", unpack);
    function(lua, "size", size);
}

/// Goes through a format.
struct Format<'a> {
    rest: &'a [u8],
    big: bool,
    align: usize,
}

impl<'a> Format<'a> {
    fn new(text: &'a [u8]) -> Format<'a> {
        // C's strings end at a zero byte.
        let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
        Format { rest: &text[..end], big: cfg!(target_endian = "big"), align: 1 }
    }

    /// The next option and its size, the padding in front of it counted from `at`.
    fn next(&mut self, at: usize) -> Result<Option<(u8, usize, usize)>, Raise> {
        let Some((&option, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        let size = match option {
            b'B' | b'b' | b'x' => 1,
            b'H' | b'h' => 2,
            b'L' | b'l' | b'T' | b'd' => 8,
            b'f' => 4,
            b'c' => self.number(1)?,
            b'i' | b'I' => match self.number(4)? {
                size if size > LARGEST => {
                    return Err(Raise::At(
                        format!("integral size {size} is larger than limit of {LARGEST}").into(),
                    ));
                }
                size => size,
            },
            _ => 0,
        };
        let padding = if size == 0 || option == b'c' {
            0
        } else {
            let size = size.min(self.align);
            (size - (at & (size - 1))) & (size - 1)
        };
        Ok(Some((option, size, padding)))
    }

    fn number(&mut self, default: usize) -> Result<usize, Raise> {
        let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(default);
        }
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let number = std::str::from_utf8(number).ok().and_then(|t| t.parse::<i32>().ok());
        number.map(|n| n as usize).ok_or(Raise::At("integral size overflow".into()))
    }

    /// An option that stands for no value.
    fn control(&mut self, option: u8) -> Result<(), Raise> {
        match option {
            b' ' => {}
            b'>' => self.big = true,
            b'<' => self.big = false,
            b'!' => {
                let align = self.number(NATURAL)?;
                if !align.is_power_of_two() {
                    return Err(Raise::At(format!("alignment {align} is not a power of 2").into()));
                }
                self.align = align;
            }
            _ => {
                let option = char::from(option);
                return Err(Raise::Argument(1, format!("invalid format option '{option}'").into()));
            }
        }
        Ok(())
    }

    /// Bytes in the format's order, made of those with the lowest first.
    fn ordered(&self, bytes: &mut [u8]) {
        if self.big {
            bytes.reverse();
        }
    }
}

fn pack(lua: Lua) -> Ran {
    let mut format = Format::new(lua.check_text(1)?);
    let mut out = Vec::new();
    let mut argument = 2;
    while let Some((option, size, padding)) = format.next(out.len())? {
        out.resize(out.len() + padding, 0);
        room(lua, &out)?;
        match option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let n = lua.check_number(argument)?;
                let value = if n < 0.0 { to_integer(n) as u64 } else { to_unsigned(n) };
                let mut bytes = [0; LARGEST];
                bytes[..8].copy_from_slice(&value.to_le_bytes());
                format.ordered(&mut bytes[..size]);
                out.extend_from_slice(&bytes[..size]);
                argument += 1;
            }
            b'x' => out.push(0),
            b'f' => {
                let mut bytes = (lua.check_number(argument)? as f32).to_le_bytes();
                format.ordered(&mut bytes);
                out.extend_from_slice(&bytes);
                argument += 1;
            }
            b'd' => {
                let mut bytes = lua.check_number(argument)?.to_le_bytes();
                format.ordered(&mut bytes);
                out.extend_from_slice(&bytes);
                argument += 1;
            }
            b'c' | b's' => {
                let text = lua.check_text(argument)?;
                argument += 1;
                let size = if size == 0 { text.len() } else { size };
                let Some(part) = text.get(..size) else {
                    return Err(Raise::Argument(argument, "string too short".into()));
                };
                out.extend_from_slice(part);
                if option == b's' {
                    out.push(0);
                }
            }
            _ => format.control(option)?,
        }
    }
    lua.push_bytes(&out);
    Ok(1)
}

/// A number that is not negative as C converts it to 64 bits without a sign.
fn to_unsigned(n: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if n < HALF { n as u64 } else { (to_integer(n - HALF) as u64) ^ (1 << 63) }
}

fn unpack(lua: Lua) -> Ran {
    let mut format = Format::new(lua.check_text(1)?);
    let data = lua.check_text(2)?;
    let start = match lua.kind(3) {
        Kind::None | Kind::Nil => 1,
        _ => lua.check_integer(3)?,
    };
    if start < 1 {
        return Err(Raise::Argument(3, "offset must be 1 or greater".into()));
    }
    let mut at = start as usize - 1;
    lua.set_top(3);
    let mut results = 0;
    while let Some((option, mut size, padding)) = format.next(at)? {
        at = at.saturating_add(padding);
        part(data, at, size)?;
        if !lua.ensure(2) {
            return Err(Raise::At("stack overflow (too many results)".into()));
        }
        match option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                lua.push_number(integer(&format, part(data, at, size)?, option.is_ascii_lowercase()));
                results += 1;
            }
            b'x' => {}
            b'f' => {
                let mut bytes = [0; 4];
                bytes.copy_from_slice(part(data, at, 4)?);
                format.ordered(&mut bytes);
                lua.push_number(f32::from_le_bytes(bytes).into());
                results += 1;
            }
            b'd' => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(part(data, at, 8)?);
                format.ordered(&mut bytes);
                lua.push_number(f64::from_le_bytes(bytes));
                results += 1;
            }
            b'c' => {
                if size == 0 {
                    let Some(n) = (results > 0).then(|| lua.number(-1)).flatten() else {
                        return Err(Raise::At("format 'c0' needs a previous size".into()));
                    };
                    size = to_unsigned(n) as usize;
                    lua.pop(1);
                    results -= 1;
                }
                lua.push_bytes(part(data, at, size)?);
                results += 1;
            }
            b's' => {
                let rest = data.get(at..).unwrap_or_default();
                let Some(end) = rest.iter().position(|&b| b == 0) else {
                    return Err(Raise::At("unfinished string in data".into()));
                };
                lua.push_bytes(&rest[..end]);
                size = end + 1;
                results += 1;
            }
            _ => format.control(option)?,
        }
        at += size;
    }
    lua.push_number((at + 1) as f64);
    Ok(results + 1)
}

fn part(data: &[u8], at: usize, size: usize) -> Result<&[u8], Raise> {
    let end = at.checked_add(size);
    end.and_then(|end| data.get(at..end)).ok_or(Raise::Argument(2, "data string too short".into()))
}

fn integer(format: &Format<'_>, bytes: &[u8], signed: bool) -> f64 {
    // The low 64 bits, whatever the size is.
    let lowest = |i: usize| if format.big { bytes[bytes.len() - 1 - i] } else { bytes[i] };
    let value = (0..bytes.len().min(8)).fold(0u64, |n, i| n | u64::from(lowest(i)) << (8 * i));
    if !signed {
        return value as f64;
    }
    let mask = u64::MAX.wrapping_shl((bytes.len() as u32 * 8).wrapping_sub(1));
    let value = if value & mask == 0 { value } else { value | mask };
    value as i64 as f64
}

fn size(lua: Lua) -> Ran {
    let mut format = Format::new(lua.check_text(1)?);
    let mut at = 0;
    while let Some((option, size, padding)) = format.next(at)? {
        at += padding;
        if option == b's' {
            return Err(Raise::Argument(1, "option 's' has no fixed size".into()));
        }
        if option == b'c' && size == 0 {
            return Err(Raise::Argument(1, "option 'c0' has no fixed size".into()));
        }
        if !option.is_ascii_alphanumeric() {
            format.control(option)?;
        }
        at += size;
    }
    lua.push_number(at as f64);
    Ok(1)
}
