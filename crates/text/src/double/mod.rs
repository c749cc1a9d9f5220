//! Doubles as text, as Redis and Valkey print them in replies.
//!
//! Integral values up to 2^62 are printed as integers. Others get Grisu2's digits: plain when the exponent is
//! small (`0.001`, `12345.678`), scientific otherwise (`5.0063291842857143e+5`, `1e-7`).

mod grisu;

/// The longest text of a double, in bytes, with some to spare.
pub const MAX_LEN: usize = 40;

/// The text of a double; no allocation.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; MAX_LEN],
    len: usize,
}

impl Text {
    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    fn new() -> Text {
        Text { bytes: [0; MAX_LEN], len: 0 }
    }

    fn of(text: &[u8]) -> Text {
        let mut out = Text::new();
        out.push(text);
        out
    }

    fn push(&mut self, text: &[u8]) {
        self.bytes[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
    }

    fn zeros(&mut self, n: usize) {
        self.bytes[self.len..self.len + n].fill(b'0');
        self.len += n;
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The largest magnitude that is printed as an integer when it is one.
const INTEGRAL: f64 = (i64::MAX / 2) as f64;

/// The text of `d`, with `inf`, `-inf`, `nan` and `-0` for the special values.
#[must_use]
pub fn format(d: f64) -> Text {
    if d.is_nan() {
        return Text::of(b"nan");
    }
    if d.is_infinite() {
        return Text::of(if d > 0.0 { b"inf" } else { b"-inf" });
    }
    if d == 0.0 {
        return Text::of(if d.is_sign_negative() { b"-0" } else { b"0" });
    }
    if d.abs() <= INTEGRAL && d.trunc() == d {
        return Text::of(itoa::Buffer::new().format(d as i64).as_bytes());
    }
    format_grisu(d)
}

/// The text of a finite `d` without the special case for integers: `1e+20`, but also `1.0`'s digits `1`.
#[must_use]
pub fn format_grisu(d: f64) -> Text {
    let mut out = Text::new();
    if d.is_sign_negative() {
        out.push(b"-");
    }
    if d == 0.0 {
        out.push(b"0");
        return out;
    }
    let decimal = grisu::digits(d.abs());
    lay_out(&mut out, decimal.digits(), decimal.exponent);
    out
}

/// Writes `digits × 10^exponent`.
fn lay_out(out: &mut Text, digits: &[u8], exponent: i32) {
    let scientific = exponent + digits.len() as i32 - 1;
    let magnitude = scientific.unsigned_abs() as usize;
    if exponent >= 0 && magnitude < digits.len() + 7 {
        out.push(digits);
        out.zeros(exponent as usize);
    } else if exponent < 0 && (exponent > -7 || magnitude < 4) {
        plain(out, digits, exponent.unsigned_abs() as usize);
    } else {
        let (first, rest) = digits.split_at(1);
        out.push(first);
        if !rest.is_empty() {
            out.push(b".");
            out.push(&rest[..rest.len().min(17)]);
        }
        out.push(if scientific < 0 { b"e-" } else { b"e+" });
        out.push(itoa::Buffer::new().format(magnitude).as_bytes());
    }
}

/// Writes digits of which `fraction` come after the point.
fn plain(out: &mut Text, digits: &[u8], fraction: usize) {
    match digits.len().checked_sub(fraction) {
        None | Some(0) => {
            out.push(b"0.");
            out.zeros(fraction - digits.len());
            out.push(digits);
        }
        Some(integer) => {
            out.push(&digits[..integer]);
            out.push(b".");
            out.push(&digits[integer..]);
        }
    }
}

/// A number as C prints it by `%.17g`: what some replies and digests still have.
#[must_use]
pub fn seventeen_digits(score: f64) -> String {
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
    use super::*;
    use proptest::prelude::*;

    /// Values whose text was read from a Valkey 9.1 server.
    const PEER: &str = include_str!("doubles.txt");

    #[test]
    fn as_the_peer_prints_them() {
        let mut lines = 0;
        for line in PEER.lines().filter(|l| !l.starts_with('#')) {
            let (bits, text) = line.split_once(' ').unwrap();
            let d = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
            assert_eq!(format(d).as_str(), text, "{d:e}");
            lines += 1;
        }
        assert!(lines > 500);
    }

    #[test]
    fn special_values() {
        let texts = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, -0.0].map(format);
        assert_eq!(texts.map(|t| t.as_str().to_owned()), ["inf", "-inf", "nan", "0", "-0"]);
    }

    proptest! {
        #[test]
        fn reads_back_as_the_same_number(bits: u64) {
            let d = f64::from_bits(bits);
            prop_assume!(d.is_finite());
            let text = format(d);
            prop_assert_eq!(text.as_str().parse::<f64>().unwrap().to_bits(), bits, "{}", text.as_str());
        }
    }

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
