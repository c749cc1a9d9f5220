//! Redis' glob patterns: `*`, `?`, `[a-z]`, `[^a]` and a backslash before what stands for itself.

/// Whether all of `text` matches `pattern`. Takes time proportional to the product of their lengths at worst.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p + 1, t));
            p += 1;
            continue;
        }
        if t == text.len() {
            return pattern[p..].iter().all(|b| *b == b'*');
        }
        match one(&pattern[p..], text[t]) {
            Some(taken) => {
                p += taken;
                t += 1;
            }
            None => match star {
                Some((after, from)) if from < text.len() => {
                    star = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                _ => return false,
            },
        }
    }
}

/// How many bytes of the pattern match the byte `b`; nothing if it does not match.
fn one(pattern: &[u8], b: u8) -> Option<usize> {
    match *pattern.first()? {
        b'?' => Some(1),
        b'[' => class(pattern, b),
        b'\\' if pattern.len() > 1 => (pattern[1] == b).then_some(2),
        other => (other == b).then_some(1),
    }
}

fn class(pattern: &[u8], b: u8) -> Option<usize> {
    let not = pattern.get(1) == Some(&b'^');
    let mut i = if not { 2 } else { 1 };
    let mut found = false;
    while i < pattern.len() && pattern[i] != b']' {
        if pattern[i] == b'\\' && i + 1 < pattern.len() {
            i += 1;
            found |= pattern[i] == b;
        } else if pattern.get(i + 1) == Some(&b'-') && i + 2 < pattern.len() {
            let (low, high) = (pattern[i].min(pattern[i + 2]), pattern[i].max(pattern[i + 2]));
            found |= (low..=high).contains(&b);
            i += 2;
        } else {
            found |= pattern[i] == b;
        }
        i += 1;
    }
    (found != not).then_some((i + 1).min(pattern.len()))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("+s*", "+sdown", true),
            ("?s*n", "-sdown", true),
            ("[-+]sdown", "-sdown", true),
            // As in Redis: a dash makes a range of whatever stands around it.
            ("[+-]sdown", "-sdown", false),
            ("[^+]sdown", "+sdown", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a*b*c", "axxbyybc", true),
            ("a*b*c", "axxbyyb", false),
            ("", "", true),
            ("a", "", false),
            ("[a", "a", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        let pattern = b"*a".repeat(50);
        assert!(!matches(&pattern, &b"b".repeat(5_000)));
    }
}
