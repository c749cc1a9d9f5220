"""What CONFIG SET is tried with: for each directive that two servers know, values that are good, at the bounds, and wrong."""
import re

from wire import text

TEXTS = ["", "a", "some words", "\"quoted\"", "it's", "back\\slash", "no", "0", "-", "x" * 300]
# How numbers may be written, rightly and wrongly.
NUMBERS = ["", "x", "01", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "-0", "--1", "1kb", "1 kb", "5%", "9223372036854775807",
           "9223372036854775808", "18446744073709551615", "-9223372036854775808", "2147483648", "4294967296"]
SIZES = ["1b", "1B", "2k", "2kb", "3m", "3mb", "3MB", "1g", "1gb", "1t", "1tb", "kb", "b", "-1kb", "1kbb", "1.5mb", "0", "0mb", "1mb"]
BOOLS = ["yes", "no", "yes", "no", "YES", "No", "", "1", "true", "yes ", "y", "yes no"]

# Where any value would not do: it must be possible to go on afterwards, or a server may do what the other does not.
CHOSEN = {
    # Sizes of 2^63 bytes and more wrap around or are taken there, and are refused here.
    "cluster-link-sendbuf-limit": ["0", "1kb", "-1", "x", "1gb", ""], "slot-migration-max-failover-repl-bytes": ["0", "-1", "-2", "1kb", "x", ""],
    # A connection must be possible at any time.
    "maxclients": ["100", "1000", "10000", "200", "0", "-1", "x", "4294967296", "2000000"],
    "timeout": ["0", "1000", "100000", "2147483647", "2147483648", "-1", "x", ""],
    "client-output-buffer-limit": [
        "normal 0 0 0", "normal 100mb 50mb 60", "replica 0 0 0", "slave 1gb 64mb 10", "pubsub 32mb 8mb 60", "PubSub 32mb 8mb 60",
        "normal 1gb 1gb 1 replica 1gb 1gb 1 pubsub 1gb 1gb 1", "normal 1gb 0 0 normal 2gb 0 0", "", "normal", "normal 1", "normal 1 1", "x 0 0 0",
        "normal x 0 0", "normal 0 x 0", "normal 0 0 x", "normal -1 0 0", "normal 0 0 -1", "normal 0 0 1s", "normal 0 0 2147483648", "normal 0 0 +1",
        "normal 0 0 01", "normal  0 0 0", "normal 0 0 0 ", " normal 0 0 0", "normal 1gb 0 0 x 0 0 0", "master 0 0 0", "normal 0 0 0 normal 1"],
    "maxmemory": ["0", "0", "0", "1", "100gb", "50gb", "1tb", "-1", "x", "100gbb", "1k", "1.5gb", ""],
    "maxmemory-clients": ["0", "0", "100mb", "1gb", "50%", "100%", "101%", "-1", "-1%", "x", "5%x", "5 %", "", "%", "0%", "+5%", "05%", "1.5%",
                          "99999999999999999999%", "2147483648%"],
    "maxmemory-policy": ["noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random",
                         "volatile-ttl", "ALLKEYS-LRU", "lru", "", "allkeys-lru noeviction"],
    "min-replicas-to-write": ["0", "0", "0", "1", "2147483647", "-1", "x", "2147483648", "1.0"],
    "io-threads": ["1", "2", "0", "-1", "257", "x"],
    # None of them is to come due.
    "save": ["", "", "3600 1000000", "100000 2000000 200000 1000000", "3600", "3600 1000000 100", "x 1", "1 x", "0 1", "-1 1", "3600 -1",
             "+3600 1000000", "03600 1000000", "3600  1000000", "3600 1000000 ", " 3600 1000000", "3600s 1", "\"\"", "9223372036854775807 1000000",
             "3600 1000000 3600 1000000", "3600,1000000"],
    "requirepass": ["", "", "secret", "other", "with space", "\"q\"", "x" * 200],
    "appendonly": ["no", "NO", "x", ""],
    # Time that passes here passes for everybody.
    "rdb-key-save-delay": ["0", "-1", "x", "2147483648"],
    "key-load-delay": ["0", "-1", "x", "2147483648"],
    # Behind A the other forgets n with the next call that fails: what it puts back is what it shows.
    "notify-keyspace-events": ["", "", "KEA", "AKE", "Kg$", "Ex", "E", "K", "KEg$lshzxetdm", "KEm", "KEn", "AKEm", "Aa", "x", "kea", "KEAg", "KE$$", "KE ", "E\n",
                               "d", "KEd", "KEv", "nm"],
    "latency-tracking-info-percentiles": ["50 99 99.9", "", "0 100", "50", "50.0", "50.50", "101", "-1", "x", "50 x", "50  99", "99.9999999", "1e1", "nan", "inf",
                                          "0.0", "100.0", "+5", "5.", ".5", "50 50", "99.123456789", "1,2"],
    "oom-score-adj": ["no", "no", "NO", "x", ""],
    "oom-score-adj-values": ["0 200 800", "1 2 3", "1 2", "1 2 3 4", "x 1 2", "-2001 0 0", "2001 0 0", "-1000 0 1000", "", "1 1 1", "3 2 1", "1  2 3", "+1 2 3", "01 2 3"],
    "shutdown-on-sigterm": ["default", "save", "nosave", "now", "force", "safe", "failover", "save now", "nosave now force", "save nosave", "default now", "NOW FORCE",
                            "force now", "x", "", "now now", "now  force", "nosave save force"],
    "proc-title-template": ["{title}", "{title} {listen-addr} {server-mode}", "", "plain", "{port} {tls-port} {unixsocket} {config-file}", "{bad}", "{", "}", "{title",
                            "title}", "{{title}}", "a b  c", "{title}{title}", "{}", "{TITLE}"],
    "bind-source-addr": ["", "127.0.0.1"],
    "dbfilename": ["dump.rdb", "other.rdb", "a b.rdb", "", "a/b", "/x", "dump.rdb", "\"q\".rdb"],
    "cluster-announce-client-ipv4": ["", "1.2.3.4", "1.2.3", "x", "::1", "01.2.3.4", "1.2.3.4 "],
    "cluster-announce-client-ipv6": ["", "::1", "1.2.3.4", "x", "fe80::1%eth0", "::ffff:1.2.3.4"],
    "cluster-announce-ip": ["", "1.2.3.4", "::1", "host.name", "a b", "a,b", "a=b", "x" * 45, "x" * 46, "x" * 47, "a_b", "a`b", "a\"b"],
    "cluster-announce-hostname": ["", "a", "a.b-c", "a b", "a_b", "A1", "x" * 255, "x" * 256, "a:b"],
    "cluster-announce-human-nodename": ["", "a", "a.b-c", "a b", "a_b", "a,b", "a\"b", "x" * 300],
    "list-max-listpack-size": ["-2", "-1", "-3", "-4", "-5", "-6", "0", "1", "2", "5", "128", "-100", "2147483647", "-2147483648", "2147483648", "x"],
    "list-compress-depth": ["0", "1", "2", "100", "-1", "x", "2147483647", "2147483648"],
    "slowlog-log-slower-than": ["0", "0", "-1", "-1", "-2", "10000000", "x", "9223372036854775807"],
    "slowlog-max-len": ["0", "1", "2", "5", "128", "-1", "x", "9223372036854775807"],
    "hz": ["10", "1", "0", "-1", "500", "501", "100", "2147483647", "2147483648", "x"],
    "latency-monitor-threshold": ["0", "0", "1000000", "9223372036854775807", "-1", "x"],
    "tracking-table-max-keys": ["0", "1", "2", "1000000", "-1", "x", "18446744073709551615"],
    "lfu-decay-time": ["1", "0", "10", "2147483647", "-1", "x"],
    "shutdown-timeout": ["10", "0", "1", "2147483647", "-1", "x"],
    "repl-timeout": ["60", "100", "2147483647", "0", "-1", "x", "2147483648"],
    "enable-debug-command": ["yes", "no", "local"],
}
for other, name in (("shutdown-on-sigint", "shutdown-on-sigterm"), ("commandlog-execution-slower-than", "slowlog-log-slower-than"),
                    ("commandlog-slow-execution-max-len", "slowlog-max-len"), ("min-slaves-to-write", "min-replicas-to-write"),
                    ("list-max-ziplist-size", "list-max-listpack-size")):
    CHOSEN[other] = CHOSEN[name]
