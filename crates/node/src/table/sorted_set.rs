//! Sorted sets.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeyBegin, KeyFind, KeySpec, Places};
use crate::commands::sorted_set as run;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("bzmpop", -5, Group::SortedSet, run::bzmpop)
        .flags(Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec {
            access: KeyAccess::ReadWrite,
            flags: &["access", "delete"],
            begin: KeyBegin::Index(2),
            find: KeyFind::Count { count: 0, first: 1, step: 1 },
            notes: "",
        }])
        .since("7.0.0")
        .about(
            "Takes members from the first sorted set that is not empty, and waits for one if need be.",
            "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of \
             elements in the sorted set, and M being the number of elements popped.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::new("timeout", "double"),
            Arg::new("numkeys", "integer"),
            Arg::key("key", 0).multiple(),
            Arg::one_of("where", &[Arg::word("min", "MIN"), Arg::word("max", "MAX")]),
            Arg::new("count", "integer").after("COUNT").optional(),
        ]),
    Command::new("bzpopmax", -3, Group::SortedSet, run::bzpopmax)
        .flags(Flags::WRITE.and(Flags::BLOCKING).and(Flags::FAST))
        .keys(&[KeySpec::range(1, -2, 1, KeyAccess::ReadWrite, &["access", "delete"])])
        .since("5.0.0")
        .about(
            "Takes the member with the highest score, and waits for one if need be.",
            "O(log(N)) with N being the number of elements in the sorted set.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0).multiple(), Arg::new("timeout", "double")]),
    Command::new("bzpopmin", -3, Group::SortedSet, run::bzpopmin)
        .flags(Flags::WRITE.and(Flags::BLOCKING).and(Flags::FAST))
        .keys(&[KeySpec::range(1, -2, 1, KeyAccess::ReadWrite, &["access", "delete"])])
        .since("5.0.0")
        .about(
            "Takes the member with the lowest score, and waits for one if need be.",
            "O(log(N)) with N being the number of elements in the sorted set.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0).multiple(), Arg::new("timeout", "double")]),
    Command::new("zadd", -4, Group::SortedSet, run::zadd)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .element(-1)
        .places(Places::OwnAndNew)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("1.2.0")
        .about(
            "Adds members with scores to a sorted set, or changes the scores of members.",
            "O(log(N)) for each item added, where N is the number of elements in the sorted \
             set.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::key("key", 0),
            Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")])
                .since("3.0.2")
                .optional(),
            Arg::one_of("comparison", &[Arg::word("gt", "GT"), Arg::word("lt", "LT")])
                .since("6.2.0")
                .optional(),
            Arg::word("change", "CH").since("3.0.2").optional(),
            Arg::word("increment", "INCR").since("3.0.2").optional(),
            Arg::block("data", &[Arg::new("score", "double"), Arg::new("member", "string")]).multiple(),
        ]),
    Command::new("zcard", 2, Group::SortedSet, run::zcard)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &[])])
        .since("1.2.0")
        .about("Counts the members of a sorted set.", "O(1)")
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0)]),
    Command::new("zcount", 4, Group::SortedSet, run::zcount)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.0.0")
        .about(
            "Counts the members whose scores lie between two.",
            "O(log(N)) with N being the number of elements in the sorted set.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("min", "double"), Arg::new("max", "double")]),
    Command::new("zdiff", -3, Group::SortedSet, run::zdiff)
        .flags(Flags::READONLY.and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec {
            access: KeyAccess::Read,
            flags: &["access"],
            begin: KeyBegin::Index(1),
            find: KeyFind::Count { count: 0, first: 1, step: 1 },
            notes: "",
        }])
        .since("6.2.0")
        .about(
            "Gives the members of the first sorted set that are in none of the others.",
            "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the \
             sets, N is the size of the first set, and K is the size of the result set.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::new("numkeys", "integer"),
            Arg::key("key", 0).multiple(),
            Arg::word("withscores", "WITHSCORES").optional(),
        ]),
    Command::new("zdiffstore", -4, Group::SortedSet, run::zdiffstore)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS))
        .keys(&[
            KeySpec::one(1, KeyAccess::Overwrite, &["update"]),
            KeySpec {
                access: KeyAccess::Read,
                flags: &["access"],
                begin: KeyBegin::Index(2),
                find: KeyFind::Count { count: 0, first: 1, step: 1 },
                notes: "",
            },
        ])
        .since("6.2.0")
        .about(
            "Stores the members of the first sorted set that are in none of the others.",
            "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the \
             sets, N is the size of the first set, and K is the size of the result set.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("destination", 0), Arg::new("numkeys", "integer"), Arg::key("key", 1).multiple()]),
    Command::new("zincrby", 4, Group::SortedSet, run::zincrby)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .element(3)
        .places(Places::Own)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .since("1.2.0")
        .about(
            "Raises the score of a member.",
            "O(log(N)) where N is the number of elements in the sorted set.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("increment", "integer"), Arg::new("member", "string")]),
    Command::new("zinter", -3, Group::SortedSet, run::zinter)
        .flags(Flags::READONLY.and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec {
            access: KeyAccess::Read,
            flags: &["access"],
            begin: KeyBegin::Index(1),
            find: KeyFind::Count { count: 0, first: 1, step: 1 },
            notes: "",
        }])
        .since("6.2.0")
        .about(
            "Gives the members that several sorted sets have in common.",
            "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being \
             the number of input sorted sets and M being the number of elements in the \
             resulting sorted set.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::new("numkeys", "integer"),
            Arg::key("key", 0).multiple(),
            Arg::new("weight", "integer").after("WEIGHTS").optional().multiple(),
            Arg::one_of(
                "aggregate",
                &[Arg::word("sum", "SUM"), Arg::word("min", "MIN"), Arg::word("max", "MAX")],
            )
            .after("AGGREGATE")
            .optional(),
            Arg::word("withscores", "WITHSCORES").optional(),
        ]),
    Command::new("zintercard", -3, Group::SortedSet, run::zintercard)
        .flags(Flags::READONLY.and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec {
            access: KeyAccess::Read,
            flags: &["access"],
            begin: KeyBegin::Index(1),
            find: KeyFind::Count { count: 0, first: 1, step: 1 },
            notes: "",
        }])
        .since("7.0.0")
        .about(
            "Counts the members that several sorted sets have in common.",
            "O(N*K) worst case with N being the smallest input sorted set, K being the number \
             of input sorted sets.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::new("numkeys", "integer"),
            Arg::key("key", 0).multiple(),
            Arg::new("limit", "integer").after("LIMIT").optional(),
        ]),
    Command::new("zinterstore", -4, Group::SortedSet, run::zinterstore)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS))
        .keys(&[
            KeySpec::one(1, KeyAccess::Overwrite, &["update"]),
            KeySpec {
                access: KeyAccess::Read,
                flags: &["access"],
                begin: KeyBegin::Index(2),
                find: KeyFind::Count { count: 0, first: 1, step: 1 },
                notes: "",
            },
        ])
        .since("2.0.0")
        .about(
            "Stores the members that several sorted sets have in common.",
            "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being \
             the number of input sorted sets and M being the number of elements in the \
             resulting sorted set.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::key("destination", 0),
            Arg::new("numkeys", "integer"),
            Arg::key("key", 1).multiple(),
            Arg::new("weight", "integer").after("WEIGHTS").optional().multiple(),
            Arg::one_of(
                "aggregate",
                &[Arg::word("sum", "SUM"), Arg::word("min", "MIN"), Arg::word("max", "MAX")],
            )
            .after("AGGREGATE")
            .optional(),
        ]),
    Command::new("zlexcount", 4, Group::SortedSet, run::zlexcount)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.8.9")
        .about(
            "Counts the members between two in the order of bytes.",
            "O(log(N)) with N being the number of elements in the sorted set.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("min", "string"), Arg::new("max", "string")]),
    Command::new("zmpop", -4, Group::SortedSet, run::zmpop)
        .flags(Flags::WRITE.and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec {
            access: KeyAccess::ReadWrite,
            flags: &["access", "delete"],
            begin: KeyBegin::Index(1),
            find: KeyFind::Count { count: 0, first: 1, step: 1 },
            notes: "",
        }])
        .since("7.0.0")
        .about(
            "Takes members with the lowest or highest scores from the first sorted set that is not empty.",
            "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of \
             elements in the sorted set, and M being the number of elements popped.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::new("numkeys", "integer"),
            Arg::key("key", 0).multiple(),
            Arg::one_of("where", &[Arg::word("min", "MIN"), Arg::word("max", "MAX")]),
            Arg::new("count", "integer").after("COUNT").optional(),
        ]),
    Command::new("zmscore", -3, Group::SortedSet, run::zmscore)
        .flags(Flags::READONLY.and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("6.2.0")
        .about(
            "Gives the scores of several members.",
            "O(N) where N is the number of members being requested.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("member", "string").multiple()]),
    Command::new("zpopmax", -2, Group::SortedSet, run::zpopmax)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"])])
        .since("5.0.0")
        .about(
            "Takes the members with the highest scores.",
            "O(log(N)*M) with N being the number of elements in the sorted set, and M being the \
              number of elements popped.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("count", "integer").optional()]),
    Command::new("zpopmin", -2, Group::SortedSet, run::zpopmin)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"])])
        .since("5.0.0")
        .about(
            "Takes the members with the lowest scores.",
            "O(log(N)*M) with N being the number of elements in the sorted set, and M being the \
              number of elements popped.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("count", "integer").optional()]),
    Command::new("zrandmember", -2, Group::SortedSet, run::zrandmember)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("6.2.0")
        .about("Gives random members of a sorted set.", "O(N) where N is the number of members returned")
        .acl(&["sortedset"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::block(
                "options",
                &[Arg::new("count", "integer"), Arg::word("withscores", "WITHSCORES").optional()],
            )
            .optional(),
        ]),
    Command::new("zrange", -4, Group::SortedSet, run::zrange)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("1.2.0")
        .about(
            "Gives a stretch of a sorted set, by rank, score or bytes.",
            "O(log(N)+M) with N being the number of elements in the sorted set and M the number \
              of elements returned.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("start", "string"),
            Arg::new("stop", "string"),
            Arg::one_of("sortby", &[Arg::word("byscore", "BYSCORE"), Arg::word("bylex", "BYLEX")])
                .since("6.2.0")
                .optional(),
            Arg::word("rev", "REV").since("6.2.0").optional(),
            Arg::block("limit", &[Arg::new("offset", "integer"), Arg::new("count", "integer")])
                .after("LIMIT")
                .since("6.2.0")
                .optional(),
            Arg::word("withscores", "WITHSCORES").optional(),
        ]),
    Command::new("zrangebylex", -4, Group::SortedSet, run::zrangebylex)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.8.9")
        .about(
            "Gives the members between two in the order of bytes.",
            "O(log(N)+M) with N being the number of elements in the sorted set and M the number \
              of elements being returned. If M is constant (e.g. always asking for the first 10 \
              elements with LIMIT), you can consider it O(log(N)).",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("min", "string"),
            Arg::new("max", "string"),
            Arg::block("limit", &[Arg::new("offset", "integer"), Arg::new("count", "integer")])
                .after("LIMIT")
                .optional(),
        ]),
    Command::new("zrangebyscore", -4, Group::SortedSet, run::zrangebyscore)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("1.0.5")
        .about(
            "Gives the members whose scores lie between two.",
            "O(log(N)+M) with N being the number of elements in the sorted set and M the number \
              of elements being returned. If M is constant (e.g. always asking for the first 10 \
              elements with LIMIT), you can consider it O(log(N)).",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("min", "double"),
            Arg::new("max", "double"),
            Arg::word("withscores", "WITHSCORES").since("2.0.0").optional(),
            Arg::block("limit", &[Arg::new("offset", "integer"), Arg::new("count", "integer")])
                .after("LIMIT")
                .optional(),
        ]),
    Command::new("zrangestore", -5, Group::SortedSet, run::zrangestore)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[
            KeySpec::one(1, KeyAccess::Overwrite, &["update"]),
            KeySpec::one(2, KeyAccess::Read, &["access"]),
        ])
        .since("6.2.0")
        .about(
            "Stores a stretch of a sorted set at another key.",
            "O(log(N)+M) with N being the number of elements in the sorted set and M the number \
              of elements stored into the destination key.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::key("dst", 0),
            Arg::key("src", 1),
            Arg::new("min", "string"),
            Arg::new("max", "string"),
            Arg::one_of("sortby", &[Arg::word("byscore", "BYSCORE"), Arg::word("bylex", "BYLEX")]).optional(),
            Arg::word("rev", "REV").optional(),
            Arg::block("limit", &[Arg::new("offset", "integer"), Arg::new("count", "integer")])
                .after("LIMIT")
                .optional(),
        ]),
    Command::new("zrank", -3, Group::SortedSet, run::zrank)
        .flags(Flags::READONLY.and(Flags::FAST))
        .element(2)
        .places(Places::Own)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.0.0")
        .about("Gives the rank of a member, counted from the lowest score.", "O(log(N))")
        .acl(&["sortedset"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("member", "string"),
            Arg::word("withscore", "WITHSCORE").optional(),
        ]),
    Command::new("zrem", -3, Group::SortedSet, run::zrem)
        .flags(Flags::WRITE.and(Flags::FAST))
        .element(2)
        .places(Places::Own)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .since("1.2.0")
        .about(
            "Removes members from a sorted set.",
            "O(M*log(N)) with N being the number of elements in the sorted set and M the number \
              of elements to be removed.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("member", "string").multiple()]),
    Command::new("zremrangebylex", 4, Group::SortedSet, run::zremrangebylex)
        .flags(Flags::WRITE)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .since("2.8.9")
        .about(
            "Removes the members between two in the order of bytes.",
            "O(log(N)+M) with N being the number of elements in the sorted set and M the number \
              of elements removed by the operation.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("min", "string"), Arg::new("max", "string")]),
    Command::new("zremrangebyrank", 4, Group::SortedSet, run::zremrangebyrank)
        .flags(Flags::WRITE)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .since("2.0.0")
        .about(
            "Removes the members between two ranks.",
            "O(log(N)+M) with N being the number of elements in the sorted set and M the number \
              of elements removed by the operation.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("start", "integer"), Arg::new("stop", "integer")]),
    Command::new("zremrangebyscore", 4, Group::SortedSet, run::zremrangebyscore)
        .flags(Flags::WRITE)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .since("1.2.0")
        .about(
            "Removes the members whose scores lie between two.",
            "O(log(N)+M) with N being the number of elements in the sorted set and M the number \
              of elements removed by the operation.",
        )
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("min", "double"), Arg::new("max", "double")]),
    Command::new("zrevrange", -4, Group::SortedSet, run::zrevrange)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("1.2.0")
        .about(
            "Gives the members between two ranks, from the highest score.",
            "O(log(N)+M) with N being the number of elements in the sorted set and M the number \
              of elements returned.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("start", "integer"),
            Arg::new("stop", "integer"),
            Arg::word("withscores", "WITHSCORES").optional(),
        ]),
    Command::new("zrevrangebylex", -4, Group::SortedSet, run::zrevrangebylex)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.8.9")
        .about(
            "Gives the members between two in the reverse order of bytes.",
            "O(log(N)+M) with N being the number of elements in the sorted set and M the number \
              of elements being returned. If M is constant (e.g. always asking for the first 10 \
              elements with LIMIT), you can consider it O(log(N)).",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("max", "string"),
            Arg::new("min", "string"),
            Arg::block("limit", &[Arg::new("offset", "integer"), Arg::new("count", "integer")])
                .after("LIMIT")
                .optional(),
        ]),
    Command::new("zrevrangebyscore", -4, Group::SortedSet, run::zrevrangebyscore)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.2.0")
        .about(
            "Gives the members whose scores lie between two, from the highest.",
            "O(log(N)+M) with N being the number of elements in the sorted set and M the number \
              of elements being returned. If M is constant (e.g. always asking for the first 10 \
              elements with LIMIT), you can consider it O(log(N)).",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("max", "double"),
            Arg::new("min", "double"),
            Arg::word("withscores", "WITHSCORES").optional(),
            Arg::block("limit", &[Arg::new("offset", "integer"), Arg::new("count", "integer")])
                .after("LIMIT")
                .optional(),
        ]),
    Command::new("zrevrank", -3, Group::SortedSet, run::zrevrank)
        .flags(Flags::READONLY.and(Flags::FAST))
        .element(2)
        .places(Places::Own)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.0.0")
        .about("Gives the rank of a member, counted from the highest score.", "O(log(N))")
        .acl(&["sortedset"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("member", "string"),
            Arg::word("withscore", "WITHSCORE").optional(),
        ]),
    Command::new("zscan", -3, Group::SortedSet, run::zscan)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.8.0")
        .about(
            "Walks through the members and scores of a sorted set.",
            "O(1) for every call. O(N) for a complete iteration, including enough command calls \
              for the cursor to return back to 0. N is the number of elements inside the \
             collection.",
        )
        .acl(&["sortedset"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("cursor", "integer"),
            Arg::new("pattern", "pattern").after("MATCH").optional(),
            Arg::new("count", "integer").after("COUNT").optional(),
            Arg::word("noscores", "NOSCORES").optional(),
        ]),
    Command::new("zscore", 3, Group::SortedSet, run::zscore)
        .flags(Flags::READONLY.and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("1.2.0")
        .about("Gives the score of a member.", "O(1)")
        .acl(&["sortedset"])
        .args(&[Arg::key("key", 0), Arg::new("member", "string")]),
    Command::new("zunion", -3, Group::SortedSet, run::zunion)
        .flags(Flags::READONLY.and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec {
            access: KeyAccess::Read,
            flags: &["access"],
            begin: KeyBegin::Index(1),
            find: KeyFind::Count { count: 0, first: 1, step: 1 },
            notes: "",
        }])
        .since("6.2.0")
        .about(
            "Gives the members of several sorted sets together.",
            "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M \
              being the number of elements in the resulting sorted set.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::new("numkeys", "integer"),
            Arg::key("key", 0).multiple(),
            Arg::new("weight", "integer").after("WEIGHTS").optional().multiple(),
            Arg::one_of(
                "aggregate",
                &[Arg::word("sum", "SUM"), Arg::word("min", "MIN"), Arg::word("max", "MAX")],
            )
            .after("AGGREGATE")
            .optional(),
            Arg::word("withscores", "WITHSCORES").optional(),
        ]),
    Command::new("zunionstore", -4, Group::SortedSet, run::zunionstore)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS))
        .keys(&[
            KeySpec::one(1, KeyAccess::Overwrite, &["update"]),
            KeySpec {
                access: KeyAccess::Read,
                flags: &["access"],
                begin: KeyBegin::Index(2),
                find: KeyFind::Count { count: 0, first: 1, step: 1 },
                notes: "",
            },
        ])
        .since("2.0.0")
        .about(
            "Stores the members of several sorted sets together.",
            "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M \
              being the number of elements in the resulting sorted set.",
        )
        .acl(&["sortedset"])
        .args(&[
            Arg::key("destination", 0),
            Arg::new("numkeys", "integer"),
            Arg::key("key", 1).multiple(),
            Arg::new("weight", "integer").after("WEIGHTS").optional().multiple(),
            Arg::one_of(
                "aggregate",
                &[Arg::word("sum", "SUM"), Arg::word("min", "MIN"), Arg::word("max", "MAX")],
            )
            .after("AGGREGATE")
            .optional(),
        ]),
];
