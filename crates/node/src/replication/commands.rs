//! The replication commands: their rows of the command table and their handlers.

use super::{failover, tanist, wait};
use crate::command::{Arg, Command, Flags, Group};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_replication::{Address, Ask, LinkId, PsyncRequest, Replconf, Role, parse_psync};
use tanist_resp::Args;

const ADMIN: Flags = Flags::ADMIN.and(Flags::NOSCRIPT);
const OPERATE: Flags = ADMIN.and(Flags::STALE).and(Flags::NO_ASYNC_LOADING);
const FETCH: Flags = ADMIN.and(Flags::NO_ASYNC_LOADING).and(Flags::NO_MULTI);
const TANIST: Flags = ADMIN.and(Flags::STALE).and(Flags::LOADING).and(Flags::NO_MULTI).and(Flags::ALLOW_BUSY);

const PRIMARY: &[Arg] = &[
    Arg::block("host-port", &[Arg::new("host", "string"), Arg::new("port", "integer")]),
    Arg::block("no-one", &[Arg::word("no", "NO"), Arg::word("one", "ONE")]),
];

/// The rows of the command table.
pub(crate) const COMMANDS: &[Command] = &[
    Command::new("psync", -3, Group::Server, psync)
        .flags(FETCH)
        .since("2.8.0")
        .about("Asks for the log from a position on, or for everything; replicas send it.", "O(1) to begin")
        .args(&[Arg::new("replicationid", "string"), Arg::new("offset", "integer")]),
    Command::new("sync", 1, Group::Server, sync)
        .flags(FETCH)
        .since("1.0.0")
        .about("Asks for a snapshot and the log behind it.", "O(1) to begin"),
    Command::new("replconf", -1, Group::Server, replconf)
        .flags(ADMIN.and(Flags::LOADING).and(Flags::STALE).and(Flags::ALLOW_BUSY))
        .since("3.0.0")
        .about("What replicas and primaries tell each other about themselves.", "O(1)"),
    Command::new("replicaof", 3, Group::Server, replicaof)
        .flags(OPERATE)
        .since("5.0.0")
        .about("Makes this node a replica of another one, or a primary.", "O(1)")
        .args(&[Arg::one_of("args", PRIMARY)]),
    Command::new("slaveof", 3, Group::Server, replicaof)
        .flags(OPERATE)
        .since("1.0.0")
        .about("The older name of REPLICAOF.", "O(1)")
        .args(&[Arg::one_of("args", PRIMARY)]),
    Command::new("role", 1, Group::Server, role)
        .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::FAST))
        .since("2.8.12")
        .acl(&["dangerous", "admin"])
        .about("The node's role with its replicas or its primary.", "O(1)"),
    Command::new("wait", 3, Group::Generic, wait::wait)
        .flags(Flags::BLOCKING)
        .since("3.0.0")
        .acl(&["connection"])
        .tips(&["request_policy:all_shards", "response_policy:agg_min"])
        .about("Waits until so many replicas have this connection's writes.", "O(1)")
        .args(&[Arg::new("numreplicas", "integer"), Arg::new("timeout", "integer")]),
    Command::new("waitaof", 4, Group::Generic, wait::waitaof)
        .flags(Flags::BLOCKING)
        .since("7.2.0")
        .acl(&["connection"])
        .tips(&["request_policy:all_shards", "response_policy:agg_min"])
        .about("Waits until so many disks have this connection's writes.", "O(1)")
        .args(&[
            Arg::new("numlocal", "integer"),
            Arg::new("numreplicas", "integer"),
            Arg::new("timeout", "integer"),
        ]),
    Command::new("failover", -1, Group::Server, failover::failover)
        .flags(ADMIN.and(Flags::STALE))
        .since("6.2.0")
        .about("Hands the role of the primary over to a replica that has everything.", "O(1)")
        .args(&[
            Arg::block(
                "target",
                &[
                    Arg::new("host", "string"),
                    Arg::new("port", "integer"),
                    Arg::word("force", "FORCE").optional(),
                ],
            )
            .after("TO")
            .optional(),
            Arg::word("abort", "ABORT").optional(),
            Arg::new("milliseconds", "integer").after("TIMEOUT").optional(),
        ]),
    Command::container(
        "tanist",
        Group::Server,
        &[
            Command::sub("status", "tanist|status", 2, Group::Server, tanist::status)
                .flags(TANIST)
                .since("7.2.0")
                .about("What a sentinel needs to know of this node; changes nothing.", "O(1)"),
            Command::sub("fence", "tanist|fence", 6, Group::Server, tanist::fence)
                .flags(TANIST)
                .since("7.2.0")
                .about("Promises an epoch to the leader of an election.", "O(N) with the number of clients"),
            Command::sub("promote", "tanist|promote", -9, Group::Server, tanist::promote)
                .flags(TANIST)
                .since("7.2.0")
                .about("Makes this node the primary of an epoch.", "O(N) with the number of clients"),
            Command::sub("follow", "tanist|follow", 7, Group::Server, tanist::follow)
                .flags(TANIST)
                .since("7.2.0")
                .about("Makes this node follow the primary of an epoch.", "O(N) with the number of clients"),
            Command::sub("prepare", "tanist|prepare", -6, Group::Server, tanist::prepare)
                .flags(TANIST)
                .since("7.2.0")
                .about("Writes down a promise that will be asked for in a switchover.", "O(1)"),
            Command::sub("pause", "tanist|pause", -4, Group::Server, tanist::pause)
                .flags(TANIST)
                .since("7.2.0")
                .about("Holds writes back for a switchover.", "O(1)"),
            Command::sub("resume", "tanist|resume", 3, Group::Server, tanist::resume)
                .flags(TANIST)
                .since("7.2.0")
                .about("Lets held writes go on.", "O(N) with the number of held clients"),
        ],
    )
    .since("7.2.0")
    .about("The words between sentinels and nodes.", "Depends on subcommand."),
];

