//! Which of a command's arguments are keys, by its specifications.

use crate::command::{Command, Flags, KeyAccess, KeyBegin, KeyFind, KeySpec};
use tanist_resp::Args;

/// A key among the arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FoundKey {
    /// Its place among the arguments.
    pub(crate) index: usize,
    pub(crate) access: KeyAccess,
    pub(crate) flags: &'static [&'static str],
}

/// The keys of a command whose number of arguments is right; `None` if the arguments contradict a specification.
pub(crate) fn find(command: &Command, args: Args<'_, '_>) -> Option<Vec<FoundKey>> {
    let mut found = Vec::new();
    visit(command, args, &mut |key| found.push(key))?;
    Some(found)
}

/// Shows `see` the keys of such a command one by one. With `None` as the answer, those that it has seen count for
/// nothing.
pub(crate) fn visit(command: &Command, args: Args<'_, '_>, see: &mut dyn FnMut(FoundKey)) -> Option<()> {
    for spec in command.keys {
        if spec.begin == KeyBegin::Unknown && matches!(command.name, "sort" | "sort_ro") {
            sort_destination(spec, args).into_iter().for_each(&mut *see);
            continue;
        }
        // The empty key in front of `KEYS` is none.
        let listed = |word: &[u8]| word.eq_ignore_ascii_case(b"keys");
        if command.name == "migrate"
            && matches!(spec.begin, KeyBegin::Keyword(..))
                != (args.at(3).is_empty() && args.skip(6).iter().any(listed))
        {
            continue;
        }
        let Some(first) = begin(spec, args) else {
            // A keyword that is not there means that there are no keys of this kind.
            if matches!(spec.begin, KeyBegin::Keyword(..)) {
                continue;
            }
            return None;
        };
        let (from, to, step) = range(spec, first, args)?;
        let (access, flags) = effective(command, spec, args);
        (from..to).step_by(step).for_each(|index| see(FoundKey { index, access, flags }));
    }
    Some(())
}

/// The key of `SORT`'s `STORE`, which may stand anywhere among the options; the last one counts. The keys that `BY` and
/// `GET` lead to are not among the arguments.
fn sort_destination(spec: &KeySpec, args: Args<'_, '_>) -> Option<FoundKey> {
    if spec.access != KeyAccess::Overwrite {
        return None;
    }
    let mut found = None;
    let mut i = 2;
    while let Some(word) = args.get(i) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        i += if is(b"LIMIT") {
            3
        } else if is(b"GET") || is(b"BY") {
            2
        } else {
            if is(b"STORE") && i + 1 < args.len() {
                found = Some(i + 1);
            }
            1
        };
    }
    found.map(|index| FoundKey { index, access: spec.access, flags: spec.flags })
}

/// What is really done to the keys, where that depends on the arguments.
fn effective(command: &Command, spec: &KeySpec, args: Args<'_, '_>) -> (KeyAccess, &'static [&'static str]) {
    if command.name == "set" && spec.flags.contains(&"variable_flags") {
        let reads =
            args.iter().skip(3).any(|a| a.eq_ignore_ascii_case(b"get") || a.eq_ignore_ascii_case(b"ifeq"));
        return match reads {
            true => (KeyAccess::ReadWrite, &["access", "update"]),
            false => (KeyAccess::Overwrite, &["update"]),
        };
    }
    if command.name == "migrate" {
        // Of one call all keys are known.
        return (spec.access, &["access", "delete"]);
    }
    if command.name == "bitfield" {
        return match only_reads_bits(args) {
            true => (KeyAccess::Read, &["access"]),
            false => (KeyAccess::ReadWrite, &["access", "update"]),
        };
    }
    (spec.access, spec.flags)
}

/// Whether no subcommand of `BITFIELD` writes. What cannot be read might.
fn only_reads_bits(args: Args<'_, '_>) -> bool {
    let mut i = 2;
    while let Some(word) = args.get(i) {
        i += match word {
            word if word.eq_ignore_ascii_case(b"get") => 3,
            word if word.eq_ignore_ascii_case(b"overflow") => 2,
            _ => return false,
        };
    }
    i == args.len()
}

fn begin(spec: &KeySpec, args: Args<'_, '_>) -> Option<usize> {
    match spec.begin {
        KeyBegin::Index(index) => (index < args.len()).then_some(index),
        KeyBegin::Keyword(word, from) => {
            let is_word = |i: &usize| args.at(*i).eq_ignore_ascii_case(word.as_bytes());
            let found = match usize::try_from(from) {
                Ok(from) => (from..args.len()).find(is_word),
                Err(_) => (1..=args.len().checked_sub(from.unsigned_abs())?).rev().find(is_word),
            };
            found.map(|i| i + 1)
        }
        KeyBegin::Unknown => None,
    }
}

/// The first key, the end and the distance.
fn range(spec: &KeySpec, first: usize, args: Args<'_, '_>) -> Option<(usize, usize, usize)> {
    let (from, to, step) = match spec.find {
        KeyFind::Range { last, step, limit } => {
            let end = match usize::try_from(last) {
                Ok(last) => first + last + 1,
                Err(_) if limit > 1 => first + args.len().checked_sub(first)? / limit,
                Err(_) => (args.len() + 1).checked_sub(last.unsigned_abs())?,
            };
            (first, end, step)
        }
        KeyFind::Count { count, first: offset, step } => {
            let text = std::str::from_utf8(args.get(first + count)?).ok()?;
            // As in Valkey, no keys contradict it as well.
            let keys: usize = text.parse().ok().filter(|&keys| keys > 0)?;
            let from = first + offset;
            (from, from.checked_add(keys.checked_mul(step)?)?, step)
        }
        KeyFind::Unknown => return None,
    };
    (to <= args.len()).then_some((from, to, step.max(1)))
}

/// First, last and step of the keys as `COMMAND INFO` told them before there were specifications.
pub(crate) fn legacy_range(command: &Command) -> (i64, i64, i64) {
    let Some(KeySpec { begin: KeyBegin::Index(first), find, .. }) = command.keys.first() else {
        return (0, 0, 0);
    };
    let KeyFind::Range { last, step, .. } = *find else {
        return (0, 0, 0);
    };
    let mut end = last as i64;
    if end >= 0 {
        end += *first as i64;
        // Neighbouring single keys count as one range.
        for spec in &command.keys[1..] {
            if let (KeyBegin::Index(next), KeyFind::Range { last, .. }) = (spec.begin, spec.find)
                && !command.flags.has(Flags::MOVABLE_KEYS)
                && next as i64 == end + 1
            {
                end = if last >= 0 { (next as isize + last) as i64 } else { last as i64 };
            }
        }
    }
    (*first as i64, end, step as i64)
}
