//! The words of a configuration line: separated by blanks, quoted where they contain some, with Redis' escapes.

/// Splits a line into its words; nothing if a quote is not closed properly.
pub(crate) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = next_word(rest)?;
        words.push(word);
        rest = after.trim_start();
    }
    Some(words)
}

fn next_word(text: &str) -> Option<(String, &str)> {
    let mut word = Vec::new();
    let bytes = text.as_bytes();
    let mut i = 0;
    let mut quote = None;
    while i < bytes.len() {
        let b = bytes[i];
        match (quote, b) {
            (Some(b'"'), b'\\') if i + 1 < bytes.len() => i += push_escape(&mut word, &bytes[i + 1..]),
            (Some(b'\''), b'\\') if bytes.get(i + 1) == Some(&b'\'') => {
                word.push(b'\'');
                i += 1;
            }
            (Some(q), _) if b == q => {
                if bytes.get(i + 1).is_some_and(|c| !c.is_ascii_whitespace()) {
                    return None;
                }
                quote = None;
            }
            (None, b'"' | b'\'') => quote = Some(b),
            (None, _) if b.is_ascii_whitespace() => break,
            _ => word.push(b),
        }
        i += 1;
    }
    if quote.is_some() {
        return None;
    }
    Some((String::from_utf8_lossy(&word).into_owned(), &text[i..]))
}

/// Writes what follows a backslash in double quotes; returns how many bytes it took.
fn push_escape(word: &mut Vec<u8>, rest: &[u8]) -> usize {
    let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16));
    if rest[0] == b'x'
        && let (Some(high), Some(low)) = (hex(rest.get(1)), hex(rest.get(2)))
    {
        word.push((high * 16 + low) as u8);
        return 3;
    }
    word.push(match rest[0] {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    });
    1
}

/// A word as it must be written to be read back: quoted only if necessary.
pub(crate) fn quote(word: &str) -> String {
    let plain = !word.is_empty()
        && word.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'\\' | b'#'));
    if plain {
        return word.to_owned();
    }
    let mut out = String::from("\"");
    for b in word.bytes() {
        match b {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(b));
            }
            b' '..=b'~' => out.push(char::from(b)),
            _ => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_quotes() {
        let words = |s: &str| split(s).unwrap();
        assert_eq!(words("  port  26379 "), ["port", "26379"]);
        assert_eq!(words(r#"auth-pass m "a b\x41\n\"" 'it\'s'"#), ["auth-pass", "m", "a bA\n\"", "it's"]);
        assert_eq!(words("bind \"\""), ["bind", ""]);
        assert_eq!(split("x \"open"), None);
        assert_eq!(split("x \"a\"b"), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for word in ["plain", "", "with blank", "q\"uote", "back\\slash", "a#b", "tab\t", "ümlaut", "'"] {
            assert_eq!(split(&quote(word)), Some(vec![word.to_owned()]), "{word:?}");
        }
    }
}
