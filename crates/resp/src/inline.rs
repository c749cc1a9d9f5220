//! Inline commands: words on a line, with Redis' quoting.
//!
//! `"…"` knows `\n \r \t \b \a \xHH` and takes any other escaped byte as itself; `'…'` knows only `\'`. A quote
//! may begin and end within a word. Between words lie blanks; only at a word's beginning are VT and FF blanks too.

use tanist_text::words::unescape;

use crate::ProtocolError;
use crate::args::Span;

/// Whether `line` needs [`split_quoted`]: its words are not plain slices of it.
pub(crate) fn has_quotes(line: &[u8]) -> bool {
    memchr::memchr2(b'"', b'\'', line).is_some()
}

/// Finds the words of a line without quotes. Spans count from `offset` before the line's beginning.
pub(crate) fn split_plain(line: &[u8], offset: usize, spans: &mut Vec<Span>) {
    let mut at = 0;
    loop {
        at = skip_blanks(line, at);
        if at == line.len() {
            return;
        }
        let len = line[at..].iter().position(|&b| is_separator(b)).unwrap_or(line.len() - at);
        spans.push(Span { start: (offset + at) as u32, len: len as u32 });
        at += len;
    }
}

/// Copies the words of a line into `words` without their quotes. Spans count from the beginning of `words` plus
/// nothing: they are relative to `base`, an offset in `words`.
pub(crate) fn split_quoted(
    line: &[u8],
    words: &mut Vec<u8>,
    base: usize,
    spans: &mut Vec<Span>,
) -> Result<(), ProtocolError> {
    let mut at = 0;
    loop {
        at = skip_blanks(line, at);
        if at == line.len() {
            return Ok(());
        }
        let start = words.len();
        at = word(line, at, words)?;
        spans.push(Span { start: (start - base) as u32, len: (words.len() - start) as u32 });
    }
}

/// Copies one word and returns where it ended.
fn word(line: &[u8], mut at: usize, out: &mut Vec<u8>) -> Result<usize, ProtocolError> {
    while let Some(&b) = line.get(at) {
        match b {
            b'"' => at = double_quoted(line, at + 1, out)?,
            b'\'' => at = single_quoted(line, at + 1, out)?,
            _ if is_separator(b) => return Ok(at),
            _ => {
                out.push(b);
                at += 1;
            }
        }
    }
    Ok(at)
}

fn double_quoted(line: &[u8], mut at: usize, out: &mut Vec<u8>) -> Result<usize, ProtocolError> {
    loop {
        match line.get(at..).unwrap_or_default() {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'"', ..] => return Ok(at + 1),
            [b'\\', b'x', h, l, ..] if h.is_ascii_hexdigit() && l.is_ascii_hexdigit() => {
                out.push(hex(*h) << 4 | hex(*l));
                at += 4;
            }
            [b'\\', escaped, ..] => {
                out.push(unescape(*escaped));
                at += 2;
            }
            [plain, ..] => {
                out.push(*plain);
                at += 1;
            }
        }
    }
}

fn single_quoted(line: &[u8], mut at: usize, out: &mut Vec<u8>) -> Result<usize, ProtocolError> {
    loop {
        match line.get(at..).unwrap_or_default() {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\'', ..] => return Ok(at + 1),
            [b'\\', b'\'', ..] => {
                out.push(b'\'');
                at += 2;
            }
            [plain, ..] => {
                out.push(*plain);
                at += 1;
            }
        }
    }
}

fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or(0) as u8
}

fn is_separator(b: u8) -> bool {
    matches!(b, b' ' | b'\n' | b'\r' | b'\t' | 0)
}

fn skip_blanks(line: &[u8], at: usize) -> usize {
    let blanks = line[at..].iter().take_while(|&&b| is_separator(b) || b == 11 || b == 12).count();
    at + blanks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<String>, ProtocolError> {
        let (mut out, mut spans) = (vec![1, 2, 3], Vec::new());
        split_quoted(line.as_bytes(), &mut out, 3, &mut spans)?;
        let text =
            |s: &Span| String::from_utf8_lossy(&out[3 + s.start as usize..][..s.len as usize]).into_owned();
        Ok(spans.iter().map(text).collect())
    }

    #[test]
    fn words_as_the_peers_split_them() {
        for (line, expected) in [
            ("PING", vec!["PING"]),
            ("  a\tb  ", vec!["a", "b"]),
            ("", vec![]),
            (r#""a"b 'c'd"#, vec!["ab", "cd"]),
            (r"'a\'b' 'c\n'", vec!["a'b", r"c\n"]),
            (r#""\x41\n\q\"" """#, vec!["A\nq\"", ""]),
            (r#""\xg1""#, vec!["xg1"]),
            ("a\u{b}b\u{c}c \u{b}d", vec!["a\u{b}b\u{c}c", "d"]),
        ] {
            assert_eq!(words(line), Ok(expected.iter().map(|s| s.to_string()).collect()), "{line:?}");
        }
    }

    #[test]
    fn an_open_quote_is_an_error() {
        for line in [r#"""#, "'", r#"a "b"#, r#""a\""#, r"'a\'", r#""\"#, r#""\x4"#] {
            assert_eq!(words(line), Err(ProtocolError::UnbalancedQuotes), "{line:?}");
        }
    }

    #[test]
    fn both_ways_agree_without_quotes() {
        let line = b" GET  key\twith\x0bbytes\xff\x00z ";
        let (mut plain, mut quoted, mut out) = (Vec::new(), Vec::new(), Vec::new());
        split_plain(line, 0, &mut plain);
        split_quoted(line, &mut out, 0, &mut quoted).unwrap();
        let get = |b: &[u8], s: &Span| b[s.start as usize..][..s.len as usize].to_vec();
        let plain: Vec<_> = plain.iter().map(|s| get(line, s)).collect();
        let quoted: Vec<_> = quoted.iter().map(|s| get(&out, s)).collect();
        assert_eq!(plain, quoted);
    }
}
