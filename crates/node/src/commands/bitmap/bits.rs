//! Single bits: `SETBIT`, `GETBIT`.

use super::{make_raw, parse_offset};
use crate::commands::string::str_of;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Encoding;
use tanist_resp::Args;

/// `SETBIT key offset value`
pub(crate) fn setbit(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let offset = parse_offset(ctx, args.at(2), None)?;
    let on = match args.at(3) {
        b"0" => false,
        b"1" => true,
        _ => return Err(Error::fixed("ERR bit is not an integer or out of range")),
    };
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let (at, mask) = (offset / 8, 0x80u8 >> (offset % 8));
    let mut digits = itoa::Buffer::new();
    let old = ctx.lookup(key, hash);
    let raw = old.is_some_and(|entry| entry.encoding() == Encoding::Raw);
    let byte = old.map(str_of).transpose()?.and_then(|text| text.as_bytes(&mut digits).get(at).copied());
    let was = byte.unwrap_or(0) & mask != 0;
    // A bit beyond the end makes the string longer, whatever it is.
    if byte.is_none() || was != on {
        let byte = byte.unwrap_or(0) & !mask | if on { mask } else { 0 };
        ctx.db_mut().set_range(key, hash, at, &[byte]);
        ctx.changed(key);
        ctx.event(b'$', "setbit", key);
    } else if !raw {
        make_raw(ctx, key, hash)?;
    }
    ctx.reply().int(was.into());
    Ok(())
}

/// `GETBIT key offset`
pub(crate) fn getbit(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let offset = parse_offset(ctx, args.at(2), None)?;
    let hash = ctx.hash(args, 1);
    ctx.read(args.at(1), hash, |found, reply| {
        let mut digits = itoa::Buffer::new();
        let text = found.map(str_of).transpose()?;
        let byte = text.and_then(|text| text.as_bytes(&mut digits).get(offset / 8).copied()).unwrap_or(0);
        reply.int((byte >> (7 - offset % 8) & 1).into());
        Ok(())
    })
}
