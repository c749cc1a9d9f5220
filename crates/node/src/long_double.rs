//! Numbers with a 64-bit mantissa: the `long double` of x86, in software.
//!
//! `INCRBYFLOAT` and `HINCRBYFLOAT` compute with it in Redis and Valkey, and their results differ visibly from those of
//! 64-bit floats (10.50 + 0.1 is 10.6). Reading, adding and printing here are exact up to one rounding (to nearest,
//! ties to even) each, as in the C library, so the digits agree on every platform.

use std::cmp::Ordering;
use std::fmt;

/// The exponent of the smallest numbers: they are multiples of 2 to this power.
const MIN_EXP: i32 = -16_445;
/// The largest exponent of a normalized 64-bit mantissa.
const MAX_EXP: i32 = 16_383 - 63;
/// Texts longer than this are refused, as in Redis.
const MAX_TEXT: usize = 5 * 1024 - 1;
/// Digits printed after the point, before trailing zeros go.
const FRACTION_DIGITS: usize = 17;

/// A number of the x87 extended format, infinities included. Not-a-number is never made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LongDouble {
    /// `mantissa × 2^exp`, negated if `negative`; the mantissa's top bit is set unless `exp` is the least.
    Finite { negative: bool, mantissa: u64, exp: i32 },
    /// An infinity.
    Infinite { negative: bool },
}

impl LongDouble {
    /// Zero.
    pub(crate) const ZERO: LongDouble = LongDouble::Finite { negative: false, mantissa: 0, exp: MIN_EXP };

    /// Reads what C's `strtold` reads, all of `text`: decimal or hexadecimal, or `inf`. `None` for anything else, for
    /// not-a-number and for what overflows or vanishes.
    pub(crate) fn parse(text: &[u8]) -> Option<LongDouble> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
            return Some(LongDouble::Infinite { negative });
        }
        let magnitude = match rest {
            [b'0', b'x' | b'X', hex @ ..] => parse_hex(hex)?,
            decimal => parse_decimal(decimal)?,
        };
        magnitude.is_finite().then_some(magnitude.with_sign(negative))
    }

    pub(crate) fn is_finite(self) -> bool {
        matches!(self, LongDouble::Finite { .. })
    }

    /// A thousand times the number, rounded as a product is, and up to an integer. `None` if it is too large for one; what
    /// is too small is the least one.
    pub(crate) fn ceil_thousandths(self) -> Option<i64> {
        let (negative, mantissa, exp) = match self {
            LongDouble::Finite { negative, mantissa, exp } => (negative, mantissa, exp),
            LongDouble::Infinite { negative } => return negative.then_some(i64::MIN),
        };
        let product = u128::from(mantissa) * 1000;
        let spare = (u128::BITS - product.leading_zeros()).saturating_sub(u64::BITS);
        let (mut kept, lost) = (product >> spare, product & ((1 << spare) - 1));
        let half = (1u128 << spare) >> 1;
        kept += u128::from(lost > half || spare > 0 && lost == half && kept & 1 == 1);
        let exp = exp + spare as i32;
        let (whole, rest) = match u32::try_from(exp) {
            Ok(_) if kept == 0 => (0, false),
            Ok(up) => (if up < u64::BITS - 1 { kept << up } else { u128::from(u64::MAX) }, false),
            Err(_) => match kept.checked_shr(exp.unsigned_abs()) {
                Some(whole) => (whole, whole << exp.unsigned_abs() != kept),
                None => (0, kept != 0),
            },
        };
        if negative {
            return Some(i64::try_from(whole).map_or(i64::MIN, |whole| -whole));
        }
        i64::try_from(whole + u128::from(rest)).ok()
    }

    fn with_sign(self, negative: bool) -> LongDouble {
        match self {
            LongDouble::Finite { mantissa, exp, .. } => LongDouble::Finite { negative, mantissa, exp },
            LongDouble::Infinite { .. } => LongDouble::Infinite { negative },
        }
    }

    /// The sum, rounded once. Of two opposite infinities there is none; the first is given, so that the result is not
    /// finite.
    pub(crate) fn add(self, other: LongDouble) -> LongDouble {
        let (
            LongDouble::Finite { negative: na, mantissa: ma, exp: ea },
            LongDouble::Finite { negative: nb, mantissa: mb, exp: eb },
        ) = (self, other)
        else {
            return if self.is_finite() { other } else { self };
        };
        // 62 bits below the larger exponent's unit are kept exactly, the rest as one sticky bit. Bits are lost only
        // when the exponents differ by more than 62, and then the sum keeps its top bits, so rounding is exact.
        const GUARD: u32 = 62;
        let top = ea.max(eb);
        let place = |m: u64, e: i32| shift_right_sticky(u128::from(m) << GUARD, (top - e) as u32);
        let (a, b) = (place(ma, ea), place(mb, eb));
        let (negative, sum) = if na == nb {
            (na, a + b)
        } else if a >= b {
            (na && a != b, a - b)
        } else {
            (nb, b - a)
        };
        round(sum, top - GUARD as i32).with_sign(negative)
    }
}

