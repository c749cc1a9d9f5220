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

/// Who sees a section that has not asked for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
enum Shown {
    Never,
    /// Who asks for `all` or `everything`.
    InAll,
    ByDefault,
}
use Shown::{ByDefault, InAll, Never};

/// A section: the name to ask for it, its title, who else sees it, and how it is written.
struct Section {
    name: &'static str,
    title: &'static str,
    shown: Shown,
    write: fn(&Ctx<'_>, &mut Fields),
}

const SECTIONS: [Section; 17] = [
    section("server", "Server", ByDefault, server::server),
    section("tls", "TLS", InAll, server::tls),
    section("clients", "Clients", ByDefault, server::clients),
    section("memory", "Memory", ByDefault, memory::memory),
    section("persistence", "Persistence", ByDefault, persistence::persistence),
    section("stats", "Stats", ByDefault, stats::stats),
    section("replication", "Replication", ByDefault, replication::replication),
    section("cpu", "CPU", ByDefault, server::cpu),
    section("modules", "Modules", ByDefault, |_, _| {}),
    section("commandstats", "Commandstats", InAll, commands::commandstats),
    section("errorstats", "Errorstats", ByDefault, commands::errorstats),
    section("latencystats", "Latencystats", InAll, commands::latencystats),
    section("cluster", "Cluster", ByDefault, server::cluster),
    section("clusterinfo", "Cluster Info", InAll, |_, _| {}),
    section("scriptingengines", "Scripting Engines", InAll, server::scripting),
    section("keyspace", "Keyspace", ByDefault, stats::keyspace),
    section("debug", "Debug", Never, server::debug),
];

const fn section(
    name: &'static str,
    title: &'static str,
    shown: Shown,
    write: fn(&Ctx<'_>, &mut Fields),
) -> Section {
    Section { name, title, shown, write }
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
    let least = match asked.is_empty() || asks("default") {
        _ if asks("all") || asks("everything") => Some(InAll),
        true => Some(ByDefault),
        false => None,
    };
    let mut fields = Fields(String::with_capacity(8192));
    for section in &SECTIONS {
        if !(least.is_some_and(|least| section.shown >= least) || asks(section.name)) {
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