for small in ("hash-max-listpack-entries", "set-max-listpack-entries", "zset-max-listpack-entries", "set-max-intset-entries", "hash-max-listpack-value",
              "set-max-listpack-value", "zset-max-listpack-value", "stream-node-max-entries", "stream-node-max-bytes", "hll-sparse-max-bytes",
              "commandlog-request-larger-than", "commandlog-reply-larger-than", "commandlog-large-request-max-len", "commandlog-large-reply-max-len"):
    CHOSEN[small] = ["0", "1", "2", "3", "4", "5", "8", "16", "64", "100", "128", "512", "1kb", "-1", "-2", "x", "", "9223372036854775807",
                     "9223372036854775808", "01"]

# Directives that are not set, and why.
LEFT_OUT = {
    "port": "the servers have one each", "bind": "both listen at the same address", "dir": "the servers have one each",
    "tls-port": "there is no TLS", "locale-collate": "depends on the machine", "watchdog-period": "a debugger's",
    "syslog-ident": "the default is the program's name", "active-defrag-cycle-max": "compares with -min, which has no effect here",
    "active-defrag-cycle-min": "as -max",
}


def both_know(ours, theirs):
    """The names that CONFIG GET * of both lists, and those of directives that only show when asked by name."""
    listed = [{text(n) for n in link.ask("CONFIG", "GET", "*")[1::2]} for link in (ours, theirs)]
    hidden = ["io-threads-always-active", "min-io-threads-avoid-copy-reply", "use-exit-on-panic", "debug-context", "key-load-delay",
              "rdb-key-save-delay", "loading-process-events-interval-bytes", "cluster-ping-interval", "lua-enable-insecure-api",
              "lua-enable-deprecated-api"]
    shown = [n for n in hidden if all(len(link.ask("CONFIG", "GET", n)) > 1 for link in (ours, theirs))]
    return sorted(listed[0] & listed[1]) + shown, sorted(listed[0] ^ listed[1])