/// `value / 2^by`, its lowest bit set if any bit was lost.
fn shift_right_sticky(value: u128, by: u32) -> u128 {
    if by == 0 {
        value
    } else if by >= 128 {
        u128::from(value != 0)
    } else {
        (value >> by) | u128::from(value << (128 - by) != 0)
    }
}

/// `value × 2^exp` rounded to nearest, ties to even; the lowest bit of a `value` beyond 66 bits may be sticky.
fn round(value: u128, exp: i32) -> LongDouble {
    let bits = 128 - value.leading_zeros() as i32;
    let drop = (bits - 64).max(MIN_EXP - exp);
    if drop <= 0 {
        // Exact; shift left to normalize, as far as the exponent allows.
        let left = (64 - bits).min(exp - MIN_EXP);
        return finite((value as u64).checked_shl(left as u32).unwrap_or(0), exp - left);
    }
    if drop > 128 {
        return LongDouble::ZERO;
    }
    let half = 1u128 << (drop - 1);
    let kept = value.checked_shr(drop as u32).unwrap_or(0);
    let rest = if drop == 128 { value } else { value & ((half << 1).wrapping_sub(1)) };
    let up = rest > half || rest == half && kept & 1 == 1;
    let kept = kept + u128::from(up);
    match u64::try_from(kept) {
        Ok(mantissa) => finite(mantissa, exp + drop),
        Err(_) => finite(1 << 63, exp + drop + 1),
    }
}

fn finite(mantissa: u64, exp: i32) -> LongDouble {
    if mantissa == 0 {
        LongDouble::ZERO
    } else if exp > MAX_EXP {
        LongDouble::Infinite { negative: false }
    } else {
        LongDouble::Finite { negative: false, mantissa, exp }
    }
}

/// The digits before and after a point, the point's position counted in digits after it, and what follows.
fn split_digits(text: &[u8], is_digit: fn(&u8) -> bool) -> Option<(Vec<u8>, i64, &[u8])> {
    let whole = text.iter().take_while(|b| is_digit(b)).count();
    let mut digits = text[..whole].to_vec();
    let mut rest = &text[whole..];
    let mut fraction = 0;
    if let [b'.', after @ ..] = rest {
        fraction = after.iter().take_while(|b| is_digit(b)).count();
        digits.extend_from_slice(&after[..fraction]);
        rest = &after[fraction..];
    }
    (!digits.is_empty()).then_some((digits, fraction as i64, rest))
}

