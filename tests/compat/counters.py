#!/usr/bin/env python3
"""Compares what INFO counts: after each of random commands, good and bad, from several connections.

    counters.py OURS THEIRS [--seed N] [--steps N] [--port PORT]

OURS and THEIRS are two servers' programs; each is started in a folder of its own, from PORT on. Both get the same commands, one at
a time: in transactions, scripts and subscriptions, by users who may not, with wrong types and numbers of arguments, waiting for
keys, about keys past their time, with no memory or no replica. (SCRIPT FLUSH is left out: there Lua is a module, which asks
for its settings by CONFIG GET, and that counts.) After each, the counters of INFO must have moved alike, those
of each command and each error too. What is known to differ is in KNOWN, with the reason. Exits with 1 and the last steps
before the first difference.
"""
import argparse
import random
import select
import sys
import tempfile
import time

import differential
import tracking
from settings import Server, encoded
from wire import Link, text

CONNECTIONS = 5
WAITING = {"WAIT", "BLPOP", "BRPOPLPUSH", "BLMOVE"}
COUNTED = {
    "connected_clients", "blocked_clients", "tracking_clients", "pubsub_clients", "watching_clients", "clients_in_timeout_table", "total_watched_keys",
    "total_blocking_keys", "total_blocking_keys_on_nokey", "rdb_changes_since_last_save", "total_connections_received", "total_commands_processed",
    "rejected_connections", "sync_full", "sync_partial_ok", "sync_partial_err", "expired_keys", "expired_fields", "evicted_keys",
    "evicted_clients", "evicted_scripts", "keyspace_hits", "keyspace_misses", "pubsub_channels", "pubsub_patterns", "pubsubshard_channels",
    "tracking_total_keys", "tracking_total_items", "tracking_total_prefixes", "unexpected_error_replies", "total_error_replies",
    "client_query_buffer_limit_disconnections", "client_output_buffer_limit_disconnections", "acl_access_denied_auth", "acl_access_denied_cmd",
    "acl_access_denied_key", "acl_access_denied_channel", "acl_access_denied_db", "number_of_cached_scripts", "number_of_functions",
    "number_of_libraries"}

# Differences that are meant: (test on the field and the words before it, reason). From then on the field may be apart by as
# much.
OVERWRITES = {"SET", "SETEX", "PSETEX", "MSET", "GETSET", "MSETEX", "EXEC", "EVAL", "RENAME", "COPY", "RESTORE"}
KNOWN = [
    (lambda name, words: name == "expired_keys" and words[0].upper() in OVERWRITES,
     "what is past its time is overwritten at once, not removed before"),
    (lambda name, words: name in ("expired_keys", "rdb_changes_since_last_save") and "STORE" in " ".join(words).upper(),
     "where nothing is to be stored, what is past its time is removed as such here, as a key there"),
]


def counts(link):
    """The counters, and of each command how often it was called, refused and failed."""
    found = {}
    for line in text(link.ask("INFO", "everything")).split("\r\n"):
        name, _, value = line.partition(":")
        if name.startswith("cmdstat_"):
            parts = dict(p.split("=") for p in value.split(","))
            found[name] = tuple(parts[p] for p in ("calls", "rejected_calls", "failed_calls"))
        elif name in COUNTED or name.startswith("errorstat_"):
            found[name] = value
        elif name.startswith("db") and "keys=" in value:
            found[name] = value.split(",avg_ttl")[0]
    return found


