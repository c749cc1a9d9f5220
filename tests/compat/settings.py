#!/usr/bin/env python3
"""Compares how settings are read, kept, and take effect: at once, and in every order.

    settings.py OURS THEIRS [--seed N] [--steps N] [--port PORT]

OURS and THEIRS are two servers' programs; each is started in a folder of its own, from PORT on. Both get the same random
CONFIG SET (good values, those at the bounds, wrong ones, several in a call, the same one twice), alone, in pipelines, in
transactions, and between commands whose behaviour depends on them; they become replicas and primaries again, write their
configuration into the file and start from it. Replies, what CONFIG GET says, and what connections hear must be the same.
What is known to differ is in KNOWN, what is not set in directives.LEFT_OUT, each with the reason. Exits with 1 and the whole
way to the first difference.
"""
import argparse
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from directives import LEFT_OUT, both_know, values
from wire import Link, text

CONNECTIONS = 3
# INFO fields that say what settings have come to.
FIELDS = ["maxclients", "maxmemory", "maxmemory_human", "maxmemory_policy", "hz", "configured_hz", "availability_zone", "role", "master_host",
          "master_port", "slave_read_only", "slave_priority", "replica_announced", "min_slaves_good_slaves", "connected_slaves",
          "repl_backlog_size", "evicted_keys", "tracking_clients", "tracking_total_keys", "db0", "db1", "rejected_connections",
          "unexpected_error_replies", "acl_access_denied_auth", "evicted_clients"]

# Differences that are meant: (test on words and replies, reason).
KNOWN = [
    (lambda w, o, t: w[:2] == ["CONFIG", "SET"] and b"must be valid UTF-8" in bytes(o), "settings are text"),
]


class Server:
    """A process in a folder of its own, with its connections; one more looks after them."""

    def __init__(self, program, port, folder):
        self.program, self.port, self.folder = program, port, Path(folder)
        self.folder.mkdir()
        self.file = self.folder / "server.conf"
        self.file.write_text(f"port {port}\nbind 127.0.0.1\ndir {folder}\nsave \"\"\nlogfile log\nenable-debug-command yes\n"
                             "enable-protected-configs yes\n# a comment\nrepl-diskless-sync-delay 0\n")
        self.password = ""
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.program, str(self.file)], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        for _ in range(400):
            if self.process.poll() is not None:
                break
            try:
                self.control = self.connect()
                if self.control.ask("PING") == b"+PONG":
                    break
            except (ConnectionError, EOFError):
                pass
            time.sleep(0.025)
        else:
            sys.exit(f"{self.program} does not answer: {(self.folder / 'log').read_text()[-2000:]}")
        if self.process.poll() is not None:
            sys.exit(f"{self.program} has ended: {(self.folder / 'log').read_text()[-3000:]}")
        self.links = [self.connect() for _ in range(CONNECTIONS)]
        self.listener = self.connect()
        self.listener.ask("PSUBSCRIBE", "__key*")

    def connect(self):
        link = Link(self.port)
        if self.password:
            link.ask("AUTH", self.password)
        return link

    def again(self):
        """Ends it and starts it from its file."""
        self.password = text(self.control.ask("CONFIG", "GET", "requirepass")[2])
        self.control.send("SHUTDOWN", "NOSAVE", "NOW", "FORCE")
        self.process.wait(20)
        self.start()
        # A node that has belonged to others waits for a word.
        self.control.ask("REPLICAOF", "NO", "ONE")

    def renew(self):
        """Makes connections anew that have been closed."""
        self.password = text(self.control_again().ask("CONFIG", "GET", "requirepass")[2])
        for i, link in enumerate(self.links):
            if is_closed(link):
                self.links[i] = self.connect()
        if is_closed(self.listener):
            self.listener = self.connect()
            self.listener.ask("PSUBSCRIBE", "__key*")

    def control_again(self):
        if is_closed(self.control):
            self.control = self.connect()
        return self.control

    def heard(self):
        """What the listener has heard since it was last asked."""
        self.control.ask("PUBLISH", "__key-mark", "m")
        messages = []
        while True:
            message = self.listener.reply()
            words = [text(m) if isinstance(m, bytes) else m for m in message[1:]]
            if words[2] == "__key-mark":
                return messages
            messages.append(words[2:])

    def end(self):
        self.process.kill()
        self.process.wait()


