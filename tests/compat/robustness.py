#!/usr/bin/env python3
"""Random calls made from the server's own COMMAND DOCS, by many clients, for as long as asked: no crash, no lost reply,
no leak, and a replica that has the same data.

    robustness.py SERVER [--seconds N] [--seed N] [--clients N] [--port PORT]

Starts SERVER twice, as a primary and as its replica, in folders of their own. The run has rounds. In each the clients send
batches, RESP2 and RESP3, plain and in transactions, valid by the argument trees and nearly so; each batch must get one
well-formed reply after the other. Between rounds everybody stops: a PING on every connection, the same DEBUG DIGEST on both
servers, no panic in a log; then all data, functions, scripts and users are removed, and the memory in use must be what it was
after the first round, within a bound. Exits with 1 and what led there. What is not sent, and why: random_calls.py.
"""
import argparse
import collections
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from wire import Link
from random_calls import SETTINGS, Calls

# How far memory may be from what it was after the first round, in bytes: buffers and tables that are kept on purpose.
SPARE = 3 << 20
# After how many seconds without an answer a reply counts as lost, and how often somebody looks whether its client waits for a key.
PATIENCE = 10
LOOK = 0.25
# How payloads of DUMP end, before their checksum: the versions that are written.
DUMPED = (b"\x0b\x00", b"\x50\x00")
ROUNDS = 4


class Trouble(Exception):
    """What the test is there to find."""


class Client(Link):
    """A connection that insists on well-formed replies."""

    KINDS = b"+-:$*_,#(=!~%>|"

    def __init__(self, port, silent=None):
        super().__init__(port)
        # Where what is not read yet begins: replies are long, and copied once.
        self.at = 0
        self.silent = silent
        self.sock.settimeout(LOOK if silent else 30)

    def line(self):
        while (end := self.buf.find(b"\r\n", self.at)) < 0:
            self.fill()
        line, self.at = self.buf[self.at:end], end + 2
        return line

    def take(self, n):
        while len(self.buf) - self.at < n:
            self.fill()
        self.at += n
        return self.buf[self.at - n:self.at]

    def fill(self):
        """Waits for more; asks `silent`, when there is one, what to make of it that nothing comes."""
        since, self.buf, self.at = time.monotonic(), self.buf[self.at:], 0
        while True:
            try:
                return super().fill()
            except TimeoutError:
                if not self.silent:
                    raise
                self.silent(time.monotonic() - since)

    def send_all(self, calls):
        """Sends them while it takes what comes: who does not read is not read from for ever."""
        data = memoryview(b"".join(encoded(words) for words in calls))
        while data:
            readable, writable, _ = select.select([self.sock], [self.sock], [], PATIENCE)
            if readable:
                super().fill()
            elif writable:
                data = data[self.sock.send(data):]
            else:
                raise Trouble(f"the server has not read for {PATIENCE} s")

    def reply(self):
        line = self.line()
        if line[:1] not in self.KINDS or not line:
            raise Trouble(f"no reply begins like this: {line[:100]!r}")
        kind, rest = line[:1], line[1:]
        if kind in b"$=!" and rest != b"-1":
            body = self.take(int(rest) + 2)
            if body[-2:] != b"\r\n":
                raise Trouble(f"a string of {rest} bytes does not end: {body[:100]!r}")
            return body[:-2]
        if kind in b"*~%>|" and rest != b"-1":
            parts = [self.reply() for _ in range(int(rest) * (2 if kind in b"%|" else 1))]
            if kind == b"|":
                return self.reply()
            return dict(zip(parts[::2], parts[1::2])) if kind == b"%" and all(isinstance(p, bytes) for p in parts[::2]) else parts
        return line if kind in b"-" else line[1:]


