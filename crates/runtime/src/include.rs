//! The files that an `include` of a configuration names.

use std::path::Path;
use tanist_config::Included;

/// The files that an `include` names: one, or those that match a pattern in the last part of the path, by name.
///
/// # Errors
/// A file cannot be read: the operating system's words.
pub fn include(pattern: &str) -> Result<Vec<Included>, String> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(vec![read_included(Path::new(pattern))?]);
    }
    let path = Path::new(pattern);
    let directory = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Ok(entries) = std::fs::read_dir(directory) else { return Ok(Vec::new()) };
    let matching = |file: &std::ffi::OsString| matches(name.as_bytes(), file.to_string_lossy().as_bytes());
    let mut names: Vec<_> = entries.filter_map(|e| Some(e.ok()?.file_name())).filter(matching).collect();
    names.sort();
    names.iter().map(|name| read_included(&directory.join(name))).collect()
}

fn read_included(path: &Path) -> Result<Included, String> {
    let bytes = std::fs::read(path).map_err(|error| crate::listen::describe(&error))?;
    Ok(Included { path: path.display().to_string(), bytes })
}

/// A file name's pattern as shells have it: `*`, `?`, `[a-z]`, `[!a-z]`; a leading dot is matched only by a dot.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    glob(pattern, name)
}

fn glob(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|skip| glob(rest, &name[skip..])),
        ([b'?', rest @ ..], [_, tail @ ..]) => glob(rest, tail),
        ([b'[', rest @ ..], [c, tail @ ..]) => match rest.iter().skip(1).position(|&b| b == b']') {
            Some(end) => one_of(&rest[..=end], *c) && glob(&rest[end + 2..], tail),
            None => *c == b'[' && glob(rest, tail),
        },
        ([p, rest @ ..], [c, tail @ ..]) => p == c && glob(rest, tail),
        _ => false,
    }
}

/// Whether a set such as `a-z_` or `!0-9` holds `c`.
fn one_of(set: &[u8], c: u8) -> bool {
    let (negated, mut set) = match set {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, set),
    };
    let mut found = false;
    while let [first, rest @ ..] = set {
        set = match rest {
            [b'-', last, rest @ ..] => {
                found |= (*first..=*last).contains(&c);
                rest
            }
            _ => {
                found |= *first == c;
                rest
            }
        };
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_file_names() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", false),
            ("*.conf", "a.conf.bak", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[ab", "[ab", true),
            ("**", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
