#!/usr/bin/env python3
"""Compares client-side caching: what every connection receives, command after command.

    tracking.py OURS THEIRS [--seed N] [--steps N]

OURS and THEIRS are ports on this machine; both are emptied, and must allow DEBUG. Several connections, of which some
track in some mode and some stand in for others, send the same random commands to both servers, one at a time. After
each, what has come on all connections must be the same on both, replies and notices alike and in this order. Two
things have no order: the keys of one notice, and the notices that reach one connection for several others. Who stands
in for whom is compared by name, because the servers number their connections apart. Which keys go when too many are
tracked is up to a server: there, what a client has read, what it was told and what the server counts must agree.
Exits with 1 and the whole way to the first difference.
"""
import argparse
import random
import select
import sys
import time

from wire import Link, text

CHANNEL = "__redis__:invalidate"
KEYS = ["a", "ab", "abc", "b", "ba", "", "k\r\n"]
PREFIXES = ["", "a", "ab", "abc", "b", "x", "\r\n"]
CONNECTIONS = 6
COUNTS = ["tracking_clients", "tracking_total_keys", "tracking_total_items", "tracking_total_prefixes"]


class Server:
    """One server with its connections; one more, which tracks nothing, looks after them."""

    def __init__(self, port):
        self.port = port
        self.control = Link(port)
        self.links = [None] * CONNECTIONS
        self.names = {}
        for words in (["CONFIG", "SET", "tracking-table-max-keys", "0"], ["DEBUG", "SET-ACTIVE-EXPIRE", "0"], ["FLUSHALL"]):
            self.control.ask(*words)

    def connect(self, i, name):
        if self.links[i]:
            self.links[i].sock.close()
            # It must be known to be gone before anything else happens.
            while any(b"id=%d " % n in self.control.ask("CLIENT", "LIST") for n, who in self.names.items() if who == (i, name - 1)):
                time.sleep(0.001)
        self.links[i] = Link(self.port)
        self.links[i].ended = False
        self.names[int(self.links[i].ask("CLIENT", "ID")[1:])] = (i, name)

    def number(self, wanted):
        return next((str(n) for n, who in self.names.items() if who == wanted), "999999")

    def arrived(self, least=None):
        """What has come on every connection; waits for as many messages as `least` says if it says something."""
        end = time.time() + 1
        seen = [[] for _ in self.links]
        # What a command causes has been sent before the second of two later commands is answered.
        for _ in range(2):
            self.control.ask("PING")
        while True:
            for i, link in [(i, link) for i, link in enumerate(self.links) if link and not link.ended]:
                while link.buf or select.select([link.sock], [], [], 0)[0]:
                    try:
                        seen[i].append(link.reply())
                    except (EOFError, ConnectionResetError):
                        seen[i].append(b"closed")
                        link.ended = True
                        break
            if least is None or all(len(s) >= n for s, n in zip(seen, least)) or time.time() > end:
                return [[self.named(m) for m in s] for s in seen]
            time.sleep(0.0005)

    def named(self, message):
        """A message with names in the place of numbers of connections."""
        if not isinstance(message, list):
            return message
        words = [text(m) if isinstance(m, bytes) and b"\r\n" in m else None for m in message[1:]]
        if "proto" in words:
            # HELLO: who the server is.
            return message[:1]
        if "tracking-redir-broken" in words:
            return message[:2] + [self.names.get(int(message[-1][1:]))] + message[3:]
        if "redirect" in words:
            at = words.index("redirect") + 2
            return message[:at] + [self.names.get(int(message[at][1:]), message[at])] + message[at + 1:]
        return message

    def counts(self):
        lines = text(self.control.ask("INFO")).split("\r\n")
        return [line for line in lines if line.split(":")[0] in COUNTS]


def is_notice(message):
    return isinstance(message, list) and any(word in message for word in (b"$10\r\ninvalidate\r\n", b"$20\r\n" + CHANNEL.encode() + b"\r\n")) \
        and b"$7\r\nmessage\r\n" in message + [b"$7\r\nmessage\r\n"] * (message[1] == b"$10\r\ninvalidate\r\n")


