//! `CLIENT TRACKING`, `CACHING`, `TRACKINGINFO`, `GETREDIR`: what a connection asks of client-side caching.

use crate::commands::{parse_int, quoted};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::session::SessionId;
use crate::tracking::{Mode, Tracking};
use std::collections::BTreeSet;
use tanist_resp::Args;

/// The options of `CLIENT TRACKING`.
#[derive(Default)]
struct Options<'a> {
    redirect: Option<SessionId>,
    broadcast: bool,
    opt_in: bool,
    opt_out: bool,
    no_loop: bool,
    prefixes: Vec<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(ctx: &Ctx<'_>, args: Args<'_, 'a>) -> Result<Options<'a>, Error> {
        let mut options = Options::default();
        let mut i = 0;
        while let Some(word) = args.get(i) {
            let value = args.get(i + 1);
            i += 1;
            match (word.to_ascii_lowercase().as_slice(), value) {
                (b"redirect", Some(id)) => {
                    options.redirect(ctx, id)?;
                    i += 1;
                }
                (b"prefix", Some(prefix)) => {
                    options.prefixes.push(prefix);
                    i += 1;
                }
                (b"bcast", _) => options.broadcast = true,
                (b"optin", _) => options.opt_in = true,
                (b"optout", _) => options.opt_out = true,
                (b"noloop", _) => options.no_loop = true,
                _ => return Err(Error::SYNTAX),
            }
        }
        Ok(options)
    }

    fn redirect(&mut self, ctx: &Ctx<'_>, id: &[u8]) -> Outcome {
        if self.redirect.is_some() {
            return Err(Error::new("ERR A client can only redirect to a single other client"));
        }
        let id = SessionId(u64::try_from(parse_int(id)?).unwrap_or(0));
        if id != ctx.session.id && ctx.node.sessions.get(id).is_none() {
            return Err(Error::new("ERR The client ID you want redirect to does not exist"));
        }
        self.redirect = Some(id);
        Ok(())
    }

    /// Whether the options go together, and with what the session has asked for before.
    fn check(&self, old: Option<&Tracking>) -> Outcome {
        let refuse = |text: &'static str| Err(Error::fixed(text));
        if !self.prefixes.is_empty() && !self.broadcast {
            return refuse("ERR PREFIX option requires BCAST mode to be enabled");
        }
        if old.is_some_and(|t| matches!(t.mode, Mode::Prefixes(_)) != self.broadcast) {
            return refuse(
                "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then \
                 re-enabling it with a different mode.",
            );
        }
        if self.broadcast && (self.opt_in || self.opt_out) {
            return refuse("ERR OPTIN and OPTOUT are not compatible with BCAST");
        }
        if self.opt_in && self.opt_out {
            return refuse("ERR You can't specify both OPTIN mode and OPTOUT mode");
        }
        if old.is_some_and(|t| self.opt_in && t.mode == Mode::OptOut || self.opt_out && t.mode == Mode::OptIn)
        {
            return refuse(
                "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then \
                 re-enabling it with a different mode.",
            );
        }
        self.check_prefixes(old)
    }

    /// A key must not be under two prefixes of one session: it would be told twice.
    fn check_prefixes(&self, old: Option<&Tracking>) -> Outcome {
        let overlap = |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a);
        for (i, new) in self.prefixes.iter().enumerate() {
            if let Some(Mode::Prefixes(held)) = old.map(|t| &t.mode)
                && let Some(known) = held.iter().find(|known| overlap(new, known))
            {
                return Err(overlapping(new, "an existing", known));
            }
            if let Some(other) = self.prefixes[i + 1..].iter().find(|other| overlap(new, other)) {
                return Err(overlapping(new, "another provided", other));
            }
        }
        Ok(())
    }
}

fn overlapping(prefix: &[u8], which: &str, other: &[u8]) -> Error {
    Error::new(format!(
        "ERR Prefix '{}' overlaps with {which} prefix '{}'. Prefixes for a single client must not overlap.",
        quoted(prefix),
        quoted(other)
    ))
}

