//! Numbers as C prints (`%.14g`) and reads (`strtod`) them.

/// Appends a finite number with so many significant digits, as `%.{digits}g` does.
pub(crate) fn print(out: &mut Vec<u8>, n: f64, digits: usize) {
    if n == n.trunc() && n.abs() < 1e14 && digits >= 14 && !(n == 0.0 && n.is_sign_negative()) {
        out.extend_from_slice(itoa::Buffer::new().format(n as i64).as_bytes());
        return;
    }
    let digits = digits.max(1);
    let scientific = format!("{:.*e}", digits - 1, n);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= digits as i32 {
        out.extend_from_slice(trim(mantissa).as_bytes());
        let sign = if exponent < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("e{sign}{:02}", exponent.unsigned_abs()).as_bytes());
    } else {
        let places = (digits as i32 - 1 - exponent).max(0) as usize;
        out.extend_from_slice(trim(&format!("{n:.places$}")).as_bytes());
    }
}

/// Without the zeros behind the point.
fn trim(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Reads the number that `text` begins with, as `strtod` does: decimal, hexadecimal, infinity, not-a-number. Returns
/// how many bytes it took, zero if there is none.
pub(crate) fn parse(text: &[u8]) -> (f64, usize) {
    let (negative, sign) = match text.first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    };
    let rest = &text[sign..];
    let starts = |word: &[u8]| rest.get(..word.len()).is_some_and(|r| r.eq_ignore_ascii_case(word));
    let (n, len) = if starts(b"infinity") {
        (f64::INFINITY, 8)
    } else if starts(b"inf") {
        (f64::INFINITY, 3)
    } else if starts(b"nan") {
        (f64::NAN, 3 + nan_note(&rest[3..]))
    } else if starts(b"0x") && rest.get(2).is_some_and(|b| b.is_ascii_hexdigit() || *b == b'.') {
        hexadecimal(rest)
    } else {
        decimal(rest)
    };
    if len == 0 { (0.0, 0) } else { (if negative { -n } else { n }, sign + len) }
}

/// The length of `(chars)` behind `nan`.
fn nan_note(text: &[u8]) -> usize {
    if text.first() != Some(&b'(') {
        return 0;
    }
    let end = text.iter().position(|&b| b == b')');
    end.filter(|&end| text[1..end].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_'))
        .map_or(0, |end| end + 1)
}

fn decimal(text: &[u8]) -> (f64, usize) {
    let digits = |from: usize| text[from.min(text.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    let mut len = whole;
    if text.get(len) == Some(&b'.') {
        let fraction = digits(len + 1);
        if whole + fraction == 0 {
            return (0.0, 0);
        }
        len += 1 + fraction;
    } else if whole == 0 {
        return (0.0, 0);
    }
    if matches!(text.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    let number = std::str::from_utf8(&text[..len]).ok().and_then(|t| t.parse().ok());
    (number.unwrap_or(0.0), len)
}

fn hexadecimal(text: &[u8]) -> (f64, usize) {
    let (mut mantissa, mut exponent, mut len, mut seen, mut point) = (0u64, 0i32, 2, false, false);
    while let Some(&b) = text.get(len) {
        if b == b'.' && !point {
            point = true;
        } else if let Some(digit) = char::from(b).to_digit(16) {
            seen = true;
            if mantissa >> 59 == 0 {
                mantissa = mantissa << 4 | u64::from(digit);
                exponent -= if point { 4 } else { 0 };
            } else {
                // What is cut off only tells that there is something.
                mantissa |= u64::from(digit != 0);
                exponent = exponent.saturating_add(if point { 0 } else { 4 });
            }
        } else {
            break;
        }
        len += 1;
    }
    if !seen {
        return (0.0, 1);
    }
    if matches!(text.get(len), Some(b'p' | b'P')) {
        let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
        let digits = text[(len + 1 + sign).min(text.len())..].iter().take_while(|b| b.is_ascii_digit());
        let (mut power, mut count) = (0i32, 0);
        for b in digits {
            power = power.saturating_mul(10).saturating_add(i32::from(b - b'0'));
            count += 1;
        }
        if count > 0 {
            let negative = text.get(len + 1) == Some(&b'-');
            exponent = exponent.saturating_add(if negative { -power } else { power });
            len += 1 + sign + count;
        }
    }
    (scale(mantissa as f64, exponent), len)
}

/// `n * 2^exponent` without leaving the range on the way.
fn scale(mut n: f64, mut exponent: i32) -> f64 {
    while exponent > 0 && n.is_finite() && n != 0.0 {
        let step = exponent.min(1000);
        n *= 2f64.powi(step);
        exponent -= step;
    }
    while exponent < 0 && n != 0.0 {
        let step = exponent.max(-1000);
        n *= 2f64.powi(step);
        exponent -= step;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_c_does() {
        for (n, digits, text) in [
            (0.0, 14, "0"),
            (-0.0, 14, "-0"),
            (1.0, 14, "1"),
            (0.1, 14, "0.1"),
            (1e15, 14, "1e+15"),
            (123_456_789_012_345.0, 14, "1.2345678901234e+14"),
            (std::f64::consts::PI, 14, "3.1415926535898"),
            (std::f64::consts::PI, 3, "3.14"),
            (1e-5, 14, "1e-05"),
            (0.000_12, 14, "0.00012"),
            (99.99, 3, "100"),
            (1234.0, 2, "1.2e+03"),
            (1e300, 14, "1e+300"),
            (-2.5, 14, "-2.5"),
        ] {
            let mut out = Vec::new();
            print(&mut out, n, digits);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }

    #[test]
    fn reads_as_c_does() {
        for (text, n, len) in [
            ("12", 12.0, 2),
            ("-1.5e3,", -1500.0, 6),
            ("1e", 1.0, 1),
            ("1.", 1.0, 2),
            (".5", 0.5, 2),
            ("+7", 7.0, 2),
            ("0x10", 16.0, 4),
            ("0x1p4x", 16.0, 5),
            ("0x1.8", 1.5, 5),
            ("0xg", 0.0, 1),
            ("inf", f64::INFINITY, 3),
            ("-Infinityx", f64::NEG_INFINITY, 9),
            ("1e999", f64::INFINITY, 5),
            ("", 0.0, 0),
            ("-", 0.0, 0),
            (".", 0.0, 0),
            ("x", 0.0, 0),
        ] {
            assert_eq!(parse(text.as_bytes()), (n, len), "{text}");
        }
        assert!(parse(b"nan(x)").0.is_nan());
        assert_eq!(parse(b"nan(x)").1, 6);
    }
}
