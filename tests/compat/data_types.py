#!/usr/bin/env python3
"""Sends the same random commands on collections to two servers and compares replies and events, byte for byte.

    data_types.py OURS THEIRS TYPE [--seed N] [--commands N] [--resp3] [--limit N] [--encodings] [--payloads] [--effects]

OURS and THEIRS are ports on this machine; both are emptied first and must allow DEBUG. TYPE is one of those below. The
compact encodings are limited to few elements (--limit), so that both forms of a collection are met. Where an order is
free, replies are sorted first; of random picks what must hold is compared. With --effects the replication streams of both
are compared as well, command by command. Exits with 1 and the last commands at the first difference.
"""
import argparse
import random
import sys

from effects import agree, canonical, without_own
from picks import pick
from ties import settle
from wire import Link, Stream

KEYS = ["a", "b", "c", "str", "none"]
MEMBERS = [str(n) for n in range(12)] + ["", "x", "y", "member", "-1", "007", "a" * 70, "\x00\xff", "9223372036854775807"]
SCORES = ["0", "1", "2", "3", "-1", "1.5", "0.1", "1e3", "1e300", "-1e-7", "inf", "-inf", "+inf", "3.0", "1e17",
          "123456789.123", "9007199254740993"]
BAD_SCORES = ["nan", "abc", "", "1 ", " 1", "1e400", "(1"]
NUMBERS = ["0", "1", "2", "3", "-1", "-2", "5", "100", "-100", "x", "9223372036854775807", "-9223372036854775808", "1.5", ""]