/// The number after an exponent's letter, clamped to what matters.
fn parse_exponent(text: &[u8], letter: u8) -> Option<i64> {
    let [first, rest @ ..] = text else { return Some(0) };
    if !first.eq_ignore_ascii_case(&letter) {
        return None;
    }
    let (negative, digits) = match rest {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let n = digits.iter().fold(0i64, |n, d| (n * 10 + i64::from(d - b'0')).min(1_000_000));
    Some(if negative { -n } else { n })
}

fn parse_hex(text: &[u8]) -> Option<LongDouble> {
    let (digits, fraction, rest) = split_digits(text, u8::is_ascii_hexdigit)?;
    let mut exp = parse_exponent(rest, b'p')? - 4 * fraction;
    let mut value = 0u128;
    for d in digits {
        let d = u128::from(char::from(d).to_digit(16)?);
        if value >> 120 == 0 {
            value = value << 4 | d;
        } else {
            value |= u128::from(d != 0);
            exp += 4;
        }
    }
    vanished(value != 0, round(value, exp.clamp(-100_000, 100_000) as i32))
}

fn parse_decimal(text: &[u8]) -> Option<LongDouble> {
    let (digits, fraction, rest) = split_digits(text, u8::is_ascii_digit)?;
    let power = parse_exponent(rest, b'e')? - fraction;
    let digits = &digits[digits.iter().take_while(|d| **d == b'0').count()..];
    if digits.is_empty() {
        return Some(LongDouble::ZERO);
    }
    // The decimal exponent of the first digit tells early what is far out of range.
    match digits.len() as i64 + power {
        5000.. => return None,
        ..-5000 => return None,
        _ => {}
    }
    let mut numerator = Big::from_digits(digits);
    let result = if power >= 0 {
        numerator.mul_pow10(power as u32);
        let (top, exp) = numerator.top();
        round(top, exp)
    } else {
        let mut denominator = Big::from_digits(b"1");
        denominator.mul_pow10(power.unsigned_abs() as u32);
        let (quotient, exp) = numerator.ratio(denominator);
        round(quotient, exp)
    };
    vanished(true, result)
}

/// `None` for a number that was not zero but has become so.
fn vanished(nonzero: bool, result: LongDouble) -> Option<LongDouble> {
    (!nonzero || result != LongDouble::ZERO).then_some(result)
}

impl fmt::Display for LongDouble {
    /// At most 17 digits after the point, no trailing zeros, no exponent, no negative zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (negative, mantissa, exp) = match *self {
            LongDouble::Infinite { negative } => return f.write_str(if negative { "-inf" } else { "inf" }),
            LongDouble::Finite { negative, mantissa, exp } => (negative, mantissa, exp),
        };
        let (whole, fraction) = if exp >= 0 {
            (Big::shifted(mantissa, exp as u32).into_digits(), 0)
        } else {
            let scaled = scale_fraction(mantissa, exp.unsigned_abs());
            let unit = 10u128.pow(FRACTION_DIGITS as u32);
            ((scaled / unit).to_string(), (scaled % unit) as u64)
        };
        let mut text = whole;
        if fraction != 0 {
            text.push_str(format!(".{fraction:0FRACTION_DIGITS$}").trim_end_matches('0'));
        }
        if negative && text != "0" {
            f.write_str("-")?;
        }
        f.write_str(&text)
    }
}

/// `mantissa × 10^17 / 2^by`, rounded to nearest, ties to even.
fn scale_fraction(mantissa: u64, by: u32) -> u128 {
    let scaled = u128::from(mantissa) * 10u128.pow(FRACTION_DIGITS as u32);
    if by > 127 {
        // The product has fewer than 122 bits: less than a half is left.
        return 0;
    }
    let (kept, rest, half) = (scaled >> by, scaled & ((1 << by) - 1), 1 << (by - 1));
    kept + u128::from(rest > half || rest == half && kept & 1 == 1)
}

/// A natural number of any size: limbs of 32 bits, the lowest first, no zeros on top.
#[derive(Clone, Debug)]
struct Big(Vec<u32>);

