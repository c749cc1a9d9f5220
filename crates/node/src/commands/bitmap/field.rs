//! Integers of any width in a string: `BITFIELD`, `BITFIELD_RO`.

use super::{make_raw, parse_offset};
use crate::commands::parse_int;
use crate::commands::string::str_of;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;

/// An integer type: `i1` to `i64`, `u1` to `u63`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Type {
    signed: bool,
    width: u32,
}

impl Type {
    fn parse(text: &[u8]) -> Result<Type, Error> {
        const BAD: Error = Error::fixed(
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
        );
        let (signed, digits) = match text {
            [b'i', digits @ ..] => (true, digits),
            [b'u', digits @ ..] => (false, digits),
            _ => return Err(BAD),
        };
        let most = if signed { 64 } else { 63 };
        let width = parse_int(digits).ok().and_then(|n| u32::try_from(n).ok());
        let width = width.filter(|width| (1..=most).contains(width)).ok_or(BAD)?;
        Ok(Type { signed, width })
    }

    fn least(self) -> i128 {
        if self.signed { -(1 << (self.width - 1)) } else { 0 }
    }

    fn most(self) -> i128 {
        if self.signed { (1 << (self.width - 1)) - 1 } else { (1 << self.width) - 1 }
    }

    /// The integer whose lowest bits these are.
    fn wrap(self, n: i128) -> i64 {
        let low = n & ((1i128 << self.width) - 1);
        let negative = self.signed && low >> (self.width - 1) & 1 == 1;
        (if negative { low - (1i128 << self.width) } else { low }) as i64
    }
}

/// What becomes of a result that the type does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

impl Overflow {
    fn apply(self, kind: Type, n: i128) -> Option<i64> {
        match self {
            _ if (kind.least()..=kind.most()).contains(&n) => Some(n as i64),
            Overflow::Wrap => Some(kind.wrap(n)),
            Overflow::Saturate => Some(n.clamp(kind.least(), kind.most()) as i64),
            Overflow::Fail => None,
        }
    }
}

#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64, Overflow),
    Add(i64, Overflow),
}

#[derive(Clone, Copy)]
struct Step {
    kind: Type,
    offset: usize,
    action: Action,
}

fn parse(ctx: &Ctx<'_>, args: Args<'_, '_>, only_read: bool) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    let mut overflow = Overflow::Wrap;
    let mut i = 2;
    while let Some(word) = args.get(i) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let left = args.len() - i - 1;
        if is(b"OVERFLOW") && left >= 1 {
            let how = args.at(i + 1);
            overflow = match how {
                _ if how.eq_ignore_ascii_case(b"WRAP") => Overflow::Wrap,
                _ if how.eq_ignore_ascii_case(b"SAT") => Overflow::Saturate,
                _ if how.eq_ignore_ascii_case(b"FAIL") => Overflow::Fail,
                _ => return Err(Error::fixed("ERR Invalid OVERFLOW type specified")),
            };
            i += 2;
            continue;
        }
        let takes_value = match () {
            () if is(b"GET") && left >= 2 => false,
            () if (is(b"SET") || is(b"INCRBY")) && left >= 3 => true,
            () => return Err(Error::SYNTAX),
        };
        let kind = Type::parse(args.at(i + 1))?;
        let offset = parse_offset(ctx, args.at(i + 2), Some(kind.width))?;
        let action = if takes_value {
            let value = parse_int(args.at(i + 3))?;
            if is(b"SET") { Action::Set(value, overflow) } else { Action::Add(value, overflow) }
        } else {
            Action::Get
        };
        if only_read && takes_value {
            return Err(Error::fixed("ERR BITFIELD_RO only supports the GET subcommand"));
        }
        steps.push(Step { kind, offset, action });
        i += if takes_value { 4 } else { 3 };
    }
    Ok(steps)
}

/// The bytes that hold a field: at most nine.
fn window(step: &Step) -> std::ops::Range<usize> {
    step.offset / 8..(step.offset + step.kind.width as usize).div_ceil(8)
}

/// The field in its window, which begins with the byte of its first bit.
fn load(step: &Step, bytes: &[u8; 9]) -> i64 {
    let mut wide = [0; 16];
    wide[..9].copy_from_slice(bytes);
    let shift = 128 - step.offset % 8 - step.kind.width as usize;
    step.kind.wrap((u128::from_be_bytes(wide) >> shift) as i128)
}

fn save(step: &Step, bytes: &mut [u8; 9], n: i64) {
    let mut wide = [0; 16];
    wide[..9].copy_from_slice(bytes);
    let shift = 128 - step.offset % 8 - step.kind.width as usize;
    let mask = ((1u128 << step.kind.width) - 1) << shift;
    let word = u128::from_be_bytes(wide) & !mask | (n as u128) << shift & mask;
    bytes.copy_from_slice(&word.to_be_bytes()[..9]);
}

