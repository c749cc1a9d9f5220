//! What `INFO` shows of replication, and what sentinels are told without asking.

use crate::node::Node;
use crate::output::Outputs;
use std::fmt::Write;
use tanist_replication::Role;
use tanist_types::Now;

/// The channel that sentinels listen to.
const CHANNEL: &[u8] = b"__tanist__:state";

/// What sentinels have been told last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Told {
    link: &'static str,
    role: &'static str,
    /// How many links follow the log, and the sum of their ids: enough to see that they have changed.
    online: (usize, u64),
}

impl Node {
    /// The lines of `INFO replication`, without its heading, each ended by CR LF.
    pub(crate) fn info_replication(&self, now: Now, out: &mut String) {
        let repl = &self.repl;
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            // Writing into a string cannot fail.
            let _ = write!(out, "{name}:{value}\r\n");
        };
        let end = repl.end();
        if self.is_replica() {
            self.info_upstream(now, &mut line);
        } else {
            line("role", &"master");
        }
        line("connected_slaves", &repl.replicas.attached().count());
        if self.config.min_replicas_to_write > 0 && self.config.min_replicas_max_lag > 0 {
            let lag = super::secs(self.config.min_replicas_max_lag);
            let good = tanist_replication::good_replicas(lag, now.mono, repl.replicas.acks());
            line("min_slaves_good_slaves", &good);
        }
        for (i, replica) in repl.replicas.lines(now.mono).enumerate() {
            let value = format!(
                "ip={},port={},state={},offset={},lag={},type=replica",
                replica.ip,
                replica.port,
                replica.phase.info(),
                replica.acked,
                replica.lag.as_secs()
            );
            line(&format!("slave{i}"), &value);
        }
        line("replicas_waiting_psync", &0);
        line("master_failover_state", &repl.failover_word());
        line("master_replid", &repl.lineage.current().id);
        match repl.lineage.previous() {
            Some((id, end)) => {
                line("master_replid2", &id);
                line("master_repl_offset", &repl.end());
                line("second_repl_offset", &(end.0 + 1));
            }
            None => {
                line("master_replid2", &"0".repeat(40));
                line("master_repl_offset", &end);
                line("second_repl_offset", &-1);
            }
        }
        line("repl_backlog_active", &u8::from(repl.backlog.active()));
        line("repl_backlog_size", &self.config.repl_backlog_size);
        // One-based, as Redis counts.
        line("repl_backlog_first_byte_offset", &repl.backlog.first().map_or(0, |pos| pos.0 + 1));
        line("repl_backlog_histlen", &repl.backlog.histlen().0);
        line("tanist_role", &self.role_word());
        line("tanist_epoch", &repl.member.epoch());
        line("tanist_promised_epoch", &repl.member.durable().promised.epoch);
    }

    fn info_upstream(&self, now: Now, line: &mut dyn FnMut(&str, &dyn std::fmt::Display)) {
        let up = self.repl.upstream.as_ref();
        let streaming = up.is_some_and(|up| up.link.is_streaming());
        let syncing = up.is_some_and(|up| up.link.is_syncing());
        line("role", &"slave");
        line("master_host", &up.map_or("", |up| up.address.host.as_str()));
        line("master_port", &up.map_or(0, |up| up.address.port));
        line("master_link_status", &if streaming { "up" } else { "down" });
        let heard =
            up.filter(|_| streaming).map_or(-1, |up| now.mono.since(up.link.last_heard()).as_secs() as i64);
        line("master_last_io_seconds_ago", &heard);
        line("master_sync_in_progress", &u8::from(syncing));
        line("slave_read_repl_offset", &self.repl.end());
        line("slave_repl_offset", &self.repl.end());
        // What the primary sends during a full sync is not kept aside here: it follows in the same stream.
        line("replicas_repl_buffer_size", &0);
        line("replicas_repl_buffer_peak", &0);
        if let Some(sync) = up.and_then(super::Upstream::sync) {
            let total = sync.size.unwrap_or(0);
            let left = sync.size.map_or(-1, |size| size.saturating_sub(sync.received) as i64);
            let done = if total == 0 { 0.0 } else { sync.received as f64 * 100.0 / total as f64 };
            line("master_sync_total_bytes", &total);
            line("master_sync_read_bytes", &sync.received);
            line("master_sync_left_bytes", &left);
            line("master_sync_perc", &format!("{done:.2}"));
            line("master_sync_last_io_seconds_ago", &now.mono.since(sync.last_byte).as_secs());
        }
        if !streaming {
            let since = up.and_then(|up| up.link.down_since());
            let seconds = since.map_or(-1, |at| now.mono.since(at).as_secs() as i64);
            line("master_link_down_since_seconds", &seconds);
        }
        line("slave_priority", &self.config.replica_priority);
        line("slave_read_only", &u8::from(self.config.replica_read_only));
        line("replica_announced", &u8::from(self.config.replica_announced));
    }

    /// Tells sentinels what has changed since they were told last.
    pub(super) fn tell_sentinels(&mut self, outs: &mut Outputs) {
        let link = self.link_word();
        let links = self.repl.replicas.online();
        let online = links.fold((0, 0u64), |(n, sum), (id, _)| (n + 1, sum.wrapping_add(id.0)));
        let role = self.role_word();
        let told = Told { link, role, online };
        if told == self.repl.told {
            return self.tell_caught_up(outs);
        }
        let told_now = told;
        let before = std::mem::replace(&mut self.repl.told, told);
        let told = told_now;
        if before.role != told.role {
            self.tell("role", outs);
        }
        if before.link != told.link {
            self.tell("link", outs);
        }
        if told.online.0 > before.online.0 {
            self.tell("replica-joined", outs);
        } else if told.online != before.online {
            self.tell("replica-left", outs);
        }
        self.tell_caught_up(outs);
    }

    /// The role has changed, even if only its epoch.
    pub(super) fn tell_role(&mut self, outs: &mut Outputs) {
        self.repl.told.role = self.role_word();
        self.tell("role", outs);
    }

    fn tell_caught_up(&mut self, outs: &mut Outputs) {
        let end = self.repl.end();
        let Some(hold) = &self.repl.hold else { return };
        let Some(target) = hold.target.as_ref().filter(|_| !hold.said) else { return };
        let there =
            self.repl.replicas.online().any(|(_, l)| {
                l.address() == (target.host.as_str(), target.port) && l.acked().received >= end
            });
        if there {
            if let Some(hold) = &mut self.repl.hold {
                hold.said = true;
            }
            self.tell("caught-up", outs);
        }
    }

    fn tell(&self, event: &str, outs: &mut Outputs) {
        let repl = &self.repl;
        let epoch = match repl.member.role() {
            Role::Primary(epoch) => epoch,
            Role::Idle | Role::Replica => repl.member.durable().accepted,
        };
        let primary = repl.upstream.as_ref().map_or(":0".into(), |up| up.address.to_string());
        let text = format!(
            "node={} run={} role={} epoch={epoch} offset={} link={} primary={primary} event={event}",
            repl.member.durable().node,
            repl.member.run(),
            self.role_word(),
            repl.end(),
            self.link_word(),
        );
        self.publish(CHANNEL, text.as_bytes(), outs);
    }
}