class Play:
    """The same commands to both, and what is counted after each."""

    def __init__(self, seed, programs, port, folder):
        self.rng = random.Random(seed)
        self.history, self.apart = [], {}
        self.servers = [Server(p, port + i, f"{folder}/server{i}") for i, p in enumerate(programs)]
        for s in self.servers:
            for link in s.links:
                link.sock.close()
            s.listener.sock.close()
            s.links = [None] * CONNECTIONS
            s.ids = [0] * CONNECTIONS
            s.control.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0")
            s.control.ask("ACL", "SETUSER", "u", "on", ">p", "+get", "+set", "+multi", "+exec", "+publish", "+subscribe", "+eval", "~a*", "&c*", "+ping", "+auth")
            s.control.ask("FUNCTION", "LOAD", "#!lua name=lib\nserver.register_function('f', function(k, a) return server.call('GET', k[1]) end)\n"
                          "server.register_function('bad', function(k, a) return server.call('INCR', k[1]) end)")
        for i in range(CONNECTIONS):
            self.connect(i)
        self.alone("CONFIG", "RESETSTAT")

    def connect(self, i):
        self.history.append((i, "connect"))
        for s in self.servers:
            if s.links[i]:
                s.links[i].sock.close()
                while b"id=%d " % s.ids[i] in s.control.ask("CLIENT", "LIST"):
                    time.sleep(0.001)
            s.links[i] = Link(s.port)
            s.ids[i] = int(s.links[i].ask("CLIENT", "ID")[1:])

    def alone(self, *words):
        """To both, from the connection that looks after them."""
        self.history.append(("control", *words))
        for s in self.servers:
            s.control.ask(*words)

    def run(self, i, *words):
        self.history.append((i, *words))
        for s in self.servers:
            s.links[i].sock.sendall(encoded(words))
        # What has a timeout is counted when that is over.
        least = [int(link == i and {"0.001", "1"} & set(words[1:]) != set() and words[0] in WAITING) for link in range(CONNECTIONS)]
        theirs = self.arrived(self.servers[1], least)
        ours = self.arrived(self.servers[0], [len(t) for t in theirs])
        for c in range(CONNECTIONS):
            if b"closed" in theirs[c] or b"closed" in ours[c]:
                self.connect(c)
        self.compare(words)
        return theirs[i]

    def arrived(self, server, least):
        end = time.time() + 0.2
        seen = [[] for _ in server.links]
        for _ in range(2):
            server.control.ask("PING")
        while True:
            for i, link in enumerate(server.links):
                while link.buf or select.select([link.sock], [], [], 0)[0]:
                    try:
                        seen[i].append(link.reply())
                    except (EOFError, ConnectionError):
                        seen[i].append(b"closed")
                        break
            if all(len(s) >= n for s, n in zip(seen, least)) or time.time() > end:
                return seen
            time.sleep(0.0005)

    def compare(self, words):
        # What has no reply may take a moment.
        for _ in range(20):
            ours, theirs = [counts(s.control) for s in self.servers]
            names = [n for n in sorted({*ours, *theirs}) if not self.agree(n, ours, theirs)]
            if not names:
                return
            time.sleep(0.002)
        for n in [n for n in names if any(test(n, words) for test, _ in KNOWN)]:
            self.apart[n] = int(ours[n]) - int(theirs[n])
            names.remove(n)
        if not names:
            return
        for step in self.history[-100:]:
            print("   ", *step)
        for n in names:
            print(n, "ours:", ours.get(n), "theirs:", theirs.get(n))
        sys.exit(1)

    def agree(self, name, ours, theirs):
        """Whether a field is the same, or apart by what is known."""
        if name in self.apart and name in ours and name in theirs:
            return int(ours[name]) - int(theirs[name]) == self.apart[name]
        return ours.get(name) == theirs.get(name)

    def step(self):
        r = self.rng
        i = r.randrange(CONNECTIONS)
        kind = r.random()
        if kind < 0.01:
            self.connect(i)
            return self.compare(["connect"])
        if kind < 0.02:
            key = r.choice("abcd")
            words = r.choice([["SET", key, "x", "PX", "1"], ["PEXPIRE", key, "1"]])
            self.alone(*words)
            self.compare(words)
            return time.sleep(0.005)
        if kind < 0.03:
            self.alone("CONFIG", "SET", *r.choice([["maxmemory", "1"], ["maxmemory", "0"], ["min-replicas-to-write", "1"], ["min-replicas-to-write", "0"]]))
            return self.compare(["CONFIG"])
        if kind < 0.05:
            self.alone("CONFIG", "SET", "maxmemory", "0", "min-replicas-to-write", "0")
        if kind < 0.055:
            self.alone("CONFIG", "RESETSTAT")
            # What belongs to the data is not set back.
            self.apart = {n: by for n, by in self.apart.items() if n == "rdb_changes_since_last_save"}
            return self.compare(["CONFIG", "RESETSTAT"])
        words = self.words()
        if words[0].upper() == "SPOP" and len(words) > 1:
            # Which members go is random, unless it is all.
            words = ["SPOP", words[1], "100000"]
        elif words[0].upper() == "RANDOMKEY":
            words = ["DBSIZE"]
        return self.run(i, *words)

    def words(self):
        r = self.rng
        kind = r.random()
        if kind < 0.35:
            return differential.command(r)
        if kind < 0.6:
            return tracking.command(r)
        k = lambda: r.choice("abcd")
        return r.choice([
            ["MULTI"], ["EXEC"], ["EXEC"], ["DISCARD"], ["WATCH", k()], ["WATCH", k(), k()], ["UNWATCH"], ["SUBSCRIBE", "c1", "c2"], ["UNSUBSCRIBE"], ["PSUBSCRIBE", "c*"],
            ["PUNSUBSCRIBE"], ["SSUBSCRIBE", "s"], ["SUNSUBSCRIBE"], ["PUBLISH", "c1", "x"], ["SPUBLISH", "s", "x"], ["RESET"], ["QUIT"], ["HELLO", "3"], ["HELLO", "2"], ["HELLO", "9"],
            ["HELLO", "3", "AUTH", "u", "wrong"], ["AUTH", "u", "p"], ["AUTH", "u", "wrong"], ["AUTH", "default", "x"], ["AUTH", "x"], ["ACL", "DRYRUN", "u", "GET", "b"],
            ["BLPOP", k(), "0"], ["BLPOP", "q", "0"], ["BLMPOP", "0", "2", "q", "q2", "LEFT"], ["BZPOPMIN", "zq", "0"], ["XREAD", "BLOCK", "0", "STREAMS", "xq", "$"],
            ["BLPOP", "q", "0.001"], ["BLPOP", "q", "x"], ["XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "xq", ">"], ["XGROUP", "CREATE", "xq", "g", "$", "MKSTREAM"],
            ["RPUSH", "q", "x"], ["RPUSH", "q2", "x"], ["ZADD", "zq", "1", "x"], ["XADD", "xq", "*", "f", "v"], ["DEL", "xq"], ["DEL", "q", "q2", "zq"], ["SET", "q", "x"],
            ["WAIT", "1", "1"], ["WAIT", "0", "0"], ["EVAL", "return redis.call('GET', KEYS[1])", "1", k()], ["EVAL", "return redis.call('INCR', KEYS[1])", "1", k()],
            ["EVAL", "return redis.pcall('INCR', KEYS[1])", "1", k()], ["EVAL", "return redis.pcall('NOSUCH')", "0"], ["EVAL", "return redis.call('GET')", "0"],
            ["EVAL", "error('x')", "0"], ["EVAL", "return {err='MY error'}", "0"], ["EVAL", "return redis.error_reply('MY error')", "0"], ["EVAL", "syntax(", "0"],
            ["EVAL", "redis.pcall('INCR', KEYS[1]) return redis.call('LPUSH', KEYS[1], 'x')", "1", k()], ["EVAL", "return redis.call('MULTI')", "0"],
            ["EVAL", "return redis.pcall('SUBSCRIBE', 'x')", "0"], ["EVAL", "return redis.pcall('SET', KEYS[1], 'x')", "1", k()], ["EVAL_RO", "return redis.call('SET', KEYS[1], 'x')", "1", k()],
            ["EVAL", "#!lua flags=no-writes\nreturn redis.call('SET', KEYS[1], 'x')", "1", k()], ["EVALSHA", "x" * 40, "0"], ["SCRIPT", "EXISTS", "x"],
            ["SCRIPT", "KILL"], ["FCALL", "f", "1", k()], ["FCALL", "bad", "1", k()], ["FCALL", "none", "0"], ["FCALL_RO", "bad", "1", k()], ["FUNCTION", "DELETE", "none"],
            ["FUNCTION", "KILL"], ["FUNCTION", "LOAD", "x"], ["CLIENT", "TRACKING", "ON"], ["CLIENT", "TRACKING", "OFF"], ["CLIENT", "NO-TOUCH", "ON"], ["CLIENT", "NOSUCH"],
            ["CLIENT"], ["CLIENT", "SETNAME", "a b"], ["CLIENT", "REPLY", "SKIP"], ["CLIENT", "KILL", "1.1.1.1:1"], ["CONFIG", "SET", "nosuch", "1"], ["CONFIG", "GET"], ["CONFIG", "NOSUCH"],
            ["NOSUCH"], ["GET"], ["GET", "a", "b"], ["SET", "a"], ["", "x"], ["get", k()], ["OBJECT", "ENCODING", "nokey"], ["OBJECT", "FREQ", k()], ["OBJECT"], ["OBJECT", "NOSUCH", "a"],
            ["DEBUG", "SLEEP", "0"], ["DEBUG", "NOSUCH"], ["SELECT", "99"], ["SELECT", "0"], ["SELECT", "1"], ["MOVE", k(), "1"], ["COPY", k(), k(), "DB", "1"], ["SWAPDB", "0", "1"],
            ["REPLICAOF", "NO", "ONE"], ["FAILOVER"], ["PSYNC", "x"], ["REPLCONF", "nosuch", "x"], ["REPLCONF", "x"], ["PING", "a", "b"], ["ECHO", "x"], ["TIME"],
            ["LATENCY", "RESET"], ["MEMORY", "USAGE", k()], ["MEMORY", "NOSUCH"], ["CLUSTER", "INFO"], ["CLUSTER", "NOSUCH"], ["ASKING"], ["READONLY"], ["MODULE", "LIST"], ["MODULE", "LOAD", "x"],
            ["LASTSAVE"], ["ROLE"], ["SHUTDOWN", "x"], ["SLOWLOG", "GET", "x"], ["COMMAND", "COUNT"], ["COMMAND", "NOSUCH"], ["COMMAND", "GETKEYS", "GET"],
            ["XADD", "xs", "1-1", "f", "v"], ["XADD", "xs", "0-1", "f", "v"], ["XREAD", "STREAMS", "xs", "0"], ["XREAD", "STREAMS", "nokey", "nokey2", "0", "0"], ["XREADGROUP", "GROUP", "nog", "c", "STREAMS", "xs", ">"],
            ["XINFO", "STREAM", "nokey"], ["XLEN", k()], ["XACK", "xs", "g", "1-1"], ["XCLAIM", "xs", "g", "c", "0", "1-1"],
            ["SORT", k(), "BY", "w_*", "GET", "o_*"], ["SORT", "l", "STORE", k()], ["LMPOP", "2", k(), k(), "LEFT"], ["ZMPOP", "2", k(), k(), "MIN"], ["SMISMEMBER", k(), "x"],
            ["ZUNION", "2", k(), k()], ["ZINTER", "2", k(), k()], ["ZDIFF", "2", k(), k()], ["SINTERCARD", "2", k(), k()], ["SUNION", k(), k()], ["SDIFF", k(), k(), k()], ["ZINTERCARD", "2", k(), k()],
            ["ZRANGESTORE", k(), k(), "0", "-1"], ["GEOSEARCH", k(), "FROMMEMBER", "x", "BYRADIUS", "1", "m"], ["GEODIST", k(), "a", "b"], ["GEOADD", "geo", "1", "1", "x"],
            ["PFCOUNT", k()], ["PFCOUNT", k(), k()], ["PFMERGE", k(), k()], ["BITOP", "AND", k(), k(), k()], ["BITPOS", k(), "1"], ["BITFIELD", k(), "GET", "u8", "0"], ["BITFIELD", k(), "INCRBY", "u8", "0", "1"],
            ["LPOS", k(), "x"], ["LINSERT", k(), "BEFORE", "x", "y"], ["RPOPLPUSH", k(), k()], ["BRPOPLPUSH", k(), k(), "0.001"], ["BLMOVE", k(), k(), "LEFT", "LEFT", "0.001"],
            ["GETEX", k(), "PERSIST"], ["GETSET", k(), "x"], ["SUBSTR", k(), "0", "1"], ["LCS", k(), k()], ["DUMP", k()], ["RESTORE", k(), "0", "junk"], ["TOUCH", k(), k()], ["UNLINK", k(), k()],
            ["EXPIRETIME", k()], ["KEYS", "*"], ["SCAN", "0"], ["TYPE", k()], ["DBSIZE"], ["FLUSHDB"], ["FLUSHALL"], ["SETNX", k(), "x"], ["MSETNX", k(), "x", k(), "y"], ["HGETALL", k()],
            ["HRANDFIELD", k()], ["SRANDMEMBER", k()], ["SPOP", k()], ["ZRANDMEMBER", k()], ["HSCAN", k(), "0"], ["SSCAN", k(), "0"], ["ZSCAN", k(), "0"], ["MIGRATE", "127.0.0.1", "1", "nokey", "0", "10"],
            ["HSETEX", "he", "PX", "1", "FIELDS", "1", "f", "v"], ["HGET", "he", "f"], ["HEXPIRE", "he", "100", "FIELDS", "1", "f"], ["HLEN", "he"],
        ])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours")
    parser.add_argument("theirs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--port", type=int, default=26200)
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        play = None
        try:
            play = Play(o.seed, [o.ours, o.theirs], o.port, folder)
            for _ in range(o.steps):
                play.step()
        finally:
            for s in play.servers if play else []:
                s.end()
    print(f"{o.steps} steps of seed {o.seed}: everything was counted alike")


if __name__ == "__main__":
    main()