def one_form(messages, ordered):
    """Keys of one notice in order of names, and where notices have no order, those in a row sorted."""
    out, row = [], []
    for m in messages:
        if is_notice(m):
            # That everything is gone is said in the protocol of one or the other.
            keys = sorted(m[-1][1:]) if isinstance(m[-1], list) else "all"
            row.append((m[:-1], keys))
            continue
        out += (row if ordered else sorted(row, key=repr)) + [m]
        row = []
    return out + (row if ordered else sorted(row, key=repr))


class Play:
    """The same steps on both servers."""

    def __init__(self, seed, ports):
        self.rng = random.Random(seed)
        self.servers = [Server(p) for p in ports]
        self.born = [0] * CONNECTIONS
        self.broadcast_to = [None] * CONNECTIONS
        self.in_multi = [False] * CONNECTIONS
        self.history = []
        for i in range(CONNECTIONS):
            self.connect(i)
            # Half speak RESP3, one stands ready for others.
            self.run(i, "HELLO", "3" if i < 3 else "2")
        self.run(5, "SUBSCRIBE", CHANNEL)

    def connect(self, i):
        self.history.append((i, "connect"))
        self.born[i] += 1
        self.broadcast_to[i], self.in_multi[i] = None, False
        for s in self.servers:
            s.connect(i, self.born[i])
        self.compare()

    def run(self, i, *words):
        """One command on connection `i`; ("id", (i, n)) stands for a connection's number."""
        self.history.append((i, *words))
        for s in self.servers:
            s.links[i].send(*[s.number(w[1]) if isinstance(w, tuple) else w for w in words])
        return self.compare(i)

    def compare(self, i=None):
        theirs = self.servers[1].arrived()
        ours = self.servers[0].arrived([len(t) for t in theirs])
        for c in range(CONNECTIONS):
            ordered = c not in self.broadcast_to
            a, b = one_form(ours[c], ordered), one_form(theirs[c], ordered)
            if a != b:
                self.fail(f"connection {c}", a, b)
        a, b = [s.counts() for s in self.servers]
        if a != b:
            self.fail("counts", a, b)
        replies = [m for m in theirs[i] if not is_notice(m)] if i is not None else []
        return replies[0] if replies else None

    def fail(self, where, ours, theirs):
        for step in self.history:
            print("   ", *step)
        print(f"{where}\nours:  ", ours, "\ntheirs:", theirs)
        sys.exit(1)

    def step(self):
        r = self.rng
        i = r.randrange(CONNECTIONS)
        kind = r.random()
        if kind < 0.03:
            return self.leave(i)
        if kind < 0.05:
            return self.expire(i)
        if kind < 0.06 and not any(self.in_multi):
            return self.wait_for_key(i, r.choice([c for c in range(CONNECTIONS) if c != i]))
        words = self.tracking(i) if kind < 0.25 else self.state() if kind < 0.36 else command(r)
        if self.in_multi[i] and words[0] in ("CLIENT", "QUIT", "SUBSCRIBE", "UNSUBSCRIBE", "HELLO"):
            words = ["EXEC"]
        reply = self.run(i, *words)
        if words[0] == "MULTI" and reply == b"+OK":
            self.in_multi[i] = True
        elif words[0] in ("EXEC", "DISCARD", "RESET") and (not isinstance(reply, bytes) or b"EXEC without" not in reply):
            self.in_multi[i] = False
        if words[0] == "RESET" or words[:3] == ["CLIENT", "TRACKING", "OFF"]:
            self.broadcast_to[i] = None
        elif words[:3] == ["CLIENT", "TRACKING", "ON"] and reply == b"+OK":
            at = words.index("REDIRECT") + 1 if "REDIRECT" in words else None
            self.broadcast_to[i] = words[at][1][0] if at and "BCAST" in words and isinstance(words[at], tuple) else None

    def tracking(self, i):
        r = self.rng
        if r.random() < 0.3:
            return ["CLIENT", *r.choice([["CACHING", r.choice(["YES", "NO", "no", "x"])], ["TRACKINGINFO"], ["GETREDIR", "x"], ["CACHING"],
                                         ["TRACKING", "OFF"], ["TRACKING", "OFF", "BCAST", "OPTIN"], ["TRACKING", "x"], ["TRACKINGINFO"]])]
        words = ["CLIENT", "TRACKING", r.choice(["ON", "ON", "ON", "OFF"])]
        modes = [["BCAST"], ["BCAST"], ["BCAST", "PREFIX"], ["BCAST", "PREFIX"], ["OPTIN"], ["OPTOUT"], [], ["PREFIX"], ["BCAST", "OPTIN"], ["OPTIN", "OPTOUT"]]
        if r.random() < 0.4:
            # The same session can only change its mode after this.
            self.run(i, "CLIENT", "TRACKING", "OFF") if not self.in_multi[i] else None
            self.broadcast_to[i] = None
        for word in r.choice(modes):
            words += [w for _ in range(r.choice([1, 1, 2])) for w in ("PREFIX", r.choice(PREFIXES))] if word == "PREFIX" else [word]
        if r.random() < 0.3:
            words.append("NOLOOP")
        if r.random() < 0.4:
            c = r.choice([5, 5, 5, r.randrange(CONNECTIONS)])
            words += ["REDIRECT", r.choice([("id", (c, self.born[c]))] * 8 + ["999999", "0", "-1", "x", "99999999999999999999"])]
        if r.random() < 0.03:
            words += r.choice([["REDIRECT"], ["PREFIX"], ["x"], ["REDIRECT", "1"]])
        return words

    def state(self):
        return self.rng.choice([["MULTI"], ["MULTI"], ["EXEC"], ["EXEC"], ["EXEC"], ["DISCARD"], ["WATCH", "a", "b"], ["HELLO", "2"], ["HELLO", "3"],
                                ["RESET"], ["SUBSCRIBE", CHANNEL], ["SUBSCRIBE", CHANNEL], ["UNSUBSCRIBE", CHANNEL], ["SELECT", "1"], ["SELECT", "0"],
                                ["PING"]]) if self.rng.random() < 0.95 else self.rng.choice([["FLUSHALL"], ["FLUSHDB"], ["FLUSHALL", "ASYNC"],
                                                                                              ["SWAPDB", "0", "1"], ["FLUSHDB", "SYNC"]])

    def leave(self, i):
        """A connection ends, by QUIT or without a word, and a new one takes its place."""
        if self.rng.random() < 0.5 and not self.in_multi[i]:
            self.run(i, "QUIT")
        self.connect(i)
        self.run(i, "HELLO", self.rng.choice("23"))
        if i == 5:
            self.run(i, "SUBSCRIBE", CHANNEL)

    def expire(self, i):
        """A key's time passes: it goes by itself, or when a connection meets it."""
        r = self.rng
        key = r.choice(KEYS)
        by_itself = r.random() < 0.5
        self.run(r.randrange(CONNECTIONS), "SET", key, "1")
        for s in self.servers:
            s.control.ask("PEXPIRE", key, "15")
        self.history.append(("control", "PEXPIRE", key, 15))
        self.compare()
        if by_itself:
            for s in self.servers:
                s.control.ask("DEBUG", "SET-ACTIVE-EXPIRE", "1")
        time.sleep(0.25 if by_itself else 0.02)
        for s in self.servers:
            s.control.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        self.history.append(("the time of", key, "passes", "by itself" if by_itself else ""))
        # Who has not met it by then does now.
        self.run(i, r.choice(["GET", "EXISTS", "INCR", "DEL", "TTL", "GETDEL"]), key)
        for s in self.servers:
            s.control.ask("EXISTS", *KEYS)
        self.compare()

    def wait_for_key(self, i, other):
        """A connection waits for a key that another one fills; if it could not, the third one is the one."""
        r = self.rng
        key = r.choice(KEYS)
        for who, words in ((i, ["SELECT", "0"]), (other, ["SELECT", "0"]), (i, ["DEL", key]), (i, [r.choice(["BLPOP", "BRPOP"]), key, "0"]), (other, ["RPUSH", key, *"xy"[:r.randint(1, 2)]])):
            self.run(who, *words)
        for words in (["DEL", key], ["RPUSH", key, "z"], ["DEL", key]):
            for s in self.servers:
                s.control.ask(*words)
            self.history.append(("control", *words))
            self.compare()