impl Big {
    fn from_digits(digits: &[u8]) -> Big {
        let mut n = Big(Vec::new());
        for chunk in digits.chunks(9) {
            let value = chunk.iter().fold(0, |v, d| v * 10 + u32::from(d - b'0'));
            n.mul_add(10u32.pow(chunk.len() as u32), value);
        }
        n
    }

    fn shifted(value: u64, by: u32) -> Big {
        let mut n = Big(vec![value as u32, (value >> 32) as u32]);
        n.trim();
        n.shl(by);
        n
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn mul_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.0 {
            let product = u64::from(*limb) * u64::from(factor) + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
    }

    fn mul_pow10(&mut self, power: u32) {
        for _ in 0..power / 9 {
            self.mul_add(1_000_000_000, 0);
        }
        self.mul_add(10u32.pow(power % 9), 0);
    }

    fn bits(&self) -> u32 {
        self.0.last().map_or(0, |top| self.0.len() as u32 * 32 - top.leading_zeros())
    }

    fn shl(&mut self, by: u32) {
        if !by.is_multiple_of(32) {
            self.mul_add(1 << (by % 32), 0);
        }
        self.0.splice(0..0, std::iter::repeat_n(0, (by / 32) as usize));
    }

    /// Halves it; the bit that falls out is known to be zero.
    fn halve(&mut self) {
        let mut carry = 0;
        for limb in self.0.iter_mut().rev() {
            let low = *limb & 1;
            *limb = *limb >> 1 | carry << 31;
            carry = low;
        }
        self.trim();
    }

    fn compare(&self, other: &Big) -> Ordering {
        let by_len = self.0.len().cmp(&other.0.len());
        by_len.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Takes away a number that is not larger.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = false;
        for (i, limb) in self.0.iter_mut().enumerate() {
            let (a, b1) = limb.overflowing_sub(other.0.get(i).copied().unwrap_or(0));
            let (a, b2) = a.overflowing_sub(u32::from(borrow));
            *limb = a;
            borrow = b1 || b2;
        }
        self.trim();
    }

    /// The top bits, the lowest of them sticky, and the power of two that they count.
    fn top(&self) -> (u128, i32) {
        let skip = self.0.len().saturating_sub(4);
        let top = self.0[skip..].iter().rev().fold(0u128, |v, limb| v << 32 | u128::from(*limb));
        let lost = self.0[..skip].iter().any(|limb| *limb != 0);
        (top | u128::from(lost), skip as i32 * 32)
    }

    /// `self / denominator` to at least 66 bits, the lowest of them sticky, and the power of two that they count.
    fn ratio(mut self, mut denominator: Big) -> (u128, i32) {
        const BITS: u32 = 68;
        // Both are scaled so that the quotient has 68 or 69 bits.
        let shift = BITS as i32 + denominator.bits() as i32 - self.bits() as i32;
        if shift >= 0 {
            self.shl(shift as u32);
        } else {
            denominator.shl(shift.unsigned_abs());
        }
        denominator.shl(BITS);
        let mut quotient = 0u128;
        for step in 0..=BITS {
            quotient <<= 1;
            if self.compare(&denominator) != Ordering::Less {
                self.subtract(&denominator);
                quotient |= 1;
            }
            if step < BITS {
                denominator.halve();
            }
        }
        (quotient | u128::from(!self.0.is_empty()), -shift)
    }

    fn into_digits(mut self) -> String {
        let mut chunks = Vec::new();
        while !self.0.is_empty() {
            let mut rest = 0u64;
            for limb in self.0.iter_mut().rev() {
                let value = rest << 32 | u64::from(*limb);
                *limb = (value / 1_000_000_000) as u32;
                rest = value % 1_000_000_000;
            }
            self.trim();
            chunks.push(rest);
        }
        let mut text = chunks.pop().unwrap_or(0).to_string();
        for chunk in chunks.iter().rev() {
            text.push_str(&format!("{chunk:09}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_times_a_number_is_rounded_up_once() {
        let of = |text: &str| LongDouble::parse(text.as_bytes()).expect("a number").ceil_thousandths();
        for (text, expected) in [
            ("0", Some(0)),
            ("1", Some(1000)),
            ("0.1", Some(100)),
            ("0.001", Some(1)),
            ("0.0001", Some(1)),
            ("1e-300", Some(1)),
            ("1.5005", Some(1501)),
            ("0.29", Some(290)),
            ("-0.0001", Some(0)),
            ("-0.0015", Some(-1)),
            ("-2", Some(-2000)),
            ("9223372036854775.807", Some(i64::MAX)),
            ("9223372036854776", None),
            ("1e30", None),
            ("1e4000", None),
            ("-1e30", Some(i64::MIN)),
            ("inf", None),
            ("-inf", Some(i64::MIN)),
            ("0x10", Some(16000)),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    fn sum(a: &str, b: &str) -> String {
        let parse = |t: &str| LongDouble::parse(t.as_bytes()).expect("a number");
        parse(a).add(parse(b)).to_string()
    }

    /// Results of an x86 server.
    #[test]
    fn sums_are_those_of_the_hardware() {
        for (a, b, result) in [
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("3", "1.1", "4.1"),
            ("0.1", "0.2", "0.3"),
            ("1", "-1", "0"),
            ("-1", "0.9", "-0.1"),
            ("1e-20", "0", "0"),
            ("-1e-20", "0", "0"),
            ("17179869185", "1.5", "17179869186.5"),
            ("0x10", "1", "17"),
            ("0x1.8p3", "17", "29"),
            ("5.", ".5", "5.5"),
            ("18446744073709551615", "1", "18446744073709551616"),
            ("18446744073709551616", "1", "18446744073709551616"),
            ("1e22", "1e22", "20000000000000000000000"),
        ] {
            assert_eq!(sum(a, b), result, "{a} + {b}");
        }
    }

    #[test]
    fn large_numbers_print_all_their_digits() {
        let text = sum("1e400", "0");
        assert_eq!(text.len(), 401);
        assert!(
            text.starts_with("10000000000000000000281880683947586514586453433629052038625910693539685534008")
        );
        assert!(text.ends_with("806343732497430221946880"));
    }

    #[test]
    fn the_edges_of_the_range() {
        let parse = |t: &str| LongDouble::parse(t.as_bytes());
        assert!(parse("1.18e4932").is_some() && parse("1.19e4932").is_none());
        assert!(parse("1e-4950").is_some() && parse("1e-4952").is_none());
        assert!(parse("1e999999999999999999999").is_none() && parse("1e-999999999999999999999").is_none());
        assert_eq!(parse("0e999999999999999999999"), Some(LongDouble::ZERO));
        assert_eq!(parse("-inf"), Some(LongDouble::Infinite { negative: true }));
        let most = parse("1.18e4932").expect("in range");
        assert!(!most.add(most).is_finite());
    }

    #[test]
    fn anything_else_is_no_number() {
        for text in
            ["", " 1", "1 ", "+-1", "abc", ".", "1e", "1e+", "e5", "0x", "nan", "1.2.3", "0x1p", "1_0", "-"]
        {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(LongDouble::parse(&[b'1'; 5120]), None);
    }

    #[test]
    fn long_texts_round_once() {
        // Just above, at and below the middle of two neighbours of 2^64.
        let unit = LongDouble::parse(b"18446744073709551616").expect("a number");
        assert_eq!(LongDouble::parse(b"18446744073709551617"), Some(unit));
        let above =
            LongDouble::parse(b"18446744073709551617.000000000000000000000000000001").expect("a number");
        assert_eq!(above.to_string(), "18446744073709551618");
        assert_eq!(sum("18446744073709551619", "0"), "18446744073709551620");
    }
}
