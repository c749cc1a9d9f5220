//! Numbers as redis.conf writes them: plain integers, memory sizes, octal modes.

/// Parses a decimal integer as strictly as Redis does: no sign but `-`, no leading zeros, no white space.
pub fn parse_int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty();
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if !plain || leading_zero || text == "-0" {
        return None;
    }
    text.parse().ok()
}

/// Parses a decimal integer as those directives have it that C's `strtoll` has always read: leading zeros and a plus are
/// fine.
pub fn parse_loose_int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Parses a memory size in bytes: digits and one of `b k kb m mb g gb` in any case (`k` = 1000, `kb` = 1024).
/// No digits at all mean 0, as in Redis. What is too large to be held is `u64::MAX`.
pub fn parse_memory(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    // Digits alone can only be too many.
    let number = if digits.is_empty() { 0 } else { digits.parse::<u64>().unwrap_or(u64::MAX) };
    Some(number.saturating_mul(factor))
}

/// Writes a memory size with the largest binary unit that divides it, as CONFIG REWRITE does.
pub fn format_memory(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")] {
        if bytes != 0 && bytes.is_multiple_of(unit) {
            return format!("{}{name}", bytes / unit);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        assert_eq!(parse_int("-12"), Some(-12));
        assert_eq!(parse_int("9223372036854775807"), Some(i64::MAX));
        for bad in ["", "-", "+1", "01", " 1", "1 ", "1x", "-0", "9223372036854775808"] {
            assert_eq!(parse_int(bad), None, "{bad}");
        }
    }

    #[test]
    fn loose_integers() {
        for (text, n) in [("+1", 1), ("007", 7), ("-0", 0), ("-12", -12), ("-9223372036854775808", i64::MIN)]
        {
            assert_eq!(parse_loose_int(text), Some(n), "{text}");
        }
        for bad in ["", "+", "--1", "+-1", " 1", "1 ", "1s", "9223372036854775808"] {
            assert_eq!(parse_loose_int(bad), None, "{bad}");
        }
    }

    #[test]
    fn memory_sizes() {
        for (text, bytes) in
            [("1k", 1000), ("1KB", 1024), ("2mb", 2 << 20), ("1G", 1_000_000_000), ("5b", 5), ("", 0)]
        {
            assert_eq!(parse_memory(text), Some(bytes), "{text}");
        }
        for much in ["99999999999999999999", "9999999999999gb", "18446744073709551615"] {
            assert_eq!(parse_memory(much), Some(u64::MAX), "{much}");
        }
        for bad in ["-1", "1x", "1kbb", "99999999999999999999x", "1 kb"] {
            assert_eq!(parse_memory(bad), None, "{bad}");
        }
        for (bytes, text) in [(0, "0"), (1024, "1kb"), (1025, "1025"), (3 << 30, "3gb"), (5 << 20, "5mb")] {
            assert_eq!(format_memory(bytes), text);
        }
    }
}