def command(r):
    """A command about keys of any type. XSETID, and LTRIM that trims nothing, are told of here but not by Valkey."""
    k, v, n = (lambda: r.choice(KEYS)), (lambda: r.choice("xyz1")), (lambda: str(r.randint(0, 3)))
    scripts = ["return redis.call('GET', KEYS[1])", "redis.call('SET', KEYS[1], 'x') return redis.call('GET', KEYS[2])",
               "redis.call('GET', KEYS[1]) redis.call('DEL', KEYS[1], KEYS[2]) return 1", "return redis.pcall('LPUSH', KEYS[1], 'x')",
               "redis.call('MGET', KEYS[1], KEYS[2]) return redis.error_reply('ERR no')", "return 1"]
    return r.choice([
        *[lambda: ["GET", k()]] * 6, *[lambda: ["SET", k(), v()]] * 4, *[lambda: ["MGET", k(), k(), k()]] * 3, *[lambda: ["DEL", k(), k()]] * 2,
        *[lambda: [r.choice(["EVAL", "EVAL_RO"]), r.choice(scripts), "2", k(), k()]] * 5,
        lambda: ["MSET", k(), v(), k(), v()], lambda: ["UNLINK", k()], lambda: ["INCR", k()], lambda: ["APPEND", k(), v()],
        lambda: ["GETDEL", k()], lambda: ["GETEX", k(), *r.choice([[], ["PERSIST"], ["EX", "1000"], ["PXAT", "1"]])], lambda: ["SETRANGE", k(), n(), ""],
        lambda: ["SET", k(), v(), *r.choice([["NX"], ["XX"], ["GET"], ["KEEPTTL"], ["PX", "100000"], ["PXAT", "1"]])], lambda: ["STRLEN", k()],
        lambda: ["EXISTS", k(), k()], lambda: ["TYPE", k()], lambda: ["EXPIRE", k(), r.choice(["1000", "-1", "0"])], lambda: ["PERSIST", k()],
        lambda: ["TOUCH", k()], lambda: ["GETRANGE", k(), "0", "1"], lambda: ["DBSIZE"],
        lambda: ["RENAME", k(), k()], lambda: ["RENAMENX", k(), k()], lambda: ["COPY", k(), k(), *r.choice([[], ["REPLACE"], ["DB", "1"]])], lambda: ["MOVE", k(), "1"],
        lambda: ["LPUSH", k(), v()], lambda: ["LRANGE", k(), "0", "-1"], lambda: ["LPOP", k()], lambda: ["LMOVE", k(), k(), "LEFT", "RIGHT"], lambda: ["LREM", k(), "0", v()],
        lambda: ["LSET", k(), "0", v()], lambda: ["LLEN", k()], lambda: ["LMPOP", "2", k(), k(), "LEFT"], lambda: ["LPUSHX", k(), v()],
        lambda: ["SADD", k(), v()], lambda: ["SCARD", k()], lambda: ["SREM", k(), v()], lambda: ["SUNIONSTORE", k(), k(), k()], lambda: ["SISMEMBER", k(), v()],
        lambda: ["SMOVE", k(), k(), v()], lambda: ["SINTERCARD", "2", k(), k()], lambda: ["SINTERSTORE", k(), k(), k()],
        lambda: ["HSET", k(), v(), v()], lambda: ["HGET", k(), v()], lambda: ["HDEL", k(), v()], lambda: ["HLEN", k()], lambda: ["HINCRBY", k(), v(), n()],
        lambda: ["HEXPIRE", k(), r.choice(["1000", "0"]), "FIELDS", "1", v()], lambda: ["HPERSIST", k(), "FIELDS", "1", v()], lambda: ["HSETNX", k(), v(), v()],
        lambda: ["ZADD", k(), n(), v()], lambda: ["ZRANGE", k(), "0", "-1"], lambda: ["ZREM", k(), v()], lambda: ["ZPOPMIN", k()], lambda: ["ZSCORE", k(), v()],
        lambda: ["ZUNIONSTORE", k(), "2", k(), k()], lambda: ["ZRANGESTORE", k(), k(), "0", n()], lambda: ["ZADD", k(), "GT", "CH", n(), v()], lambda: ["ZMPOP", "1", k(), "MIN"],
        lambda: ["XADD", k(), r.choice(["1-1", "2-2", "3-3"]), "f", v()], lambda: ["XLEN", k()], lambda: ["XRANGE", k(), "-", "+"], lambda: ["XDEL", k(), "1-1"],
        lambda: ["XTRIM", k(), "MAXLEN", n()], lambda: ["XREAD", "COUNT", "1", "STREAMS", k(), k(), "0", "0"], lambda: ["XGROUP", "CREATE", k(), "g", "0"],
        lambda: ["XREADGROUP", "GROUP", "g", "c", "STREAMS", k(), ">"], lambda: ["XACK", k(), "g", "1-1"],
        lambda: ["SETBIT", k(), n(), r.choice("01")], lambda: ["GETBIT", k(), n()], lambda: ["BITCOUNT", k()], lambda: ["BITOP", "OR", k(), k(), k()],
        lambda: ["BITFIELD", k(), *r.choice([["GET", "u4", "0"], ["SET", "u4", "0", n()]])], lambda: ["BITFIELD_RO", k(), "GET", "u4", "0"],
        lambda: ["PFADD", k(), v()], lambda: ["PFCOUNT", k(), k()], lambda: ["PFMERGE", k(), k()], lambda: ["GEOADD", k(), n(), n(), v()], lambda: ["GEOPOS", k(), v()],
        lambda: ["GEOSEARCHSTORE", k(), k(), "FROMLONLAT", "1", "1", "BYRADIUS", "9", "km"], lambda: ["SORT", k(), "ALPHA"], lambda: ["SORT_RO", k(), "ALPHA"],
        lambda: ["SORT", k(), "ALPHA", "STORE", k()], lambda: ["LCS", k(), k()], lambda: ["SCAN", "0", "COUNT", "0"], lambda: ["NOSUCH", k()], lambda: ["GET"],
        lambda: ["DELIFEQ", k(), v()], lambda: ["SET", k(), v(), "IFEQ", v()], lambda: ["MSETEX", "1", k(), v(), "EX", "1000"], lambda: ["PUBLISH", "x", "y"],
        lambda: ["RESTORE", k(), "0", "x"], lambda: ["RESTORE", k(), "0", "x", "REPLACE"],
    ])()


