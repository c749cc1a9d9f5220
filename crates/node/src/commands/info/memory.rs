//! The section `memory`, and the figures that `MEMORY STATS` shares with it.

use super::Fields;
use crate::context::Ctx;
use crate::node::Node;
use crate::session::Session;
use tanist_config::choice::Choice;
use tanist_types::DbIndex;

/// Figures about memory, in bytes.
pub(crate) struct Figures {
    pub(crate) used: u64,
    pub(crate) peak: u64,
    pub(crate) startup: u64,
    pub(crate) clients: u64,
    /// What replicas occupy, and what is kept for them beyond the backlog.
    pub(crate) replicas: u64,
    /// What `maxmemory` leaves out.
    pub(crate) not_counted: u64,
    /// Everything that is not data.
    pub(crate) overhead: u64,
    pub(crate) dataset: u64,
}

impl Figures {
    /// Gathers the figures of a node whose running session is `own`.
    pub(crate) fn of(node: &Node, own: &Session) -> Figures {
        let parts = node.memory_parts(Some(own));
        let used = parts.used();
        // What is left of the log of replicas that have gone belongs to nobody.
        let surplus = if parts.replicas > 0 { parts.surplus } else { 0 };
        Figures {
            used,
            peak: node.memory.peak.max(used),
            startup: parts.startup,
            clients: parts.clients,
            replicas: parts.replicas + surplus,
            not_counted: parts.not_counted(),
            overhead: parts.overhead(),
            dataset: parts.data,
        }
    }

    /// Data as a share of what was not there at the start, in percent.
    pub(crate) fn dataset_percent(&self) -> f64 {
        percent(self.dataset, self.used.saturating_sub(self.startup))
    }

    /// Memory in use as a share of the peak, in percent.
    pub(crate) fn peak_percent(&self) -> f64 {
        percent(self.used, self.peak)
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// `part` divided by `whole`, 1 if there is nothing to compare.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if part == 0 || whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Bytes as people read them: `512B`, `1.50K`, `2.00G`.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["K", "M", "G", "T", "P", "E"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let power = (bytes.ilog2() / 10) as usize;
    format!("{:.2}{}", bytes as f64 / f64::powi(1024.0, power as i32), UNITS[power - 1])
}

pub(super) fn memory(ctx: &Ctx<'_>, f: &mut Fields) {
    let node = &*ctx.node;
    let m = Figures::of(node, ctx.session);
    let (host, a) = (&node.host, &node.host.allocator);
    let with_human = |f: &mut Fields, name: &str, bytes: u64| {
        f.put(name, bytes);
        f.put(&format!("{name}_human"), human(bytes));
    };
    with_human(f, "used_memory", m.used);
    with_human(f, "used_memory_rss", host.rss);
    with_human(f, "used_memory_peak", m.peak);
    f.put("used_memory_peak_perc", format!("{:.2}%", m.peak_percent()));
    f.put("used_memory_overhead", m.overhead);
    f.put("used_memory_startup", m.startup);
    f.put("used_memory_dataset", m.dataset);
    f.put("used_memory_dataset_perc", format!("{:.2}%", m.dataset_percent()));
    f.put("allocator_allocated", a.allocated);
    f.put("allocator_active", a.active);
    f.put("allocator_resident", a.resident);
    f.put("allocator_muzzy", a.muzzy);
    with_human(f, "total_system_memory", host.total_memory);
    scripts(node, f);
    with_human(f, "maxmemory", node.config.maxmemory);
    f.put("maxmemory_policy", node.config.maxmemory_policy.word());
    for (name, part, whole) in [
        ("allocator_frag", a.active, a.allocated),
        ("allocator_rss", a.resident, a.active),
        ("rss_overhead", host.rss, a.resident),
    ] {
        f.put(&format!("{name}_ratio"), format!("{:.2}", ratio(part, whole)));
        f.put(&format!("{name}_bytes"), part as i64 - whole as i64);
    }
    f.put("mem_fragmentation_ratio", format!("{:.2}", ratio(host.rss, m.used)));
    f.put("mem_fragmentation_bytes", host.rss as i64 - m.used as i64);
    f.put("mem_not_counted_for_evict", m.not_counted);
    f.put("mem_replication_backlog", super::replication::backlog_memory(node));
    let held = super::replication::backlog_memory(node) + node.repl.replicas.held();
    f.put("mem_total_replication_buffers", held);
    f.put("mem_replicas_repl_buffer", node.repl.replicas.held());
    f.put("mem_clients_slaves", m.replicas);
    f.put("mem_clients_normal", m.clients);
    f.zeros(&["mem_cluster_links", "mem_cluster_slot_import", "mem_cluster_slot_export", "mem_aof_buffer"]);
    f.put("mem_allocator", &a.name);
    f.zeros(&["mem_overhead_db_hashtable_rehashing", "active_defrag_running", "lazyfree_pending_objects"]);
    f.put("lazyfreed_objects", node.stats.freed_elsewhere);
}

/// What scripts and functions occupy: the Lua states, and what is kept beside them.
fn scripts(node: &Node, f: &mut Fields) {
    let scripting = &node.scripting;
    let ((vm_eval, eval), (vm_functions, functions)) =
        (scripting.scripts.memory(), scripting.libraries.memory());
    let (libraries, count) = scripting.libraries.count();
    f.put("used_memory_lua", vm_eval);
    f.put("used_memory_vm_eval", vm_eval);
    f.put("used_memory_lua_human", human(vm_eval as u64));
    f.put("used_memory_scripts_eval", eval);
    f.put("number_of_cached_scripts", scripting.scripts.len());
    f.put("number_of_functions", count);
    f.put("number_of_libraries", libraries);
    f.put("used_memory_vm_functions", vm_functions);
    f.put("used_memory_vm_total", vm_eval + vm_functions);
    f.put("used_memory_vm_total_human", human((vm_eval + vm_functions) as u64));
    f.put("used_memory_functions", functions);
    f.put("used_memory_scripts", eval + functions);
    f.put("used_memory_scripts_human", human((eval + functions) as u64));
}

/// The number of keys in all databases.
pub(crate) fn keys(node: &Node) -> u64 {
    (0..node.data.databases()).map(|i| node.data.db(DbIndex(i)).len() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn bytes_for_people() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.00K"),
            (1536, "1.50K"),
            (5 << 20, "5.00M"),
            (3 << 40, "3.00T"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
