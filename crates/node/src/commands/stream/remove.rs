//! Entries removed: `XDEL`, `XTRIM`, and the trimming that `XADD` does.

use super::id::parse_strict;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{About, Stream, StreamId, Trim, TrimLimits};
use tanist_resp::Args;

/// Trimming never looks at more entries than this, unless told.
const MOST_UNTOLD: u64 = 1_000_000;
/// How many full nodes are trimmed at most, unless told.
const NODES_UNTOLD: u64 = 100;
/// How many entries are trimmed at most, unless told, if nodes have no limit.
const UNTOLD: u64 = 10_000;

/// The options of `XTRIM`, which are also those of `XADD`.
pub(super) struct Trimming {
    pub(super) what: Option<Trim>,
    pub(super) limits: TrimLimits,
    /// `NOMKSTREAM`
    pub(super) no_stream: bool,
    /// `LIMIT`
    told: Option<u64>,
    obeys: bool,
}

impl Trimming {
    /// Reads the options from argument 2 on, and where they end: before an identifier in `XADD`, at the end in `XTRIM`.
    /// [`Trimming::check`] is to follow.
    pub(super) fn parse(ctx: &Ctx<'_>, args: Args<'_, '_>, add: bool) -> Result<(Trimming, usize), Error> {
        let limits = TrimLimits { whole_nodes: false, entries: 0 };
        let obeys = ctx.session.is_primary();
        let mut o = Trimming { what: None, limits, no_stream: false, told: None, obeys };
        let mut i = 2;
        while let Some(word) = args.get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let more = i + 1 < args.len();
            match () {
                () if more && (is(b"MAXLEN") || is(b"MINID")) => i = o.parse_threshold(args, i)?,
                () if more && is(b"LIMIT") => {
                    let n = u64::try_from(parse_int(args.at(i + 1))?);
                    o.told = Some(n.map_err(|_| Error::fixed("ERR The LIMIT argument must be >= 0."))?);
                    i += 1;
                }
                () if add && is(b"NOMKSTREAM") => o.no_stream = true,
                () if add => break,
                () => return Err(Error::SYNTAX),
            }
            i += 1;
        }
        if o.limits.whole_nodes && !obeys {
            o.limits.entries = o.told.unwrap_or_else(|| match ctx.node.data.policy().stream_entries as u64 {
                0 => UNTOLD,
                entries => entries.saturating_mul(NODES_UNTOLD).min(MOST_UNTOLD),
            });
        }
        Ok((o, i))
    }

    /// Reads the threshold of the strategy at argument `i`; where its last word is.
    fn parse_threshold(&mut self, args: Args<'_, '_>, i: usize) -> Result<usize, Error> {
        if self.what.is_some() {
            return Err(Error::fixed(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
            ));
        }
        let mut at = i + 1;
        self.limits.whole_nodes = false;
        if let (b"~" | b"=", true) = (args.at(at), at + 1 < args.len()) {
            self.limits.whole_nodes = args.at(at) == b"~";
            at += 1;
        }
        self.what = Some(if args.at(i).eq_ignore_ascii_case(b"MAXLEN") {
            let n = u64::try_from(parse_int(args.at(at))?);
            Trim::MaxLen(n.map_err(|_| Error::fixed("ERR The MAXLEN argument must be >= 0."))?)
        } else {
            Trim::MinId(parse_strict(args.at(at), 0)?)
        });
        Ok(at)
    }

    /// Whether the options go together.
    pub(super) fn check(&self) -> Outcome {
        if self.told.is_some_and(|told| told > 0) && self.what.is_none() {
            return Err(Error::fixed(
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
            ));
        }
        if self.told.is_some() && !self.limits.whole_nodes && !self.obeys {
            return Err(Error::fixed("ERR syntax error, LIMIT cannot be used without the special ~ option"));
        }
        Ok(())
    }

    /// The strategy, and the exact threshold that leaves of a stream what was left of this one.
    pub(super) fn threshold(&self, about: About) -> Option<(&'static [u8], Vec<u8>)> {
        let first = if about.len == 0 { StreamId::MAX } else { about.first };
        match self.what {
            None => None,
            Some(Trim::MaxLen(n)) if !self.limits.whole_nodes => {
                Some((b"MAXLEN", n.to_string().into_bytes()))
            }
            Some(Trim::MinId(id)) if !self.limits.whole_nodes => {
                Some((b"MINID", id.to_string().into_bytes()))
            }
            Some(Trim::MaxLen(_)) => Some((b"MAXLEN", about.len.to_string().into_bytes())),
            Some(Trim::MinId(_)) => Some((b"MINID", first.to_string().into_bytes())),
        }
    }
}

/// `XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]`
pub(crate) fn xtrim(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (trimming, _) = Trimming::parse(ctx, args, false)?;
    let Some(trim) = trimming.what else {
        trimming.check()?;
        return Err(Error::fixed("ERR syntax error, XTRIM must be called with a trimming strategy"));
    };
    trimming.check()?;
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let done = ctx.edit::<Stream, _>(key, hash, Missing::Leave, |stream, _| {
        (stream.trim(trim, trimming.limits), stream.about())
    })?;
    let (gone, about) = done.map_or((0, About::default()), |done| done.result);
    if gone > 0 {
        ctx.changed(key);
        ctx.event(b't', "xtrim", key);
        if trimming.limits.whole_nodes
            && let Some((word, threshold)) = trimming.threshold(about)
        {
            ctx.effect(&[args.at(0), key, word, b"=", &threshold]);
        }
    }
    ctx.reply().int(gone as i64);
    Ok(())
}

/// `XDEL key id [id ...]`
pub(crate) fn xdel(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let done = ctx.edit::<Stream, _>(key, hash, Missing::Leave, |stream, _| {
        // All are read before anything changes.
        for at in 2..args.len() {
            parse_strict(args.at(at), 0)?;
        }
        let (first, mut gone) = (stream.about().first, 0i64);
        let mut first_gone = false;
        for at in 2..args.len() {
            let id = parse_strict(args.at(at), 0)?;
            if stream.delete(id) {
                gone += 1;
                first_gone |= id == first;
            }
        }
        if first_gone {
            stream.renew_first();
        }
        Ok::<_, Error>(gone)
    })?;
    let gone = done.map_or(Ok(0), |done| done.result)?;
    if gone > 0 {
        ctx.changed(key);
        ctx.event(b't', "xdel", key);
    }
    ctx.reply().int(gone);
    Ok(())
}
