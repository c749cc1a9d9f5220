//! The sections `commandstats`, `errorstats` and `latencystats`: tools split these lines by position.

use super::Fields;
use crate::context::Ctx;
use std::time::Duration;

pub(super) fn commandstats(ctx: &Ctx<'_>, f: &mut Fields) {
    for (index, command) in ctx.node.table.all() {
        let s = &ctx.node.stats.commands[index.slot()];
        if s.calls == 0 && s.rejected == 0 && s.failed == 0 {
            continue;
        }
        let micros = |d: Duration| d.as_nanos() as f64 / 1000.0;
        let mean = if s.calls == 0 { 0.0 } else { micros(s.time) / s.calls as f64 };
        let line = format!(
            "calls={},usec={:.0},usec_per_call={mean:.2},rejected_calls={},failed_calls={}",
            s.calls,
            micros(s.time).floor(),
            s.rejected,
            s.failed
        );
        f.put(&format!("cmdstat_{}", command.full_name), line);
    }
}

pub(super) fn errorstats(ctx: &Ctx<'_>, f: &mut Fields) {
    for (code, count) in &ctx.node.stats.errors {
        f.put(&format!("errorstat_{code}"), format!("count={count}"));
    }
}

pub(super) fn latencystats(ctx: &Ctx<'_>, f: &mut Fields) {
    let percentiles = &ctx.node.config.latency_tracking_info_percentiles;
    if !ctx.node.config.latency_tracking {
        return;
    }
    for (index, command) in ctx.node.table.all() {
        let Some(times) = ctx.node.stats.histogram(index) else { continue };
        let each = |&p: &f64| format!("p{p}={:.3}", times.percentile(p));
        let line: Vec<String> = percentiles.iter().map(each).collect();
        f.put(&format!("latency_percentiles_usec_{}", command.full_name), line.join(","));
    }
}
