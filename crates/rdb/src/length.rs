//! The variable-length numbers of the format: 6, 14, 32 or 64 bits, or a code for a specially encoded string.

/// The first byte of a 32-bit length.
const LEN_32: u8 = 0x80;
/// The first byte of a 64-bit length.
const LEN_64: u8 = 0x81;

/// What stands where a length is expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Length {
    /// A number.
    Plain(u64),
    /// The code of a special string encoding.
    Special(u8),
}

/// Appends `n` in the shortest form.
pub(crate) fn put(out: &mut Vec<u8>, n: u64) {
    if n < 1 << 6 {
        out.push(n as u8);
    } else if n < 1 << 14 {
        out.extend_from_slice(&(0x4000 | n as u16).to_be_bytes());
    } else if let Ok(n) = u32::try_from(n) {
        out.push(LEN_32);
        out.extend_from_slice(&n.to_be_bytes());
    } else {
        out.push(LEN_64);
        out.extend_from_slice(&n.to_be_bytes());
    }
}

/// What a length's first byte says about its form.
pub(crate) enum Form {
    /// Complete: the value.
    Done(Length),
    /// A second byte follows; these are the upper six bits.
    Two(u8),
    /// A 32-bit number follows.
    Four,
    /// A 64-bit number follows.
    Eight,
    /// No version assigns this byte.
    Bad,
}

/// Reads a length's first byte.
pub(crate) const fn form(first: u8) -> Form {
    match first >> 6 {
        0 => Form::Done(Length::Plain(first as u64)),
        1 => Form::Two(first & 0x3f),
        3 => Form::Done(Length::Special(first & 0x3f)),
        _ => match first {
            LEN_32 => Form::Four,
            LEN_64 => Form::Eight,
            _ => Form::Bad,
        },
    }
}