def sorted_sets(rng):
    key = lambda: rng.choice(KEYS[:3] if rng.random() < 0.9 else KEYS)
    member = lambda: rng.choice(MEMBERS)
    score = lambda: rng.choice(SCORES if rng.random() < 0.97 else BAD_SCORES)
    number = lambda: rng.choice(NUMBERS)
    bound = lambda: rng.choice(["", "", "("]) + score()
    lex = lambda: rng.choice(["-", "+", "[" + member(), "(" + member(), "[" + member()] if rng.random() < 0.97 else ["x", ""])
    some = lambda f, most=3: [w for _ in range(rng.randint(1, most)) for w in f()]

    lexical = lambda: "lex" if rng.random() < 0.95 else "absent"

    def zadd():
        if rng.random() < 0.2:
            # What members of different scores have between two of them in the order of bytes is not defined.
            return ["ZADD", "lex"] + some(lambda: ["0", member()], 6)
        words = ["ZADD", key()]
        while rng.random() < 0.3:
            words.append(rng.choice(["NX", "XX", "GT", "LT", "CH", "INCR", "ch"]))
        return words + some(lambda: [score(), member()], 6)

    def options(words, scores=True, limit=True):
        if limit and rng.random() < 0.3:
            # No negative offset: it gives nothing here and in Redis, while Valkey 9 counts from the end in large sets.
            words += ["LIMIT", rng.choice(["0", "1", "x", "3"]), rng.choice(["0", "2", "-1", "10"])]
        if scores and rng.random() < 0.4:
            words.append("WITHSCORES")
        return words

    def zrange(name="ZRANGE", *store):
        kind = rng.choice(["", "BYSCORE", "BYLEX"])
        ends = {"": lambda: [number(), number()], "BYSCORE": lambda: [bound(), bound()], "BYLEX": lambda: [lex(), lex()]}[kind]()
        words = [name, *store, lexical() if kind == "BYLEX" else key(), *ends] + ([kind] if kind else [])
        if rng.random() < 0.4:
            words.append("REV")
        return options(words, scores=not store or rng.random() < 0.1)

    def several(name, *store):
        n = rng.randint(1, 3)
        words = [name, *store, str(n) if rng.random() < 0.95 else number()] + [key() for _ in range(n)]
        if name.startswith("ZDIFF") and rng.random() < 0.95:
            return words + (["WITHSCORES"] if not store and rng.random() < 0.5 else [])
        if rng.random() < 0.4:
            words += ["WEIGHTS"] + [score() for _ in range(n)]
        if rng.random() < 0.4:
            words += ["AGGREGATE", rng.choice(["SUM", "MIN", "MAX", "x"])]
        if not store and rng.random() < 0.5:
            words.append("WITHSCORES")
        return words

    # Long enough that two servers are not late, short enough to wait for.
    timeout = lambda: "0.001" if rng.random() < 0.9 else rng.choice(["x", "-1", "inf", "nan", "1e30", ""])

    def zmpop(*before):
        n = rng.randint(1, 3)
        words = [*(before or ["ZMPOP"]), str(n) if rng.random() < 0.9 else number()] + [key() for _ in range(n)]
        words.append(rng.choice(["MIN", "MAX", "min", "FOO"]))
        return words + (["COUNT", rng.choice(["1", "3", "0", "x"])] if rng.random() < 0.5 else [])

    return rng.choices(*zip(*[(f, w) for w, f in [
        (20, zadd), (4, lambda: ["ZINCRBY", key(), score(), member()]), (4, lambda: ["ZREM", key()] + some(lambda: [member()])),
        (2, lambda: ["ZCARD", key()]), (2, lambda: ["ZSCORE", key(), member()]), (2, lambda: ["ZMSCORE", key()] + some(lambda: [member()])),
        (4, lambda: [rng.choice(["ZRANK", "ZREVRANK"]), key(), member()] + rng.choice([[], ["WITHSCORE"], ["FOO"]])),
        (2, lambda: ["ZCOUNT", key(), bound(), bound()]), (2, lambda: ["ZLEXCOUNT", lexical(), lex(), lex()]),
        (8, zrange), (3, lambda: zrange("ZRANGESTORE", key())),
        (2, lambda: options(["ZREVRANGE", key(), number(), number()], limit=rng.random() < 0.1)),
        (2, lambda: options([rng.choice(["ZRANGEBYSCORE", "ZREVRANGEBYSCORE"]), key(), bound(), bound()])),
        (2, lambda: options([rng.choice(["ZRANGEBYLEX", "ZREVRANGEBYLEX"]), lexical(), lex(), lex()], scores=rng.random() < 0.1)),
        (1, lambda: ["ZREMRANGEBYRANK", key(), number(), number()]), (1, lambda: ["ZREMRANGEBYSCORE", key(), bound(), bound()]),
        (1, lambda: ["ZREMRANGEBYLEX", lexical(), lex(), lex()]),
        (3, lambda: [rng.choice(["ZPOPMIN", "ZPOPMAX"]), key()] + rng.choice([[], ["1"], ["3"], ["0"], ["-1"], ["x"], ["1", "2"]])),
        (3, zmpop), (1.5, lambda: zmpop("BZMPOP", timeout())),
        (2, lambda: [rng.choice(["BZPOPMIN", "BZPOPMAX"]), key(), key(), timeout()]), (3, lambda: several(rng.choice(["ZUNION", "ZINTER", "ZDIFF"]))),
        (3, lambda: several(rng.choice(["ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"]), key())),
        (2, lambda: ["ZINTERCARD", "2", key(), key()] + rng.choice([[], ["LIMIT", "1"], ["LIMIT", "0"], ["LIMIT", "-1"], ["FOO"]])),
        (2, lambda: ["ZRANDMEMBER", key()] + rng.choice([[], ["3"], ["-3"], ["3", "WITHSCORES"], ["0"], ["x"], ["3", "FOO"]])),
        (2, lambda: ["ZSCAN", key(), "0", "COUNT", "1000"] + rng.choice([[], ["MATCH", "*1*"], ["NOSCORES"], ["FOO"]])),
    ]]))[0]()


