//! `CONFIG`: reading, changing and rewriting the configuration, and setting the counters back.
//!
//! A change that needs the outside world (a port to listen on, a folder to work in, a rank with the kernel) is put to
//! the shell first and comes into force with its answer; the client waits for it. Every other change is in force at
//! once, and the shell is told.

use super::reply_help;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::node::Node;
use crate::observe::Thresholds;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::{SessionId, Waiting};
use tanist_config::{ServerConfig, SetError};
use tanist_keyspace::Policy;
use tanist_keyspace::collections::Limit;
use tanist_resp::Args;
use tanist_types::Now;

/// Directives that the shell must be able to follow before they are in force.
const OUTSIDE: [&str; 5] = ["bind", "dir", "oom-score-adj", "oom-score-adj-values", "port"];

/// `CONFIG GET pattern [pattern ...]`
pub(crate) fn get(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let patterns: Vec<String> =
        args.iter().skip(2).map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    let asked: Vec<&str> = patterns.iter().map(String::as_str).collect();
    let pairs = ctx.node.config.pairs(&asked);
    let mut reply = ctx.reply();
    reply.map(pairs.len());
    for (name, value) in pairs {
        reply.bulk_str(name);
        reply.bulk_str(&value);
    }
    Ok(())
}

/// `CONFIG SET directive value [directive value ...]`
pub(crate) fn set(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if !args.len().is_multiple_of(2) {
        return Err(Error::SYNTAX);
    }
    let mut texts = Vec::with_capacity(args.len());
    for (i, arg) in args.iter().enumerate().skip(2) {
        let text = std::str::from_utf8(arg).map_err(|_| {
            let name = String::from_utf8_lossy(args.at(i - i % 2)).into_owned();
            refusal(&SetError::failed(&name, "argument must be valid UTF-8"))
        })?;
        texts.push(text);
    }
    let (pairs, _) = texts.as_chunks::<2>();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|[name, value]| (*name, *value)).collect();
    if ctx.node.loading.is_some() && pairs.iter().any(|(name, _)| name.eq_ignore_ascii_case("dir")) {
        // What is being loaded comes from there.
        return Err(Error::LOADING);
    }
    let change = ctx.node.config.change(&pairs, ctx.session.peer.local).map_err(|e| refusal(&e))?;
    let idle = change.config.without_effect();
    for directive in change.directives.iter().filter(|d| idle.contains(&d.name)) {
        ctx.log(LogLevel::Warning, tanist_config::without_effect(directive.name));
    }
    // More connections are more open files, which the system may not allow.
    let outside = change.directives.iter().any(|d| OUTSIDE.contains(&d.name))
        || change.config.maxclients > ctx.node.config.maxclients;
    let config = Box::new(change.config);
    if !outside {
        ctx.node.configure(config, ctx.now, ctx.outs);
        ctx.adopt_users();
        ctx.reply().ok();
        return Ok(());
    }
    if ctx.in_transaction {
        return Err(Error::new(
            "ERR bind, dir, port, oom-score-adj and a higher maxclients cannot be set inside a transaction",
        ));
    }
    ctx.session.waiting = Some(Waiting::Busy);
    ctx.outs.push(Output::Reconfigure { session: ctx.session.id, config });
    Ok(())
}

fn refusal(error: &SetError) -> Error {
    Error::new(format!("ERR {error}"))
}

/// `CONFIG RESETSTAT`
pub(crate) fn resetstat(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    ctx.node.stats.reset();
    ctx.node.eviction.reset(ctx.now.mono);
    ctx.node.expire_cycle.reset();
    ctx.node.scripting.scripts.reset_evicted();
    ctx.node.saving.saves = 0;
    ctx.reply().ok();
    Ok(())
}

/// `CONFIG REWRITE`
pub(crate) fn rewrite(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    rewrite_file(ctx, false)
}