def is_closed(link):
    """Whether the server has hung up; nothing may be on its way."""
    if select.select([link.sock], [], [], 0)[0]:
        try:
            link.fill()
        except (EOFError, ConnectionError):
            return True
    return False


class Play:
    """The same steps on both servers."""

    def __init__(self, seed, programs, port, folder):
        self.rng = random.Random(seed)
        self.history = []
        self.servers = [Server(p, port + i, Path(folder) / f"server{i}") for i, p in enumerate(programs)]
        links = [s.control for s in self.servers]
        self.names, self.others = both_know(*links)
        self.names = [n for n in self.names if n not in LEFT_OUT and not n.startswith(("tls-", "rdma-"))]
        self.values = {n: values(links[1], n) for n in self.names}
        for n in self.names:
            values(links[0], n)
        for link in links:
            link.ask("CONFIG", "RESETSTAT")
        self.steps = [(30, self.set), (8, self.get), (10, self.pipeline), (6, self.transaction), (30, self.probe), (3, self.everything),
                      (1.5, self.replica), (1, self.restart), (3, self.calm)]

    # How steps are made and compared.

    def ask(self, *words, link=0, shape=lambda reply: reply):
        """One command to both; the replies must be the same."""
        return self.batch([words], link, shape)[0]

    def batch(self, commands, link=0, shape=lambda reply: reply):
        """Several commands in one go."""
        replies = []
        self.history.append((link, *commands))
        for s in self.servers:
            end = s.links[link]
            try:
                end.sock.sendall(b"".join(encoded(words) for words in commands))
                replies.append([end.reply() for _ in commands])
            except (EOFError, OSError):
                replies.append([b"closed"] * len(commands))
                s.links[link] = s.connect()
        for words, ours, theirs in zip(commands, *replies):
            known = any(test(list(words), ours, theirs) for test, _ in KNOWN)
            if not known and shape(ours) != shape(theirs):
                self.fail(words, shape(ours), shape(theirs))
        return replies[1]

    def fail(self, words, ours, theirs):
        for step in self.history:
            print("   ", *step)
        print(f"difference at {words}\nours:  ", ours, "\ntheirs:", theirs)
        sys.exit(1)

    def same(self, what, ours, theirs):
        if ours != theirs:
            self.fail(what, ours, theirs)

    def heard(self):
        self.same("what the listener hears", *[s.heard() for s in self.servers])

    def fields(self):
        """INFO, as far as settings are in it."""
        found = []
        for s in self.servers:
            lines = text(s.control_again().ask("INFO", "everything")).split("\r\n")
            found.append([line.split(",avg_ttl")[0] for line in lines if line.split(":")[0] in FIELDS])
        self.same("INFO", *found)

    def step(self):
        self.rng.choices([f for _, f in self.steps], [w for w, _ in self.steps])[0]()

    # Steps.

    def pairs(self, most=4, waits=True):
        r = self.rng
        pairs = []
        for _ in range(r.choice([1, 1, 1, 1, 2, 2, 3, most])):
            # A transaction cannot wait for the system here.
            name = r.choice([n for n in self.names if waits or n not in ("oom-score-adj", "oom-score-adj-values", "maxclients")])
            pairs += [name.upper() if r.random() < 0.05 else name, r.choice(self.values[name])]
        if r.random() < 0.05:
            pairs += r.choice([pairs[:2], ["nonsense", "1"], ["maxmemory"], ["", ""], [pairs[0], "1"]])
        return pairs

    def set(self):
        words = ["CONFIG", "SET", *self.pairs()]
        self.ask(*words)
        self.ask("CONFIG", "GET", *[w for w in words[2::2]], shape=sorted_pairs)

    def get(self):
        r = self.rng
        patterns = [r.choice(["*", "max*", "MAX*", "*-lru", "slave*", "replica*", "*listpack*", "[a-c]*", "?z", "save", "hz", "", "nonsense", "lua*",
                              "*" + r.choice(self.names)[2:], r.choice(self.names), r.choice(self.names)]) for _ in range(r.choice([1, 1, 2, 3]))]
        self.ask("CONFIG", "GET", *patterns, shape=self.shown)

    def shown(self, reply):
        """The pairs of a CONFIG GET that both servers know and that are not of one server alone."""
        if not isinstance(reply, list):
            return reply
        pairs = zip(map(text, reply[1::2]), reply[2::2])
        return sorted((n, v) for n, v in pairs if n in self.values)

    def everything(self):
        self.ask("CONFIG", "GET", "*", shape=self.shown)
        self.fields()

    def pipeline(self):
        commands = []
        for _ in range(self.rng.randint(2, 6)):
            commands.append(["CONFIG", "SET", *self.pairs(2)] if self.rng.random() < 0.5 else self.command())
        self.batch(commands, self.rng.randrange(CONNECTIONS))

    def transaction(self):
        link = self.rng.randrange(CONNECTIONS)
        commands = [["MULTI"]]
        for _ in range(self.rng.randint(1, 5)):
            words = ["CONFIG", "SET", *self.pairs(2, False)] if self.rng.random() < 0.4 else self.command()
            commands.append(words)
        commands.append(["EXEC"])
        if self.rng.random() < 0.5:
            self.batch(commands, link)
        else:
            for words in commands:
                self.ask(*words, link=link)
                if self.rng.random() < 0.2:
                    other = (link + 1) % CONNECTIONS
                    self.ask(*(["CONFIG", "SET", *self.pairs(2)] if self.rng.random() < 0.7 else self.command()), link=other)
        self.ask("DISCARD", link=link)

    def command(self):
        """A command that settings may refuse, or whose answer depends on them."""
        r = self.rng
        key = r.choice("abcde")
        return r.choice([
            ["SET", key, r.choice(["x", "5", "y" * 70])], ["GET", key], ["DEL", key], ["INCR", key], ["PING"], ["DBSIZE"], ["SET", key, "x", "EX", "1000"],
            ["OBJECT", "ENCODING", key], ["OBJECT", "FREQ", key], ["EXISTS", key], ["RPUSH", "l" + key, "x"], ["SADD", "s" + key, str(r.randint(0, 9))],
            ["HSET", "h" + key, str(r.randint(0, 9)), "v" * r.choice([1, 5, 70])], ["ZADD", "z" + key, "1", "m" * r.choice([1, 5, 70])], ["TYPE", key],
            ["EVAL", "return redis.call('SET', KEYS[1], 'x')", "1", key], ["EVAL", "return redis.call('GET', KEYS[1])", "1", key],
            ["EVAL", "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])", "1", key], ["EVAL", "#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], 'x')", "1", key],
            ["EVAL", "#!lua flags=allow-stale\nreturn 1", "0"], ["EVAL", "#!lua\nreturn redis.pcall('SET', KEYS[1], 'x')", "1", key],
            ["EVAL", "return redis.pcall('CONFIG', 'SET', 'hz', '10')", "0"], ["PFADD", "p" + key, "x", "y"], ["APPEND", key, "x"], ["CONFIG", "RESETSTAT"],
            ["PUBLISH", "c", "x"], ["EXPIRE", key, "1000"], ["PERSIST", key], ["SETRANGE", key, "1048576", "x"], ["SELECT", r.choice("01")], ["SWAPDB", "0", "1"],
            ["SPUBLISH", "c", "x"], ["XADD", "x" + key, "*", "f", "v"][:0] or ["XLEN", "x" + key], ["BITCOUNT", key], ["WAIT", "0", "1"],
        ])

    def calm(self):
        """Back to where commands work."""
        self.ask("CONFIG", "SET", "min-replicas-to-write", "0", "maxmemory", "0", "maxmemory-clients", "0", "import-mode", "no")
        self.ask("FLUSHALL")

    def replica(self):
        """They follow somebody who is not there, and lead again."""
        r = self.rng
        for s in self.servers:
            s.password = text(s.control_again().ask("CONFIG", "GET", "requirepass")[2])
        self.history.append(("REPLICAOF", "127.0.0.1", "1"))
        for s in self.servers:
            s.control.ask("REPLICAOF", "127.0.0.1", "1")
            # Clients of a primary that is one no more are closed here, so that they look for another one.
            for link in [s.control, *s.links]:
                link.sock.close()
            s.control = s.connect()
            s.links = [s.connect() for _ in range(CONNECTIONS)]
            s.renew()
        for _ in range(r.randint(1, 8)):
            # Not in transactions, whose commands are judged again one by one here; nor scripts, which declare what they need.
            words = self.command()
            r.choice([self.set, self.set, self.everything, lambda: self.ask(*["PING"] if words[0] == "EVAL" else words)])()
        self.history.append(("REPLICAOF", "NO", "ONE"))
        for s in self.servers:
            s.control.ask("REPLICAOF", "NO", "ONE")
            s.renew()
        self.everything()

    def restart(self):
        self.ask("CONFIG", "REWRITE")
        if self.rng.random() < 0.5:
            # What was rewritten can be rewritten.
            self.set()
            self.ask("CONFIG", "REWRITE")
        self.history.append(("restart",))
        for s in self.servers:
            s.again()
        self.everything()

    def probe(self):
        self.rng.choice([self.encodings, self.logs, self.events, self.frequency, self.users, self.clients, self.sizes, self.memory, self.tracking,
                         self.latency, self.resized])()

    # Probes: what a setting is for.

    def now(self, *pairs):
        """A setting that is to be in force for what follows in the same pipeline."""
        return ["CONFIG", "SET", *pairs]

    def encodings(self):
        r = self.rng
        names = [n for n in self.names if "listpack" in n or "intset" in n or n.startswith("stream-node") or n == "hll-sparse-max-bytes"]
        name = r.choice(names)
        commands = [self.now(name, r.choice(self.values[name]))]
        n = r.choice([1, 2, 3, 4, 5, 6, 9, 17, 65, 101, 129, 200])
        size = r.choice([1, 1, 2, 4, 8, 16, 63, 64, 65, 100])
        numbers = [str(i) for i in range(n)]
        elements = [i.rjust(size, "e") for i in numbers]
        fill = {
            "h": ["HSET", "h", *[w for e in elements for w in (e[:r.choice([3, size])], e)]], "z": ["ZADD", "z", *[w for e in elements for w in ("1", e)]],
            "s": ["SADD", "s", *r.choice([numbers, elements])], "l": ["RPUSH", "l", *elements], "p": ["PFADD", "p", *elements]}
        for key in "hzslp":
            commands += [["DEL", key], fill[key], ["OBJECT", "ENCODING", key]]
        commands += [["SETRANGE", "p", "0", "H"], ["GETRANGE", "p", "4", "4"], ["DEBUG", "RELOAD", "NOSAVE", "NOFLUSH"][:0] or ["PING"]]
        commands += [["DEL", "x"], *[["XADD", "x", f"{i}-1", "f", "v"] for i in range(1, min(n, 20) + 1)], ["XTRIM", "x", "MAXLEN", "~", "3"], ["XLEN", "x"]]
        commands += [["DEL", "s2"], ["SUNIONSTORE", "s2", "s"], ["OBJECT", "ENCODING", "s2"], ["ZUNIONSTORE", "z2", "2", "z", "s"], ["OBJECT", "ENCODING", "z2"]]
        self.batch(commands)

    def logs(self):
        r = self.rng
        name = r.choice([n for n in self.names if n.startswith(("slowlog", "commandlog"))])
        kinds = ["slow", "large-request", "large-reply"]
        size = r.choice([1, 5, 60, 100, 500, 2000])
        self.batch([["COMMANDLOG", "RESET", k] for k in kinds] + [self.now(name, r.choice(self.values[name])), ["ECHO", "x" * size], ["SET", "log", "y" * size], ["GET", "log"], ["PING"]])
        for kind in kinds:
            self.ask("COMMANDLOG", "LEN", kind)
            self.ask("COMMANDLOG", "GET", r.choice(["-1", "2", "0"]), kind, shape=lambda reply, kind=kind: entries(reply, kind))

    def events(self):
        r = self.rng
        for s in self.servers:
            s.heard()
        name = "notify-keyspace-events"
        self.batch([self.now(name, r.choice(self.values[name])), ["DEL", "e"], ["SET", "e", "1"], ["INCR", "e"], ["GET", "nothing"], ["EXPIRE", "e", "100"], ["RENAME", "e", "f"],
                    ["SET", "f", "x", "PX", "1"], ["DEBUG", "SLEEP", "0.003"], ["EXISTS", "f"], ["LPUSH", "le", "x"], ["LPOP", "le"], ["HSET", "he", "a", "b"], ["ZADD", "ze", "1", "x"],
                    ["SADD", "se", "x"], ["DEL", "he", "ze", "se"]])
        self.heard()

    def frequency(self):
        r = self.rng
        name = "maxmemory-policy"
        # What was noted by another policy means nothing, and is not to be compared.
        self.batch([["DEL", "q"], self.now(name, r.choice(self.values[name])), ["SET", "q", "x"], ["OBJECT", "FREQ", "q"], ["GET", "q"], ["OBJECT", "FREQ", "q"], ["OBJECT", "IDLETIME", "q"],
                    ["DEL", "q", "r"], self.now(name, r.choice(self.values[name])), ["SET", "q", "y"], ["LPUSH", "r", "x"], ["OBJECT", "FREQ", "r"], ["OBJECT", "IDLETIME", "r"],
                    ["INFO", "nothing"]])

    def users(self):
        r = self.rng
        self.batch([self.now("acl-pubsub-default", r.choice(self.values["acl-pubsub-default"])), ["ACL", "DELUSER", "u"], ["ACL", "SETUSER", "u", "on", ">p", "+@all", "~*"],
                    ["ACL", "GETUSER", "u"], ["ACL", "DRYRUN", "u", "PUBLISH", "c", "x"],
                    self.now("requirepass", r.choice(self.values["requirepass"])), ["ACL", "GETUSER", "default"], ["PING"], ["ACL", "LIST"],
                    self.now("acllog-max-len", r.choice(["0", "1", "2", "128"])), ["AUTH", "nobody", "x"], ["AUTH", "nobody2", "x"], ["AUTH", "nobody3", "x"]])
        self.ask("ACL", "LOG", shape=lambda reply: [reply[0], [[text(m) for m in e[1:] if isinstance(m, bytes) and m[:1] == b"$"][:6] for e in reply[1:]]]
                 if isinstance(reply, list) else reply)
        if r.random() < 0.5:
            self.batch([self.now("requirepass", ""), ["ACL", "LIST"]])
        # A new connection.
        for s in self.servers:
            s.password = ""
            s.links[2].sock.close()
            s.links[2] = s.connect()
        self.history.append((2, "connect"))
        self.batch([["PING"], ["GET", "a"], ["NOSUCH"], ["GET"], ["HELLO", "3"], ["HELLO", "2"]], 2, shape=lambda reply: reply[:1] if isinstance(reply, list) else reply)
        for s in self.servers:
            s.renew()
            s.links[2].sock.close()
            s.links[2] = s.connect()

    def clients(self):
        """No more clients than may be."""
        r = self.rng
        most = r.choice([1, 2, CONNECTIONS + 1, CONNECTIONS + 2, CONNECTIONS + 3, CONNECTIONS + 4])
        for link in range(CONNECTIONS):
            self.fresh(link)
        self.settle()
        self.ask("CONFIG", "SET", "maxclients", str(most))
        said = []
        for s in self.servers:
            new = [Link(s.port) for _ in range(3)]
            mine = []
            for link in new:
                try:
                    mine.append(link.ask("PING"))
                except (EOFError, ConnectionError):
                    mine.append(b"closed")
            for link in new:
                link.sock.close()
            said.append(mine)
        self.history.append(("three new connections",))
        self.same("three new connections", *said)
        self.ask("CONFIG", "SET", "maxclients", "10000")
        self.settle()

    def settle(self):
        """Waits until connections that have been closed are known to be gone."""
        for s in self.servers:
            for _ in range(400):
                if s.control.ask("CLIENT", "LIST").count(b" addr=") <= CONNECTIONS + 2:
                    break
                time.sleep(0.005)

    def sizes(self):
        """The longest argument, and the longest string."""
        r = self.rng
        self.fresh(1)
        limit = r.choice([1048576, 2097152, 1048577])
        self.ask("CONFIG", "SET", "proto-max-bulk-len", str(limit))
        length = limit + r.choice([-1, 0, 1])
        # Who is refused may find the connection closed before it has read why.
        refused = lambda reply: b"closed" if b"Protocol error" in reply else reply
        self.ask("SET", "long", "x" * length, link=1, shape=refused)
        self.batch([["STRLEN", "long"], ["APPEND", "long", "x"], ["SETRANGE", "long", str(limit - 1), "xx"], ["SETBIT", "bits", str(limit * 8), "1"],
                    self.now("proto-max-bulk-len", "512mb"), ["APPEND", "long", "x"], ["DEL", "long", "bits"]])
        limit = r.choice([1048576, 2097152])
        self.fresh(1)
        self.ask("CONFIG", "SET", "client-query-buffer-limit", str(limit))
        self.ask("SET", "long", "x" * r.choice([limit // 2, limit * 3]), link=1, shape=refused)
        self.ask("CONFIG", "SET", "client-query-buffer-limit", "1gb")
        self.ask("DEL", "long")
        self.fresh(1)

    def fresh(self, link):
        """Another connection in the place of one that may be closed."""
        for s in self.servers:
            s.links[link].sock.close()
            s.password = text(s.control.ask("CONFIG", "GET", "requirepass")[2])
            s.links[link] = s.connect()

    def memory(self):
        r = self.rng
        some = [["FLUSHALL"], ["SET", "m1", "x"], ["SET", "m2", "x", "EX", "1000"], ["HSET", "m3", "f", "v"]] if r.random() < 0.5 else []
        # All that is to go goes before the command.
        self.ask("CONFIG", "SET", "maxmemory-eviction-tenacity", "100")
        policy = r.choice(self.values["maxmemory-policy"][:8])
        self.batch(some + [self.now("maxmemory-policy", policy, "maxmemory", r.choice(["1", "1", "100gb", "0"])), ["SET", "m4", "x"], ["GET", "m1"], ["DEL", "m1"], ["DBSIZE"],
                           ["LPUSH", "m5", "x"], ["EVAL", "return redis.call('SET', KEYS[1], 'x')", "1", "m6"], ["MULTI"], ["SET", "m7", "x"], ["EXEC"]])
        if r.random() < 0.7:
            self.batch([self.now("maxmemory", "0"), ["SET", "m8", "x"], ["DBSIZE"]])

    def tracking(self):
        r = self.rng
        self.batch([["CLIENT", "TRACKING", "ON"], ["HELLO", "2"], self.now("tracking-table-max-keys", r.choice(["0", "1", "2", "100"])), ["GET", "t1"], ["GET", "t2"], ["GET", "t3"]],
                   1, shape=lambda reply: reply[:1] if isinstance(reply, list) else reply)
        self.ask("PING", link=1)
        self.fields()
        self.batch([["CLIENT", "TRACKING", "OFF"], self.now("tracking-table-max-keys", "1000000")], 1)

    def latency(self):
        r = self.rng
        name = "latency-monitor-threshold"
        # A machine that is busy has events of its own; and a threshold near the end of 64 bits wraps around there, so
        # that every command makes one.
        self.batch([self.now(name, "0")])
        self.ask("LATENCY", "RESET", shape=lambda reply: b"")
        self.batch([self.now(name, r.choice(["0", "5", "1000"])), ["DEBUG", "SLEEP", "0.01"]])
        self.ask("LATENCY", "LATEST", shape=lambda reply: [text(e[1]) for e in reply[1:] if e[1] == b"$7\r\ncommand\r\n"])
        self.batch([self.now(name, "0"), ["CONFIG", "RESETSTAT"], self.now("latency-tracking", r.choice(["yes", "no"])), ["GET", "a"], ["GET", "a"]])
        self.ask("LATENCY", "HISTOGRAM", "get", shape=lambda reply: len(reply))
        self.ask("INFO", "latencystats", shape=lambda reply: sorted(w.split(":")[0] for w in text(reply).split("\r\n") if "get" in w))

    def resized(self):
        """Limits that shrink below what is there."""
        r = self.rng
        self.batch([["DEL", "h1", "s1", "z1"], self.now("hash-max-listpack-entries", "128", "set-max-intset-entries", "128", "zset-max-listpack-entries", "128",
                                                       "hash-max-listpack-value", "64", "zset-max-listpack-value", "64"),
                    ["HSET", "h1", "a", "1", "b", "2", "c", "3"], ["SADD", "s1", "1", "2", "3"], ["ZADD", "z1", "1", "a", "2", "b", "3", "c"],
                    self.now("hash-max-listpack-entries", "2", "set-max-intset-entries", "2", "zset-max-listpack-entries", "2"),
                    *[["OBJECT", "ENCODING", k] for k in ("h1", "s1", "z1")],
                    *r.choice([[["HSET", "h1", "a", "5"], ["SADD", "s1", "1"], ["ZADD", "z1", "5", "a"]], [["HDEL", "h1", "a"], ["SREM", "s1", "1"], ["ZREM", "z1", "a"]],
                               [["HINCRBY", "h1", "a", "1"], ["SMOVE", "s1", "s2", "1"], ["ZINCRBY", "z1", "1", "a"]],
                               [["HSETNX", "h1", "a", "1"], ["SADD", "s1", "4"], ["ZADD", "z1", "NX", "5", "a"]], [["COPY", "h1", "h2"], ["COPY", "s1", "s3"], ["COPY", "z1", "z3"]],
                               [["HSET", "h1", "d", "1"], ["SINTERSTORE", "s1", "s1"], ["ZUNIONSTORE", "z1", "1", "z1"]]]),
                    *[["OBJECT", "ENCODING", k] for k in ("h1", "s1", "z1", "h2", "s3", "z3")], ["DEL", "h2", "s3", "z3", "s2"]])


def encoded(words):
    words = [w.encode("latin1") for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def sorted_pairs(reply):
    return sorted(zip(reply[1::2], reply[2::2])) if isinstance(reply, list) else reply


def entries(reply, kind):
    """Of the entries of a log what does not depend on clocks and numbers of connections. They are numbered from the first
    on, for of a transaction each server logs something else."""
    if not isinstance(reply, list):
        return reply
    first = min([int(e[1][1:]) for e in reply[1:]], default=0)
    steady = lambda e: kind != "slow" and text(e[4][1]) in ("ECHO", "SET", "GET", "PING")
    return [[int(e[1][1:]) - first, steady(e) and e[3], e[4], e[6]] for e in reply[1:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours")
    parser.add_argument("theirs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--port", type=int, default=26100)
    o = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        play = None
        try:
            play = Play(o.seed, [o.ours, o.theirs], o.port, folder)
            for _ in range(o.steps):
                play.step()
        finally:
            for s in play.servers if play else []:
                s.end()
    print(f"{o.steps} steps of seed {o.seed}: settings are the same, and do the same")


if __name__ == "__main__":
    main()
