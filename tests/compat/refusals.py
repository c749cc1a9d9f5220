#!/usr/bin/env python3
"""Tells what a server refuses, in every state in which it may refuse something.

    refusals.py SERVER [--port PORT]

SERVER is a server's program; it is started in a folder of its own. In each state each of the commands is sent alone, in a
transaction, and in one that was queued before the state began. The output has the commands that fare alike everywhere, then
what is said to them (alone, when queued, by EXEC, by EXEC of what was queued before: `ok`, `queued`, or the first word of
the error), each with the states: P a primary, R a replica, W one that may be written to; s that cannot save, f with too few
replicas, m without memory, o whose data are old. What Valkey says is kept in crates/node/src/tests/refusals.txt, and a test of the node
compares it with ours. Left out is PING, which is answered here though nothing can be saved.
"""
import argparse
import itertools
import tempfile
from pathlib import Path

from settings import Server

STATES = {
    "s": ["stop-writes-on-bgsave-error", "yes"],
    "f": ["min-replicas-to-write", "1"],
    "m": ["maxmemory", "1"],
    "o": ["replica-serve-stale-data", "no"],
}
CALM = ["stop-writes-on-bgsave-error", "no", "min-replicas-to-write", "0", "maxmemory", "0", "replica-serve-stale-data", "yes"]
WRITE, READ = "return redis.call('set', 'k', 'v')", "return redis.call('get', 'k')"
FLAGS = ["", "no-writes", "allow-oom", "allow-stale", "no-writes,allow-stale", "allow-oom,allow-stale"]


def line(flags):
    return f"#!lua flags={flags}\n" if flags else "#!lua\n"


def library():
    names = enumerate(FLAGS)
    functions = [f"redis.register_function{{function_name='{kind}{i}', flags={{{','.join(repr(f) for f in flags.split(',') if f)}}}, "
                 f"callback=function() {code} end}}\n" for i, flags in names for kind, code in (("w", WRITE), ("r", READ))]
    return "#!lua name=lib\n" + "".join(functions)


def cases():
    """The commands, each with a name that has no spaces."""
    yield "set", ["SET", "k", "v"]
    yield "del", ["DEL", "none"]
    yield "get", ["GET", "k"]
    yield "publish", ["PUBLISH", "c", "m"]
    yield "pfcount", ["PFCOUNT", "none"]
    yield "info", ["INFO", "server"]
    for kind, code in (("w", WRITE), ("r", READ)):
        yield f"eval:{kind}", ["EVAL", code, "0"]
        yield f"eval_ro:{kind}", ["EVAL_RO", code, "0"]
    yield "eval:del", ["EVAL", "return redis.call('del', 'none')", "0"]
    yield "eval:publish", ["EVAL", "return redis.call('publish', 'c', 'm')", "0"]
    for i, flags in enumerate(FLAGS):
        for kind, code in (("w", WRITE), ("r", READ)):
            yield f"eval[{flags}]:{kind}", ["EVAL", line(flags) + code, "0"]
            yield f"fcall[{flags}]:{kind}", ["FCALL", f"{kind}{i}", "0"]
        yield f"eval_ro[{flags}]:r", ["EVAL_RO", line(flags) + READ, "0"]
        yield f"fcall_ro[{flags}]:r", ["FCALL_RO", f"r{i}", "0"]


def said(reply):
    if isinstance(reply, list):
        return "+".join(map(said, reply[1:]))
    if not reply.startswith(b"-"):
        return "queued" if reply == b"+QUEUED" else "ok"
    word, _, rest = reply[1:].decode().partition(" ")
    return word + ":" + rest.split(": ")[1].split()[0] if word == "EXECABORT" and ": " in rest else word


def states(role):
    """What may hold of a node in this role, each as letters."""
    letters = "sfm" if role == "P" else "sfmo"
    for on in itertools.product((False, True), repeat=len(letters)):
        yield "".join(c for c, is_on in zip(letters, on) if is_on)


def enter(ask, role, state):
    ask("CONFIG", "SET", *CALM, "replica-read-only", "no" if role == "W" else "yes")
    for letter in state:
        ask("CONFIG", "SET", *STATES[letter])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--port", type=int, default=26400)
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(o.server, o.port, f"{folder}/server")
        try:
            show(server)
        finally:
            server.end()


def show(server):
    assert server.control.ask("FUNCTION", "LOAD", library()) == b"$3\r\nlib\r\n"
    fail_to_save(server)
    fates = {name: {} for name, _ in cases()}
    for role in "PRW":
        become(server, role)
        for state in states(role):
            for name, words in cases():
                fates[name][role + state] = fate(server, role, state, words)
    alike = {}
    for name, fate_of in fates.items():
        alike.setdefault(tuple(fate_of.items()), []).append(name)
    for fate_of, names in alike.items():
        print(*names)
        said_in = {}
        for state, words in fate_of:
            said_in.setdefault(words, []).append(state)
        for words, where in said_in.items():
            print(f"    {' '.join(words)}: {' '.join(where)}")


def become(server, role):
    server.control.ask("CONFIG", "SET", *CALM)
    server.control.ask("REPLICAOF", *(["NO", "ONE"] if role == "P" else ["127.0.0.1", "1"]))
    # Who changes its role may hang up.
    server.control, server.links[0] = server.connect(), server.connect()


def fate(server, role, state, words):
    """What becomes of a command in a state."""
    ask, other = server.control.ask, server.links[0].ask
    enter(ask, role, state)
    alone = said(ask(*words))
    ask("MULTI")
    queued, ended = said(ask(*words)), said(ask("EXEC"))
    enter(ask, "W", "")
    ask("MULTI")
    assert said(ask(*words)) == "queued", words
    enter(other, role, state)
    return alone, queued, ended, said(ask("EXEC"))


def fail_to_save(server):
    """Saves in vain: there is a folder where the file should go."""
    ask = server.control.ask
    (server.folder / "dump.rdb" / "in the way").mkdir(parents=True)
    ask("CONFIG", "SET", "save", "3600 1000000")
    ask("BGSAVE")
    while b"rdb_last_bgsave_status:err" not in ask("INFO", "persistence"):
        pass


if __name__ == "__main__":
    main()
