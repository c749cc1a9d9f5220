#!/usr/bin/env python3
"""Sends the same random commands to two servers and compares their replies, byte for byte.

    differential.py OURS THEIRS [--seed N] [--commands N] [--resp3] [--effects] [--notifications] [--users]

OURS and THEIRS are ports on this machine. Both are emptied first, and should allow DEBUG. Where an answer depends on the clock, numbers may
differ by a little; where the order of keys is free, lists are sorted first; what is known to differ is listed in
KNOWN with the reason. With --effects the replication streams of both are compared as well, after what each means has
been brought to one form. With --users the commands are about users and their rights. Exits with 1 and the shortest
context at the first difference.
"""
import argparse
import random
import sys

from effects import agree, canonical, near
from picks import pick
from users import Users
from wire import Link, Stream

KEYS = ["a", "b", "c", "d", "key:5", "", "\x00bin\r\n", "long" * 30]
NUMBERS = ["0", "1", "-1", "5", "10", "100", "007", "+3", " 7", "9223372036854775807", "-9223372036854775808",
           "9223372036854775808", "1.5", "-0.25", "3.0e3", "1e300", "inf", "nan", "0x1p-3", "abc", ""]
TEXTS = ["", "x", "hello", "hello world, this is a string of more than forty-four bytes", "12", "-7", "0.1", "10.50",
         "9223372036854775807", "\r\n\x00\xff", "ohmytext", "mynewtext", "aaaa", "abcabcabc"]
TIMES = ["100000", "200000", "300000", "0", "-5", "x", "9223372036854775807", "9223372036854775", "99999999999"]

# No small ones: the two servers would not expire the key at the same moment.
ODD_TIMES = [n for n in NUMBERS if n not in ("1", "5", "10", "100")]


CLOCK = {"TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"}
FIELD_CLOCK = {"HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME"}
# Picks that come here are all there is.
UNORDERED = {"KEYS", "SMEMBERS", "SUNION", "SINTER", "SDIFF", "SPOP", "SRANDMEMBER", "HKEYS", "HVALS", "HRANDFIELD"}

# How many random picks, those that may repeat too.
PICKS = [["1"], ["2"], ["5"], ["-1"], ["-3"], ["-20"], ["100000"], ["0"], ["x"], ["-9223372036854775808"]]
SET_KEYS, HASH_KEYS = ["s", "t", "u", "int"], ["h", "i", "j"]
MEMBERS = ["1", "2", "3", "-7", "70000", "9223372036854775807", "a", "b", "c", "", "01", "\r\n\x00\xff", "m" * 64, "m" * 65]


def pairs(reply):
    """A flat list of pairs, or a list of lists of two, in an order of its own."""
    if not isinstance(reply, list) or len(reply) < 3:
        return reply
    if isinstance(reply[1], list):
        return reply[:1] + sorted(map(tuple, reply[1:]))
    return reply[:1] + sorted(zip(reply[1::2], reply[2::2]))


def shape(words, reply):
    name = words[0].upper()
    if name in UNORDERED and isinstance(reply, list) and words[-1].upper() != "WITHVALUES":
        return reply[:1] + sorted(reply[1:])
    if name == "HGETALL" or name == "HRANDFIELD" and words[-1].upper() == "WITHVALUES":
        return pairs(reply)
    if name in ("SSCAN", "HSCAN") and isinstance(reply, list):
        with_values = name == "HSCAN" and "NOVALUES" not in [w.upper() for w in words]
        return [reply[1], pairs(reply[2]) if with_values else sorted(reply[2][1:])]
    if name == "SCAN" and isinstance(reply, list):
        # Cursors are each server's own; COUNT is large enough for one step.
        return [reply[1], sorted(reply[2][1:])]
    return reply


def same(words, ours, theirs):
    if words[0].upper() in CLOCK:
        return near(ours, theirs)
    if words[0].upper() in FIELD_CLOCK and isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(near, ours, theirs))
    return shape(words, ours) == shape(words, theirs)


