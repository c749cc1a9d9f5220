#!/usr/bin/env python3
"""Gives a server payloads of RESTORE and snapshots that are wrong: each is refused or makes a value, and nothing ends the
server, holds it up or fills its memory.

    corrupt_payloads.py SERVER [--seconds N] [--seed N] [--port PORT]

SERVER is a binary that is a server when it is called redis-server. The payloads are those that Redis' own suite collects
(fetched as redis_suite.py fetches it, nothing of it is kept here), and for N seconds dumps of values of every type with
bytes changed, cut off or added; the snapshots are the suite's. What is taken is read, changed, copied, saved and loaded
again: it must be a value like any other. Checksums are not looked at, so that what is in a payload can be wrong. Exits with
1 and the payload at the first that is not so.
"""
import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import redis_suite
from wire import Link, text

ROOM = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", redis_suite.HERE.parent.parent / "target")) / "redis-suite"
# A payload of a few hundred bytes may neither keep nor, for a moment, take more than this beyond what was there.
KEPT_KB, TAKEN_KB = 100_000, 300_000
REPLY_SECONDS = 10
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "a": "\a", "v": "\v", "f": "\f"}

# Snapshots of the suite that Redis refuses as well.
REFUSED = {"corrupt_ziplist.rdb"}

READS = {
    "string": ["GET k", "STRLEN k", "GETRANGE k 0 -1", "BITCOUNT k", "PFCOUNT k", "LCS k k LEN"],
    "list": ["LLEN k", "LRANGE k 0 -1", "LINDEX k -1", "LINDEX k 3", "LPOS k x MAXLEN 0"],
    "set": ["SCARD k", "SMEMBERS k", "SISMEMBER k 5", "SRANDMEMBER k -20", "SSCAN k 0 COUNT 1000", "SINTER k k"],
    "hash": ["HLEN k", "HGETALL k", "HGET k a", "HSTRLEN k a", "HRANDFIELD k -20 WITHVALUES", "HSCAN k 0 COUNT 1000",
        "HTTL k FIELDS 1 a"],
    "zset": ["ZCARD k", "ZRANGE k 0 -1 WITHSCORES", "ZRANGE k -inf +inf BYSCORE", "ZLEXCOUNT k - +", "ZRANK k a",
        "ZSCAN k 0 COUNT 1000", "ZRANDMEMBER k -20 WITHSCORES", "ZUNION 2 k k"],
    "stream": ["XLEN k", "XRANGE k - +", "XREVRANGE k + -", "XREAD STREAMS k 0", "XINFO STREAM k FULL COUNT 0",
        "XINFO GROUPS k", "XINFO CONSUMERS k mygroup", "XPENDING k mygroup - + 100"],
}
WRITES = {
    "string": ["APPEND k tail", "SETRANGE k 3 mid", "SETBIT k 70 1", "INCR k", "INCRBYFLOAT k 1", "PFADD k x y",
        "PFMERGE k k", "BITFIELD k INCRBY u8 0 1", "GETEX k PERSIST"],
    "list": ["LPUSH k 1 two", "RPUSH k 3 four", "LSET k 1 five", "LINSERT k BEFORE two six", "LREM k 0 7",
        "LTRIM k 1 -2", "RPOPLPUSH k k", "LPOP k", "RPOP k", "SORT k ALPHA STORE k"],
    "set": ["SADD k 1 two 70000", "SREM k 1", "SMOVE k k2 two", "SUNIONSTORE k2 k k", "SINTERSTORE k2 k k",
        "SPOP k 2", "SADD k " + " ".join(map(str, range(600)))],
    "hash": ["HSET k a 1 b two", "HINCRBY k c 5", "HDEL k b", "HEXPIRE k 100 FIELDS 1 a", "HPERSIST k FIELDS 1 a",
        "HSETEX k EX 100 FIELDS 1 d e", "HSET k long " + "x" * 100, "HGETDEL k FIELDS 1 a"],
    "zset": ["ZADD k 1 a 2.5 b -inf c", "ZINCRBY k 5 a", "ZREM k b", "ZREMRANGEBYRANK k 0 0",
        "ZREMRANGEBYSCORE k -inf 1", "ZUNIONSTORE k2 2 k k WEIGHTS 1 2", "ZPOPMIN k", "ZPOPMAX k",
        "ZADD k 3 " + "m" * 100],
    "stream": ["XADD k * a b", "XADD k * item 5 value 6", "XTRIM k MAXLEN 3", "XGROUP CREATE k g2 0",
        "XREADGROUP GROUP mygroup Alice COUNT 5 STREAMS k >", "XREADGROUP GROUP mygroup Bob STREAMS k 0",
        "XAUTOCLAIM k mygroup Bob 0 0", "XCLAIM k mygroup Bob 0 1-1 FORCE", "XACK k mygroup 1-1",
        "XSETID k 99999999999999-1", "XGROUP DELCONSUMER k mygroup Alice", "XDEL k 1-1", "XGROUP DESTROY k mygroup",
        "XTRIM k MINID ~ 5"],
}
ALWAYS = ["TYPE k", "OBJECT ENCODING k", "DEBUG OBJECT k", "MEMORY USAGE k SAMPLES 0", "DEBUG DIGEST-VALUE k",
          "COPY k k2 REPLACE", "DUMP k2"]