/// `CLIENT TRACKING (ON | OFF) [REDIRECT id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]`
pub(crate) fn tracking(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let options = Options::parse(ctx, args.skip(3))?;
    if args.at(2).eq_ignore_ascii_case(b"off") {
        stop(ctx);
    } else if args.at(2).eq_ignore_ascii_case(b"on") {
        options.check(ctx.session.tracking.as_deref())?;
        start(ctx, &options);
    } else {
        return Err(Error::SYNTAX);
    }
    ctx.reply().ok();
    Ok(())
}

/// Ends what `CLIENT TRACKING ON` began.
pub(crate) fn stop(ctx: &mut Ctx<'_>) {
    let old = ctx.session.tracking.take();
    ctx.node.stop_tracking(ctx.session.id, old);
}

fn start(ctx: &mut Ctx<'_>, options: &Options<'_>) {
    let old = ctx.session.tracking.take();
    let table = &mut ctx.node.tracking;
    table.clients += usize::from(old.is_none());
    let mode = match (options.broadcast, options.opt_in, options.opt_out) {
        (true, ..) => {
            let mut held = match old.as_ref().map(|t| &t.mode) {
                Some(Mode::Prefixes(held)) => held.clone(),
                _ => BTreeSet::new(),
            };
            held.extend(options.prefixes.iter().map(|p| Box::from(*p)));
            if options.prefixes.is_empty() {
                // Every key begins with nothing.
                held.insert(Box::default());
            }
            held.iter().for_each(|prefix| table.join(prefix, ctx.session.id));
            Mode::Prefixes(held)
        }
        (_, true, _) => Mode::OptIn,
        (_, _, true) => Mode::OptOut,
        _ => Mode::Reads,
    };
    ctx.session.tracking = Some(Box::new(Tracking {
        mode,
        no_loop: options.no_loop,
        redirect: options.redirect,
        broken: false,
        caching: old.is_some_and(|t| t.caching),
    }));
}

/// `CLIENT CACHING (YES | NO)`: for the next command or transaction.
pub(crate) fn caching(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let Some(tracking) = &mut ctx.session.tracking else {
        return Err(Error::new(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode \
             enabled",
        ));
    };
    let is = |word: &[u8]| args.at(2).eq_ignore_ascii_case(word);
    match &tracking.mode {
        Mode::OptIn if is(b"yes") => tracking.caching = true,
        Mode::OptOut if is(b"no") => tracking.caching = true,
        _ if is(b"yes") => {
            return Err(Error::new(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ));
        }
        _ if is(b"no") => {
            return Err(Error::new(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ));
        }
        _ => return Err(Error::SYNTAX),
    }
    ctx.reply().ok();
    Ok(())
}

/// What `redir` and `CLIENT GETREDIR` say: -1 if nothing is tracked, 0 if the messages stay here.
pub(super) fn redirection(tracking: Option<&Tracking>) -> i64 {
    tracking.map_or(-1, |t| t.redirect.map_or(0, |id| id.0 as i64))
}

/// `CLIENT GETREDIR`
pub(crate) fn getredir(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let redirect = redirection(ctx.session.tracking.as_deref());
    ctx.reply().int(redirect);
    Ok(())
}

/// `CLIENT TRACKINGINFO`
pub(crate) fn trackinginfo(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let tracking = ctx.session.tracking.clone();
    let mut flags = vec![if tracking.is_some() { "on" } else { "off" }];
    if let Some(t) = &tracking {
        match t.mode {
            Mode::Reads => {}
            Mode::OptIn if t.caching => flags.extend(["optin", "caching-yes"]),
            Mode::OptIn => flags.push("optin"),
            Mode::OptOut if t.caching => flags.extend(["optout", "caching-no"]),
            Mode::OptOut => flags.push("optout"),
            Mode::Prefixes(_) => flags.push("bcast"),
        }
        flags.extend(t.no_loop.then_some("noloop"));
        flags.extend(t.broken.then_some("broken_redirect"));
    }
    let redirect = redirection(tracking.as_deref());
    let prefixes = match tracking.map(|t| t.mode) {
        Some(Mode::Prefixes(prefixes)) => prefixes,
        _ => BTreeSet::new(),
    };
    let mut reply = ctx.reply();
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk_str(flag));
    reply.bulk(b"redirect");
    reply.int(redirect);
    reply.bulk(b"prefixes");
    reply.array(prefixes.len());
    prefixes.iter().for_each(|prefix| reply.bulk(prefix));
    Ok(())
}
