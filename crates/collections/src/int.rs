//! Text that is an integer, by Redis' rule.

/// The longest text of an `i64`: `-9223372036854775808`.
const LONGEST: usize = 20;

/// The integer of which `text` is the canonical decimal form: no plus sign, no leading zero, no `-0`, within `i64`.
#[inline]
#[must_use]
pub fn parse_int(text: &[u8]) -> Option<i64> {
    // Most values are not numbers, which their first byte or their length tells.
    let (&first, rest) = text.split_first()?;
    let (negative, digits) = if first == b'-' { (true, rest) } else { (false, text) };
    if first > b'9' || text.len() > LONGEST {
        return None;
    }
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    let mut magnitude: u64 = 0;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

#[cfg(test)]
mod tests {
    use super::parse_int;

    #[test]
    fn only_canonical_text_is_an_integer() {
        for n in [0, 1, -1, 10, 42, -999, i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1] {
            assert_eq!(parse_int(n.to_string().as_bytes()), Some(n));
        }
        let most =
            ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "100000000000000000000"];
        for bad in ["", "-", "-0", "00", "01", "+1", " 1", "1 ", "1.0", "a"].iter().chain(&most) {
            assert_eq!(parse_int(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
