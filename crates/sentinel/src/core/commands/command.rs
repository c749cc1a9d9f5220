//! COMMAND and the help texts, made from the table.

use super::table::{Spec, TABLE};
use super::{Call, Done};
use crate::core::Sentinel;
use tanist_resp::Reply;
use tanist_text::glob;

impl Sentinel {
    pub(crate) fn cmd_command(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.array(TABLE.len());
        TABLE.iter().for_each(|c| describe(c, None, r));
        Done::Now
    }

    pub(crate) fn cmd_command_count(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.int(TABLE.len() as i64);
        Done::Now
    }

    pub(crate) fn cmd_command_info(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if call.args.len() == 2 {
            return self.cmd_command(call, r);
        }
        r.array(call.args.len() - 2);
        for i in 2..call.args.len() {
            match find(&call.word(i)) {
                Some((spec, parent)) => describe(spec, parent, r),
                None => r.null(),
            }
        }
        Done::Now
    }

    pub(crate) fn cmd_command_list(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let mut names = Vec::new();
        for c in TABLE {
            names.push(c.name.to_owned());
            names.extend(c.subs.iter().map(|s| format!("{}|{}", c.name, s.name)));
        }
        match (call.args.len(), call.word(2).as_str(), call.word(3).as_str()) {
            (2, _, _) => {}
            (5, "filterby", "pattern") => {
                names.retain(|n| glob::matches(call.word(4).as_bytes(), n.as_bytes()))
            }
            (5, "filterby", "aclcat") => {
                let category = format!("@{}", call.word(4));
                names.retain(|n| find(n).is_some_and(|(s, _)| s.categories.contains(&category.as_str())));
            }
            (5, "filterby", "module") => names.clear(),
            _ => {
                r.error("ERR syntax error");
                return Done::Now;
            }
        }
        r.array(names.len());
        names.iter().for_each(|n| r.bulk_str(n));
        Done::Now
    }

    pub(crate) fn cmd_command_docs(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let asked: Vec<(&Spec, Option<&Spec>)> = match call.args.len() {
            2 => TABLE.iter().map(|c| (c, None)).collect(),
            n => (2..n).filter_map(|i| find(&call.word(i))).collect(),
        };
        r.map(asked.len());
        for (spec, parent) in asked {
            r.bulk_str(&full_name(spec, parent));
            document(spec, r);
        }
        Done::Now
    }

    /// No command of a sentinel has keys.
    pub(crate) fn cmd_command_getkeys(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        match find(&call.word(2)) {
            Some(_) => r.error("ERR The command has no key arguments"),
            None => r.error("ERR Invalid command specified"),
        }
        Done::Now
    }

    pub(crate) fn cmd_command_help(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        help(call, r, "COMMAND")
    }

    pub(crate) fn cmd_sentinel_help(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        help(call, r, "SENTINEL")
    }
}

/// The names and purposes of a command's subcommands; without one of them, the command is incomplete.
pub(crate) fn help(call: &Call<'_>, r: &mut Reply<'_>, name: &str) -> Done {
    let lower = name.to_ascii_lowercase();
    let Some(spec) = TABLE.iter().find(|c| c.name == lower) else { return Done::Now };
    if call.args.len() < 2 {
        r.error(&format!("ERR wrong number of arguments for '{lower}' command"));
        return Done::Now;
    }
    r.array(1 + spec.subs.len() * 2);
    r.simple(&format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for sub in spec.subs {
        r.simple(&format!("{}{}", sub.name.to_ascii_uppercase(), usage(name, sub.name)));
        r.simple(&format!("    {}", sub.summary));
    }
    Done::Now
}

/// The arguments of the sentinel's subcommands.
fn usage(command: &str, sub: &str) -> &'static str {
    match (command, sub) {
        ("SENTINEL", "failover") => " <primary-name> [COORDINATED|FORCE|ACCEPT-LOSS]",
        ("SENTINEL", "monitor") => " <name> <ip> <port> <quorum>",
        ("SENTINEL", "set") => " <primary-name> <option> <value> [<option> <value> ...]",
        ("SENTINEL", "config") => " SET|GET <param> [value] ...",
        ("SENTINEL", "debug") => " [<param> <value> ...]",
        ("SENTINEL", "reset") => " <pattern>",
        ("SENTINEL", "is-master-down-by-addr" | "is-primary-down-by-addr") => {
            " <ip> <port> <current-epoch> <runid>"
        }
        ("SENTINEL", "simulate-failure") => " [CRASH-AFTER-ELECTION] [CRASH-AFTER-PROMOTION] [HELP]",
        ("SENTINEL", "help" | "masters" | "primaries" | "myid" | "pending-scripts" | "flushconfig") => "",
        ("SENTINEL", _) => " <primary-name>",
        _ => "",
    }
}

fn find(name: &str) -> Option<(&'static Spec, Option<&'static Spec>)> {
    match name.split_once('|') {
        None => TABLE.iter().find(|c| c.name == name).map(|c| (c, None)),
        Some((command, sub)) => {
            let parent = TABLE.iter().find(|c| c.name == command)?;
            parent.subs.iter().find(|s| s.name == sub).map(|s| (s, Some(parent)))
        }
    }
}

fn full_name(spec: &Spec, parent: Option<&Spec>) -> String {
    match parent {
        Some(p) => format!("{}|{}", p.name, spec.name),
        None => spec.name.to_owned(),
    }
}

fn describe(spec: &Spec, parent: Option<&Spec>, r: &mut Reply<'_>) {
    r.array(10);
    r.bulk_str(&full_name(spec, parent));
    r.int(i64::from(spec.arity));
    r.set(spec.flags.len());
    spec.flags.iter().for_each(|f| r.simple(f));
    for _ in 0..3 {
        r.int(0);
    }
    r.set(spec.categories.len());
    spec.categories.iter().for_each(|c| r.simple(c));
    r.set(spec.tips.len());
    spec.tips.iter().for_each(|t| r.bulk_str(t));
    r.set(0);
    r.array(spec.subs.len());
    spec.subs.iter().for_each(|s| describe(s, Some(spec), r));
}

fn document(spec: &Spec, r: &mut Reply<'_>) {
    r.map(if spec.subs.is_empty() { 3 } else { 4 });
    for (field, value) in [("summary", spec.summary), ("since", "1.0.0"), ("group", "sentinel")] {
        r.bulk_str(field);
        r.bulk_str(value);
    }
    if !spec.subs.is_empty() {
        r.bulk_str("subcommands");
        r.map(spec.subs.len());
        for s in spec.subs {
            r.bulk_str(&full_name(s, Some(spec)));
            document(s, r);
        }
    }
}
