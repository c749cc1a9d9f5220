//! Showing commands to those who have said `MONITOR`.

use crate::command::Command;
use crate::command_log::shown;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::session::Session;
use tanist_resp::Args;
use tanist_types::Now;

impl Node {
    /// Shows a command to everybody who monitors. Whoever monitors its own commands sees each before its reply, but not
    /// amid the replies of a transaction or a script.
    pub(crate) fn feed_monitors(
        &mut self,
        now: Now,
        session: &Session,
        command: &Command,
        args: Args<'_, '_>,
        (out, outs): (&mut Vec<u8>, &mut Outputs),
        amid: bool,
    ) {
        let from = if session.in_script {
            "lua".to_owned()
        } else if session.peer.unix {
            "unix:".to_owned() + &session.peer.laddr
        } else {
            session.peer.addr.clone()
        };
        let mut line = format!(
            "+{}.{:06} [{} {}]",
            now.wall_us / 1_000_000,
            now.wall_us % 1_000_000,
            session.db.0,
            from
        )
        .into_bytes();
        for i in 0..args.len() {
            line.push(b' ');
            crate::commands::quote_into(&mut line, shown(command, args, i));
        }
        line.extend_from_slice(b"\r\n");
        for &id in &self.monitors {
            if id == session.id && !amid && !session.in_script {
                out.extend_from_slice(&line);
            } else {
                outs.push(Output::Send { session: id, bytes: line.clone() });
            }
        }
    }
}
