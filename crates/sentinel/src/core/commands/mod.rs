//! The commands of a sentinel: one table, from which dispatch, `COMMAND` and the help are made.

mod acl;
mod client;
mod command;
mod connection;
mod info;
mod pubsub;
mod sentinel;
mod set;
mod show;
mod table;

use super::Sentinel;
use super::io::SessionId;
use super::sessions::Quiet;
use table::{Handler, TABLE};
use tanist_resp::Reply;

/// What a handler leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Done {
    /// The reply is written.
    Now,
    /// The reply comes later: it waits for the disk or for a name server.
    Later,
}

/// A command under way.
pub(crate) struct Call<'a> {
    pub(crate) session: SessionId,
    /// Name and arguments.
    pub(crate) args: &'a [Vec<u8>],
}

impl Call<'_> {
    /// An argument as text; broken UTF-8 is replaced.
    pub(crate) fn text(&self, i: usize) -> String {
        self.args.get(i).map_or_else(String::new, |a| String::from_utf8_lossy(a).into_owned())
    }

    /// An argument as a word in lower case.
    pub(crate) fn word(&self, i: usize) -> String {
        self.text(i).to_ascii_lowercase()
    }

    /// An argument as a number.
    pub(crate) fn number(&self, i: usize) -> Option<i64> {
        tanist_resp::number::parse_i64(self.args.get(i)?)
    }
}

/// The reply to a number that is none.
pub(crate) const NOT_A_NUMBER: &str = "ERR value is not an integer or out of range";

impl Sentinel {
    /// Carries out a command.
    pub(crate) fn execute(&mut self, session: SessionId, args: Vec<Vec<u8>>) {
        let Some(s) = self.sessions.all.get_mut(&session) else { return };
        if s.closing {
            return;
        }
        s.commands += 1;
        if s.quiet == Quiet::SkipNext {
            s.quiet = Quiet::Skip;
        }
        let proto = s.proto;
        let mut bytes = Vec::new();
        let call = Call { session, args: &args };
        let done = self.dispatch(&call, &mut Reply::new(&mut bytes, proto));
        // Behind it: an INFO does not count itself.
        self.sessions.counts.commands += 1;
        self.sessions.counts.rate.note(1, self.now.mono);
        if bytes.first() == Some(&b'-') {
            self.sessions.counts.errors += 1;
        }
        let Some(s) = self.sessions.all.get_mut(&session) else { return };
        let silent = matches!(s.quiet, Quiet::Skip | Quiet::Off);
        if s.quiet == Quiet::Skip {
            s.quiet = Quiet::No;
        }
        if done == Done::Now && !bytes.is_empty() && !silent {
            self.reply(session, bytes);
        }
        if self.sessions.all.get(&session).is_some_and(|s| s.last_command == "quit") {
            self.hang_up(session);
        }
    }

    fn dispatch(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let name = call.word(0);
        let Some(spec) = TABLE.iter().find(|c| c.name == name) else {
            if tanist_resp::begins_http_line(name.as_bytes()) {
                self.log(
                    super::Level::Warning,
                    "Possible SECURITY ATTACK detected: somebody sends POST or Host: commands. Connection aborted.",
                );
                self.hang_up(call.session);
                return Done::Later;
            }
            r.error(&unknown(call));
            return Done::Now;
        };
        let Some(s) = self.sessions.all.get_mut(&call.session) else { return Done::Later };
        if !arity_fits(spec.arity, call.args.len()) {
            r.error(&format!("ERR wrong number of arguments for '{name}' command"));
            return Done::Now;
        }
        if !s.authenticated && !spec.flags.contains(&"no_auth") {
            r.error("NOAUTH Authentication required.");
            return Done::Now;
        }
        if s.is_listener() && !table::FOR_LISTENERS.contains(&spec.name) {
            let sub = spec.subs.iter().find(|c| c.name == call.word(1));
            let full = sub.map_or_else(|| name.clone(), |sub| format!("{name}|{}", sub.name));
            r.error(&format!(
                "ERR Can't execute '{full}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are \
                 allowed in this context"
            ));
            return Done::Now;
        }
        s.last_command = match spec.subs.is_empty() || call.args.len() < 2 {
            true => name.clone(),
            false => format!("{name}|{}", call.word(1)),
        };
        if spec.subs.is_empty() || call.args.len() < 2 {
            return run(self, spec.handler, call, r);
        }
        let word = call.word(1);
        let Some(sub) = spec.subs.iter().find(|c| c.name == word) else {
            let shown = call.text(1);
            r.error(&format!(
                "ERR unknown subcommand '{}'. Try {} HELP.",
                shown.chars().take(128).collect::<String>(),
                name.to_ascii_uppercase()
            ));
            return Done::Now;
        };
        if !arity_fits(sub.arity, call.args.len()) {
            r.error(&format!("ERR wrong number of arguments for '{name}|{word}' command"));
            return Done::Now;
        }
        run(self, sub.handler, call, r)
    }

    /// `SHUTDOWN`, or a signal: writes down what is not yet, then ends.
    pub(crate) fn terminate(&mut self) {
        self.log(super::Level::Warning, "User requested shutdown...");
        self.disk.mark_critical();
        self.exit();
    }
}

fn run(sentinel: &mut Sentinel, handler: Handler, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
    handler(sentinel, call, r)
}

/// Whether `n` words fit: exactly `arity`, or at least `-arity`.
fn arity_fits(arity: i32, n: usize) -> bool {
    let n = i32::try_from(n).unwrap_or(i32::MAX);
    if arity >= 0 { n == arity } else { n >= -arity }
}

fn unknown(call: &Call<'_>) -> String {
    let mut args = String::new();
    for i in 1..call.args.len() {
        if args.len() >= 128 {
            break;
        }
        let left = 128 - args.len();
        args.push_str(&format!("'{}' ", call.text(i).chars().take(left).collect::<String>()));
    }
    let name: String = call.text(0).chars().take(128).collect();
    format!("ERR unknown command '{name}', with args beginning with: {args}")
}
