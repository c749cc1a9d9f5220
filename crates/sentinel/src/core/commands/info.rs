//! INFO of a sentinel: the names and the order of Redis' fields, because programs parse them.

use super::connection::SPOKEN_VERSION;
use super::{Call, Done};
use crate::core::{Rate, Sentinel};
use std::fmt::Write as _;
use tanist_resp::Reply;

const SECTIONS: &[&str] = &["server", "clients", "stats", "cpu", "sentinel"];

impl Sentinel {
    pub(crate) fn cmd_info(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let asked: Vec<String> = (1..call.args.len()).map(|i| call.word(i)).collect();
        let all =
            asked.is_empty() || asked.iter().any(|s| matches!(s.as_str(), "all" | "default" | "everything"));
        let mut text = String::new();
        for section in SECTIONS.iter().filter(|s| all || asked.iter().any(|a| a == **s)) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            match *section {
                "server" => self.info_server(&mut text),
                "clients" => self.info_clients(&mut text),
                "stats" => self.info_stats(&mut text),
                "cpu" => self.info_cpu(&mut text),
                _ => self.info_sentinel(&mut text),
            }
        }
        r.verbatim(*b"txt", text.as_bytes());
        Done::Now
    }

    fn info_server(&self, out: &mut String) {
        let up = self.now.mono.since(self.started.mono).as_secs();
        let supervised = Some(self.facts.supervised.as_str()).filter(|s| !s.is_empty()).unwrap_or("no");
        let lines = [
            ("redis_version", SPOKEN_VERSION.to_owned()),
            ("server_name", "tanist".to_owned()),
            ("tanist_version", env!("CARGO_PKG_VERSION").to_owned()),
            ("redis_git_sha1", "00000000".to_owned()),
            ("redis_git_dirty", "0".to_owned()),
            ("redis_build_id", option_env!("TANIST_BUILD_ID").unwrap_or("0").to_owned()),
            ("redis_mode", "sentinel".to_owned()),
            ("server_mode", "sentinel".to_owned()),
            ("os", self.facts.os.clone()),
            ("arch_bits", usize::BITS.to_string()),
            ("monotonic_clock", "POSIX clock_gettime".to_owned()),
            ("multiplexing_api", "epoll".to_owned()),
            ("gcc_version", "0.0.0".to_owned()),
            ("process_id", self.facts.pid.to_string()),
            ("process_supervised", supervised.to_owned()),
            ("run_id", self.run_id.to_string()),
            ("tcp_port", self.facts.port.to_string()),
            ("server_time_usec", self.now.wall_us.to_string()),
            ("uptime_in_seconds", up.to_string()),
            ("uptime_in_days", (up / 86_400).to_string()),
            ("hz", self.facts.hz.to_string()),
            ("configured_hz", self.facts.hz.to_string()),
            ("clients_hz", self.facts.hz.to_string()),
            ("lru_clock", (self.now.wall().secs() & 0xff_ffff).to_string()),
            ("executable", self.facts.executable.clone()),
            ("config_file", self.facts.config_file.clone()),
            ("io_threads_active", "0".to_owned()),
            ("availability_zone", self.facts.availability_zone.clone()),
        ];
        section(out, "Server", &lines);
        for (i, listener) in self.facts.listeners.iter().enumerate() {
            let _ = write!(out, "listener{i}:{listener}\r\n");
        }
    }

    fn info_clients(&self, out: &mut String) {
        let listeners = self.sessions.all.values().filter(|s| s.subscriptions() > 0).count();
        let waiting = self.sessions.all.values().filter(|s| s.waiting.is_some()).count();
        let lines = [
            ("connected_clients", self.sessions.all.len().to_string()),
            ("cluster_connections", "0".to_owned()),
            ("maxclients", self.globals.max_clients.to_string()),
            ("client_recent_max_input_buffer", self.used.most_input.to_string()),
            ("client_recent_max_output_buffer", self.used.most_output.to_string()),
            ("blocked_clients", waiting.to_string()),
            ("tracking_clients", "0".to_owned()),
            ("pubsub_clients", listeners.to_string()),
            // Nobody can watch a key here, or be paused.
            ("watching_clients", "0".to_owned()),
            ("clients_in_timeout_table", "0".to_owned()),
            ("total_watched_keys", "0".to_owned()),
            ("total_blocking_keys", "0".to_owned()),
            ("total_blocking_keys_on_nokey", "0".to_owned()),
            ("paused_reason", "none".to_owned()),
            ("paused_actions", "none".to_owned()),
            ("paused_timeout_milliseconds", "0".to_owned()),
        ];
        section(out, "Clients", &lines);
    }

    fn info_stats(&self, out: &mut String) {
        let c = &self.sessions.counts;
        let mut channels = std::collections::BTreeSet::new();
        let mut patterns = std::collections::BTreeSet::new();
        for s in self.sessions.all.values() {
            channels.extend(&s.channels);
            patterns.extend(&s.patterns);
        }
        let now = self.now.mono;
        let kbps = |rate: &Rate| format!("{:.2}", rate.per_second(now) as f64 / 1024.0);
        // The names of what a sentinel never does, in Redis' places among the others: it has no keys, no replicas and no
        // threads beside the one that decides.
        let never =
            |names: &[&'static str]| names.iter().map(|name| (*name, "0".to_owned())).collect::<Vec<_>>();
        let never_percent = |name| (name, "0.00".to_owned());
        let mut lines = vec![
            ("total_connections_received", c.connections.to_string()),
            ("total_commands_processed", c.commands.to_string()),
            ("instantaneous_ops_per_sec", c.rate.per_second(now).to_string()),
            ("total_net_input_bytes", c.bytes_in.to_string()),
            ("total_net_output_bytes", c.bytes_out.to_string()),
        ];
        lines.extend(never(&[
            "total_net_repl_input_bytes",
            "total_net_repl_output_bytes",
            "total_net_cluster_slot_import_bytes",
            "total_net_cluster_slot_export_bytes",
        ]));
        lines.extend([
            ("instantaneous_input_kbps", kbps(&c.rate_in)),
            ("instantaneous_output_kbps", kbps(&c.rate_out)),
            never_percent("instantaneous_input_repl_kbps"),
            never_percent("instantaneous_output_repl_kbps"),
            ("rejected_connections", c.rejected.to_string()),
        ]);
        lines.extend(never(&[
            "sync_full",
            "sync_partial_ok",
            "sync_partial_err",
            "expired_keys",
            "expired_fields",
        ]));
        lines
            .extend(["expired_stale_perc", "expired_keys_with_volatile_items_stale_perc"].map(never_percent));
        lines.extend(never(&[
            "expired_time_cap_reached_count",
            "expire_cycle_cpu_milliseconds",
            "evicted_keys",
            "evicted_clients",
            "evicted_scripts",
            "total_eviction_exceeded_time",
            "current_eviction_exceeded_time",
            "keyspace_hits",
            "keyspace_misses",
        ]));
        lines.extend([
            ("pubsub_channels", channels.len().to_string()),
            ("pubsub_patterns", patterns.len().to_string()),
        ]);
        lines.extend(never(&[
            "pubsubshard_channels",
            "latest_fork_usec",
            "total_forks",
            "migrate_cached_sockets",
            "slave_expires_tracked_keys",
            "active_defrag_hits",
            "active_defrag_misses",
            "active_defrag_key_hits",
            "active_defrag_key_misses",
            "total_active_defrag_time",
            "current_active_defrag_time",
            "tracking_total_keys",
            "tracking_total_items",
            "tracking_total_prefixes",
            "unexpected_error_replies",
        ]));
        lines.extend([("total_error_replies", c.errors.to_string())]);
        lines.extend(never(&["dump_payload_sanitizations"]));
        lines.extend([
            ("total_reads_processed", c.reads.to_string()),
            ("total_writes_processed", c.writes.to_string()),
        ]);
        lines.extend(never(&[
            "io_threaded_reads_processed",
            "io_threaded_writes_processed",
            "io_threaded_freed_objects",
            "io_threaded_accept_processed",
            "io_threaded_poll_processed",
            "io_threaded_total_prefetch_batches",
            "io_threaded_total_prefetch_entries",
            "client_query_buffer_limit_disconnections",
        ]));
        lines.extend([("client_output_buffer_limit_disconnections", self.used.cut_off.to_string())]);
        lines.extend(never(&["reply_buffer_shrinks", "reply_buffer_expands"]));
        lines.extend([
            ("eventloop_cycles", c.steps.to_string()),
            ("eventloop_duration_sum", self.used.turns_us.to_string()),
            ("eventloop_duration_cmd_sum", self.used.commands_us.to_string()),
            ("instantaneous_eventloop_cycles_per_sec", c.step_rate.per_second(now).to_string()),
            ("instantaneous_eventloop_duration_usec", self.used.turn_us.to_string()),
            ("acl_access_denied_auth", c.denied.to_string()),
        ]);
        // Who is let in may do everything.
        lines.extend(never(&[
            "acl_access_denied_cmd",
            "acl_access_denied_key",
            "acl_access_denied_channel",
            "acl_access_denied_tls_cert",
            "acl_access_denied_db",
        ]));
        section(out, "Stats", &lines);
    }

    fn info_cpu(&self, out: &mut String) {
        let seconds = |us: u64| format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
        let lines = [
            ("used_cpu_sys", seconds(self.used.sys_us)),
            ("used_cpu_user", seconds(self.used.user_us)),
            ("used_cpu_sys_children", seconds(self.used.children_sys_us)),
            ("used_cpu_user_children", seconds(self.used.children_user_us)),
            ("used_cpu_sys_main_thread", seconds(self.used.main_sys_us)),
            ("used_cpu_user_main_thread", seconds(self.used.main_user_us)),
            ("used_active_time_main_thread", seconds(self.used.turns_us)),
        ];
        section(out, "CPU", &lines);
    }

    fn info_sentinel(&self, out: &mut String) {
        let flags = u8::from(self.crash_after_election) + 2 * u8::from(self.crash_after_promotion);
        let tilt = self.held_until.map(|until| until - self.timing.tilt_period);
        let since = tilt.map_or(-1, |at| self.now.mono.since(at).as_secs() as i64);
        let lines = [
            ("sentinel_masters", self.groups.len().to_string()),
            ("sentinel_tilt", u8::from(self.is_held()).to_string()),
            ("sentinel_tilt_since_seconds", since.to_string()),
            ("sentinel_total_tilt", self.tilts.to_string()),
            ("sentinel_running_scripts", self.scripts.running().to_string()),
            ("sentinel_scripts_queue_length", self.scripts.len().to_string()),
            ("sentinel_simulate_failure_flags", flags.to_string()),
        ];
        section(out, "Sentinel", &lines);
        let names = self.globals.announce_hostnames;
        for (i, g) in self.groups.values().enumerate() {
            let status = match (g.is_odown(), g.primary().detector.down()) {
                (true, _) => "odown",
                (_, true) => "sdown",
                _ => "ok",
            };
            let addr = &g.primary().addr;
            let _ = write!(
                out,
                "master{i}:name={},status={status},address={}:{},slaves={},sentinels={}\r\n",
                g.name,
                addr.shown(names),
                addr.port(),
                g.nodes.len() - 1,
                g.voters()
            );
        }
    }
}

fn section(out: &mut String, name: &str, lines: &[(&str, String)]) {
    let _ = write!(out, "# {name}\r\n");
    for (field, value) in lines {
        let _ = write!(out, "{field}:{value}\r\n");
    }
}
