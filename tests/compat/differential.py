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
import socket
import sys

KEYS = ["a", "b", "c", "d", "key:5", "", "\x00bin\r\n", "long" * 30]
NUMBERS = ["0", "1", "-1", "5", "10", "100", "007", "+3", " 7", "9223372036854775807", "-9223372036854775808",
           "9223372036854775808", "1.5", "-0.25", "3.0e3", "1e300", "inf", "nan", "0x1p-3", "abc", ""]
TEXTS = ["", "x", "hello", "hello world, this is a string of more than forty-four bytes", "12", "-7", "0.1", "10.50",
         "9223372036854775807", "\r\n\x00\xff", "ohmytext", "mynewtext", "aaaa", "abcabcabc"]
TIMES = ["100000", "200000", "300000", "0", "-5", "x", "9223372036854775807", "9223372036854775", "99999999999"]

# No small ones: the two servers would not expire the key at the same moment.
ODD_TIMES = [n for n in NUMBERS if n not in ("1", "5", "10", "100")]


class Link:
    """One connection; replies are kept as they come."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.buf = b""

    def send(self, *words):
        words = [w if isinstance(w, bytes) else w.encode("latin1") for w in words]
        head = b"*%d\r\n" % len(words)
        self.sock.sendall(head + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))

    def take(self, n):
        while len(self.buf) < n:
            self.fill()
        part, self.buf = self.buf[:n], self.buf[n:]
        return part

    def fill(self):
        data = self.sock.recv(1 << 16)
        if not data:
            raise EOFError("the server closed the connection")
        self.buf += data

    def line(self):
        while b"\r\n" not in self.buf:
            self.fill()
        line, self.buf = self.buf.split(b"\r\n", 1)
        return line

    def reply(self):
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind in b"$=" and rest != b"-1":
            return line + b"\r\n" + self.take(int(rest) + 2)
        if kind in b"*~%>" and rest != b"-1":
            count = int(rest) * (2 if kind == b"%" else 1)
            return [line] + [self.reply() for _ in range(count)]
        return line

    def ask(self, *words):
        self.send(*words)
        return self.reply()


class Stream:
    """The replication stream of a server, entry by entry."""

    def __init__(self, port):
        self.link = Link(port)
        self.link.send("PSYNC", "?", "-1")
        self.link.line()
        line = b""
        while not line.startswith(b"$"):
            line = self.link.line()
        if line.startswith(b"$EOF:"):
            while line[5:] not in self.link.buf:
                self.link.fill()
            self.link.buf = self.link.buf.split(line[5:], 1)[1]
        else:
            self.link.take(int(line[1:]))

    def until(self, mark):
        """What was written before a PUBLISH of `mark`."""
        entries = []
        while True:
            words = [w.split(b"\r\n", 1)[1][:-2] for w in self.link.reply()[1:]]
            name = words[0].upper()
            if name == b"PUBLISH" and words[2] == mark:
                return entries
            if name not in (b"PING", b"SELECT", b"REPLCONF"):
                entries.append([name] + words[1:])


def lifetime(words):
    """Of the options of a SET, what becomes of the time to live; the last word counts."""
    if words and words[-1] in (b"NX", b"XX", b"GET"):
        return lifetime(words[:-1])
    return words[-1:] if words[-1:] == [b"KEEPTTL"] else words[-2:]


# What may be said in two ways that mean the same to a replica.
def canonical(entries):
    flat = []
    for e in entries:
        name = e[0]
        if name in (b"MULTI", b"EXEC"):
            continue
        if name == b"PEXPIREAT":
            e = e[:3]
        elif name == b"GETSET":
            e = [b"SET"] + e[1:3]
        elif name == b"SET" and len(e) > 3:
            words = [w.upper() for w in e[3:]]
            if b"IFEQ" in words:
                at = words.index(b"IFEQ")
                words = words[:at] + words[at + 2:]
            e = e[:3] + lifetime(words)
        elif name == b"MSETEX":
            end = 2 + 2 * int(e[1])
            rest = lifetime([w.upper() for w in e[end:]])
            flat += [[b"SET", e[i], e[i + 1]] + rest for i in range(2, end, 2)]
            continue
        elif name == b"MSET":
            flat += [[b"SET", e[i], e[i + 1]] for i in range(1, len(e), 2)]
            continue
        elif name == b"SORT":
            upper = [w.upper() for w in e]
            e = [b"DEL", e[len(e) - 1 - upper[::-1].index(b"STORE") + 1]]
        elif name == b"HSETEX" and e[2].upper() == b"FIELDS":
            # One field: as it came, or as it is afterwards.
            e = [b"HSET", e[1]] + (e[4:] if len(e) > 6 else e[4:5])
        elif name == b"HSETEX":
            e = [w.upper() if w.upper() == b"FIELDS" else w for w in e]
        elif name in (b"HSETNX", b"HINCRBY") or name == b"HSET" and len(e) == 4:
            # As it came, or as the field is afterwards.
            e = [b"HSET"] + e[1:3]
        elif name in (b"HGETDEL", b"HDEL"):
            # Fields that were not there may be named or not.
            e = [b"HDEL", e[1]]
        flat.append(e)
    return [e for i, e in enumerate(flat) if not replaced(e, flat[i + 1:])]


def replaced(entry, later):
    """Whether it removes one key that a SET behind it makes anew, keeping nothing of it. Who finds a key past its time
    on the way to overwriting it may say so or not."""
    if entry[0] not in (b"DEL", b"UNLINK") or len(entry) != 2:
        return False
    for e in later:
        if entry[1] in e[1:]:
            return e[:2] == [b"SET", entry[1]] and b"KEEPTTL" not in e[3:]
    return False


def near(a, b):
    """Equal, or numbers as close as two clocks that are read one after the other."""
    if a == b:
        return True
    try:
        x, y = int(a.lstrip(b":")), int(b.lstrip(b":"))
    except ValueError:
        return False
    return abs(x - y) <= 150 and x > 0 and y > 0


CLOCK = {"TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"}
FIELD_CLOCK = {"HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME"}
# Picks are asked for in numbers that give all there is.
UNORDERED = {"KEYS", "SMEMBERS", "SUNION", "SINTER", "SDIFF", "SPOP", "SRANDMEMBER", "HKEYS", "HVALS", "HRANDFIELD"}

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
    skey = lambda: rng.choice(["s", "t", "u", "int"]) if rng.random() < 0.95 else key()
    hkey = lambda: rng.choice(["h", "i", "j"]) if rng.random() < 0.95 else key()

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
        (2, lambda: [rng.choice(["SPOP", "SRANDMEMBER"]), skey(), rng.choice(["100000", "100000", "0", "x"])]),
        (4, element_scan), (4, lambda: ["OBJECT", "ENCODING", rng.choice([skey(), hkey()])]),
        (12, hset), (3, lambda: ["HSETNX", hkey(), member(), value()]),
        (3, lambda: ["HDEL", hkey()] + many(lambda: [member()])), (3, lambda: ["HMGET", hkey()] + many(lambda: [member()])),
        (4, lambda: [rng.choice(["HGET", "HEXISTS", "HSTRLEN"]), hkey(), member()]),
        (4, lambda: [rng.choice(["HGETALL", "HKEYS", "HVALS", "HLEN"]), hkey()]),
        (5, lambda: [rng.choice(["HINCRBY", "HINCRBYFLOAT"]), hkey(), member(), number()]),
        (2, lambda: ["HRANDFIELD", hkey(), rng.choice(["100000", "100000", "0", "x"])] + rng.choice([[], ["WITHVALUES"]])),
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


class Users:
    """Commands about users and their rights: `--users`. What a command may be is what both servers know."""

    NAMES = ["t", "u", "default2"]
    PATTERNS = ["a", "b", "k*", "*", "[ab]", "", "a b"]

    def __init__(self, rng, links):
        self.rng = rng
        known = [{text(w).lower() for w in link.ask("COMMAND", "LIST")[1:]} for link in links]
        listed = [{text(w) for w in link.ask("ACL", "CAT")[1:]} for link in links]
        self.categories = sorted(listed[0] & listed[1])
        both = sorted(known[0] & known[1])
        subs = [{text(w).lower() for w in link.ask("COMMAND", "LIST", "FILTERBY", "PATTERN", "*|*")[1:]} for link in links]
        self.commands = both + sorted(subs[0] & subs[1])

    def rule(self, in_selector=False):
        r = self.rng
        pick = r.choice
        pattern = lambda: pick(self.PATTERNS)
        command = lambda: pick(self.commands)
        rules = [
            lambda: pick("+-") + command(), lambda: pick("+-") + command(), lambda: pick("+-") + command(),
            lambda: pick("+-") + "@" + pick(self.categories), lambda: pick(["+@all", "-@all", "allcommands", "nocommands"]),
            lambda: "+" + command() + "|" + pick(["x", "id", "1", ""]), lambda: "-" + command() + "|x",
            lambda: "~" + pattern(), lambda: "%" + pick(["R", "W", "RW", "wr", "X", ""]) + "~" + pattern(),
            lambda: "&" + pattern(), lambda: pick(["allkeys", "resetkeys", "allchannels", "resetchannels", "~*", "&*"]),
            lambda: "db=" + pick(["0", "1", "0,1", "1,0", "15", "16", "x", "-1", "", "0,", "+1", "99999999999"]),
            lambda: pick(["alldbs", "resetdbs", "ALLDBS", "DB=1"]), lambda: pick(["+nonsense", "-@nonsense", "what", "", "+", "%"]),
        ]
        own = [
            lambda: pick(["on", "off", "nopass", "resetpass", "reset", "clearselectors", "sanitize-payload"]),
            lambda: pick("><") + pick(["pw", "other"]), lambda: pick("#!") + pick(["a" * 64, "A" * 64, "b" * 63, "b" * 64]),
            lambda: "(" + " ".join(self.rule(True) for _ in range(r.randint(0, 4))) + ")",
            lambda: "(" + self.rule(True), lambda: self.rule(True) + ")",
        ]
        return pick(rules if in_selector or r.random() < 0.6 else own)()

    def command(self):
        r = self.rng
        name = lambda: r.choice(self.NAMES)
        kind = r.random()
        if kind < 0.45:
            return ["ACL", "SETUSER", name()] + [self.rule() for _ in range(r.choice([0, 1, 1, 1, 2, 3]))]
        if kind < 0.85:
            wanted = r.choice(self.commands)
            words = wanted.split("|") + [r.choice(["a", "b", "k1", "0", "1", "99", "x", "DB", "GET"])
                                         for _ in range(r.randint(0, 4))]
            return ["ACL", "DRYRUN", name()] + words
        return r.choice([["ACL", "LIST"], ["ACL", "USERS"], ["ACL", "GETUSER", name()], ["ACL", "DELUSER", name()],
                         ["SELECT", r.choice("01")], ["ACL", "WHOAMI"]])


def text(reply):
    return (reply.split(b"\r\n", 1)[1][:-2] if reply[:1] == b"$" else reply[1:]).decode("latin1")


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
        ours, theirs = [link.ask(*words) for link in links]
        words = [words[0].upper()] + words[1:]
        known = any(test(words, ours, theirs) for test, _ in KNOWN)
        if not known and not same(words, ours, theirs):
            fail(history, n, ours, theirs)
        mark = b"m%d" % n
        if streams or listeners:
            for link in links:
                link.ask(b"PUBLISH", b"__key-mark", mark)
        if streams:
            a, b = [canonical(s.until(mark)) for s in streams]
            alike = len(a) == len(b) and all(
                len(x) == len(y) and all(near(p, q) for p, q in zip(x, y)) for x, y in zip(a, b))
            if not alike:
                fail(history, n, a, b)
        if listeners:
            a, b = [events(l, mark) for l in listeners]
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
    keys = set(history[-1][1:]) & set(KEYS)
    print(f"difference at command {n}:")
    for words in history[-400:]:
        if matters(words) or words is history[-1] or words[0].upper() in ("SELECT", "SWAPDB", "FLUSHALL", "FLUSHDB") or keys & set(words[1:]):
            print("   ", words)
    print("ours:  ", ours)
    print("theirs:", theirs)
    sys.exit(1)


if __name__ == "__main__":
    main()