/// The reply waits for the file, except in a transaction (of a sentinel, as a rule), which cannot wait; a failure is
/// logged either way. A file that is to be `whole` has all directives.
pub(crate) fn rewrite_file(ctx: &mut Ctx<'_>, whole: bool) -> Outcome {
    if ctx.node.host.config_file.is_empty() {
        return Err(Error::new("ERR The server is running without a config file"));
    }
    let waits = !ctx.in_transaction;
    let config = ctx.node.config_with_users();
    ctx.outs.push(Output::RewriteConfig { session: waits.then_some(ctx.session.id), config, whole });
    if waits {
        ctx.session.waiting = Some(Waiting::Busy);
    } else {
        ctx.reply().ok();
    }
    Ok(())
}

impl Node {
    /// Puts a configuration into force.
    pub(crate) fn configure(&mut self, config: Box<ServerConfig>, now: Now, outs: &mut Outputs) {
        if config.requirepass != self.config.requirepass {
            let default = (**self.users.default()).clone();
            self.users.put(default.with_password(config.requirepass.as_bytes()));
            self.adopt_users(outs);
        }
        self.config = (*config).clone();
        self.refresh_stamp(now);
        self.data.note_births(self.notifies(b'n'));
        self.thresholds = Thresholds::of(&self.config);
        self.stats.track_times(self.config.latency_tracking);
        self.command_logs.shorten(&self.config);
        self.configure_collections();
        self.configure_replication(now);
        self.configure_client_eviction();
        self.forget_surplus(0, outs);
        self.buffers.rejudge = true;
        self.eviction.more = self.config.maxmemory > 0;
        self.refresh_gates();
        outs.push(Output::Configured(config));
    }

    /// Puts the limits of the compact encodings into force.
    pub(crate) fn configure_collections(&mut self) {
        let config = &self.config;
        let limit = |entries: u64, value: u64| Limit { entries: to_usize(entries), value: to_usize(value) };
        let policy = Policy {
            seed: self.data.policy().seed,
            hash: limit(config.hash_max_listpack_entries, config.hash_max_listpack_value),
            intset_entries: to_usize(config.set_max_intset_entries),
            set: limit(config.set_max_listpack_entries, config.set_max_listpack_value),
            sorted_set: limit(config.zset_max_listpack_entries, config.zset_max_listpack_value),
            list_size: config.list_max_listpack_size,
            stream_bytes: to_usize(config.stream_node_max_bytes),
            stream_entries: to_usize(config.stream_node_max_entries),
        };
        self.data.set_policy(policy);
    }

    /// The shell has followed, or could not follow, what `CONFIG SET` asked of it.
    pub(crate) fn reconfigured(
        &mut self,
        session: SessionId,
        result: Result<Box<ServerConfig>, (String, String)>,
        now: Now,
        outs: &mut Outputs,
    ) {
        let reply = match result {
            Ok(config) => {
                self.configure(config, now, outs);
                "+OK\r\n".to_owned()
            }
            Err((name, reason)) => {
                self.stats.count_error("ERR");
                format!("-ERR {}\r\n", SetError::failed(&name, &reason))
            }
        };
        self.release(session, reply.as_bytes(), outs);
    }

    /// The configuration file has been rewritten, or why not.
    pub(crate) fn rewritten(
        &mut self,
        session: Option<SessionId>,
        result: Result<(), String>,
        outs: &mut Outputs,
    ) {
        let reply = match result {
            Ok(()) => {
                outs.log(LogLevel::Notice, "CONFIG REWRITE executed with success.");
                "+OK\r\n".to_owned()
            }
            Err(why) => {
                outs.log(LogLevel::Warning, format!("CONFIG REWRITE failed: {why}"));
                self.stats.count_error("ERR");
                format!("-ERR Rewriting config file: {}\r\n", why.replace(['\r', '\n'], " "))
            }
        };
        if let Some(id) = session {
            self.release(id, reply.as_bytes(), outs);
        }
    }
}

/// `CONFIG HELP`
pub(crate) fn help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "CONFIG",
        &[
            ("GET <pattern> [<pattern> ...]", "Give the directives that match, with their values."),
            ("RESETSTAT", "Set the counters of INFO back."),
            ("REWRITE", "Write the present configuration into its file."),
            ("SET <directive> <value> [<directive> <value> ...]", "Change directives, all or none."),
        ],
    )
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
