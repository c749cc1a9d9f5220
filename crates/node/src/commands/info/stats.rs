//! The sections `stats` and `keyspace`.

use super::Fields;
use crate::context::Ctx;
use tanist_types::DbIndex;

pub(super) fn stats(ctx: &Ctx<'_>, f: &mut Fields) {
    let node = &*ctx.node;
    let s = &node.stats;
    let (input, output) = s.bytes_per_second();
    let kbps = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    f.put("total_connections_received", s.connections);
    f.put("total_commands_processed", s.total_commands);
    f.put("instantaneous_ops_per_sec", s.commands_per_second());
    f.put("total_net_input_bytes", s.net_in);
    f.put("total_net_output_bytes", s.net_out);
    f.put("total_net_repl_input_bytes", s.net_repl_in);
    f.put("total_net_repl_output_bytes", s.net_repl_out);
    f.zeros(&["total_net_cluster_slot_import_bytes", "total_net_cluster_slot_export_bytes"]);
    f.put("instantaneous_input_kbps", kbps(input));
    f.put("instantaneous_output_kbps", kbps(output));
    f.put("instantaneous_input_repl_kbps", kbps(0));
    f.put("instantaneous_output_repl_kbps", kbps(0));
    f.put("rejected_connections", s.rejected_connections);
    f.put("sync_full", s.sync_full);
    f.put("sync_partial_ok", s.sync_partial_ok);
    f.put("sync_partial_err", s.sync_partial_err);
    f.put("expired_keys", s.expired_keys);
    f.put("expired_fields", s.expired_fields);
    f.put("expired_stale_perc", format!("{:.2}", node.expire_cycle.stale_percent));
    f.put("expired_keys_with_volatile_items_stale_perc", "0.00");
    f.put("expired_time_cap_reached_count", node.expire_cycle.cut_short);
    f.zeros(&["expire_cycle_cpu_milliseconds"]);
    f.put("evicted_keys", s.evicted_keys);
    f.put("evicted_clients", s.evicted_clients);
    f.put("evicted_scripts", node.scripting.scripts.evicted());
    let (total, current) = node.eviction.exceeded_millis(ctx.now.mono);
    f.put("total_eviction_exceeded_time", total);
    f.put("current_eviction_exceeded_time", current);
    f.put("keyspace_hits", s.hits);
    f.put("keyspace_misses", s.misses);
    f.put("pubsub_channels", node.pubsub.channels.len());
    f.put("pubsub_patterns", node.pubsub.patterns.len());
    f.put("pubsubshard_channels", node.pubsub.shard_channels.len());
    f.zeros(&["latest_fork_usec", "total_forks"]);
    f.put("migrate_cached_sockets", node.exchanges_kept);
    f.zeros(&[
        "slave_expires_tracked_keys",
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
    ]);
    f.put("tracking_total_keys", node.tracking.keys());
    f.put("tracking_total_items", node.tracking.items());
    f.put("tracking_total_prefixes", node.tracking.prefixes());
    f.put("unexpected_error_replies", 0);
    f.put("total_error_replies", s.total_errors);
    f.put("dump_payload_sanitizations", 0);
    f.put("total_reads_processed", s.batches);
    f.put("total_writes_processed", s.batches);
    f.zeros(&[
        "io_threaded_reads_processed",
        "io_threaded_writes_processed",
        "io_threaded_freed_objects",
        "io_threaded_accept_processed",
        "io_threaded_poll_processed",
        "io_threaded_total_prefetch_batches",
        "io_threaded_total_prefetch_entries",
    ]);
    f.put("client_query_buffer_limit_disconnections", s.query_buffer_limit_disconnections);
    f.put("client_output_buffer_limit_disconnections", s.output_buffer_limit_disconnections);
    f.zeros(&[
        "reply_buffer_shrinks",
        "reply_buffer_expands",
        "eventloop_cycles",
        "eventloop_duration_sum",
        "eventloop_duration_cmd_sum",
        "instantaneous_eventloop_cycles_per_sec",
        "instantaneous_eventloop_duration_usec",
    ]);
    f.put("acl_access_denied_auth", s.denied.auth);
    f.put("acl_access_denied_cmd", s.denied.command);
    f.put("acl_access_denied_key", s.denied.key);
    f.put("acl_access_denied_channel", s.denied.channel);
    f.put("acl_access_denied_tls_cert", 0);
    f.put("acl_access_denied_db", s.denied.database);
}

pub(super) fn keyspace(ctx: &Ctx<'_>, f: &mut Fields) {
    for index in 0..ctx.node.data.databases() {
        let db = ctx.node.data.db(DbIndex(index));
        if db.is_empty() {
            continue;
        }
        let line = format!(
            "keys={},expires={},avg_ttl={},keys_with_volatile_items={}",
            db.len(),
            db.expires_len(),
            db.avg_ttl_ms(),
            db.expiring_fields_len()
        );
        f.put(&format!("db{index}"), line);
    }
}
