//! What a script or function says about itself, and the first line of a script that says it.

/// Flags of a script or function. Those of one that says nothing are empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags(u8);

impl Flags {
    /// Changes no data.
    pub const NO_WRITES: Flags = Flags(1);
    /// May run when memory is short.
    pub const ALLOW_OOM: Flags = Flags(2);
    /// May run on a replica whose data are stale.
    pub const ALLOW_STALE: Flags = Flags(4);
    /// May not run in a cluster.
    pub const NO_CLUSTER: Flags = Flags(8);
    /// May touch keys of different slots.
    pub const ALLOW_CROSS_SLOT_KEYS: Flags = Flags(16);

    const NAMED: [(Flags, &str); 5] = [
        (Flags::NO_WRITES, "no-writes"),
        (Flags::ALLOW_OOM, "allow-oom"),
        (Flags::ALLOW_STALE, "allow-stale"),
        (Flags::NO_CLUSTER, "no-cluster"),
        (Flags::ALLOW_CROSS_SLOT_KEYS, "allow-cross-slot-keys"),
    ];

    /// Whether a flag is set.
    #[must_use]
    pub fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    /// Sets a flag by its name; `false` if there is none of that name.
    #[must_use]
    pub(crate) fn add(&mut self, name: &[u8]) -> bool {
        let flag = Flags::NAMED.iter().find(|(_, known)| known.as_bytes() == name);
        self.0 |= flag.map_or(0, |(flag, _)| flag.0);
        flag.is_some()
    }

    /// What a script of `EVAL` says about itself; `None` if it says nothing, or nothing that can be read.
    #[must_use]
    pub fn of_script(code: &[u8]) -> Option<Flags> {
        of_script(code).ok().flatten()
    }

    /// The names of the flags that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Flags::NAMED.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| *name)
    }
}

/// The flags of a script of `EVAL`, and the code without the line that says them. `None`: it says nothing, so it
/// follows the rules from before there were flags.
///
/// # Errors
/// With a reply's text.
pub(crate) fn of_script(code: &[u8]) -> Result<Option<Flags>, String> {
    if !code.starts_with(b"#!") {
        return Ok(None);
    }
    let Some(end) = code.iter().position(|&b| b == b'\n') else {
        return Err("ERR Invalid script shebang".into());
    };
    let line = String::from_utf8_lossy(&code[2..end]);
    let mut parts = line.split([' ', '\t', '\r']).filter(|part| !part.is_empty());
    let engine = if line.starts_with(' ') { "" } else { parts.next().unwrap_or_default() };
    if !engine.eq_ignore_ascii_case("lua") {
        return Err(format!("ERR Could not find scripting engine '{engine}'"));
    }
    let mut flags = Flags::default();
    for part in parts {
        let Some(names) = part.strip_prefix("flags=") else {
            return Err(format!("ERR Unknown lua shebang option: {part}"));
        };
        for name in names.split(',').filter(|_| !names.is_empty()) {
            if !flags.add(name.as_bytes()) {
                return Err(format!("ERR Unexpected flag in script shebang: {name}"));
            }
        }
    }
    Ok(Some(flags))
}

/// The name of a library, from its first line.
///
/// # Errors
/// With a reply's text.
pub(crate) fn library_name(code: &[u8]) -> Result<Vec<u8>, String> {
    if !code.starts_with(b"#!") {
        return Err("ERR Missing library metadata".into());
    }
    let Some(end) = code.iter().position(|&b| b == b'\n') else {
        return Err("ERR Invalid library metadata".into());
    };
    let Ok(words) = words(&code[2..end]) else {
        return Err("ERR Invalid library metadata".into());
    };
    let mut parts = words.into_iter();
    let engine =
        if matches!(code.get(2), Some(b' ' | b'\t')) { Vec::new() } else { parts.next().unwrap_or_default() };
    let mut name = None;
    for part in parts {
        let Some(value) = part.strip_prefix(b"name=").filter(|_| part.is_ascii()) else {
            return Err(format!("ERR Invalid metadata value given: {}", String::from_utf8_lossy(&part)));
        };
        if name.replace(value.to_vec()).is_some() {
            return Err("ERR Invalid metadata value, name argument was given multiple times".into());
        }
    }
    let Some(name) = name else {
        return Err("ERR Library name was not given".into());
    };
    if !is_name(&name) {
        return Err("ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one \
                    character long"
            .into());
    }
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(format!("ERR Engine '{}' not found", String::from_utf8_lossy(&engine)));
    }
    Ok(name)
}

/// Whether it can be the name of a library or function.
pub(crate) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Words of a line; quotes may stand around any part of one. `Err` when a quote is not closed.
fn words(line: &[u8]) -> Result<Vec<Vec<u8>>, ()> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<Vec<u8>>, None);
    for &b in line {
        match (quote, b) {
            (Some(q), b) if b == q => quote = None,
            (None, b'"' | b'\'') => {
                quote = Some(b);
                word.get_or_insert_default();
            }
            (None, b' ' | b'\t' | b'\r') => words.extend(word.take()),
            (_, b) => word.get_or_insert_default().push(b),
        }
    }
    if quote.is_some() {
        return Err(());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_script_tells_its_flags() {
        assert_eq!(of_script(b"return 1"), Ok(None));
        assert_eq!(of_script(b"#!lua\nreturn 1"), Ok(Some(Flags::default())));
        let flags = of_script(b"#!lua flags=no-writes,allow-stale\n").expect("good").expect("said");
        assert_eq!(flags.names().collect::<Vec<_>>(), ["no-writes", "allow-stale"]);
        for (code, text) in [
            ("#!lua", "ERR Invalid script shebang"),
            ("#!foo\n", "ERR Could not find scripting engine 'foo'"),
            ("#!lua flags=a,b\n", "ERR Unexpected flag in script shebang: a"),
            ("#!lua x=y\n", "ERR Unknown lua shebang option: x=y"),
        ] {
            assert_eq!(of_script(code.as_bytes()), Err(text.to_owned()), "{code}");
        }
    }

    #[test]
    fn the_first_line_of_a_library_tells_its_name() {
        assert_eq!(library_name(b"#!LUA name=a_1\nx"), Ok(b"a_1".to_vec()));
        assert_eq!(library_name(b"#!lua name='q'\nx"), Ok(b"q".to_vec()));
        for (code, text) in [
            ("x", "ERR Missing library metadata"),
            ("#!lua name=a", "ERR Invalid library metadata"),
            ("#!lua name='a\n", "ERR Invalid library metadata"),
            ("#!lua\n", "ERR Library name was not given"),
            ("#!lua a=b\n", "ERR Invalid metadata value given: a=b"),
            ("#!foo name=a\n", "ERR Engine 'foo' not found"),
        ] {
            assert_eq!(library_name(code.as_bytes()), Err(text.to_owned()), "{code}");
        }
    }
}
