//! The options of `SORT`.

use super::pattern::Pattern;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::Error;
use std::ops::Range;
use tanist_resp::Args;

/// What `SORT` is to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Options<'b> {
    pub(super) by: Option<Pattern<'b>>,
    limit: Option<(i64, i64)>,
    pub(super) get: Vec<Pattern<'b>>,
    pub(super) descending: bool,
    pub(super) alpha: bool,
    /// The argument that is the destination's key.
    pub(super) store: Option<usize>,
}

impl<'b> Options<'b> {
    pub(super) fn parse(ctx: &Ctx<'_>, args: Args<'_, 'b>, may_store: bool) -> Result<Options<'b>, Error> {
        // A pattern leads to keys that nobody has named.
        let denied = |option: &str, leads_on: bool| {
            let text = || format!("ERR {option} option of SORT denied due to insufficient ACL permissions.");
            if leads_on && !ctx.reads_every_key(args) { Err(Error::new(text())) } else { Ok(()) }
        };
        let store = crate::keys::sort_destination(args).filter(|_| may_store);
        let mut o = Options { store, ..Options::default() };
        let mut i = 2;
        while let Some(word) = args.get(i) {
            let is = |name: &[u8], values: usize| word.eq_ignore_ascii_case(name) && i + values < args.len();
            i += if is(b"ASC", 0) || is(b"DESC", 0) {
                o.descending = word.eq_ignore_ascii_case(b"DESC");
                1
            } else if is(b"ALPHA", 0) {
                o.alpha = true;
                1
            } else if is(b"LIMIT", 2) {
                o.limit = Some((parse_int(args.at(i + 1))?, parse_int(args.at(i + 2))?));
                3
            } else if may_store && is(b"STORE", 1) {
                2
            } else if is(b"BY", 1) {
                denied("BY", args.at(i + 1).contains(&b'*'))?;
                // Once there is nothing to sort by, no later pattern brings the order back.
                if o.sorts() {
                    o.by = Some(Pattern::new(args.at(i + 1)));
                }
                2
            } else if is(b"GET", 1) {
                denied("GET", true)?;
                o.get.push(Pattern::new(args.at(i + 1)));
                2
            } else {
                return Err(Error::SYNTAX);
            };
        }
        Ok(o)
    }

    /// Whether the elements are sorted at all: not `BY` a pattern without a star, which leads to the same key for all.
    pub(super) fn sorts(&self) -> bool {
        self.by.is_none_or(Pattern::varies)
    }

    /// The same, but by the texts of the elements.
    pub(super) fn by_text(&self) -> Options<'b> {
        Options { by: None, alpha: true, ..self.clone() }
    }

    /// Which of `len` elements `LIMIT` chooses.
    pub(super) fn range(&self, len: usize) -> Range<usize> {
        let Some((offset, count)) = self.limit else { return 0..len };
        let from = usize::try_from(offset.max(0)).unwrap_or(usize::MAX).min(len);
        // A negative count is no limit.
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        from..from.saturating_add(count).min(len)
    }
}