def values(link, name):
    """Values for a directive, as its errors tell what it takes."""
    if name in CHOSEN:
        return CHOSEN[name]
    present = text(link.ask("CONFIG", "GET", name)[2])
    error = str(link.ask("CONFIG", "SET", name, "\x01?"))
    if words := re.search(r"one of the following: ([^']*)", error):
        known = words[1].split(", ")
        return known + known + [known[0].upper(), known[-1] + " ", "", "x", " ".join(known[:2])]
    if "'yes' or 'no'" in error or "immutable" in error and present in ("yes", "no"):
        return BOOLS
    if "integer" in error or "memory" in error or "octal" in error:
        bounds = []
        for extreme in ("-9223372036854775808", "9223372036854775808", "18446744073709551615", "9223372036854775807"):
            if found := re.search(r"between (-?\d+) and (-?\d+)", str(link.ask("CONFIG", "SET", name, extreme))):
                bounds = [int(found[1]), int(found[2])]
        link.ask("CONFIG", "SET", name, present)
        near = [str(b + d) for b in bounds for d in (-1, 0, 1)]
        inside = [str(n) for n in (0, 1, 2, 5, 10, 100, 1000, 100000) if not bounds or bounds[0] <= n <= bounds[1]]
        return near * 2 + inside * 3 + [present] * 5 + NUMBERS + (SIZES if "memory" in error else ["1kb"])
    link.ask("CONFIG", "SET", name, present)
    return TEXTS
