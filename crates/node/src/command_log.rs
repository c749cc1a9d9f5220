//! The logs of commands that took long, were large, or answered much (`SLOWLOG`, `COMMANDLOG`).

use crate::command::Command;
use crate::session::Session;
use std::collections::VecDeque;
use tanist_config::{Directive, ServerConfig};
use tanist_resp::Args;
use tanist_types::UnixMs;

/// The most arguments that an entry keeps.
const MOST_ARGS: usize = 32;
/// The most bytes of an argument that an entry keeps.
const MOST_BYTES: usize = 128;
const REDACTED: &[u8] = b"(redacted)";

/// Which log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogKind {
    /// By time, in microseconds.
    Slow,
    /// By the request's bytes.
    LargeRequest,
    /// By the reply's bytes.
    LargeReply,
}

/// One logged command.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) at: UnixMs,
    /// Microseconds or bytes.
    pub(crate) measure: u64,
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) addr: Box<str>,
    pub(crate) client: Box<[u8]>,
}

/// One log, the newest entry in front. Numbers go on after a reset.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    pub(crate) entries: VecDeque<Entry>,
    next_id: u64,
}

/// The three logs.
#[derive(Debug, Default)]
pub(crate) struct CommandLogs {
    slow: Ring,
    request: Ring,
    reply: Ring,
}

impl CommandLogs {
    /// Lets go of what is beyond the limits, which may be others than before. A log that is off, or is to keep nothing,
    /// keeps what it has.
    pub(crate) fn shorten(&mut self, config: &ServerConfig) {
        let logs = [
            (&mut self.slow, config.slowlog_log_slower_than, config.slowlog_max_len),
            (
                &mut self.request,
                config.commandlog_request_larger_than,
                config.commandlog_large_request_max_len,
            ),
            (&mut self.reply, config.commandlog_reply_larger_than, config.commandlog_large_reply_max_len),
        ];
        for (log, threshold, most) in logs {
            if threshold >= 0 && most > 0 {
                log.entries.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            }
        }
    }

    pub(crate) fn ring(&mut self, kind: LogKind) -> &mut Ring {
        match kind {
            LogKind::Slow => &mut self.slow,
            LogKind::LargeRequest => &mut self.request,
            LogKind::LargeReply => &mut self.reply,
        }
    }
}

impl Ring {
    /// Logs a command; the log keeps `most` entries. One that is to keep nothing is off.
    pub(crate) fn add(
        &mut self,
        most: u64,
        at: UnixMs,
        measure: u64,
        session: &Session,
        command: &Command,
        args: Args<'_, '_>,
    ) {
        if most == 0 {
            return;
        }
        let entry = Entry {
            id: self.next_id,
            at,
            measure,
            args: kept(command, args),
            addr: session.peer.addr.as_str().into(),
            client: session.name.clone(),
        };
        self.next_id += 1;
        self.entries.push_front(entry);
        self.entries.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }
}

/// The arguments as an entry keeps them: secrets hidden, long ones and many of them cut.
fn kept(command: &Command, args: Args<'_, '_>) -> Vec<Vec<u8>> {
    let cut = args.len() > MOST_ARGS;
    let whole = if cut { MOST_ARGS - 1 } else { args.len() };
    let mut kept: Vec<Vec<u8>> = (0..whole).map(|i| shortened(shown(command, args, i))).collect();
    if cut {
        kept.push(format!("... ({} more arguments)", args.len() - whole).into_bytes());
    }
    kept
}

fn shortened(arg: &[u8]) -> Vec<u8> {
    if arg.len() <= MOST_BYTES {
        return arg.to_vec();
    }
    let mut out = arg[..MOST_BYTES].to_vec();
    out.extend_from_slice(format!("... ({} more bytes)", arg.len() - MOST_BYTES).as_bytes());
    out
}

/// Argument `i` as logs and monitors may show it: passwords are not.
pub(crate) fn shown<'b>(command: &Command, args: Args<'_, 'b>, i: usize) -> &'b [u8] {
    let secret = match command.full_name {
        "auth" => i > 0,
        "acl|setuser" => i > 1,
        "hello" => (1..=2).any(|back| i > back && args.at(i - back).eq_ignore_ascii_case(b"auth")),
        "migrate" => is_password_of_migrate(args, i),
        "config|set" => i > 2 && i % 2 == 1 && is_sensitive(args.at(i - 1)),
        _ => false,
    };
    if secret { REDACTED } else { args.at(i) }
}

/// Whether argument `i` of `MIGRATE` is of `AUTH password` or `AUTH2 user password`; words behind `KEYS` are keys.
fn is_password_of_migrate(args: Args<'_, '_>, i: usize) -> bool {
    let mut at = 6;
    while at < i {
        let secrets = match args.at(at).to_ascii_lowercase().as_slice() {
            b"keys" => return false,
            b"auth" => 1,
            b"auth2" => 2,
            _ => 0,
        };
        if i <= at + secrets {
            return true;
        }
        at += 1 + secrets;
    }
    false
}

fn is_sensitive(directive: &[u8]) -> bool {
    std::str::from_utf8(directive).ok().and_then(Directive::find).is_some_and(Directive::sensitive)
}