def unescaped(word):
    """The bytes that a word of Tcl in double quotes stands for."""
    def one(match):
        code = match.group(1)
        if code[0] == "x" and len(code) > 1:
            return chr(int(code[1:], 16))
        return chr(int(code, 8) & 255) if code[0] in "01234567" else ESCAPES.get(code, code)
    return re.sub(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", one, word, flags=re.S).encode("latin1")


def collected(suite):
    """The payloads of the suite, each with the name of its test."""
    name = None
    for line in (suite / "tests/integration/corrupt-dump.tcl").read_text(encoding="latin1").splitlines():
        found = re.match(r"\s*test \{(.*)\} \{", line)
        name = found.group(1) if found else name
        for word in re.findall(r'(?i)(?:\br restore \S+ 0|set corrupt_payload\S*) "((?:[^"\\]|\\.)*)"', line):
            yield name, unescaped(word)


class Server:
    """A process with a client, and what it needed when it had no data."""

    def __init__(self, program, port, folder, file=None):
        (folder / "redis-server").symlink_to(program)
        if file is not None:
            (folder / "dump.rdb").write_bytes(file.read_bytes())
        self.log, self.port = folder / "log", port
        settings = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "logfile": self.log,
                    "enable-debug-command": "yes", "set-max-listpack-entries": 8}
        words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        self.process = subprocess.Popen([folder / "redis-server", *words], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.STDOUT)
        self.link = None
        for _ in range(200):
            if self.process.poll() is not None:
                return
            try:
                self.link = Link(port)
                if self.link.ask("PING") == b"+PONG":
                    break
            except OSError:
                time.sleep(0.05)
        self.link.sock.settimeout(REPLY_SECONDS)
        self.link.ask("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1")
        self.start = self.memory("VmRSS")

    def memory(self, field):
        return int(re.search(field + r":\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text()).group(1))

    def ask(self, *words):
        return self.link.ask(*words)

    def end(self):
        self.process.kill()
        self.process.wait()


def attempt(server, payload):
    """Restores a payload and does with the value all that can be done. Gives whether it was taken."""
    server.ask("FLUSHALL")
    if server.ask("RESTORE", "k", "0", payload) != b"+OK":
        assert server.ask("EXISTS", "k") == b":0", "refused, and there all the same"
        return False
    kind = text(server.ask("TYPE", "k"))
    used(server, kind)
    server.ask("FLUSHALL")
    # The whole again, to be saved and loaded: it must be what it was.
    server.ask("RESTORE", "k", "0", payload)
    before = server.ask("DEBUG", "DIGEST")
    # Fields past their time are not loaded.
    whole = kind != "hash" or b":%d" % (len(server.ask("HGETALL", "k")) // 2) == server.ask("HLEN", "k")
    assert server.ask("DEBUG", "RELOAD") == b"+OK", "what was taken cannot be loaded again"
    assert not whole or server.ask("DEBUG", "DIGEST") == before, "saved and loaded, it is another value"
    used(server, kind)
    return True


def used(server, kind):
    for line in [*ALWAYS, *READS[kind], *WRITES[kind], *READS[kind], *ALWAYS]:
        server.ask(*line.split(" "))
    assert server.ask("PING") == b"+PONG", "replies are out of step"


def bounded(server):
    kept, taken = server.memory("VmRSS") - server.start, server.memory("VmHWM") - server.start
    assert kept < KEPT_KB and taken < TAKEN_KB, f"{kept} kB more are kept, {taken} kB more were taken"


def made(server, rng):
    """Dumps of values of every type and encoding."""
    server.ask("FLUSHALL")
    dumps = []
    for size in (1, 3, 20, 300):
        values = [str(i) if i % 2 else f"_{i}" for i in range(size)]
        twice, times = [w for v in values for w in (v, v)], ["FIELDS", str(size)]
        scored = [w for v in values for w in (str(rng.random()), v)]
        lines = [["SET", "str", "x" * size], ["SET", "int", str(size)], ["PFADD", "hll", *values],
                 ["RPUSH", "list", *values], ["SADD", "set", *values], ["SADD", "ints", *map(str, range(size))],
                 ["HSET", "hash", *twice], ["ZADD", "zset", *scored], ["HSETEX", "times", "EX", "1000", *times, *twice]]
        lines += [["XADD", "stream", f"{i + 1}-1", "item", "1", *(["value", v] if i % 5 else [])]
                  for i, v in enumerate(values)]
        lines += [["XGROUP", "CREATE", "stream", "mygroup", "0"], ["XDEL", "stream", "1-1"],
                  ["XREADGROUP", "GROUP", "mygroup", "Alice", "COUNT", "2", "STREAMS", "stream", ">"]]
        for words in lines:
            server.ask(*words)
        names = ["str", "int", "hll", "list", "set", "ints", "hash", "zset", "times", "stream"]
        dumps += [server.ask("DUMP", name).split(b"\r\n", 1)[1][:-2] for name in names]
        server.ask("FLUSHALL")
    return dumps


def corrupted(rng, dump):
    data = bytearray(dump)
    # The version and the checksum, which nobody looks at, stay.
    for _ in range(rng.choice([1, 1, 1, 1, 2, 3])):
        place, what = rng.randrange(max(1, len(data) - 10)), rng.random()
        if what < 0.8:
            one = data[place] ^ 1 << rng.randrange(8)
            data[place] = rng.choice([rng.randrange(256), 0, 0xFF, 0x80, 0x7F, one])
        elif what < 0.9:
            del data[place:min(place + rng.randrange(1, 5), len(data) - 10)]
        else:
            data[place:place] = rng.randbytes(rng.randrange(1, 5))
    return bytes(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=26300)
    o = parser.parse_args()
    program, suite, rng = pathlib.Path(o.server).resolve(), redis_suite.fetch(ROOM), random.Random(o.seed)
    with tempfile.TemporaryDirectory() as room:
        folder = pathlib.Path(room) / "server"
        folder.mkdir()
        server = Server(program, o.port, folder)
        payload, taken, count = b"", 0, 0
        try:
            for name, payload in collected(suite):
                for limit in ("8", "128"):
                    for kind in ("hash", "zset"):
                        server.ask("CONFIG", "SET", f"{kind}-max-listpack-entries", limit)
                    taken, count = taken + attempt(server, payload), count + 1
                    bounded(server)
            print(f"of the suite: {count} payloads, of which {taken} were taken")
            dumps, taken, count, end = made(server, rng), 0, 0, time.time() + o.seconds
            for payload in dumps:
                assert attempt(server, payload), "a good payload is refused"
            while time.time() < end:
                payload = corrupted(rng, rng.choice(dumps))
                taken, count = taken + attempt(server, payload), count + 1
                if count % 100 == 0:
                    bounded(server)
            bounded(server)
            print(f"made here: {count} payloads, of which {taken} were taken")
        except (AssertionError, OSError, EOFError) as error:
            print(server.log.read_text(errors="replace")[-500:])
            status = server.process.poll()
            print("the server", "lives" if status is None else f"has ended with {status}")
            sys.exit(f"{type(error).__name__} {error} at {payload!r}")
        finally:
            server.end()
        for file in sorted((suite / "tests/assets").glob("*.rdb")):
            loaded(program, o.port, pathlib.Path(room) / file.name, file)


def loaded(program, port, folder, file):
    """A server that starts with a snapshot of the suite has what is in it; if that is wrong, it may say so and end."""
    folder.mkdir()
    server = Server(program, port, folder, file)
    try:
        status = server.process.poll()
        told = f"{text(server.ask('DBSIZE'))} keys are loaded" if status is None else f"refused with status {status}"
        print(f"{file.name}: {told}")
        if status not in (None, 1) or status == 1 and file.name not in REFUSED:
            sys.exit(server.log.read_text(errors="replace")[-2000:])
    finally:
        server.end()


if __name__ == "__main__":
    main()