/// `BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value | INCRBY type offset n ...]`
pub(crate) fn bitfield(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    run(ctx, args, false)
}

/// `BITFIELD_RO key [GET type offset ...]`
pub(crate) fn bitfield_ro(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    run(ctx, args, true)
}

fn run(ctx: &mut Ctx<'_>, args: Args<'_, '_>, only_read: bool) -> Outcome {
    let steps = parse(ctx, args, only_read)?;
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    // How far the steps reach that are to write, be it that one fails.
    let writes = steps.iter().filter(|step| !matches!(step.action, Action::Get));
    let end = writes.map(|step| window(step).end).max();
    // A string that is to become longer changes with whatever is written, be it what was there.
    let mut grows = false;
    match end {
        None => ctx.read(key, hash, |found, _| found.map(str_of).transpose().map(|_| ()))?,
        Some(end) => {
            let text = ctx.lookup(key, hash).map(str_of).transpose()?;
            grows = text.is_none_or(|text| text.len() < end);
        }
    }
    let mut results = Vec::with_capacity(steps.len());
    let mut changes = 0;
    for step in &steps {
        let window = window(step);
        let mut bytes = [0; 9];
        let mut digits = itoa::Buffer::new();
        let found = ctx.node.find_live(ctx.session.db, key, hash, ctx.judged());
        if let Some(text) = found.map(str_of).transpose()? {
            let text = text.as_bytes(&mut digits);
            let there = &text[window.start.min(text.len())..window.end.min(text.len())];
            bytes[..there.len()].copy_from_slice(there);
        }
        let old = load(step, &bytes);
        let (result, new) = match step.action {
            Action::Get => (Some(old), None),
            Action::Set(value, overflow) => {
                // A value of an unsigned type is one of 64 bits, as ever.
                let value = if step.kind.signed { i128::from(value) } else { i128::from(value as u64) };
                let new = overflow.apply(step.kind, value);
                (new.map(|_| old), new)
            }
            Action::Add(n, overflow) => {
                let new = overflow.apply(step.kind, i128::from(old) + i128::from(n));
                (new, new)
            }
        };
        if let Some(new) = new
            && (new != old || grows)
        {
            save(step, &mut bytes, new);
            ctx.db_mut().set_range(key, hash, window.start, &bytes[..window.len()]);
            changes += 1;
        }
        results.push(result);
    }
    if changes == 0 && end.is_some() {
        make_raw(ctx, key, hash)?;
    }
    if let Some(end) = end
        && changes > 0
    {
        let found = ctx.node.find_live(ctx.session.db, key, hash, ctx.judged());
        if found.map(str_of).transpose()?.is_some_and(|text| text.len() < end) {
            ctx.db_mut().set_range(key, hash, end - 1, &[0]);
        }
        ctx.changed(key);
        ctx.event(b'$', "setbit", key);
    }
    let mut reply = ctx.reply();
    reply.array(results.len());
    for result in results {
        match result {
            Some(n) => reply.int(n),
            None => reply.null(),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_nothing_else_changes() {
        for signed in [false, true] {
            for width in 1..=if signed { 64 } else { 63 } {
                for offset in 0..8 {
                    let kind = Type { signed, width };
                    let step = Step { kind, offset, action: Action::Get };
                    for n in [kind.least(), kind.most(), 0, 1 & kind.most(), 5 & kind.most()] {
                        for fill in [0, 0xff] {
                            let mut bytes = [fill; 9];
                            save(&step, &mut bytes, n as i64);
                            assert_eq!(i128::from(load(&step, &bytes)), n);
                            let all = step.kind.wrap(if fill == 0 { 0 } else { -1 });
                            save(&step, &mut bytes, all);
                            assert_eq!(bytes, [fill; 9]);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn results_out_of_range_go_as_they_are_told() {
        let u8_ = Type::parse(b"u8").expect("a type");
        assert_eq!(Overflow::Wrap.apply(u8_, 257), Some(1));
        assert_eq!(Overflow::Wrap.apply(u8_, -1), Some(255));
        assert_eq!(Overflow::Saturate.apply(u8_, 300), Some(255));
        assert_eq!(Overflow::Fail.apply(u8_, 300), None);
        let i64_ = Type::parse(b"i64").expect("a type");
        assert_eq!(Overflow::Wrap.apply(i64_, i128::from(i64::MAX) + 1), Some(i64::MIN));
        for bad in ["u64", "i65", "u0", "x8", "u", "i-1", ""] {
            assert!(Type::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