def small_table(o):
    """A reader, more keys than may be tracked, and a writer: what the reader was told and still holds is what the server
    counts, and never more than may be."""
    rng = random.Random(o.seed)
    told = []
    most = rng.randint(1, 5)
    for port in (o.ours, o.theirs):
        rng = random.Random(o.seed)
        control, reader, writer = Link(port), Link(port), Link(port)
        control.ask("FLUSHALL")
        control.ask("CONFIG", "SET", "tracking-table-max-keys", str(most))
        reader.ask("HELLO", "3")
        reader.ask("CLIENT", "TRACKING", "ON")
        held, gone = set(), 0
        for n in range(200):
            key = "k%d" % rng.randrange(20)
            if rng.random() < 0.2:
                writer.ask("SET", key, "x")
            else:
                reader.ask("GET", key) if key not in held else None
                held.add(key)
            for _ in range(2):
                control.ask("PING")
            time.sleep(0.001)
            # A PING of its own comes behind everything that it is told.
            reader.send("PING")
            while (message := reader.reply()) != b"+PONG":
                for k in message[2][1:] if is_notice(message) else []:
                    if text(k) not in held:
                        sys.exit(f"port {port}, step {n}: {k} was told though it is not held")
                    held.discard(text(k))
                    gone += 1
            count = int(text(control.ask("INFO", "stats")).split("tracking_total_keys:")[1].split("\r\n")[0])
            if count != len(held) or count > most:
                sys.exit(f"port {port}, step {n}: {count} of {most} keys are counted, {len(held)} are held")
        told.append(gone)
        control.ask("CONFIG", "SET", "tracking-table-max-keys", "0")
    print(f"at most {most} keys of seed {o.seed}: what is held is what is counted; {told[0]} and {told[1]} were told")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours", type=int)
    parser.add_argument("theirs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1000)
    o = parser.parse_args()
    play = Play(o.seed, [o.ours, o.theirs])
    for _ in range(o.steps):
        play.step()
    print(f"{o.steps} steps of seed {o.seed}: all connections have heard the same")
    small_table(o)


if __name__ == "__main__":
    main()
