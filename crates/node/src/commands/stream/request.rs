//! What `XREAD` and `XREADGROUP` are asked for.

use super::id::parse_strict;
use crate::blocking::{Wait, Wanted};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use std::ops::Range;
use tanist_keyspace::collections::{Stream, StreamId};
use tanist_resp::Args;
use tanist_types::Mono;

/// The options of both commands.
pub(super) struct Request {
    /// The most entries of each stream; zero is no limit.
    pub(super) count: u64,
    /// Entries are not to be acknowledged.
    pub(super) no_ack: bool,
    /// Where the group is named; the consumer follows.
    pub(super) group: Option<usize>,
    /// Where the keys are; as many identifiers follow.
    pub(super) keys: Range<usize>,
    /// Whether to wait for entries, and until when.
    block: Option<Option<Mono>>,
}

impl Request {
    /// Reads the arguments of `XREADGROUP` if `grouped`, else of `XREAD`.
    pub(super) fn parse(ctx: &Ctx<'_>, args: Args<'_, '_>, grouped: bool) -> Result<Request, Error> {
        let mut r = Request { count: 0, no_ack: false, group: None, keys: 0..0, block: None };
        let mut i = 1;
        while let Some(word) = args.get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let more = args.len() - i - 1;
            match () {
                () if is(b"BLOCK") && more > 0 => {
                    r.block = Some(ctx.milliseconds(args.at(i + 1))?);
                    i += 1;
                }
                () if is(b"COUNT") && more > 0 => {
                    r.count = u64::try_from(parse_int(args.at(i + 1))?).unwrap_or(0);
                    i += 1;
                }
                () if is(b"STREAMS") && more > 0 => {
                    balanced(more, grouped)?;
                    r.keys = crate::keys::read_streams(args);
                    break;
                }
                () if is(b"GROUP") && more > 1 => {
                    r.group = Some(i + 1);
                    only_grouped("GROUP", grouped)?;
                    i += 2;
                }
                () if is(b"NOACK") => {
                    r.no_ack = true;
                    only_grouped("NOACK", grouped)?;
                }
                () => return Err(Error::SYNTAX),
            }
            i += 1;
        }
        if r.keys.is_empty() {
            return Err(Error::SYNTAX);
        }
        if grouped && r.group.is_none() {
            return Err(Error::fixed("ERR Missing GROUP option for XREADGROUP"));
        }
        Ok(r)
    }

    /// Nothing is there: answers, or waits for it. `behind` is what `$` has meant.
    pub(super) fn wait(&self, ctx: &mut Ctx<'_>, args: Args<'_, '_>, behind: &[StreamId]) {
        let Some(until) = self.block else {
            ctx.reply().null_array();
            return;
        };
        let texts: Vec<super::IdText> = behind.iter().map(|id| super::IdText::new(*id)).collect();
        let mut words: Vec<&[u8]> = args.iter().collect();
        for (word, text) in words[self.keys.end..].iter_mut().zip(&texts) {
            if *word == b"$" {
                *word = text.as_bytes();
            }
        }
        let wait = Wait { wanted: Wanted::Stream, until, or_gone: self.group.is_some() };
        ctx.block(Args::from_slices(&words), self.keys.clone().map(|at| args.at(at)), wait);
    }
}

/// Keys and identifiers, `count` in all, must be equally many.
fn balanced(count: usize, grouped: bool) -> Outcome {
    if count.is_multiple_of(2) {
        return Ok(());
    }
    Err(Error::fixed(if grouped {
        "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
    } else {
        "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."
    }))
}

fn only_grouped(option: &str, grouped: bool) -> Outcome {
    if grouped {
        return Ok(());
    }
    Err(Error::new(format!(
        "ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
    )))
}

/// The identifier behind which `XREAD` wants the entries of a stream.
pub(super) fn position(ctx: &mut Ctx<'_>, key: &[u8], text: &[u8]) -> Result<StreamId, Error> {
    let hash = ctx.node.data.hash(key);
    let stream = ctx.look::<Stream>(key, hash)?;
    match text {
        b"$" => Ok(stream.map_or(StreamId::MIN, |stream| stream.about().last)),
        // The last entry itself is wanted, if it is still there.
        b"+" => Ok(stream.and_then(|stream| stream.about().last.previous()).unwrap_or(StreamId::MIN)),
        b">" => Err(Error::fixed(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        )),
        _ => parse_strict(text, 0),
    }
}
