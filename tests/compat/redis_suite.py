#!/usr/bin/env python3
"""Runs Redis' own Tcl suite against a server of ours: nothing of the suite is kept in this repository.

    redis_suite.py SERVER [UNIT...] [--jobs N] [--port N] [--only TEST] [--patience SECONDS] [--accurate] [--verbose]

SERVER is a binary that is a server when it is called redis-server. The suite comes from Debian's source package of
redis, fetched with apt and checked by its signatures, into CARGO_TARGET_DIR (or target/) where the next run finds it.
apt's own state and lists are left alone, so this needs no root unless a package (tcl, dpkg-dev, redis-tools) has to be
installed. UNIT is a name such as unit/type/string, or a part of one; without any, all of UNITS run, each in a folder of
its own whose logs stay until the next run.

Tests that are not to run are listed in redis_suite_disabled.txt with the reason for each; what the suite, which is that
of Redis 7.0, says otherwise than Redis 7.2 and Valkey is replaced as redis_suite_changes.txt tells. Prints what failed
and a table: passed, failed and disabled tests per unit. Exits with 1 when a test fails that is not disabled, when a
unit does not end, when a disabled test or a replaced text does not exist, or when less than PASS_PERCENT of the tests pass.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
DISABLED = HERE / "redis_suite_disabled.txt"
CHANGES = HERE / "redis_suite_changes.txt"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
RELEASE = "bookworm"
PACKAGES = {"tclsh": "tcl", "dpkg-source": "dpkg-dev", "redis-cli": "redis-tools", "redis-benchmark": "redis-tools"}
# Of all tests, those that do not run included.
PASS_PERCENT = 97

# Ports for the servers of one unit; the suite tries them one after the other.
PORTS_PER_UNIT = 200
UNIT_SECONDS = 1500

# How much of a failure is printed; the whole is in the unit's folder.
SHOWN_LINES, SHOWN_WIDTH = 14, 400

# The suites that run, each the leader of a process group, and whether no more are to begin.
running = set()
stopped = threading.Event()

UNITS = """
unit/printver unit/dump unit/auth unit/protocol unit/keyspace unit/scan unit/info unit/info-command unit/type/string
unit/type/incr unit/type/list unit/type/list-2 unit/type/list-3 unit/type/set unit/type/zset unit/type/hash
unit/type/stream unit/type/stream-cgroups unit/sort unit/expire unit/other unit/multi unit/quit unit/aofrw unit/acl
unit/acl-v2 unit/latency-monitor unit/pubsub unit/pubsubshard unit/slowlog unit/scripting unit/functions unit/maxmemory
unit/introspection unit/introspection-2 unit/limits unit/obuf-limits unit/bitops unit/bitfield unit/geo
unit/memefficiency unit/hyperloglog unit/lazyfree unit/wait unit/pause unit/querybuf unit/pendingquerybuf unit/tls
unit/tracking unit/oom-score-adj unit/shutdown unit/networking unit/client-eviction unit/violations unit/replybufsize
""".split()

# What the suite takes for granted and has changed since, in Redis 7.2 (small sets are listpacks) and in Valkey 8
# (memory is freed in the background). And it counts on one thread: what one client has sent is read before what
# another sends later.
CONFIG = {
    "set-max-listpack-entries": "0",
    "lazyfree-lazy-eviction": "no",
    "lazyfree-lazy-expire": "no",
    "lazyfree-lazy-server-del": "no",
    "lazyfree-lazy-user-del": "no",
    "lazyfree-lazy-user-flush": "no",
    "io-threads": "1",
}

LINE = re.compile(r"^\[([^\]]+)\]: ?(.*)$")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def listed(path):
    """The lines of a list per unit, each with its reason, which stands before it; what precedes the first unit is said
    to people."""
    units, unit, reason = {}, None, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("[") and line.endswith("]"):
            unit, reason = line[1:-1], None
            if unit not in UNITS:
                sys.exit(f"{path.name}:{number}: no such unit: {unit}")
        elif line.startswith("# "):
            reason = line[2:]
        elif line and unit is not None:
            if reason is None:
                sys.exit(f"{path.name}:{number}: no reason stands before it")
            units.setdefault(unit, {})[line] = reason
    return units


class Result:
    """What became of the tests of one unit."""

    def __init__(self, unit):
        self.unit = unit
        self.passed, self.skipped, self.ignored, self.failed = [], [], [], []
        self.ended = False

    def read(self, text, disabled):
        details = None
        for line in COLOUR.sub("", text).splitlines():
            match = LINE.match(line)
            if match is None:
                if line.startswith(("Cleanup: ", "                   The End", "Killing still running")):
                    details = None
                elif details is not None:
                    details.append(line)
                continue
            kind, rest, details = *match.groups(), None
            if kind == "ok":
                self.passed.append(re.sub(r" \(\d+ ms\)$", "", rest))
            elif kind in ("err", "exception", "TIMEOUT"):
                details = [rest]
                self.failed.append(details)
            elif kind == "skip":
                self.skipped.append(rest)
            elif kind == "ignore":
                self.ignored.append(rest)
            elif kind.endswith(" done"):
                self.ended = True
        self.unknown = [name for name in disabled if not any(covers(name, test) for test in self.skipped)]

    def good(self):
        return self.ended and not self.failed and not self.unknown

    def row(self):
        return self.unit, len(self.passed), len(self.failed), len(self.skipped)


def covers(name, test):
    return re.search(name[1:], test) is not None if name.startswith("/") else name == test


def main():
    args = arguments()
    server = pathlib.Path(args.server).resolve()
    if not os.access(server, os.X_OK):
        sys.exit(f"{server} is not a program")
    units = [u for u in UNITS if not args.units or any(part == u or u.endswith("/" + part) for part in args.units)]
    if not units:
        sys.exit("no such unit; there are " + ", ".join(UNITS))
    install_missing()
    home = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target")) / "redis-suite"
    source = fetch(home)
    disabled, changes = listed(DISABLED), listed(CHANGES)

    def one(numbered):
        number, unit = numbered
        port = args.port + number % args.jobs * PORTS_PER_UNIT
        folder = home / "run" / unit
        prepare(source, folder, server)
        change(folder / "tests" / f"{unit}.tcl", changes.get(unit, {}))
        result = run(unit, folder, port, disabled.get(unit, {}), args)
        show(result)
        return result

    # A worker takes every n-th unit, so that no two units use the same ports at once.
    def worker(w):
        return [one(numbered) for numbered in list(enumerate(units))[w::args.jobs] if not stopped.is_set()]

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = [r for part in pool.map(worker, range(args.jobs)) for r in part]
    sys.exit(0 if summary(results, whole=not args.only) else 1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", metavar="SERVER")
    parser.add_argument("units", metavar="UNIT", nargs="*")
    parser.add_argument("--jobs", type=int, default=1, help="units that run at once")
    parser.add_argument("--port", type=int, default=22000, help="the first port that servers may take")
    parser.add_argument("--only", action="append", default=[], metavar="TEST", help="a test by its name, or /PATTERN")
    parser.add_argument("--patience", type=int, default=300, help="seconds without a result that end a unit")
    parser.add_argument("--accurate", action="store_true", help="more rounds of the tests with random data")
    parser.add_argument("--verbose", action="store_true", help="keep the suite's own output on the screen")
    args = parser.parse_args()
    args.jobs = max(1, args.jobs)
    return args


def install_missing():
    missing = sorted({package for program, package in PACKAGES.items() if shutil.which(program) is None})
    if missing:
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        subprocess.run([*sudo, "apt-get", "update", "-q"], check=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-qy", "--no-install-recommends", *missing]
        subprocess.run([*sudo, *install], check=True, env=environment)


def fetch(home):
    """The unpacked source package; with apt's state in a folder of ours, so that no list of the system changes."""
    found = sorted(home.glob("redis-7.0.*/tests/test_helper.tcl"))
    if found:
        return found[-1].parent.parent
    apt = home / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    mirror = "http://deb.debian.org/debian"
    pools = [(mirror, RELEASE), (f"{mirror}-security", f"{RELEASE}-security")]
    sources = "".join(f"deb-src [signed-by={KEYRING}] {url} {suite} main\n" for url, suite in pools)
    (apt / "sources.list").write_text(sources)
    (apt / "apt.conf").write_text(
        f'Dir::State "{apt}/state";\nDir::State::status "/var/lib/dpkg/status";\nDir::Cache "{apt}/cache";\n'
        f'Dir::Etc::sourcelist "{apt}/sources.list";\nDir::Etc::sourceparts "-";\nAPT::Sandbox::User "";\n')
    environment = {**os.environ, "APT_CONFIG": str(apt / "apt.conf")}
    # Unpacked in a folder that only a whole package leaves.
    fresh = home / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    subprocess.run(["apt-get", "update", "-q"], check=True, env=environment)
    subprocess.run(["apt-get", "source", "-q", "redis"], check=True, env=environment, cwd=fresh)
    unpacked = next(fresh.glob("redis-7.0.*/"))
    target = home / unpacked.name
    unpacked.rename(target)
    return target