def encoded(words):
    words = [w if isinstance(w, bytes) else w.encode("latin1") for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def readable(value):
    if isinstance(value, dict):
        return {readable(k): readable(v) for k, v in value.items()}
    return [readable(v) for v in value] if isinstance(value, list) else value.decode("latin1")


class Server:
    """A process, its log, and a connection to ask it things."""

    def __init__(self, binary, port, folder, *args):
        self.port, self.log = port, Path(folder) / "log"
        self.process = subprocess.Popen(
            [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder, "--enable-debug-command", "local", *args],
            stdout=self.log.open("w"), stderr=subprocess.STDOUT)
        self.link, self.lock = None, threading.Lock()
        for _ in range(200):
            self.check()
            time.sleep(0.05)
            if "Ready to accept connections" in self.log.read_text():
                return
        raise Trouble(f"the server does not answer: {self.log.read_text()[-2000:]}")

    def ask(self, *words):
        """Asks on a connection of its own, made anew if somebody has killed it."""
        for attempt in range(20):
            try:
                with self.lock:
                    self.link = self.link or Client(self.port)
                    return self.link.ask(*words)
            except (EOFError, ConnectionError):
                self.link = None
                self.check()
        raise Trouble("the server has closed twenty connections in a row")

    def info(self, field):
        for line in self.ask("INFO", "everything").decode("latin1").split("\r\n"):
            if line.startswith(field + ":"):
                return line.split(":", 1)[1]
        raise Trouble(f"INFO has no {field}")

    def check(self):
        if self.process.poll() is not None:
            raise Trouble(f"the server has ended ({self.process.poll()}): {self.log.read_text()[-3000:]}")
        text = self.log.read_text(errors="replace")
        if "panicked" in text or "Sanitizer" in text:
            at = max(text.find("panicked"), text.find("Sanitizer"))
            raise Trouble(f"the log has a panic: {text[max(0, at - 300):at + 1500]}")


class Worker:
    """One client; what it has sent in this round is kept for whoever asks why."""

    def __init__(self, number, server, calls, seed, payloads):
        self.server, self.calls, self.payloads = server, calls, payloads
        self.rng = random.Random(seed * 1000 + number)
        self.client = Client(server.port, self.silent)
        self.sent = collections.deque(maxlen=200000)
        self.count, self.lost, self.trouble, self.batch_now = 0, 0, None, []

    def run(self, until):
        try:
            while time.monotonic() < until:
                self.batch()
        except Exception as e:
            self.trouble = e if isinstance(e, Trouble) else Trouble(f"{type(e).__name__}: {e}")

    def batch(self):
        rng = self.rng
        calls = self.calls.batch(rng, self.payloads)
        mark = f"mark {rng.random()}"
        head = [["HELLO", "3"]] if rng.random() < 0.5 else []
        # Whatever state the calls have brought the connection into, it comes back from it.
        tail = [["CLIENT", "REPLY", "ON"], ["RESET"], ["ECHO", mark]]
        now = time.monotonic()
        self.sent.extend((now, c) for c in calls)
        self.count += len(calls)
        try:
            self.batch_now = calls
            self.client.send_all(head + calls + tail)
            self.read(mark.encode())
        except (EOFError, ConnectionError):
            # QUIT, CLIENT KILL, a limit: the server may close. It must take the next one.
            self.server.check()
            self.lost += 1
            self.client = Client(self.server.port, self.silent)

    def answers(self):
        """A PING is answered, on a new connection if a client that was slower has killed this one."""
        try:
            reply = self.client.ask("PING")
        except (EOFError, ConnectionError):
            self.client = Client(self.server.port, self.silent)
            reply = self.client.ask("PING")
        if reply != b"PONG":
            raise Trouble(f"a connection answers {reply!r} to PING")

    def read(self, mark):
        while (reply := self.client.reply()) != mark:
            if isinstance(reply, bytes) and reply[-10:-8] in DUMPED and self.rng.random() < 0.3:
                self.payloads.append(reply)

    def silent(self, seconds):
        """Nothing has come for so long. Who waits for a key without end is released; else a reply is lost."""
        clients = self.server.ask("CLIENT", "LIST").decode("latin1").splitlines()
        host, port = self.client.sock.getsockname()
        mine = [c for c in clients if f" addr={host}:{port} " in c]
        if not mine:
            raise EOFError
        fields = dict(f.split("=", 1) for f in mine[0].split(" ") if "=" in f)
        if "b" in fields["flags"]:
            self.server.ask("CLIENT", "UNBLOCK", fields["id"], "ERROR")
        elif seconds > PATIENCE:
            raise Trouble(f"no reply for {PATIENCE} s to one of {self.batch_now}\n{mine[0]}")


def same_data(primary, replica, workers):
    """The replica has caught up, and has the same digest; else the keys that differ and what was done to them."""
    for attempt in range(40):
        primary.ask("REPLICAOF", "NO", "ONE")
        if primary.ask("WAIT", "1", "5000") == b"1":
            one, two = primary.ask("DEBUG", "DIGEST"), replica.ask("DEBUG", "DIGEST")
            if one == two:
                return
        # Keys past their time are about to go, on the primary first.
        time.sleep(0.25)
    found = []
    for db in range(16):
        for server in (primary, replica):
            server.ask("SELECT", str(db))
        keys = sorted({k for server in (primary, replica) for k in server.ask("KEYS", "*")})
        for key in keys:
            views = [(s.ask("TYPE", key), s.ask("PTTL", key), s.ask("DEBUG", "DIGEST-VALUE", key), s.ask("DUMP", key)) for s in (primary, replica)]
            if views[0][2] != views[1][2]:
                found.append((db, key, views))
    for server in (primary, replica):
        server.ask("SELECT", "0")
    if not found:
        raise Trouble(f"the digests differ ({one}, {two}), no key does; link {replica.info('master_link_status')}")
    db, key, views = found[0]
    word = key.decode("latin1")
    history = sorted((at, n, c) for n, w in enumerate(workers) for at, c in w.sent if word in c or c[:2] == ["DEBUG", "RELOAD"] or c[0].upper() in ("SWAPDB", "FLUSHALL"))
    lines = "\n".join(f"  {n} {c}"[:300] for _, n, c in history[-60:])
    raise Trouble(f"{[(d, k) for d, k, _ in found]} differ\nprimary {views[0]}\nreplica {views[1]}\n{lines}")


def cleaned(server):
    """Removes all that the clients have made; then gives the memory in use, when it no longer falls."""
    for words in (["FLUSHALL", "SYNC"], ["FUNCTION", "FLUSH"], ["SCRIPT", "FLUSH"], ["SLOWLOG", "RESET"], ["LATENCY", "RESET"], ["ACL", "LOG", "RESET"],
                  ["COMMANDLOG", "RESET", "large-request"], ["COMMANDLOG", "RESET", "large-reply"], ["CONFIG", "RESETSTAT"],
                  ["ACL", "DELUSER", "alice", "bob", "carol", "x y"], ["MEMORY", "PURGE"]):
        server.ask(*words)
    for user in server.ask("ACL", "USERS"):
        if user != b"default":
            server.ask("ACL", "DELUSER", user)
    least, still = None, 0
    while still < 5:
        time.sleep(0.3)
        used = int(server.info("used_memory")) - int(server.info("mem_replication_backlog"))
        still = still + 1 if least is not None and used > least - 10000 else 0
        least = used if least is None else min(least, used)
    return least


def run(o, folder):
    folders = [Path(folder) / name for name in ("primary", "replica")]
    for place in folders:
        place.mkdir()
    primary = Server(o.server, o.port, str(folders[0]), "--repl-diskless-sync-delay", "0")
    servers = [primary]
    try:
        replica = Server(o.server, o.port + 1, str(folders[1]), "--replicaof", "127.0.0.1", str(o.port))
        servers.append(replica)
        while primary.ask("WAIT", "1", "5000") != b"1":
            primary.check()
        asker = Client(o.port)
        asker.ask("HELLO", "3")
        calls = Calls(readable(asker.ask("COMMAND", "DOCS")), readable(asker.ask("COMMAND", "INFO")))
        settings = readable(asker.ask("CONFIG", "GET", "*"))
        payloads = collections.deque(maxlen=500)
        workers = [Worker(n, primary, calls, o.seed, payloads) for n in range(o.clients)]
        first = None
        for number in range(ROUNDS):
            began = time.monotonic()
            threads = [threading.Thread(target=w.run, args=[began + o.seconds / ROUNDS], daemon=True) for w in workers]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            for server in servers:
                server.check()
            for w in workers:
                if w.trouble:
                    raise w.trouble
                w.answers()
            for name in SETTINGS:
                if name in settings:
                    primary.ask("CONFIG", "SET", name, settings[name])
            same_data(primary, replica, workers)
            for w in workers:
                w.sent.clear()
            used = cleaned(primary)
            first = first or used
            if used > first + SPARE:
                raise Trouble(f"{used} bytes are in use after round {number + 1} with nothing left, {first} after the first")
            print(f"round {number + 1}: {sum(w.count for w in workers)} calls, {sum(w.lost for w in workers)} connections closed, "
                  f"digests agree, {used} bytes in use when empty", flush=True)
    finally:
        for server in servers:
            server.process.kill()
            server.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("server", help="the server's binary")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--port", type=int, default=21900, help="this and the next")
    o = parser.parse_args()
    # The servers end with us, whoever ends us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with tempfile.TemporaryDirectory(prefix="tanist-robustness-") as folder:
        try:
            run(o, folder)
        except Trouble as trouble:
            sys.exit(f"seed {o.seed}: {trouble}")


main()