/// `PSYNC replicationid offset [FAILOVER]`
fn psync(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let request = parse_psync(args.at(1), args.at(2));
    if args.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"failover")) {
        take_over(ctx, request)?;
    }
    fetch(ctx, Ask { request, plain: false })
}

/// `SYNC`
fn sync(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    fetch(ctx, Ask { request: PsyncRequest::Full, plain: true })
}

/// Our primary hands its role over to us.
fn take_over(ctx: &mut Ctx<'_>, request: PsyncRequest) -> Outcome {
    if !ctx.node.is_replica() {
        return Err(Error::new("ERR PSYNC FAILOVER can't be sent to a master."));
    }
    match request {
        PsyncRequest::From { id, .. } if id == ctx.node.repl.lineage.current().id => {}
        _ => return Err(Error::new("ERR PSYNC FAILOVER replid must match my replid.")),
    }
    let epoch = ctx.node.repl.member.become_primary_by_hand();
    ctx.node.become_primary(epoch, ctx.now, ctx.outs);
    Ok(())
}

fn fetch(ctx: &mut Ctx<'_>, ask: Ask) -> Outcome {
    let link = LinkId(ctx.session.id.0);
    if ctx.node.repl.replicas.get(link).is_some_and(|l| l.phase().is_some()) {
        // Redis ignores a second request on the same link.
        return Ok(());
    }
    if ctx.node.is_replica() && !ctx.node.repl.upstream.as_ref().is_some_and(|up| up.link.is_streaming()) {
        return Err(Error::new("NOMASTERLINK Can't SYNC while not connected with my master"));
    }
    ctx.node.attach_replica(ctx.session, ask, ctx.now, ctx.out, ctx.outs);
    Ok(())
}

