#!/usr/bin/env python3
"""Real clients against a running server, each doing what its users do.

    tests/compat/clients/run.py SERVER [--tanist TANIST] [--port PORT] [--only NAME]

Installs the clients' packages, in the versions named beside this file, into the target folder; starts SERVER for each
program in a folder of its own; says for each whether all that it expects came true. Exit status 1 if not. With TANIST,
the command, also a client of sentinels against a cluster that it starts.
Needs python3 with venv, node with npm, and cargo.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOM = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[2] / "target")) / "compat-clients"
REDIS_RS = ROOM / "redis-rs/debug/redis-rs-client"
LIMIT = 120


def install():
    """Puts the packages where the programs find them; what is there already is left alone."""
    ROOM.mkdir(parents=True, exist_ok=True)
    build = ["cargo", "build", "--quiet", "--manifest-path", HERE / "redis_rs/Cargo.toml", "--target-dir", ROOM / "redis-rs"]
    subprocess.run(build, check=True)
    wanted = (HERE / "requirements.txt").read_text() + (HERE / "package.json").read_text()
    stamp = ROOM / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", ROOM / "venv"], check=True)
    subprocess.run([ROOM / "venv/bin/pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
    shutil.copy(HERE / "package.json", ROOM)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=ROOM, check=True)
    stamp.write_text(wanted)


def start(server, port, folder):
    """A server that answers."""
    args = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    process = subprocess.Popen(args, stdout=open(Path(folder) / "log", "w"), stderr=subprocess.STDOUT)
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
                s.sendall(b"PING\r\n")
                if s.recv(16).startswith(b"+PONG"):
                    return process
        except OSError:
            pass
        time.sleep(0.05)
    process.kill()
    sys.exit(f"the server does not answer; its log is in {folder}")


def programs():
    """Name and command of each program; all take the port, and those that speak both protocols its number."""
    python, node = str(ROOM / "venv/bin/python"), "node"
    yield "redis-py, RESP2", [python, HERE / "redis_py.py"], ["2"]
    yield "redis-py, RESP3", [python, HERE / "redis_py.py"], ["3"]
    yield "celery", [python, HERE / "celery_jobs.py"], []
    yield "ioredis", [node, ROOM / "ioredis.js"], []
    yield "node-redis, RESP2", [node, ROOM / "node_redis.js"], ["2"]
    yield "node-redis, RESP3", [node, ROOM / "node_redis.js"], ["3"]
    yield "bullmq", [node, ROOM / "bullmq.js"], []
    yield "redis-rs, RESP2", [REDIS_RS], ["2"]
    yield "redis-rs, RESP3", [REDIS_RS], ["3"]


def result(command):
    """Whether a program ends well, and what it has said."""
    try:
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
        return done.returncode == 0, done.stdout
    except subprocess.TimeoutExpired as late:
        return False, f"not done after {LIMIT} s\n{late.stdout or ''}"


def report(name, good, text):
    print(f"{'PASS' if good else 'FAIL'} {name}")
    if not good:
        print("    " + "\n    ".join(text.strip().splitlines()[-25:]))
    return good


def with_sentinels(tanist, port):
    """A cluster of a primary, a replica and three sentinels, and a client that knows the sentinels only."""
    with tempfile.TemporaryDirectory(prefix="tanist-clients-") as folder:
        up = ["up", "--detach", "--nodes", "2", "--dir", folder, "--port", port, "--sentinel-port", port + 10, "--name", "group"]
        good, text = result([tanist, *up])
        try:
            if good:
                good, text = result([REDIS_RS, "sentinel", port + 10, "group"])
        finally:
            result([tanist, "down", "--dir", folder])
    return good, text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("server", help="the server's binary")
    parser.add_argument("--tanist", help="the command, to start a cluster with")
    parser.add_argument("--port", type=int, default=21800)
    parser.add_argument("--only", default="", help="only programs with this in their name")
    args = parser.parse_args()
    install()
    # Node looks for packages beside the program.
    for script in HERE.glob("*.js"):
        shutil.copy(script, ROOM)
    failed = 0
    for name, command, rest in programs():
        if args.only not in name:
            continue
        with tempfile.TemporaryDirectory(prefix="tanist-clients-") as folder:
            server = start(args.server, args.port, folder)
            good, text = result([*command, args.port, *rest])
            if server.poll() is not None:
                good, text = False, text + f"\nthe server ended with {server.returncode}"
            server.kill()
            server.wait()
        failed += not report(name, good, text)
    if args.tanist and args.only in "redis-rs, sentinels":
        failed += not report("redis-rs, sentinels", *with_sentinels(args.tanist, args.port + 1))
    sys.exit(1 if failed else 0)


main()