# Differences that are meant: (test on words and replies, reason).
KNOWN = [
    (lambda w, o, t: w[0] == "OBJECT" and len(w) > 1 and w[1].upper() == "HELP", "sentences of our own"),
    (lambda w, o, t: w[0] == "DUMP", "the payload carries the lowest version that can hold it"),
    (lambda w, o, t: w[0] == "RANDOMKEY", "random"),
    (lambda w, o, t: w[:2] == ["OBJECT", "ENCODING"] and {o, t} == {b"$6\r\nembstr\r\n", b"$3\r\nraw\r\n"},
     "Valkey 9 counts the key's length as well; 44 bytes of value are the limit here, as in Redis"),
]


def command(rng):
    key = lambda: rng.choice(KEYS[:4] if rng.random() < 0.8 else KEYS)
    value = lambda: rng.choice(TEXTS + NUMBERS)
    number = lambda: rng.choice(NUMBERS)
    time = lambda: rng.choice(TIMES)
    case = lambda w: w.lower() if rng.random() < 0.1 else w

    def lifetime(more):
        kind = rng.choice(["EX", "PX", "EXAT", "PXAT"] + more)
        if kind in more:
            return [case(kind)]
        return [case(kind), time()] if rng.random() < 0.97 else [kind]

    def set_():
        words = ["SET", key(), value()]
        while rng.random() < 0.5 and len(words) < 8:
            words += rng.choice([["NX"], ["XX"], ["GET"], ["IFEQ", value()], lifetime(["KEEPTTL"]), ["FOO"]]
                                if rng.random() < 0.9 else [[value()]])
        return words

    def msetex():
        n = rng.randint(1, 3)
        words = ["MSETEX", str(n) if rng.random() < 0.9 else number()]
        for _ in range(n):
            words += [key(), value()]
        while rng.random() < 0.5 and len(words) < 12:
            words += rng.choice([["NX"], ["XX"], lifetime(["KEEPTTL"])])
        return words

    def getex():
        words = ["GETEX", key()]
        while rng.random() < 0.6 and len(words) < 5:
            words += lifetime(["PERSIST", "KEEPTTL", "NX"])
        return words

    def expire():
        words = [rng.choice(["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"]), key(), rng.choice(TIMES + ODD_TIMES)]
        while rng.random() < 0.4 and len(words) < 6:
            words.append(rng.choice(["NX", "XX", "GT", "LT", "gt", "FOO"]))
        return words

    def lcs():
        words = ["LCS", key(), key()]
        while rng.random() < 0.6 and len(words) < 8:
            words += rng.choice([["LEN"], ["IDX"], ["WITHMATCHLEN"], ["MINMATCHLEN", rng.choice(["1", "3", "-2", "x"])]])
        return words

    def copy():
        words = ["COPY", key(), key()]
        while rng.random() < 0.4 and len(words) < 7:
            words += rng.choice([["REPLACE"], ["DB", rng.choice(["0", "1", "2", "99", "x"])], ["FOO"]])
        return words

    def sort():
        words = [rng.choice(["SORT", "SORT_RO"]), key()]
        while rng.random() < 0.5 and len(words) < 9:
            words += rng.choice([["ALPHA"], ["DESC"], ["LIMIT", "0", rng.choice(["5", "x"])], ["STORE", key()],
                                 ["GET", "#"], ["LIMIT"]])
        return words

    def restore():
        payload = rng.choice(["\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a",
                              "\x00\x0a2147483648\x0a\x00\xe7\xb1\x29\xa3\x4c\x1d\x76\xee", "junk", ""])
        words = ["RESTORE", key(), rng.choice(["0", "500000", "-1", "x", "99999999999999"]), payload]
        while rng.random() < 0.5 and len(words) < 9:
            words += rng.choice([["REPLACE"], ["ABSTTL"], ["IDLETIME", number()], ["FREQ", number()], ["FOO"]])
        return words

    def scan():
        words = ["SCAN", rng.choice(["0", "0", "0", "x", "-1", "+0"])]
        if rng.random() < 0.5:
            words += ["MATCH", rng.choice(["*", "a", "[a-c]", "key*", "?"])]
        if rng.random() < 0.2:
            words += ["TYPE", rng.choice(["string", "STRING", "list", "foo"])]
        return words + ["COUNT", rng.choice(["100000"] * 5 + ["0", "x"])]

    flat = lambda items: [w for item in items for w in item]
    many = lambda f: flat(f() for _ in range(rng.randint(1, 3)))
    member = lambda: rng.choice(MEMBERS if rng.random() < 0.9 else TEXTS)
    # Sets and hashes have keys of their own, and now and then one of the others.
    skey = lambda: rng.choice(SET_KEYS) if rng.random() < 0.95 else key()
    hkey = lambda: rng.choice(HASH_KEYS) if rng.random() < 0.95 else key()

    def sadd():
        if rng.random() < 0.05:
            first = rng.choice([1, 100])
            kind = rng.choice(["", "", "x"])
            return ["SADD", skey()] + [kind + str(n) for n in range(first, first + rng.choice([100, 130, 520]))]
        return ["SADD", rng.choice(["int", skey()])] + many(lambda: [member()])

    def combine():
        name = rng.choice(["SINTER", "SUNION", "SDIFF", "SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"])
        return [name] + ([skey()] if name.endswith("STORE") else []) + many(lambda: [skey()])

    def sintercard():
        keys = many(lambda: [skey()])
        words = ["SINTERCARD", str(len(keys)) if rng.random() < 0.9 else number()] + keys
        while rng.random() < 0.4 and len(words) < 9:
            words += rng.choice([["LIMIT", rng.choice(["0", "1", "3", "-1", "x"])], ["LIMIT"], ["FOO"]])
        return words

    def element_scan():
        words = rng.choice([["SSCAN", skey()], ["HSCAN", hkey()]]) + [rng.choice(["0", "0", "0", "x", "-1"])]
        if rng.random() < 0.5:
            words += ["MATCH", rng.choice(["*", "a", "[a-c]", "m*", "?"])]
        if rng.random() < 0.2:
            words += ["NOVALUES"]
        return words + ["COUNT", rng.choice(["100000"] * 5 + ["0", "x"])]

    def fields(width=1):
        n = rng.randint(1, 3)
        listed = flat([member()] + [value() for _ in range(width - 1)] for _ in range(n))
        return [case("FIELDS"), str(n) if rng.random() < 0.95 else number()] + listed

    def hexpire():
        name = rng.choice(["HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT"])
        words = [name, hkey(), rng.choice(TIMES + ODD_TIMES) if rng.random() < 0.9 else "1"]
        if name in ("HPEXPIRE", "HEXPIRE") and words[2] == "1":
            words[2] = "100000"
        while rng.random() < 0.3 and len(words) < 6:
            words.append(rng.choice(["NX", "XX", "GT", "LT", "gt", "FOO"]))
        return words + fields()

    def hsetex():
        words = ["HSETEX", hkey()]
        while rng.random() < 0.5 and len(words) < 6:
            words += rng.choice([["NX"], ["XX"], ["FNX"], ["FXX"], lifetime(["KEEPTTL"]), lifetime(["KEEPTTL"])])
        return words + fields(2)

    def hgetex():
        words = ["HGETEX", hkey()]
        while rng.random() < 0.5 and len(words) < 6:
            words += lifetime(["PERSIST", "PERSIST", "NX"])
        return words + fields()

    def hset():
        if rng.random() < 0.05:
            return ["HSET", hkey()] + flat([f"f{n}", "v"] for n in range(rng.choice([400, 600])))
        return [rng.choice(["HSET", "HSET", "HMSET"]), hkey()] + many(lambda: [member(), value()])
    choices = [
        (12, sadd), (5, lambda: ["SREM", skey()] + many(lambda: [member()])), (8, combine), (3, sintercard),
        (3, lambda: ["SMOVE", skey(), skey(), member()]), (3, lambda: [rng.choice(["SMEMBERS", "SCARD"]), skey()]),
        (3, lambda: ["SMISMEMBER", skey()] + many(lambda: [member()])), (3, lambda: ["SISMEMBER", skey(), member()]),
        (5, lambda: [rng.choice(["SPOP", "SRANDMEMBER"]), skey()] + rng.choice([[], *PICKS])),
        (4, element_scan), (4, lambda: ["OBJECT", "ENCODING", rng.choice([skey(), hkey()])]),
        (12, hset), (3, lambda: ["HSETNX", hkey(), member(), value()]),
        (3, lambda: ["HDEL", hkey()] + many(lambda: [member()])), (3, lambda: ["HMGET", hkey()] + many(lambda: [member()])),
        (4, lambda: [rng.choice(["HGET", "HEXISTS", "HSTRLEN"]), hkey(), member()]),
        (4, lambda: [rng.choice(["HGETALL", "HKEYS", "HVALS", "HLEN"]), hkey()]),
        (5, lambda: [rng.choice(["HINCRBY", "HINCRBYFLOAT"]), hkey(), member(), number()]),
        (4, lambda: ["HRANDFIELD", hkey()] + rng.choice([[], *[p + rng.choice([[], ["WITHVALUES"]]) for p in PICKS]])),
        (8, hexpire), (5, hsetex), (5, hgetex), (2, lambda: ["HGETDEL", hkey()] + fields()),
        (2, lambda: ["HPERSIST", hkey()] + fields()), (5, lambda: [rng.choice(sorted(FIELD_CLOCK)), hkey()] + fields()),
        (3, lambda: [rng.choice(["DEL", "UNLINK"]), rng.choice([skey(), hkey()])]),
        (2, lambda: ["DEBUG", "DIGEST-VALUE", rng.choice([skey(), hkey()])]),
        (12, set_), (3, msetex), (4, getex), (8, expire), (3, lcs), (3, copy), (1, sort), (3, restore), (2, scan),
        (6, lambda: ["GET", key()]), (2, lambda: ["SETNX", key(), value()]),
        (2, lambda: [rng.choice(["SETEX", "PSETEX"]), key(), time(), value()]),
        (2, lambda: ["GETSET", key(), value()]), (2, lambda: ["GETDEL", key()]),
        (3, lambda: ["MGET"] + many(lambda: [key()])), (3, lambda: ["MSET"] + many(lambda: [key(), value()])),
        (1, lambda: ["MSET", key(), value(), key()]), (2, lambda: ["MSETNX"] + many(lambda: [key(), value()])),
        (2, lambda: ["DELIFEQ", key(), value()]), (4, lambda: ["APPEND", key(), value()]),
        (2, lambda: ["STRLEN", key()]),
        (3, lambda: [rng.choice(["GETRANGE", "SUBSTR"]), key(), number(), number()]),
        (3, lambda: ["SETRANGE", key(), rng.choice(["0", "3", "20", "-1", "x", "536870912"]), value()]),
        (4, lambda: [rng.choice(["INCR", "DECR"]), key()]),
        (4, lambda: [rng.choice(["INCRBY", "DECRBY"]), key(), number()]),
        (6, lambda: ["INCRBYFLOAT", key(), number()]),
        (3, lambda: [rng.choice(["DEL", "UNLINK"])] + many(lambda: [key()])),
        (2, lambda: [rng.choice(["EXISTS", "TOUCH"])] + many(lambda: [key()])), (1, lambda: ["TYPE", key()]),
        (1, lambda: ["KEYS", rng.choice(["*", "[ab]", "k*", "\\a", "", "[^a]"])]), (1, lambda: ["DBSIZE"]),
        (2, lambda: ["RENAME", key(), key()]), (2, lambda: ["RENAMENX", key(), key()]),
        (2, lambda: ["MOVE", key(), rng.choice(["0", "1", "2", "99", "x", "-1"])]),
        (4, lambda: [rng.choice(sorted(CLOCK)), key()]), (2, lambda: ["PERSIST", key()]),
        (3, lambda: ["OBJECT", rng.choice(["ENCODING", "REFCOUNT", "FREQ", "HELP", "FOO"]), key()]),
        (1, lambda: ["RANDOMKEY"]), (1, lambda: ["DUMP", key()]), (1, lambda: ["SELECT", rng.choice(["0", "0", "1"])]),
        (1, lambda: ["SWAPDB", rng.choice(["0", "1", "x"]), rng.choice(["0", "2", "99", "-1"])]),
    ]
    words = rng.choices([f for _, f in choices], [w for w, _ in choices])[0]()
    if rng.random() < 0.002:
        words = [rng.choice(["FLUSHDB", "FLUSHALL"])] + rng.choice([[], ["ASYNC"], ["SYNC"], ["FOO"]])
    if rng.random() < 0.01 and len(words) > 1:
        words = words[:-1] if rng.random() < 0.5 else words + [value()]
    words[0] = case(words[0])
    return words


