//! Bits counted and found: `BITCOUNT`, `BITPOS`.

use crate::commands::parse_int;
use crate::commands::string::str_of;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use std::ops::Range;
use tanist_resp::Args;

/// A stretch as it was asked for.
#[derive(Clone, Copy)]
struct Asked {
    start: i64,
    end: Option<i64>,
    /// The numbers are those of bits, not of bytes.
    bits: bool,
}

impl Asked {
    /// `[start [end [BYTE | BIT]]]` from argument `at` on.
    fn parse(args: Args<'_, '_>, at: usize) -> Result<Option<Asked>, Error> {
        let Some(start) = args.get(at) else { return Ok(None) };
        if args.len() > at + 3 {
            return Err(Error::SYNTAX);
        }
        let start = parse_int(start)?;
        let bits = match args.get(at + 2) {
            None => false,
            Some(word) if word.eq_ignore_ascii_case(b"BIT") => true,
            Some(word) if word.eq_ignore_ascii_case(b"BYTE") => false,
            Some(_) => return Err(Error::SYNTAX),
        };
        let end = args.get(at + 1).map(parse_int).transpose()?;
        Ok(Some(Asked { start, end, bits }))
    }

    /// The bits that are meant in a string of `len` bytes; empty if there are none.
    fn bits(self, len: usize) -> Range<usize> {
        let unit = if self.bits { 1 } else { 8 };
        let total = len as i64 * (8 / unit);
        let end = self.end.unwrap_or(total - 1);
        let place = |n: i64| if n < 0 { n.saturating_add(total).max(0) } else { n };
        let (start, end) = (place(self.start), place(end).min(total - 1));
        if start > end { 0..0 } else { (start * unit) as usize..((end + 1) * unit) as usize }
    }
}

/// How many bits of a stretch are set.
fn count(text: &[u8], bits: Range<usize>) -> u64 {
    if bits.is_empty() {
        return 0;
    }
    let (first, last) = (bits.start / 8, (bits.end - 1) / 8);
    let mut sum: u64 = 0;
    let (words, rest) = text[first..=last].as_chunks::<8>();
    sum += words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum::<u64>();
    sum += rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
    // What the outer bytes have outside of the stretch.
    let before = text[first] & !(0xffu8 >> (bits.start % 8));
    let used = bits.end - last * 8;
    let behind = if used == 8 { 0 } else { text[last] & (0xff >> used) };
    sum - u64::from(before.count_ones()) - u64::from(behind.count_ones())
}

/// The first bit of a stretch that is `on`.
fn find(text: &[u8], bits: Range<usize>, on: bool) -> Option<usize> {
    let skipped = if on { 0 } else { 0xff };
    let mut at = bits.start;
    while at < bits.end {
        let byte = text[at / 8];
        if at.is_multiple_of(8) && byte == skipped {
            // Most bytes of a long stretch are alike.
            let rest = &text[at / 8..bits.end.div_ceil(8)];
            let same = rest.iter().position(|byte| *byte != skipped).unwrap_or(rest.len());
            at += 8 * same;
            continue;
        }
        if (byte >> (7 - at % 8) & 1 == 1) == on {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// `BITCOUNT key [start [end [BYTE | BIT]]]`
pub(crate) fn bitcount(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let asked = Asked::parse(args, 2)?;
    let hash = ctx.hash(args, 1);
    ctx.read(args.at(1), hash, |found, reply| {
        let mut digits = itoa::Buffer::new();
        let text = found.map(str_of).transpose()?;
        let text = text.map_or(&[][..], |text| text.as_bytes(&mut digits));
        let bits = match asked {
            // Both before the beginning and the wrong way round: nothing to count, as ever; `BITPOS` looks there.
            Some(Asked { start: start @ ..0, end: Some(end @ ..0), .. }) if start > end => 0..0,
            Some(asked) => asked.bits(text.len()),
            None => 0..text.len() * 8,
        };
        reply.int(count(text, bits) as i64);
        Ok(())
    })
}

/// `BITPOS key bit [start [end [BYTE | BIT]]]`
pub(crate) fn bitpos(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let on = match parse_int(args.at(2))? {
        0 => false,
        1 => true,
        _ => return Err(Error::fixed("ERR The bit argument must be 1 or 0.")),
    };
    let asked = Asked::parse(args, 3)?;
    let hash = ctx.hash(args, 1);
    ctx.read(args.at(1), hash, |found, reply| {
        let Some(entry) = found else {
            // An absent string is zeros without end.
            reply.int(if on { -1 } else { 0 });
            return Ok(());
        };
        let mut digits = itoa::Buffer::new();
        let text = str_of(entry)?.as_bytes(&mut digits);
        let bits = asked.map_or(0..text.len() * 8, |asked| asked.bits(text.len()));
        let open = asked.is_none_or(|asked| asked.end.is_none());
        let place = match find(text, bits.clone(), on) {
            Some(place) => place as i64,
            // Behind the end there are zeros, unless an end was named.
            None if !on && open && !bits.is_empty() => (text.len() * 8) as i64,
            None => -1,
        };
        reply.int(place);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bit(text: &[u8], at: usize) -> bool {
        text[at / 8] >> (7 - at % 8) & 1 == 1
    }

    #[test]
    fn counting_and_finding_agree_with_a_look_at_each_bit() {
        let text: Vec<u8> = (0..40u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let texts = [text, vec![0; 30], vec![0xff; 30], vec![0, 0, 0, 1, 0xff, 0xff, 0xfe]];
        for text in &texts {
            for start in 0..text.len() * 8 {
                for end in (start..=text.len() * 8).step_by(7) {
                    let wanted = (start..end).filter(|at| bit(text, *at)).count() as u64;
                    assert_eq!(count(text, start..end), wanted, "{start}..{end}");
                    for on in [false, true] {
                        let wanted = (start..end).find(|at| bit(text, *at) == on);
                        assert_eq!(find(text, start..end, on), wanted, "{start}..{end} {on}");
                    }
                }
            }
        }
    }
}
