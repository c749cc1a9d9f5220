//! Splitting a line into arguments and quoting an argument, by Redis' rules.
//!
//! Arguments are separated by white space. `"…"` understands `\n \r \t \b \a`, `\xHH` and `\` before any other
//! byte; `'…'` understands only `\'`. A closing quote must be followed by white space or the end of the line.
//! `split(quote(bytes))` gives the bytes back, for any bytes.

use thiserror::Error;

/// The line has a quote that is not closed, or one that is closed in the middle of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("Unbalanced quotes in configuration line")]
pub struct UnbalancedQuotes;

/// Splits `line` into its arguments; a blank line has none. A zero byte ends the line, as in Redis.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, UnbalancedQuotes> {
    let mut at = Cursor { line, pos: 0 };
    let mut args = Vec::new();
    loop {
        while at.peek().is_some_and(is_space) {
            at.pos += 1;
        }
        if at.peek().is_none() {
            return Ok(args);
        }
        args.push(at.word()?);
    }
}

/// Puts `arg` in double quotes with escapes, so that [`split`] reads it back whatever its bytes.
pub fn quote(arg: &[u8]) -> String {
    let mut out = String::with_capacity(arg.len() + 2);
    out.push('"');
    for &b in arg {
        match b {
            b'\\' => out.push_str("\\\\"),
            b'"' => out.push_str("\\\""),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x07 => out.push_str("\\a"),
            0x08 => out.push_str("\\b"),
            b' '..=b'~' => out.push(char::from(b)),
            _ => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.push('"');
    out
}

/// The argument as it is if it reads back so, else quoted: for files that people read.
pub fn quote_if_needed(arg: &[u8]) -> String {
    match std::str::from_utf8(arg) {
        Ok(plain) if !arg.is_empty() && arg.iter().all(|&b| is_plain(b)) => plain.to_owned(),
        _ => quote(arg),
    }
}

/// What the byte after a backslash stands for between double quotes, `\xHH` apart.
pub fn unescape(b: u8) -> u8 {
    match b {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn is_plain(b: u8) -> bool {
    b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'\\' | b'#')
}

fn is_space(b: u8) -> bool {
    b.is_ascii_whitespace() || b == 0x0b
}

struct Cursor<'a> {
    line: &'a [u8],
    pos: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.pos).copied().filter(|&b| b != 0)
    }

    fn next(&mut self) -> Option<u8> {
        let b = self.peek()?;
        self.pos += 1;
        Some(b)
    }

    /// One word; a quote may open in its middle, but only white space may follow a closing one.
    fn word(&mut self) -> Result<Vec<u8>, UnbalancedQuotes> {
        let mut out = Vec::new();
        while let Some(b) = self.peek().filter(|&b| !is_space(b)) {
            self.pos += 1;
            match b {
                b'"' => return self.double_quoted(out),
                b'\'' => return self.single_quoted(out),
                _ => out.push(b),
            }
        }
        Ok(out)
    }

    fn double_quoted(&mut self, mut out: Vec<u8>) -> Result<Vec<u8>, UnbalancedQuotes> {
        loop {
            match self.next().ok_or(UnbalancedQuotes)? {
                b'"' => return self.closed(out),
                b'\\' => {
                    let byte = self.escape()?;
                    out.push(byte);
                }
                b => out.push(b),
            }
        }
    }

    fn single_quoted(&mut self, mut out: Vec<u8>) -> Result<Vec<u8>, UnbalancedQuotes> {
        loop {
            match self.next().ok_or(UnbalancedQuotes)? {
                b'\'' => return self.closed(out),
                b'\\' if self.peek() == Some(b'\'') => {
                    self.pos += 1;
                    out.push(b'\'');
                }
                b => out.push(b),
            }
        }
    }

    fn escape(&mut self) -> Result<u8, UnbalancedQuotes> {
        if let Some(&[b'x', high, low]) = self.line.get(self.pos..self.pos + 3)
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            self.pos += 3;
            return Ok(high << 4 | low);
        }
        self.next().map(unescape).ok_or(UnbalancedQuotes)
    }

    fn closed(&self, out: Vec<u8>) -> Result<Vec<u8>, UnbalancedQuotes> {
        if self.peek().is_none_or(is_space) { Ok(out) } else { Err(UnbalancedQuotes) }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|d| d as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        split(line.as_bytes()).expect("balanced")
    }

    #[test]
    fn words_quotes_and_escapes() {
        assert_eq!(words("  a  b\tc "), [b"a", b"b", b"c"]);
        assert_eq!(words(r#"a "b c" 'd "e'"#), [&b"a"[..], b"b c", b"d \"e"]);
        assert_eq!(words(r#""\x41\n\q\"" '\'\n'"#), [&b"A\nq\""[..], b"'\\n"]);
        assert_eq!(words(r#"pre"fix ed" """#), [&b"prefix ed"[..], b""]);
        assert_eq!(words(r#""\xg1""#), [b"xg1"]);
        assert!(words(" \t ").is_empty());
    }

    #[test]
    fn unbalanced() {
        for line in [r#""a"#, r#""a"b"#, "'a", "'a'b", r#""a\"#, r#""\x4"#] {
            assert_eq!(split(line.as_bytes()), Err(UnbalancedQuotes), "{line}");
        }
    }

    #[test]
    fn quotes_only_where_they_are_needed() {
        assert_eq!(quote_if_needed(b"/etc/x.sh"), "/etc/x.sh");
        for arg in ["", "with blank", "q\"uote", "back\\slash", "a#b", "tab\t", "\u{fc}mlaut", "'"] {
            let quoted = quote_if_needed(arg.as_bytes());
            assert!(quoted.starts_with('"'), "{quoted}");
            assert_eq!(words(&quoted), [arg.as_bytes()], "{arg:?}");
        }
    }

    proptest! {
        #[test]
        fn quoting_round_trips(args in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..5)) {
            let line = args.iter().map(|a| quote(a)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(line.as_bytes()).expect("balanced"), args);
        }

        #[test]
        fn any_line_is_split_or_refused(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = split(&line);
        }
    }
}