def bitmaps(rng):
    key = lambda: rng.choice(KEYS)
    offset = lambda: rng.choice(["0", "1", "7", "8", "9", "63", "100", "1000", "-1", "x", "4294967295000", "#1"])
    place = lambda: rng.choice(["0", "1", "2", "5", "-1", "-2", "-100", "100", "x"])
    kind = lambda: rng.choice(["u1", "u5", "u8", "i8", "i5", "u63", "i64", "i16", "u64", "i0", "x"])
    field_offset = lambda: rng.choice(["0", "1", "7", "10", "100", "#0", "#1", "#3", "-1", "#x"])
    number = lambda: rng.choice(["0", "1", "-1", "100", "255", "256", "-129", "9223372036854775807", "-9223372036854775808", "x"])

    def stretch():
        words = [place()] if rng.random() < 0.8 else []
        if words and rng.random() < 0.8:
            words += [place()] + rng.choice([[], ["BYTE"], ["BIT"], ["bit"], ["FOO"]])
        return words

    def field():
        words = ["BITFIELD", key()]
        if rng.random() < 0.5:
            # A step that fails alone makes the string longer there, without telling replicas.
            words += ["SET", "u8", "0", "7"]
        for _ in range(rng.randint(0, 4)):
            words += rng.choice([
                lambda: ["GET", kind(), field_offset()], lambda: ["SET", kind(), field_offset(), number()],
                lambda: ["INCRBY", kind(), field_offset(), number()], lambda: ["OVERFLOW", rng.choice(["WRAP", "SAT", "x"] + (["FAIL"] if len(words) > 2 else []))],
            ])()
        return words

    return rng.choices(*zip(*[(f, w) for w, f in [
        (8, lambda: ["SETBIT", key(), offset(), rng.choice(["0", "1", "1", "2"])]), (4, lambda: ["GETBIT", key(), offset()]),
        (4, lambda: ["BITCOUNT", key()] + stretch()), (6, lambda: ["BITPOS", key(), rng.choice(["0", "1", "2"])] + stretch()),
        (4, lambda: ["BITOP", rng.choice(["AND", "OR", "XOR", "NOT", "x"]), key()] + [key() for _ in range(rng.randint(1, 3))]),
        (8, field), (2, lambda: ["BITFIELD_RO", key(), rng.choice(["GET", "SET"]), kind(), field_offset()]),
        (2, lambda: ["SET", key(), rng.choice(["", "12", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0", "\x00\x00\x00", "hello"])]),
        (2, lambda: ["GET", key()]), (1, lambda: ["ZADD", "c", "1", "x"]), (1, lambda: ["DEL", key()]),
    ]]))[0]()


def counters(rng):
    key = lambda: rng.choice(KEYS)
    elements = lambda n: [str(rng.randint(0, 3000)) for _ in range(n)]
    return rng.choices(*zip(*[(f, w) for w, f in [
        (10, lambda: ["PFADD", key()] + elements(rng.choice([0, 1, 3, 10]))), (1, lambda: ["PFADD", key()] + elements(300)),
        (5, lambda: ["PFCOUNT", key()]), (3, lambda: ["PFCOUNT", key(), key(), key()]),
        (2, lambda: ["PFMERGE", key()] + [key() for _ in range(rng.randint(0, 2))]), (5, lambda: ["GET", key()]),
        (1, lambda: ["PFDEBUG", rng.choice(["ENCODING", "DECODE", "FOO"]), key()]), (1, lambda: ["DEL", key()]),
        (1, lambda: ["ZADD", "c", "1", "x"]),
    ]]))[0]()


# None begins with NUL: there SORT ALPHA compares as C does, to the first one, and equals come in any order.
ELEMENTS = [str(n) for n in range(8)] + ["", "x", "y", "element", "-1", "007", "a" * 70, "b" * 1000, "c" * 3000, "d" * 9000,
            "\xff\x00", "9223372036854775807"]


# Valkey takes the lowest 32 bits of an index that LSET is given; here it is out of range.
NEAR = [n for n in NUMBERS if len(n) < 19]


def lists(rng):
    key = lambda: rng.choice(KEYS[:3] if rng.random() < 0.9 else KEYS)
    element = lambda: rng.choice(ELEMENTS)
    number = lambda: rng.choice(NUMBERS)
    some = lambda most=3: [element() for _ in range(rng.randint(1, most))]
    end = lambda: rng.choice(["LEFT", "RIGHT"] if rng.random() < 0.97 else ["left", "UP"])
    # Long enough that two servers are not late, short enough to wait for.
    timeout = lambda: "0.001" if rng.random() < 0.9 else rng.choice(["x", "-1", "inf", "nan", "1e30", ""])

    def mpop(name, *before):
        n = rng.randint(1, 3)
        words = [name, *before, str(n) if rng.random() < 0.9 else number()] + [key() for _ in range(n)] + [end()]
        return words + (["COUNT", rng.choice(["1", "3", "100", "0", "x"])] if rng.random() < 0.5 else [])

    def lpos():
        words = ["LPOS", key(), element()]
        while rng.random() < 0.4:
            words += [rng.choice(["RANK", "COUNT", "MAXLEN"]), rng.choice(["0", "1", "2", "-1", "-2", "5", "x", "-9223372036854775808"])]
        return words

    def sort():
        words = [rng.choice(["SORT", "SORT", "SORT_RO"]), key()]
        while rng.random() < 0.5:
            words += rng.choice([["ASC"], ["DESC"], ["ALPHA"], ["ALPHA"], ["LIMIT", number(), number()], ["GET", "#"], ["GET", "s*"],
                                 ["BY", "nosort"], ["BY", "w*"], ["BY", "w*"], ["STORE", key()], ["FOO"]])
        return words

    return rng.choices(*zip(*[(f, w) for w, f in [
        (16, lambda: [rng.choice(["LPUSH", "RPUSH"]), key()] + some(6)), (4, lambda: [rng.choice(["LPUSHX", "RPUSHX"]), key()] + some()),
        (8, lambda: [rng.choice(["LPOP", "RPOP"]), key()] + rng.choice([[], [], ["1"], ["3"], ["50"], ["0"], ["-1"], ["x"], ["1", "2"]])),
        (3, lambda: ["LLEN", key()]), (4, lambda: ["LINDEX", key(), number()]), (6, lambda: ["LRANGE", key(), number(), number()]),
        (8, lambda: ["LINSERT", key(), rng.choice(["BEFORE", "AFTER", "before", "AT"]), element(), element()]),
        (8, lambda: ["LSET", key(), rng.choice(NEAR), element()]), (4, lambda: ["LREM", key(), rng.choice(["0", "1", "-1", "2", "-3", "x"]), element()]),
        (3, lambda: ["LTRIM", key(), number(), number()]), (5, lpos),
        (4, lambda: ["LMOVE", key(), key(), end(), end()]), (2, lambda: ["RPOPLPUSH", key(), key()]), (3, lambda: mpop("LMPOP")),
        (2, lambda: [rng.choice(["BLPOP", "BRPOP"]), key(), key(), timeout()]), (2, lambda: mpop("BLMPOP", timeout())),
        (2, lambda: ["BLMOVE", key(), key(), end(), end(), timeout()]), (2, lambda: ["BRPOPLPUSH", key(), key(), timeout()]),
        (3, sort), (3, lambda: ["SET", "w" + rng.choice(ELEMENTS[:16]), rng.choice(["1", "2", "3", "10"])]),
    ]]))[0]()


def streams(rng):
    key = lambda: rng.choice(KEYS[:3] if rng.random() < 0.9 else KEYS)
    part = lambda: rng.choice(["0", "1", "2", "3", "4", "5", "7", "10", "007", "18446744073709551615"])
    bad = lambda: rng.choice(["", "x", "-", "+", "1-", "-1", "1-x", "1-2-3", "*", "1-*", " 3", "+4", "1-+1", "99999999999999999999"])
    identifier = lambda: bad() if rng.random() < 0.04 else part() if rng.random() < 0.3 else part() + "-" + part()
    end = lambda: rng.choice(["-", "+", "(" + identifier(), "(", identifier(), identifier(), identifier()])
    number = lambda: rng.choice(NUMBERS)

    # Identifiers that mostly rise: the last ones are about the number of commands given so far.
    state = streams.__dict__.setdefault("state", {"ms": 0})

    def rising():
        state["ms"] += rng.randint(0, 1)
        return f'{state["ms"]}-{rng.choice(["*", "*", "*", str(rng.randint(0, 9))])}'

    def trim(words, sure=False):
        if sure or rng.random() < 0.3:
            kind = rng.choice(["MAXLEN", "MINID", "maxlen"])
            words += [kind] + rng.choice([[], ["~"], ["="]])
            near = str(max(0, state["ms"] - rng.randint(0, 12)))
            words += [rng.choice(["0", "3", "7", "10", number()]) if kind != "MINID" else rng.choice([near, near + "-2", identifier()])]
            if rng.random() < 0.2:
                words += ["LIMIT", rng.choice(["0", "5", "10", "100", number()])]
        return words

    def xadd():
        words = ["XADD", key()] + (["NOMKSTREAM"] if rng.random() < 0.1 else [])
        trim(words)
        given = rising() if rng.random() < 0.9 else identifier()
        # Clocks differ: none of them is to give the identifier.
        words.append(rising() if given == "*" else given)
        names = rng.choice([["f", "g"], ["f", "g"], ["f"], ["1", "2", "3"]])
        return words + [w for name in names for w in (name, rng.choice(MEMBERS))]

    def existing():
        return f'{max(0, state["ms"] - rng.randint(0, 20))}-{rng.choice([0, 0, 0, 1, 2])}'

    def xread():
        n = rng.randint(1, 3)
        words = ["XREAD"] + (["BLOCK", rng.choice(["1", "1", "-1", "x"])] if rng.random() < 0.03 else []) + (["COUNT", rng.choice(["1", "3", number()])] if rng.random() < 0.5 else []) + ["STREAMS"]
        return words + [key() for _ in range(n)] + [rng.choice(["0", "$", "+", ">", existing(), existing(), identifier()]) for _ in range(n)]

    group = lambda: rng.choice(["g", "g", "h", "i", "none"] if rng.random() < 0.95 else ["", "7 7"])
    consumer = lambda: rng.choice(["c", "d", "e", "f"] if rng.random() < 0.97 else ["", "7"])
    # Idle times are those of two servers: none, or longer than any run.
    idle = lambda: rng.choice(["0", "0", "0", "10000000", "-5"] if rng.random() < 0.97 else ["x", ""])
    some = lambda most=4: [rng.choice([existing(), existing(), existing(), identifier()]) for _ in range(rng.randint(1, most))]

    def xgroup():
        made = ["MKSTREAM"] if rng.random() < 0.4 else []
        read = ["ENTRIESREAD", rng.choice(["0", "3", "100", "-1", number()])] if rng.random() < 0.3 else []
        where = lambda: rng.choice(["$", "0", existing(), identifier()])
        return rng.choices(*zip(*[(f, w) for w, f in [
            (8, lambda: ["XGROUP", "CREATE", key(), group(), where(), *made, *read]), (4, lambda: ["XGROUP", "SETID", key(), group(), where(), *read]),
            (1, lambda: ["XGROUP", "DESTROY", key(), group()]), (3, lambda: ["XGROUP", "CREATECONSUMER", key(), group(), consumer()]),
            (2, lambda: ["XGROUP", "DELCONSUMER", key(), group(), consumer()]), (0.3, lambda: ["XGROUP", "HELP"]),
        ]]))[0]()

    def xreadgroup():
        n = 1 if rng.random() < 0.8 else 2
        words = ["XREADGROUP", "GROUP", group(), consumer()] + (["COUNT", rng.choice(["1", "2", "5", number()])] if rng.random() < 0.6 else [])
        words += (["NOACK"] if rng.random() < 0.2 else []) + (["BLOCK", rng.choice(["1", "1", "1", "-1", "x"])] if rng.random() < 0.05 else [])
        return words + ["STREAMS"] + [key() for _ in range(n)] + [rng.choice([">", ">", ">", "0", existing(), rng.choice(["$", "+", identifier()])]) for _ in range(n)]

    def xpending():
        words = ["XPENDING", key(), group()]
        if rng.random() < 0.6:
            words += (["IDLE", idle()] if rng.random() < 0.3 else []) + [rng.choice(["-", existing(), end()]), rng.choice(["+", existing(), end()])]
            words += [rng.choice(["10", "2", number()])] + ([consumer()] if rng.random() < 0.4 else [])
        return words

    def xclaim():
        words = ["XCLAIM", key(), group(), consumer(), idle()] + some()
        while rng.random() < 0.5:
            words += rng.choice([["IDLE", rng.choice(["0", "10", "-1", number()])], ["TIME", rng.choice(["0", "1000", "-1", "9223372036854775807"])],
                                 ["RETRYCOUNT", rng.choice(["0", "5", number()])], ["FORCE"], ["FORCE"], ["JUSTID"], ["LASTID", existing()], ["FOO"]])
        return words

    def xautoclaim():
        words = ["XAUTOCLAIM", key(), group(), consumer(), idle(), rng.choice(["-", "0", existing(), end()])]
        while rng.random() < 0.4:
            words += rng.choice([["COUNT", rng.choice(["1", "2", "3", "0", "x"])], ["JUSTID"], ["FOO"]])
        return words

    def xsetid():
        words = ["XSETID", key(), rng.choice([rising().replace("*", "0"), identifier(), existing()])]
        if rng.random() < 0.5:
            words += ["ENTRIESADDED", rng.choice(["10", "100", "10000", number()])]
        if rng.random() < 0.5:
            words += ["MAXDELETEDID", rng.choice([existing(), identifier()])]
        return words

    return rng.choices(*zip(*[(f, w) for w, f in [
        (25, xadd), (4, lambda: ["XLEN", key()]), (6, lambda: ["XDEL", key()] + [rng.choice([existing(), existing(), identifier()]) for _ in range(rng.randint(1, 4))]),
        (4, lambda: trim(["XTRIM", key()], rng.random() < 0.95)),
        (8, lambda: [rng.choice(["XRANGE", "XREVRANGE"]), key(), *rng.choice([["-", "+"], ["+", "-"], [end(), end()], [existing(), "+"], ["(" + existing(), existing()]])]
            + rng.choice([[], ["COUNT", "2"], ["COUNT", number()], ["FOO"]])),
        (8, xread), (1, xsetid), (4, lambda: ["XINFO", "STREAM", key()]),
        (8, xgroup), (14, xreadgroup), (5, lambda: ["XACK", key(), group()] + some()), (6, xpending), (5, xclaim), (5, xautoclaim),
        (3, lambda: ["XINFO", "GROUPS", key()]), (3, lambda: ["XINFO", "CONSUMERS", key(), group()]),
        (3, lambda: ["XINFO", "STREAM", key(), rng.choice(["FULL", "full", "FOO"])] + rng.choice([[], ["COUNT", "3"], ["COUNT", "0"], ["COUNT", number()], ["x"]])),
        (2, lambda: ["DEBUG", "DIGEST-VALUE", key()]),
    ]]))[0]()


PLACES = [("13.361389", "38.115556"), ("15.087269", "37.502669"), ("2.3522", "48.8566"), ("-0.1278", "51.5074"), ("0", "0"),
          ("-180", "-85.05112878"), ("180", "85.05112878"), ("179.9999", "10"), ("-179.9999", "10"), ("13.5", "38"), ("13.361", "38.115"),
          ("0.0001", "-0.0001"), ("100.5", "85"), ("-73.9857", "40.7484"), ("139.6917", "35.6895"), ("14", "37.6")]


def places(rng):
    key = lambda: rng.choice(KEYS[:3] if rng.random() < 0.9 else KEYS)
    # An error that names a member ends at a NUL byte in C.
    member = lambda: rng.choice([m for m in MEMBERS if "\x00" not in m])
    bad = lambda: rng.choice(["x", "", "181", "-90", "nan", "inf", "1e400"])

    def place():
        if rng.random() < 0.02:
            return [bad(), rng.choice(["1", bad()])]
        if rng.random() < 0.4:
            return list(rng.choice(PLACES))
        near = rng.choice(PLACES)
        spread = rng.choice([0.001, 0.1, 5, 60])
        wrap = lambda x, most: str(max(-most, min(most, round(float(x) + rng.uniform(-spread, spread), rng.choice([2, 6, 14])))))
        return [wrap(near[0], 180), wrap(near[1], 85.05112878)]

    unit = lambda: rng.choice(["m", "km", "ft", "mi", "KM"] if rng.random() < 0.98 else ["x", ""])
    size = lambda: rng.choice(["0", "1", "100", "200.5", "1000", "5000", "20000", "1e7", "0.5"] if rng.random() < 0.98 else ["-1", "x", "nan"])

    def geoadd():
        words = ["GEOADD", key()]
        while rng.random() < 0.2:
            words.append(rng.choice(["NX", "XX", "CH", "ch"]))
        for _ in range(rng.randint(1, 4)):
            words += place() + [member()]
        return words

    def options(words, store=False):
        while rng.random() < 0.5:
            words += rng.choice([["WITHDIST"], ["WITHCOORD"], ["WITHHASH"], ["ASC"], ["DESC"], ["COUNT", rng.choice(["1", "3", "10", "0", "-1", "x"])],
                                 ["ASC", "COUNT", "3"], ["COUNT", "100", "ANY"], ["FOO"] if rng.random() < 0.1 else ["asc"],
                                 ["ANY"] if rng.random() < 0.1 else ["DESC"]] + ([[rng.choice(["STORE", "STOREDIST"]), key()]] if store else []))
        return words

    def search(*store):
        words = ["GEOSEARCHSTORE" if store else "GEOSEARCH", *store, key()]
        parts = [rng.choice([["FROMLONLAT", *place()], ["FROMMEMBER", member()]]),
                 rng.choice([["BYRADIUS", size(), unit()], ["BYBOX", size(), size(), unit()]])]
        if rng.random() < 0.03:
            parts = parts[:1] if rng.random() < 0.5 else parts + parts[:1]
        rng.shuffle(parts)
        words += [w for part in parts for w in part]
        return options(words) + (["STOREDIST"] if store and rng.random() < 0.4 or rng.random() < 0.02 else [])

    return rng.choices(*zip(*[(f, w) for w, f in [
        (12, geoadd), (5, lambda: ["GEODIST", key(), member(), member()] + ([unit()] if rng.random() < 0.6 else [])),
        (4, lambda: ["GEOHASH", key()] + [member() for _ in range(rng.randint(0, 3))]), (4, lambda: ["GEOPOS", key()] + [member() for _ in range(rng.randint(0, 3))]),
        (12, search), (5, lambda: search(key())),
        (6, lambda: options([rng.choice(["GEORADIUS", "GEORADIUS_RO"]), key(), *place(), size(), unit()], True)),
        (6, lambda: options([rng.choice(["GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"]), key(), member(), size(), unit()], True)),
        (2, lambda: ["ZREM", key(), member()]), (2, lambda: ["ZRANGE", key(), "0", "-1", "WITHSCORES"]), (1, lambda: ["ZADD", key(), rng.choice(["1", "1.5", "-1", "1e17", "inf"]), member()]),
    ]]))[0]()


TYPES = {"bitmap": bitmaps, "geo": places, "hll": counters, "list": lists, "stream": streams, "zset": sorted_sets}
SCANS = {"ZSCAN"}

def general(rng):
    key = lambda: rng.choice(KEYS)
    return rng.choice([
        lambda: ["OBJECT", "ENCODING", key()], lambda: ["TYPE", key()], lambda: ["DEL", key()], lambda: ["EXISTS", key()],
        lambda: ["COPY", key(), key(), "REPLACE"], lambda: ["RENAME", key(), key()], lambda: ["GET", key()], lambda: ["SET", "str", "x"],
        lambda: ["EXPIRE", key(), "1000"], lambda: ["PERSIST", key()], lambda: ["STRLEN", key()],
    ])()


def without_times(reply):
    """Leaves out what a wall clock has said, which is above 2001 in milliseconds."""
    if isinstance(reply, list):
        return [without_times(part) for part in reply]
    return b":time" if reply[:1] == b":" and int(reply[1:]) > 10**12 else reply


def without_sign_of_zero(reply):
    """In Valkey a product or sum keeps it until the set is small enough for a listpack, here never."""
    if isinstance(reply, list):
        return [without_sign_of_zero(part) for part in reply]
    return {b"$2\r\n-0\r\n": b"$1\r\n0\r\n", b",-0": b",0"}.get(reply, reply)


def without(reply, *places):
    """Leaves out these elements of each list in a list, if they say something."""
    return [[b"..." if i in places and part[:2] != b":-" else part for i, part in enumerate(row)] if isinstance(row, list) else row
            for row in reply]


def payload(link, key):
    """The payload of a list but for its version and checksum."""
    return link.ask("DUMP", key)[:-12] if link.ask("TYPE", key) == b"+list" else b""


def shape(words, reply):
    name = words[0].upper()
    if name == "XINFO" and isinstance(reply, list):
        if words[1] == "CONSUMERS":
            return without(reply, 6, 8)
        return without_times(reply)
    if name[0] in "BZ":
        reply = without_sign_of_zero(reply)
    if name == "XPENDING" and isinstance(reply, list) and len(words) > 3:
        return without(reply, 3)
    if name in SCANS and isinstance(reply, list) and len(reply) == 3:
        elements = reply[2][1:]
        step = 1 if any(w.upper() in ("NOSCORES", "NOVALUES") for w in words) else 2
        return sorted(map(repr, (elements[i:i + step] for i in range(0, len(elements), step))))
    if reply == b"$6\r\nembstr\r\n":
        # Valkey 9 counts the length of the key as well.
        return b"$3\r\nraw\r\n"
    return reply


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours", type=int)
    parser.add_argument("theirs", type=int)
    parser.add_argument("type", choices=sorted(TYPES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=20000)
    parser.add_argument("--limit", default="8")
    parser.add_argument("--resp3", action="store_true")
    parser.add_argument("--encodings", action="store_true", help="compare them after every command")
    parser.add_argument("--payloads", action="store_true", help="compare what DUMP gives of lists, so the nodes that they have")
    parser.add_argument("--effects", action="store_true", help="compare what is replicated as well")
    parser.add_argument("--without", default="", help="commands to leave out, with commas between")
    parser.add_argument("--digests", action="store_true", help="compare those too: Redis 7 mixes scores as we do, Valkey 9 not")
    o = parser.parse_args()
    rng = random.Random(o.seed)
    links = [Link(o.ours), Link(o.theirs)]
    listeners = [Link(o.ours), Link(o.theirs)]
    for link, listener in zip(links, listeners):
        link.ask("FLUSHALL")
        for kind in ("zset", "hash", "set"):
            link.ask("CONFIG", "SET", f"{kind}-max-listpack-entries", o.limit)
        link.ask("CONFIG", "SET", "set-max-intset-entries", o.limit)
        link.ask("CONFIG", "SET", "list-max-listpack-size", o.limit)
        link.ask("CONFIG", "SET", "stream-node-max-entries", o.limit)
        link.ask("CONFIG", "SET", "rdbcompression", "no")
        link.ask("CONFIG", "SET", "notify-keyspace-events", "KEA")
        listener.ask("PSUBSCRIBE", "__keyevent*")
        if o.resp3:
            link.ask("HELLO", "3")
    streams = [Stream(port) for port in (o.ours, o.theirs)] if o.effects else []
    for link, stream in zip(links, streams):
        # What came before the first command is of no interest.
        link.ask("PUBLISH", "mark", "start")
        stream.until(b"start")
    history = []

    def compare(what, one, two):
        if one != two:
            for line in history[-12:]:
                print("   ", line)
            sys.exit(f"{what} differ after {len(history)} commands (seed {o.seed}):\n    ours   {one}\n    theirs {two}")

    for n in range(o.commands):
        words = TYPES[o.type](rng) if rng.random() < 0.9 else general(rng)
        if rng.random() < 0.01:
            words = words[:-1] if rng.random() < 0.5 else words + ["x"]
        if words[0].upper() in o.without.upper().split(","):
            continue
        history.append(words)
        picked = pick(words, links, 0)
        if picked:
            compare("picks", picked[2] or picked[:2], True)
        else:
            replies = [link.ask(*words) for link in links]
            if not settle(words, replies, links):
                compare("replies", *[shape(words, reply) for reply in replies])
            if words[0].upper() == "BITFIELD" and isinstance(replies[0], list) and {b"$-1", b"_"} & {*replies[0]}:
                # If all of its writes fail, the string is made longer there alone.
                if len({link.ask("STRLEN", words[1]) for link in links}) > 1:
                    for link in links:
                        link.ask("SET", words[1], "x")
        for key in KEYS if o.payloads else []:
            compare(f"payloads of {key}", *[payload(link, key) for link in links])
        for key in KEYS if o.encodings else []:
            asked = ["OBJECT", "ENCODING", key]
            compare(f"encodings of {key}", *[shape(asked, link.ask(*asked)) for link in links])
        if streams:
            for link in links:
                link.ask("PUBLISH", "mark", str(n))
            ours, theirs = [canonical(stream.until(str(n).encode())) for stream in streams]
            ours = without_own(words, ours, theirs)
            compare("effects", *([True, True] if agree(ours, theirs) else [ours, theirs]))
        if n % 50 == 49:
            if o.digests:
                compare("digests", *[link.ask("DEBUG", "DIGEST") for link in links])
            events = []
            for link, listener in zip(links, listeners):
                link.ask("PUBLISH", "__keyevent-mark", "mark")
                seen = []
                while True:
                    message = listener.reply()
                    if any(b"__keyevent-mark" in m for m in message[1:] if isinstance(m, bytes)):
                        break
                    seen.append(b" ".join(m.split(b"\r\n", 1)[-1] for m in message[3:]))
                events.append(seen)
            compare("events", *events)
    print(f"{o.commands} commands on {o.type}: replies and events agree")


main()
