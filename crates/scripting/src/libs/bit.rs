//! `bit`: operations on 32 bits, as LuaBitOp has them. Results are signed.

use super::function;
use crate::lua::{Kind, Lua, Raise, Ran};

/// Pushes the library.
pub(crate) fn push(lua: Lua) {
    lua.push_table(0, 12);
    function(lua, "tobit", |lua| give(lua, bits(lua, 1)?));
    function(lua, "bnot", |lua| give(lua, !bits(lua, 1)?));
    function(lua, "band", |lua| fold(lua, |a, b| a & b));
    function(lua, "bor", |lua| fold(lua, |a, b| a | b));
    function(lua, "bxor", |lua| fold(lua, |a, b| a ^ b));
    function(lua, "lshift", |lua| shift(lua, |b, n| b << n));
    function(lua, "rshift", |lua| shift(lua, |b, n| b >> n));
    function(lua, "arshift", |lua| shift(lua, |b, n| (b as i32 >> n) as u32));
    function(lua, "rol", |lua| shift(lua, u32::rotate_left));
    function(lua, "ror", |lua| shift(lua, u32::rotate_right));
    function(lua, "bswap", |lua| give(lua, bits(lua, 1)?.swap_bytes()));
    function(lua, "tohex", tohex);
}

/// The low 32 bits of a number that is rounded to an integer first.
fn bits(lua: Lua, argument: i32) -> Result<u32, Raise> {
    let n = lua.check_number(argument)?;
    // 2^52 + 2^51: adding it leaves the integer's bits at the end of the mantissa.
    Ok((n + 6_755_399_441_055_744.0).to_bits() as u32)
}

fn give(lua: Lua, bits: u32) -> Ran {
    lua.push_number(f64::from(bits as i32));
    Ok(1)
}

fn fold(lua: Lua, f: fn(u32, u32) -> u32) -> Ran {
    let mut all = bits(lua, 1)?;
    for i in (2..=lua.top()).rev() {
        all = f(all, bits(lua, i)?);
    }
    give(lua, all)
}

fn shift(lua: Lua, f: fn(u32, u32) -> u32) -> Ran {
    let value = bits(lua, 1)?;
    give(lua, f(value, bits(lua, 2)? & 31))
}

/// `bit.tohex(x [, digits])`: a negative number of digits asks for capitals.
fn tohex(lua: Lua) -> Ran {
    let value = bits(lua, 1)?;
    let digits = if lua.kind(2) == Kind::None { 8 } else { bits(lua, 2)? as i32 };
    let all = if digits < 0 { format!("{value:08X}") } else { format!("{value:08x}") };
    let digits = digits.unsigned_abs().min(8) as usize;
    lua.push_bytes(&all.as_bytes()[8 - digits..]);
    Ok(1)
}
