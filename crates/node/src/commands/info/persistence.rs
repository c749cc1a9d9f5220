//! The section `persistence`. Snapshots do not fork, so nothing is ever copied on write.

use super::Fields;
use crate::context::Ctx;
use crate::replication::Sync;
use crate::snapshot::Progress;

pub(super) fn persistence(ctx: &Ctx<'_>, f: &mut Fields) {
    let node = &*ctx.node;
    let saving = &node.saving;
    let ok = |yes: bool| if yes { "ok" } else { "err" };
    let (done, total, began) = match saving.progress() {
        Some((done, total, began)) => (done, total, Some(began)),
        None => (0, 0, None),
    };
    let flushed = node.is_flushed_for_load();
    let sync = node.repl.upstream.as_ref().and_then(|up| up.sync());
    f.flag("loading", node.loading.is_some() || flushed);
    f.flag("async_loading", sync.is_some_and(|sync| sync.is_beside()));
    f.zeros(&["current_cow_peak", "current_cow_size", "current_cow_size_age"]);
    let percent = if total == 0 { 0.0 } else { done as f64 * 100.0 / total as f64 };
    f.put("current_fork_perc", format!("{percent:.2}"));
    f.put("current_save_keys_processed", done);
    f.put("current_save_keys_total", total);
    f.put("rdb_changes_since_last_save", node.stats.dirty_since_save);
    f.flag("rdb_bgsave_in_progress", began.is_some());
    f.put("rdb_last_save_time", saving.last_save.secs());
    f.put("rdb_last_bgsave_status", ok(saving.last_ok));
    f.put("rdb_last_bgsave_time_sec", saving.last_duration.map_or(-1, |d| d.as_secs() as i64));
    f.put("rdb_current_bgsave_time_sec", began.map_or(-1, |at| ctx.now.mono.since(at).as_secs() as i64));
    f.put("rdb_saves", saving.saves);
    f.put("rdb_last_cow_size", 0);
    f.put("rdb_last_load_keys_expired", node.stats.load_expired_keys);
    f.put("rdb_last_load_keys_loaded", node.stats.loaded_keys);
    f.zeros(&["aof_enabled", "aof_rewrite_in_progress", "aof_rewrite_scheduled"]);
    f.put("aof_last_rewrite_time_sec", -1);
    f.put("aof_current_rewrite_time_sec", -1);
    f.put("aof_last_bgrewrite_status", "ok");
    f.zeros(&["aof_rewrites", "aof_rewrites_consecutive_failures"]);
    f.put("aof_last_write_status", "ok");
    f.zeros(&[
        "aof_last_cow_size",
        "module_fork_in_progress",
        "module_fork_last_cow_size",
        "slot_migration_fork_in_progress",
    ]);
    if let Some(loader) = node.loading.as_ref().or(sync.map(Sync::loader)) {
        loading(ctx, f, loader.progress);
    }
}

/// What is shown while a snapshot is loaded.
fn loading(ctx: &Ctx<'_>, f: &mut Fields, progress: Progress) {
    f.put("loading_start_time", progress.began.secs());
    f.put("loading_total_bytes", progress.total.unwrap_or(0));
    f.put("loading_rdb_used_mem", progress.used_memory);
    f.put("loading_loaded_bytes", progress.bytes);
    f.put("loading_loaded_perc", format!("{:.2}", progress.percent()));
    f.put("loading_eta_seconds", progress.seconds_left(ctx.now.wall()));
}
