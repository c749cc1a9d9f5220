//! Sorted sets in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack};
use crate::sha::Digest;
use tanist_keyspace::Policy;
use tanist_keyspace::collections::{Collection, SortedSet, Value};
use tanist_rdb::{Encoder, Part, Str, TypeCode};

pub(super) fn kind(set: &SortedSet) -> TypeCode {
    if set.pack().is_some() { TypeCode::ZSET_LISTPACK } else { TypeCode::ZSET_2 }
}

pub(super) fn encode(set: &SortedSet, to: &mut Encoder<'_>) {
    if let Some(pack) = set.pack() {
        return to.bytes(pack.as_bytes());
    }
    to.number(set.len() as u64);
    // From the highest to the lowest, as Redis does: who inserts into a skip list finds each place at once.
    set.walk(set.len() - 1, true, &mut |member, score| {
        match member.value() {
            Value::Int(n) => to.string(Str::Int(n)),
            Value::Str(bytes) => to.bytes(bytes),
        }
        to.double(score);
        true
    });
}

pub(super) fn push(
    set: &mut SortedSet,
    kind: TypeCode,
    part: Part<'_>,
    policy: &Policy,
) -> Result<(), Malformed> {
    match (kind, part) {
        (TypeCode::ZSET_LISTPACK, Part::Blob(bytes)) => {
            *set = SortedSet::from_foreign(&pack(bytes)?, policy).ok_or(Malformed("a bad sorted set"))?;
        }
        (TypeCode::ZSET | TypeCode::ZSET_2, Part::Scored(member, score)) => {
            let old = match member {
                Str::Bytes(bytes) => set.set(bytes, score, policy),
                Str::Int(n) => set.set(itoa::Buffer::new().format(n).as_bytes(), score, policy),
            };
            if old.is_some() {
                return Err(Malformed("a member twice"));
            }
        }
        _ => return Err(UNEXPECTED),
    }
    Ok(())
}

pub(super) fn mix(digest: &mut Digest, set: &SortedSet) {
    let mut digits = itoa::Buffer::new();
    set.walk(0, false, &mut |member, score| {
        let mut one = Digest::default();
        one.mix(member.value().as_bytes(&mut digits));
        one.mix(seventeen_digits(score).as_bytes());
        digest.xor(&one.0);
        true
    });
}

/// A number as C prints it by `%.17g`.
fn seventeen_digits(score: f64) -> String {
    const DIGITS: i32 = 17;
    if score.is_infinite() {
        return if score > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = format!("{score:.*e}", DIGITS as usize - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..DIGITS).contains(&exponent) {
        return trim(&format!("{score:.*}", (DIGITS - 1 - exponent) as usize));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim(mantissa), exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::seventeen_digits;

    #[test]
    fn numbers_are_printed_as_by_c() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.10000000000000001"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1e-5, "1.0000000000000001e-05"),
            (0.0001, "0.0001"),
            (1e300, "1.0000000000000001e+300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(seventeen_digits(number), text);
        }
    }
}
