//! The sections `server`, `tls`, `clients`, `cpu`, `cluster`, `scriptingengines` and `debug`.

use super::Fields;
use crate::context::Ctx;
use crate::session::{Session, Waiting};
use std::time::Duration;

pub(super) fn server(ctx: &Ctx<'_>, f: &mut Fields) {
    let (node, host) = (&*ctx.node, &ctx.node.host);
    let uptime = ctx.now.mono.since(node.started.mono).as_secs();
    f.put("redis_version", crate::REDIS_VERSION);
    f.put("server_name", "tanist");
    f.put("tanist_version", env!("CARGO_PKG_VERSION"));
    f.put("redis_git_sha1", "00000000");
    f.put("redis_git_dirty", 0);
    f.put("redis_build_id", option_env!("TANIST_BUILD_ID").unwrap_or("0"));
    f.put("redis_mode", "standalone");
    f.put("server_mode", "standalone");
    f.put("os", &host.os);
    f.put("arch_bits", usize::BITS);
    f.put("monotonic_clock", "POSIX clock_gettime");
    f.put("multiplexing_api", &host.multiplexing);
    f.put("gcc_version", "0.0.0");
    f.put("process_id", node.identity.pid);
    f.put("process_supervised", if host.supervised.is_empty() { "no" } else { &host.supervised });
    f.put("run_id", node.identity.run_id);
    f.put("tcp_port", node.config.port);
    f.put("server_time_usec", ctx.now.wall_us);
    f.put("uptime_in_seconds", uptime);
    f.put("uptime_in_days", uptime / (24 * 3600));
    f.put("hz", node.config.hz);
    f.put("configured_hz", node.config.hz);
    f.put("clients_hz", node.config.hz);
    // The 24-bit clock that Redis stamps keys with.
    f.put("lru_clock", ctx.now.wall().secs() & 0xff_ffff);
    f.put("executable", &host.executable);
    f.put("config_file", &host.config_file);
    f.flag("io_threads_active", host.io_threads > 1);
    f.put("availability_zone", &node.config.availability_zone);
    for (i, listener) in host.listeners.iter().enumerate() {
        f.put(&format!("listener{i}"), listener);
    }
}

pub(super) fn tls(_ctx: &Ctx<'_>, f: &mut Fields) {
    for whose in ["server", "client", "ca"] {
        f.put(&format!("tls_{whose}_cert_serial"), "none");
        f.put(&format!("tls_{whose}_cert_expires_in_seconds"), 0);
    }
}

pub(super) fn clients(ctx: &Ctx<'_>, f: &mut Fields) {
    let node = &*ctx.node;
    let count = |wanted: &dyn Fn(&Session) -> bool| {
        node.sessions.others().filter(|s| wanted(s)).count() + usize::from(wanted(ctx.session))
    };
    let replica = |s: &Session| s.kind == crate::SessionKind::Replica;
    let deadline = |s: &Session| matches!(s.waiting, Some(Waiting::Blocked { until: Some(_) }));
    f.put("connected_clients", node.sessions.len() - count(&replica));
    f.put("cluster_connections", 0);
    f.put("maxclients", node.config.maxclients);
    let (input, output) = node.buffers.recent.largest(ctx.now.mono);
    f.put("client_recent_max_input_buffer", input);
    f.put("client_recent_max_output_buffer", output);
    f.put("blocked_clients", count(&|s| s.is_blocked()));
    f.put("tracking_clients", node.tracking.clients);
    f.put("pubsub_clients", count(&Session::is_subscribed));
    f.put("watching_clients", count(&|s| !s.watched.is_empty()));
    f.put("clients_in_timeout_table", count(&deadline));
    f.put("total_watched_keys", node.watchers.len());
    let (keys, keys_for_gone) = node.blocking.keys();
    f.put("total_blocking_keys", keys);
    f.put("total_blocking_keys_on_nokey", keys_for_gone);
    let (reason, actions) = match node.pause {
        None => ("none", "none"),
        Some(pause) if pause.all => ("client_pause", "all"),
        Some(_) => ("client_pause", "write"),
    };
    f.put("paused_reason", reason);
    f.put("paused_actions", actions);
    let left = node.pause.map_or(Duration::ZERO, |p| p.until.since(ctx.now.mono));
    f.put("paused_timeout_milliseconds", left.as_millis());
}

pub(super) fn cpu(ctx: &Ctx<'_>, f: &mut Fields) {
    let cpu = ctx.node.host.cpu;
    let seconds = |d: Duration| format!("{:.6}", d.as_secs_f64());
    f.put("used_cpu_sys", seconds(cpu.sys));
    f.put("used_cpu_user", seconds(cpu.user));
    f.put("used_cpu_sys_children", seconds(cpu.sys_children));
    f.put("used_cpu_user_children", seconds(cpu.user_children));
    f.put("used_cpu_sys_main_thread", seconds(cpu.sys_main_thread));
    f.put("used_cpu_user_main_thread", seconds(cpu.user_main_thread));
    f.put("used_active_time_main_thread", seconds(cpu.sys_main_thread + cpu.user_main_thread));
}

pub(super) fn cluster(_ctx: &Ctx<'_>, f: &mut Fields) {
    f.put("cluster_enabled", 0);
}

/// Lua, which is part of the server.
pub(super) fn scripting(ctx: &Ctx<'_>, f: &mut Fields) {
    let scripting = &ctx.node.scripting;
    let used = scripting.scripts.memory().0 + scripting.libraries.memory().0;
    f.put("engines_count", 1);
    f.put("engines_total_used_memory", used);
    f.put("engines_total_memory_overhead", 0);
    f.put("engine_0", format!("name=LUA,module=built-in,abi_version=0,used_memory={used},memory_overhead=0"));
}

/// What Valkey's event loop has done; ours has none of it.
pub(super) fn debug(_ctx: &Ctx<'_>, f: &mut Fields) {
    f.zeros(&[
        "eventloop_duration_aof_sum",
        "eventloop_duration_cron_sum",
        "eventloop_duration_max",
        "eventloop_cmd_per_cycle_max",
        "io_threaded_reads_pending",
        "io_threaded_writes_pending",
    ]);
}
