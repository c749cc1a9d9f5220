//! Which of a command's arguments are keys, by its specifications.

use crate::command::{Command, Flags, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::commands::parse_int;
use std::ops::Range;
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
        let (from, to, step) = match among_options(command, spec, args) {
            Some(places) => (places.start, places.end, 1),
            None => match begin(spec, args) {
                Some(first) => range(spec, first, args)?,
                // There are no keys of this kind, but there may be others.
                None => continue,
            },
        };
        let (access, flags) = effective(command, spec, args);
        (from..to).step_by(step).for_each(|index| see(FoundKey { index, access, flags }));
    }
    Some(())
}

/// The places of a specification's keys in a command whose options decide about them. A word that looks like an option
/// may be the value of another one. The command itself takes its keys from here, so that it has no other ones than rights
/// were asked for. `None` for all others.
fn among_options(command: &Command, spec: &KeySpec, args: Args<'_, '_>) -> Option<Range<usize>> {
    let one = |index: Option<usize>| index.map_or(0..0, |index| index..index + 1);
    Some(match (command.name, spec.begin) {
        ("sort", KeyBegin::Unknown) if spec.access == KeyAccess::Overwrite => one(sort_destination(args)),
        // The keys that BY and GET lead to are not among the arguments.
        ("sort" | "sort_ro", KeyBegin::Unknown) => 0..0,
        ("georadius" | "georadiusbymember", KeyBegin::Keyword(word, _)) => {
            let stored = radius_destination(args);
            one(stored.filter(|&index| args.at(index - 1).eq_ignore_ascii_case(word.as_bytes())))
        }
        ("xread" | "xreadgroup", KeyBegin::Keyword(..)) => read_streams(args),
        ("migrate", begin) => {
            let keys = migrated(args);
            let listed = keys.start > MIGRATED;
            if listed == matches!(begin, KeyBegin::Keyword(..)) { keys } else { 0..0 }
        }
        _ => return None,
    })
}

/// The key of `SORT`'s `STORE`, which may stand anywhere among the options; the last one counts.
pub(crate) fn sort_destination(args: Args<'_, '_>) -> Option<usize> {
    let mut found = None;
    let mut i = 2;
    while let Some(word) = args.get(i) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        i += if is(b"LIMIT") {
            3
        } else if is(b"STORE") {
            found = Some(i + 1).filter(|&key| key < args.len()).or(found);
            2
        } else if is(b"GET") || is(b"BY") {
            2
        } else {
            1
        };
    }
    found
}

/// The key of `GEORADIUS`' `STORE` or `STOREDIST`; the last one counts.
pub(crate) fn radius_destination(args: Args<'_, '_>) -> Option<usize> {
    let mut found = None;
    let mut i = 5;
    while let Some(word) = args.get(i) {
        let stores = word.eq_ignore_ascii_case(b"STORE") || word.eq_ignore_ascii_case(b"STOREDIST");
        i += 1;
        if stores && i < args.len() {
            found = Some(i);
            i += 1;
        }
    }
    found
}

/// The keys of `XREAD` and `XREADGROUP`: half of what follows `STREAMS`, as a group or consumer may be called too.
pub(crate) fn read_streams(args: Args<'_, '_>) -> Range<usize> {
    let mut i = 1;
    while let Some(word) = args.get(i) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        i += if is(b"GROUP") {
            3
        } else if is(b"BLOCK") || is(b"COUNT") {
            2
        } else if is(b"STREAMS") {
            let rest = args.len() - i - 1;
            return i + 1..i + 1 + rest / 2;
        } else {
            1
        };
    }
    0..0
}

/// The argument of `MIGRATE` that is its key, or empty if keys are listed.
const MIGRATED: usize = 3;

/// The keys of `MIGRATE`: the one at its place, or all that follow `KEYS`. None if there are both, which is refused.
pub(crate) fn migrated(args: Args<'_, '_>) -> Range<usize> {
    let mut i = 6;
    while let Some(word) = args.get(i) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        i += if is(b"AUTH2") {
            3
        } else if is(b"AUTH") {
            2
        } else if is(b"KEYS") {
            return if args.at(MIGRATED).is_empty() { i + 1..args.len() } else { 0..0 };
        } else {
            1
        };
    }
    MIGRATED..MIGRATED + 1
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
    match command.name {
        // Of one call all keys are known, and what is done to them.
        "migrate" => return (spec.access, &["access", "delete"]),
        "georadius" | "georadiusbymember" if spec.access == KeyAccess::Overwrite => {
            return (spec.access, &["update"]);
        }
        _ => {}
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
            let keys = usize::try_from(parse_int(args.get(first + count)?).ok()?).ok();
            // As in Valkey, no keys contradict it as well.
            let keys = keys.filter(|&keys| keys > 0)?;
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
