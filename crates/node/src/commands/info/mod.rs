//! `INFO`: the server's state and counters, in sections of `name:value` lines.
//!
//! Names and order are an interface: tools find fields by name, and some by the first place where the name
//! occurs. They are Valkey 9.1's; `redis_version` says which Redis' behaviour to expect, and our own fields
//! begin with `tanist_`. Fields of features that this server does not have are there with their resting value.

mod commands;
mod memory;
mod persistence;
mod replication;
mod server;
mod stats;

pub(crate) use memory::{Figures, keys, ratio};
pub(crate) use replication::backlog_memory;

use crate::context::Ctx;
use crate::error::Outcome;
use std::fmt::Write;
use tanist_resp::Args;

/// A section: the name to ask for it, its title, whether it is there by default, and how it is written.
struct Section {
    name: &'static str,
    title: &'static str,
    by_default: bool,
    write: fn(&Ctx<'_>, &mut Fields),
}

const SECTIONS: [Section; 16] = [
    section("server", "Server", true, server::server),
    section("tls", "TLS", false, server::tls),
    section("clients", "Clients", true, server::clients),
    section("memory", "Memory", true, memory::memory),
    section("persistence", "Persistence", true, persistence::persistence),
    section("stats", "Stats", true, stats::stats),
    section("replication", "Replication", true, replication::replication),
    section("cpu", "CPU", true, server::cpu),
    section("modules", "Modules", true, |_, _| {}),
    section("commandstats", "Commandstats", false, commands::commandstats),
    section("errorstats", "Errorstats", true, commands::errorstats),
    section("latencystats", "Latencystats", false, commands::latencystats),
    section("cluster", "Cluster", true, server::cluster),
    section("clusterinfo", "Cluster Info", false, |_, _| {}),
    section("scriptingengines", "Scripting Engines", false, server::scripting),
    section("keyspace", "Keyspace", true, stats::keyspace),
];

const fn section(
    name: &'static str,
    title: &'static str,
    by_default: bool,
    write: fn(&Ctx<'_>, &mut Fields),
) -> Section {
    Section { name, title, by_default, write }
}

/// The lines of a section.
#[derive(Default)]
pub(super) struct Fields(String);

impl Fields {
    /// Adds a field.
    pub(super) fn put(&mut self, name: &str, value: impl std::fmt::Display) {
        self.0.push_str(name);
        self.0.push(':');
        let _ = write!(self.0, "{value}");
        self.0.push_str("\r\n");
    }

    /// Adds a field that is 0 or 1.
    pub(super) fn flag(&mut self, name: &str, value: bool) {
        self.put(name, u8::from(value));
    }

    /// Adds fields that are zero in this server.
    pub(super) fn zeros(&mut self, names: &[&str]) {
        for name in names {
            self.put(name, 0);
        }
    }
}

/// `INFO [section ...]`
pub(crate) fn info(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let asked: Vec<String> =
        args.iter().skip(1).map(|a| String::from_utf8_lossy(a).to_ascii_lowercase()).collect();
    let text = sections(ctx, &asked);
    ctx.reply().verbatim(*b"txt", text.as_bytes());
    Ok(())
}

fn sections(ctx: &Ctx<'_>, asked: &[String]) -> String {
    let asks = |name: &str| asked.iter().any(|a| a == name);
    let all = asks("all") || asks("everything");
    let default = asked.is_empty() || asks("default");
    let mut fields = Fields(String::with_capacity(8192));
    for section in &SECTIONS {
        if !(all || default && section.by_default || asks(section.name)) {
            continue;
        }
        if !fields.0.is_empty() {
            fields.0.push_str("\r\n");
        }
        let _ = write!(fields.0, "# {}\r\n", section.title);
        (section.write)(ctx, &mut fields);
    }
    fields.0
}