/// `REPLCONF option value [option value ...]`
fn replconf(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let link = LinkId(ctx.session.id.0);
    let ip = super::primary::ip_of(&ctx.session.peer.addr);
    let facts = &mut ctx.node.repl.replicas.link(link, ip, ctx.now.mono).facts;
    match facts.replconf(args).map_err(|bad| Error::new(bad.0))? {
        Replconf::Noted => ctx.reply().ok(),
        Replconf::Ack(ack) => ctx.node.take_ack(link, ack, ctx.now, ctx.outs),
        Replconf::GetAck => {}
    }
    Ok(())
}

/// `REPLICAOF host port`, `REPLICAOF NO ONE`: an operator's explicit word.
fn replicaof(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if ctx.node.repl.failover_runs() {
        return Err(Error::new("ERR REPLICAOF not allowed while failing over."));
    }
    if args.at(1).eq_ignore_ascii_case(b"no") && args.at(2).eq_ignore_ascii_case(b"one") {
        if ctx.node.is_replica() {
            let epoch = ctx.node.repl.member.become_primary_by_hand();
            ctx.node.become_primary(epoch, ctx.now, ctx.outs);
        }
        ctx.node.repl.stirred = true;
        ctx.reply().ok();
        return Ok(());
    }
    if ctx.session.kind == crate::SessionKind::Replica {
        return Err(Error::new("ERR Command is not valid when client is a replica."));
    }
    let primary = address(args.at(1), args.at(2))?;
    let same = ctx.node.repl.upstream.as_ref().is_some_and(|up| up.address == primary);
    let upheaval = ctx.node.repl.member.follow_by_hand(&primary);
    if same {
        ctx.node.hurry_upstream(ctx.now, ctx.outs);
        ctx.node.repl.stirred = true;
        ctx.reply().simple("OK Already connected to specified master");
        return Ok(());
    }
    let me = ctx.session.id;
    ctx.node.undergo(upheaval, Some(me), ctx.now, ctx.outs);
    ctx.node.follow(primary, ctx.now, ctx.outs);
    ctx.node.repl.stirred = true;
    ctx.reply().ok();
    Ok(())
}

/// Reads a host and a port.
pub(super) fn address(host: &[u8], port: &[u8]) -> Result<Address, Error> {
    let port = tanist_resp::number::parse_i64(port).and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or(Error::new("ERR Invalid master port"))?;
    let host = std::str::from_utf8(host).map_err(|_| Error::new("ERR Invalid master host"))?;
    if host.is_empty() || host.len() > 255 || host.bytes().any(|b| b.is_ascii_control() || b == b' ') {
        return Err(Error::new("ERR Invalid master host"));
    }
    Ok(Address { host: host.to_owned(), port })
}

/// `ROLE`
fn role(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let end = ctx.node.repl.end().0 as i64;
    if let Role::Primary(_) = ctx.node.repl.member.role() {
        let lines: Vec<(String, u16, u64)> = ctx
            .node
            .repl
            .replicas
            .lines(ctx.now.mono)
            .filter(|l| l.phase == tanist_replication::LinkPhase::Online)
            .map(|l| (l.ip.to_owned(), l.port, l.acked.0))
            .collect();
        let mut reply = ctx.reply();
        reply.array(3);
        reply.bulk(b"master");
        reply.int(end);
        reply.array(lines.len());
        for (ip, port, acked) in lines {
            reply.array(3);
            reply.bulk(ip.as_bytes());
            reply.bulk_int(i64::from(port));
            reply.bulk_int(acked as i64);
        }
        return Ok(());
    }
    let up = ctx.node.repl.upstream.as_ref();
    let address = up.map(|up| up.address.clone()).unwrap_or(Address { host: String::new(), port: 0 });
    let state = up.map_or("connect", |up| up.link.role_word());
    let mut reply = ctx.reply();
    reply.array(5);
    reply.bulk(b"slave");
    reply.bulk(address.host.as_bytes());
    reply.int(i64::from(address.port));
    reply.bulk(state.as_bytes());
    reply.int(end);
    Ok(())
}
