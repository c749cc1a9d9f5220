//! What is noted of a command that has run: its time, and the sizes of request and reply if they are large.

use crate::command::{Command, Flags};
use crate::command_log::LogKind;
use crate::node::Node;
use crate::session::Session;
use crate::table::CommandIndex;
use std::time::Duration;
use tanist_config::ServerConfig;
use tanist_resp::Args;
use tanist_types::Now;

/// Constant-time commands cost less than this unless the machine stands still; a slow log that asks for less is
/// served by timing every command by itself.
const FAST_BOUND_US: i64 = 1000;

/// The configuration's thresholds in the form in which the hot path compares them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    /// A reply of more bytes is logged: of as many as the configuration says.
    pub(crate) reply: usize,
    /// A request of more bytes is logged.
    pub(crate) request: usize,
    /// Every command is timed by itself.
    pub(crate) time_all: bool,
}

impl Thresholds {
    pub(crate) fn of(config: &ServerConfig) -> Thresholds {
        // -1 means never. What has as many bytes as is said is logged; nothing has none.
        let bytes = |n: i64| usize::try_from(if n > 0 { n - 1 } else { n }).unwrap_or(usize::MAX);
        let slow = config.slowlog_log_slower_than;
        Thresholds {
            reply: bytes(config.commandlog_reply_larger_than),
            request: bytes(config.commandlog_request_larger_than),
            time_all: (0..FAST_BOUND_US).contains(&slow) || config.latency_monitor_threshold > 0,
        }
    }
}

impl Node {
    /// Takes note of what a command has cost.
    pub(crate) fn note_cost(
        &mut self,
        now: Now,
        session: &Session,
        (index, command): (CommandIndex, &Command),
        args: Args<'_, '_>,
        cost: Duration,
    ) {
        let event = if command.flags.has(Flags::FAST) { "fast-command" } else { "command" };
        self.latency.note(event, self.config.latency_monitor_threshold, now.wall(), cost);
        if self.config.latency_tracking {
            self.stats.commands[index.slot()].timed.get_or_insert_default().add(cost);
        }
        let micros = cost.as_micros() as u64;
        let slow = u64::try_from(self.config.slowlog_log_slower_than).is_ok_and(|limit| micros >= limit);
        if slow && !command.flags.has(Flags::SKIP_SLOWLOG) {
            let most = self.config.slowlog_max_len;
            self.command_logs.ring(LogKind::Slow).add(most, now.wall(), micros, session, command, args);
        }
    }

    /// Takes note of a request or a reply that passes its threshold.
    #[cold]
    pub(crate) fn note_sizes(
        &mut self,
        now: Now,
        session: &Session,
        command: &Command,
        args: Args<'_, '_>,
        (request, reply): (usize, usize),
    ) {
        if command.flags.has(Flags::SKIP_SLOWLOG) {
            return;
        }
        let config = &self.config;
        let logs = [
            (
                LogKind::LargeRequest,
                request,
                self.thresholds.request,
                config.commandlog_large_request_max_len,
            ),
            (LogKind::LargeReply, reply, self.thresholds.reply, config.commandlog_large_reply_max_len),
        ];
        for (kind, size, limit, most) in logs {
            if size > limit {
                self.command_logs.ring(kind).add(most, now.wall(), size as u64, session, command, args);
            }
        }
    }
}
