//! Redis' own glob: `*`, `?`, `[abc]`, `[^a]`, `[a-z]`, `\` to escape; over bytes, not characters.

/// Whether `text` matches `pattern`.
///
/// Backtracks to the last `*` only, so the time is at most the product of both lengths.
#[must_use]
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    matches_with(pattern, text, false)
}

/// [`matches`] with upper and lower case taken as the same when `fold` is set.
#[must_use]
pub fn matches_with(pattern: &[u8], text: &[u8], fold: bool) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows the last `*` does not match: one byte later in the text.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            p += 1;
            retry = Some((p, t));
            continue;
        }
        if t < text.len() && p < pattern.len() {
            let (hit, next) = step(pattern, p, text[t], fold);
            if hit {
                (p, t) = (next, t + 1);
                continue;
            }
        } else if t == text.len() && p == pattern.len() {
            return true;
        }
        match retry {
            Some((after_star, from)) if from < text.len() => {
                (p, t) = (after_star, from + 1);
                retry = Some((after_star, from + 1));
            }
            _ => return false,
        }
    }
}

/// Whether the pattern element at `p` takes `byte`, and where the next element begins.
fn step(pattern: &[u8], p: usize, byte: u8, fold: bool) -> (bool, usize) {
    let same = |a: u8| if fold { a.eq_ignore_ascii_case(&byte) } else { a == byte };
    match pattern[p] {
        b'?' => (true, p + 1),
        b'[' => class(pattern, p + 1, byte, fold),
        b'\\' if p + 1 < pattern.len() => (same(pattern[p + 1]), p + 2),
        literal => (same(literal), p + 1),
    }
}

/// A class, from the byte after its bracket. An unclosed one ends with the pattern, as in Redis.
fn class(pattern: &[u8], mut p: usize, byte: u8, fold: bool) -> (bool, usize) {
    let lower = |b: u8| if fold { b.to_ascii_lowercase() } else { b };
    let byte = lower(byte);
    let negated = pattern.get(p) == Some(&b'^');
    if negated {
        p += 1;
    }
    let mut hit = false;
    while p < pattern.len() && pattern[p] != b']' {
        if pattern[p] == b'\\' && p + 1 < pattern.len() {
            hit |= lower(pattern[p + 1]) == byte;
            p += 2;
        } else if p + 2 < pattern.len() && pattern[p + 1] == b'-' {
            let (a, b) = (lower(pattern[p]), lower(pattern[p + 2]));
            hit |= (a.min(b)..=a.max(b)).contains(&byte);
            p += 3;
        } else {
            hit |= lower(pattern[p]) == byte;
            p += 1;
        }
    }
    (hit != negated, (p + 1).min(pattern.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_redis_matches() {
        let cases: &[(&str, &str, bool)] = &[
            ("*", "", true),
            ("**", "abc", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("h[ae]llo", "hello", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("[\\]]", "]", true),
            ("[a", "a", true),
            ("", "", true),
            ("", "a", false),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxbxx", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), *expected, "{pattern} {text}");
        }
        assert!(matches_with(b"HeL[L]?", b"hello", true));
    }

    #[test]
    fn many_stars_do_not_explode() {
        let pattern = b"a*".repeat(30);
        let text = [b'a'; 2000];
        assert!(matches(&pattern, &text));
        let mut failing = pattern.clone();
        failing.push(b'b');
        assert!(!matches(&failing, &text));
    }
}