def prepare(source, folder, server):
    """A tree as the suite expects it: its tests and, in place of what would be built, our server and Debian's tools."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for part in source.iterdir():
        if part.name not in ("tests", "src"):
            (folder / part.name).symlink_to(part)
    shutil.copytree(source / "tests", folder / "tests", symlinks=True)
    (folder / "tests/tmp").mkdir(exist_ok=True)
    (folder / "src").mkdir()
    (folder / "src/redis-server").symlink_to(server)
    for tool in ("redis-cli", "redis-benchmark"):
        (folder / "src" / tool).symlink_to(shutil.which(tool))


def change(path, changes):
    text = path.read_text(errors="surrogateescape")
    for line in changes:
        old, arrow, new = line.partition(" ==> ")
        old = re.compile(r"\n[ \t]*".join(map(re.escape, old.split("\\n"))))
        if not arrow or not old.search(text):
            sys.exit(f"{CHANGES.name}: {path.name} has no such text: {line}")
        new = new.replace("\\n", "\n")
        text = old.sub(lambda _: new, text)
    path.write_text(text, errors="surrogateescape")


def run(unit, folder, port, disabled, args):
    (folder / "disabled").write_text("".join(name + "\n" for name in disabled))
    command = ["tclsh", "tests/test_helper.tcl", "--single", unit, "--clients", "1", "--durable", "--dont-clean"]
    command += ["--timeout", str(args.patience), "--skipfile", "disabled", "--baseport", str(port + 40)]
    command += ["--portcount", str(PORTS_PER_UNIT - 40)]
    command += [word for pair in CONFIG.items() for word in ("--config", *pair)]
    command += ["--accurate"] if args.accurate else []
    command += [word for test in args.only for word in ("--only", test)]
    log = folder / "output"
    result = Result(unit)
    with open(log, "wb") as out:
        # A group of its own, so that what a broken unit leaves behind can be ended.
        suite = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        running.add(suite.pid)
        try:
            suite.wait(timeout=UNIT_SECONDS)
        except subprocess.TimeoutExpired:
            result.failed.append([f"the unit has not ended after {UNIT_SECONDS} seconds"])
        finally:
            end_group(suite.pid)
            suite.wait()
            running.discard(suite.pid)
    text = log.read_text(errors="replace")
    if args.verbose:
        print(text)
    result.read(text, [] if args.only else disabled)
    return result


def end_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def stop(number, frame):
    stopped.set()
    for leader in list(running):
        end_group(leader)


def show(result):
    for details in result.failed:
        lines = [line if len(line) < SHOWN_WIDTH else line[:SHOWN_WIDTH] + "..." for line in details if line]
        lines[SHOWN_LINES:] = ["..."] if len(lines) > SHOWN_LINES else []
        print(f"FAILED {result.unit}: " + "\n    ".join(lines))
    if not result.ended:
        print(f"FAILED {result.unit}: it did not run to its end")
    for name in result.unknown:
        print(f"FAILED {result.unit}: it has no test called {name!r}, which is listed as disabled")
    sys.stdout.flush()


def summary(results, whole):
    rows = [r.row() for r in sorted(results, key=lambda r: UNITS.index(r.unit))]
    rows.append(("all", *(sum(column) for column in list(zip(*rows))[1:])))
    print(f"\n{'unit':28}{'passed':>8}{'failed':>8}{'disabled':>9}{'percent':>9}")
    for unit, passed, failed, disabled in rows:
        print(f"{unit:28}{passed:8}{failed:8}{disabled:9}{percent(passed, failed, disabled):8.1f}%")
    enough = not whole or percent(*rows[-1][1:]) >= PASS_PERCENT
    if not enough:
        print(f"less than {PASS_PERCENT} % of the tests pass")
    return enough and all(r.good() for r in results)


def percent(passed, failed, disabled):
    tests = passed + failed + disabled
    return 100.0 * passed / tests if tests else 100.0


if __name__ == "__main__":
    main()