def compare_users(o, rng, links):
    users = Users(rng, links)
    links = [Link(o.ours), Link(o.theirs)]
    for link in links:
        link.ask("ACL", "DELUSER", *Users.NAMES)
    history = []
    for n in range(o.commands):
        words = users.command()
        history.append(words)
        for asked in [words, ["ACL", "LIST"]]:
            ours, theirs = [link.ask(*asked) for link in links]
            if ours != theirs:
                fail(history, n, ours, theirs, lambda _: True)
    for link in links:
        link.ask("ACL", "DELUSER", *Users.NAMES)
    print(f"{o.commands} commands about users of seed {o.seed}: all replies agree")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours", type=int)
    parser.add_argument("theirs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=20000)
    parser.add_argument("--resp3", action="store_true")
    parser.add_argument("--effects", action="store_true")
    parser.add_argument("--notifications", action="store_true")
    parser.add_argument("--users", action="store_true")
    o = parser.parse_args()
    rng = random.Random(o.seed)
    links = [Link(o.ours), Link(o.theirs)]
    if o.users:
        return compare_users(o, rng, links)
    streams = [Stream(p) for p in (o.ours, o.theirs)] if o.effects else []
    listeners = []
    for link in links:
        link.ask("FLUSHALL")
        # So that keys go when a command meets them, at the same command on both sides.
        link.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        if o.resp3:
            link.ask("HELLO", "3")
        if o.notifications:
            link.ask("CONFIG", "SET", "notify-keyspace-events", "KEAmn")
    if o.notifications:
        listeners = [Link(p) for p in (o.ours, o.theirs)]
        for l in listeners:
            l.ask("PSUBSCRIBE", "__key*")
    for s in streams:
        # What came before the first command is of no interest.
        links[streams.index(s)].ask("PUBLISH", "mark", "start")
        s.until(b"start")
    history = []
    for n in range(o.commands):
        words = command(rng)
        if words[0].upper() in ("SCAN", "RANDOMKEY"):
            # One may remove what is past its time where the other only passes it over: let both remove it first.
            for link in links:
                link.ask("EXISTS", *KEYS)
        history.append(words)
        picked = pick(words, links, rng.randrange(2))
        ours, theirs, alike = picked or [link.ask(*words) for link in links] + [None]
        words = [words[0].upper()] + words[1:]
        if alike is None:
            alike = any(test(words, ours, theirs) for test, _ in KNOWN) or same(words, ours, theirs)
        if not alike:
            fail(history, n, ours, theirs)
        mark = b"m%d" % n
        if streams or listeners:
            for link in links:
                link.ask(b"PUBLISH", b"__key-mark", mark)
        if streams:
            a, b = [canonical(s.until(mark)) for s in streams]
            if not agree(a, b):
                fail(history, n, a, b)
        if listeners:
            a, b = [events(l, mark) for l in listeners]
            if picked:
                a, b = [[(c.replace(b":spop", b":srem"), p.replace(b"spop", b"srem")) for c, p in seen] for seen in (a, b)]
            if a != b:
                fail(history, n, a, b)
    print(f"{o.commands} commands of seed {o.seed}: all replies agree")


def events(listener, mark):
    seen = []
    while True:
        message = listener.reply()
        channel, payload = [m.split(b"\r\n", 1)[1][:-2] for m in message[3:5]]
        if payload == mark:
            return seen
        if channel != b"__key-mark":
            seen.append((channel, payload))


def fail(history, n, ours, theirs, matters=lambda words: False):
    keys = set(history[-1][1:]) & {*KEYS, *SET_KEYS, *HASH_KEYS}
    print(f"difference at command {n}:")
    for words in history[-400:]:
        if matters(words) or words is history[-1] or words[0].upper() in ("SELECT", "SWAPDB", "FLUSHALL", "FLUSHDB") or keys & set(words[1:]):
            print("   ", words)
    print("ours:  ", ours)
    print("theirs:", theirs)
    sys.exit(1)


if __name__ == "__main__":
    main()
