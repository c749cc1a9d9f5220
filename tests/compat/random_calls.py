"""Random calls made from what a server says about its commands: COMMAND DOCS and COMMAND INFO.

Most calls are valid by their argument tree; some are nearly so. Left out, or bounded, is only what would end the server
or the test itself; each with its reason beside it.
"""
import string

# What is never sent.
LEFT_OUT = {
    "script|debug": "hands the connection to a debugger, or has everybody wait for one",
    "shutdown": "ends the server",
    "replicaof": "makes the primary a replica", "slaveof": "makes the primary a replica",
    "failover": "makes the primary a replica",
    "tanist": "fences, promotes and demotes nodes; a fenced node takes no writes",
    "sync": "makes the connection a replica's link, which has no replies to count",
    "psync": "makes the connection a replica's link, which has no replies to count",
    "debug": "sent from a list of its own: much of it stops or changes the server on purpose",
    "config|set": "sent from a list of its own: addresses, folders, passwords and limits of clients would shut the test out",
    "config|rewrite": "there is no file",
    "acl|load": "there is no file", "acl|save": "there is no file",
    "module": "modules are for other programs",
    "function|restore": "FLUSH would be the most frequent policy; FUNCTION LOAD makes the libraries",
}

# What DEBUG may do without stopping the server or making replica and primary differ.
DEBUG = [["DIGEST"], ["DIGEST-VALUE", "KEY", "KEY"], ["OBJECT", "KEY"], ["OBJECT", "KEY", "FAST"], ["SDSLEN", "KEY"], ["HELP"],
         ["ERROR", "ERR text"], ["LOG", "a line"], ["RELOAD"], ["NONSENSE", "1"]] + [
    ["PROTOCOL", kind] for kind in ("string", "integer", "double", "null", "array", "set", "map", "attrib", "push", "verbatim",
                                    "true", "false", "bignum")]

# Directives that change how data are kept and told about, and nothing that the test needs. Not hll-sparse-max-bytes: a counter's
# bytes are its value, and the replica has a limit of its own.
SETTINGS = ["hash-max-listpack-entries", "hash-max-listpack-value", "set-max-listpack-entries", "set-max-listpack-value",
            "set-max-intset-entries", "zset-max-listpack-entries", "zset-max-listpack-value", "list-max-listpack-size",
            "list-compress-depth", "stream-node-max-entries", "stream-node-max-bytes",
            "notify-keyspace-events", "slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold",
            "tracking-table-max-keys", "lazyfree-lazy-user-del", "lazyfree-lazy-server-del", "lazyfree-lazy-user-flush",
            "maxmemory-policy", "maxmemory-samples", "lfu-log-factor", "lfu-decay-time", "hz", "activedefrag",
            "latency-tracking", "commandlog-request-larger-than", "commandlog-reply-larger-than", "no-such-directive"]
VALUES = ["0", "1", "2", "8", "64", "128", "512", "-1", "-2", "yes", "no", "KEA", "", "AKEtg", "allkeys-lru", "noeviction", "volatile-ttl", "x"]

# No numbers between these: offsets and counts of that size are valid and cost as much memory as they say.
SMALL = ["0", "1", "2", "3", "5", "7", "10", "63", "100", "1000"]
NUMBERS = SMALL * 3 + ["-1", "-1", "-2", "-3", "-100", "65536", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
                       "-9223372036854775807", "1.5", "007", "+1", "x", ""]
DOUBLES = SMALL + ["-1", "0.5", "1.5", "-0.25", "1e3", "1e300", "-1e-300", "inf", "-inf", "+inf", "(1", "(inf", "nan", "1e400", "x", ""]
WORDS = ["a", "b", "c", "d", "x", "y", "", "1", "2", "10", "-7", "007", "9223372036854775807", "hello", "a" * 63, "a" * 65, "w" * 300,
         "\x00\xff\r\n", "*", "-", "+", "0-1", "[a", "(b", "v" * 5000]
STREAM_IDS = ["*", "0", "0-0", "1-1", "5-*", "$", "-", "+", ">", "7", "7-3", "(1-1", "18446744073709551615-18446744073709551615", "x"]
RULES = ["on", "off", "nopass", ">secret", "<secret", "resetpass", "~*", "~k*", "%R~a*", "&*", "&c", "allkeys", "+@all", "-@dangerous", "+get",
         "-set", "+config|get", "(~x +get)", "clearselectors", "reset", "+nonsense", "db=0,1", "("]
SCRIPTS = ["return 1", "return {1, 'two', {3}, false, 2.5}", "return redis.call('GET', KEYS[1])", "return redis.pcall(unpack(ARGV))",
           "return redis.call('SET', KEYS[1], ARGV[1])", "return cjson.encode({1, KEYS, ARGV})", "return cmsgpack.unpack(cmsgpack.pack({a = ARGV}))",
           "for i = 1, 200 do redis.call('RPUSH', KEYS[1], i) end return redis.call('LLEN', KEYS[1])", "error('mine')", "return redis.error_reply('no')",
           "this is not Lua", "return string.rep('x', 1000)", "redis.setresp(3) return redis.call('HGETALL', KEYS[1])", "#!lua flags=no-writes\nreturn redis.call('DEL', KEYS[1])",
           "return struct.pack('>I2', 7)", "return redis.sha1hex(ARGV[1])", "return redis.call('INCR', KEYS[1]) + bit.band(7, 3)"]
LIBRARY = "#!lua name={0}\nredis.register_function('{0}f', function(keys, args) return redis.call('SET', keys[1], args[1]) end)\n" \
          "redis.register_function{{function_name='{0}r', callback=function(keys, args) return #keys end, flags={{'no-writes'}}}}"
KINDS = {"string": "s", "bitmap": "s", "hyperloglog": "p", "list": "l", "set": "t", "hash": "h", "sorted-set": "z", "geo": "g", "stream": "x"}
BINARY = [chr(n) for n in range(256)]

# Words that are drawn from a list because of the argument's name.
NAMED = {
    "username": ["alice", "bob", "carol", "x y"], "rule": RULES, "script": SCRIPTS, "library-name": ["one", "two", "three"],
    "function": ["onef", "oner", "twof", "none"], "password": ["secret", "x"], "auth": ["secret"], "channel": ["c", "d", "e"], "shardchannel": ["c", "d"],
    "consumer": ["c", "d", "e"], "group": ["g", "h", "none"], "id": STREAM_IDS, "last-id": STREAM_IDS, "lastid": STREAM_IDS,
    "max-deleted-id": STREAM_IDS, "threshold": SMALL + STREAM_IDS, "min-idle-time": SMALL, "start": NUMBERS + STREAM_IDS, "end": NUMBERS + STREAM_IDS,
    "stop": NUMBERS + WORDS, "encoding": ["u1", "u8", "i5", "i64", "u63", "u64", "x"], "member": WORDS, "element": WORDS, "host": ["127.0.0.1", "x"],
    "longitude": ["13.361389", "-180", "0", "181", "x"], "latitude": ["38.115556", "85", "0", "-90", "x"], "cursor": ["0"] * 5 + ["1", "77", "-1", "x"],
    "protover": ["2", "3", "3", "4", "x"], "db": ["0", "0", "1", "2", "99", "x"], "destination-db": ["0", "1", "2", "99"], "index": SMALL + ["-1", "x"],
    "index1": ["0", "1", "2", "99"], "index2": ["0", "1", "2", "99"], "bits": ["1", "256", "4096", "0", "5000"],
    # Those of connections that may be there. MIGRATE finds nobody at this port.
    "client-id": SMALL, "port": ["1"],
    "pattern": ["*", "a*", "[a-c]", "?", "\\", "[", "k*"], "by-pattern": ["nosort", "s*", "h*->a", "#"], "get-pattern": ["#", "s*", "h*->a"],
    "numreplicas": ["0", "1", "2"], "numlocal": ["0", "1"], "type": ["string", "list", "hash", "zset", "x"],
    "section": ["all", "everything", "replication", "memory", "commandstats", "x"], "parameter": ["*", "max*", "hash*", "x"],
    "version": ["5", "6", "7", "100"],
}
# A wait that others would have to end, or that nobody would: rarely. The rest is shorter than a round.
WAITS = ["0.001", "0.001", "0.01", "0.05", "0.3"]
TIMES = {"seconds": ["1", "1", "2", "100"], "milliseconds": ["1", "5", "50", "100000"], "ttl": ["0", "0", "50", "100000"]}


class Calls:
    """Makes calls for a server; `docs` and `info` are its answers, as dictionaries and lists."""

    def __init__(self, docs, info):
        self.commands = {}
        self.no_keys = {row[0] for row in info if row and not row[3]}
        for name, doc in docs.items():
            subcommands = doc.get("subcommands", {})
            for full, sub in (subcommands or {name: doc}).items():
                if name not in LEFT_OUT and full not in LEFT_OUT:
                    self.commands[full] = {**sub, "group": doc["group"]}
        self.names = sorted(self.commands)
        # What is heavy or destroys what the others have made is met, but not at every turn.
        rare = {"flushall": 0.03, "flushdb": 0.05, "save": 0.02, "bgsave": 0.05, "pfselftest": 0.01, "quit": 0.2, "monitor": 0.2,
                "client|pause": 0.1, "client|kill": 0.2, "function|flush": 0.2, "script|flush": 0.2, "wait": 0.2, "waitaof": 0.2, "migrate": 0.1}
        self.weights = [rare.get(name, 1.0) * (1.5 if self.commands[name]["group"] in KINDS else 1.0) for name in self.names]

    def batch(self, rng, payloads):
        """Some calls that go out together; now and then a whole transaction."""
        calls = [self.call(rng, payloads) for _ in range(rng.choice([1, 5, 20, 60]))]
        if rng.random() < 0.2:
            return [["MULTI"]] + [c for c in calls if rng.random() < 0.5] + [["EXEC"]]
        return calls

    def call(self, rng, payloads):
        dice = rng.random()
        if dice < 0.01:
            self.kind = rng.choice("slthzgxp")
            return ["DEBUG"] + [self.key(rng) if w == "KEY" else w for w in (rng.choice(DEBUG) if rng.random() > 0.02 else ["RELOAD"])
                                if w != "RELOAD" or rng.random() < 0.05]
        if dice < 0.015:
            return ["CONFIG", "SET", rng.choice(SETTINGS), rng.choice(VALUES)]
        if dice < 0.03:
            return ["REPLICAOF", "NO", "ONE"] if rng.random() < 0.1 else ["FUNCTION", "LOAD", "REPLACE", LIBRARY.format(rng.choice(["one", "two", "three"]))]
        if dice < 0.05 and payloads:
            self.kind = rng.choice("slthzgxp")
            return ["RESTORE", self.key(rng), "0", damaged(rng, rng.choice(payloads))] + rng.choice([[], ["REPLACE"], ["REPLACE"]])
        name = rng.choices(self.names, self.weights)[0]
        doc = self.commands[name]
        self.kind, self.count = KINDS.get(doc["group"], rng.choice("slthzgxp")), None
        words = name.upper().split("|")
        for arg in doc.get("arguments", []):
            words += self.argument(rng, arg, name)
        return nearly(rng, words) if rng.random() < 0.1 else words

    def key(self, rng):
        kind = self.kind if rng.random() < 0.93 else rng.choice("slthzgxp")
        return kind + rng.choice("123")

    def argument(self, rng, arg, command):
        flags = arg.get("flags", [])
        if "optional" in flags and rng.random() < 0.6:
            return []
        times = 1
        if "multiple" in flags:
            times = self.count if self.count and arg["type"] in ("key", "block", "string") else rng.choice([1, 1, 2, 3, 8])
        words = []
        for n in range(times):
            if "token" in arg and arg["type"] != "pure-token" and (n == 0 or "multiple_token" in flags):
                # The empty token of one that means "nothing said" is an empty word.
                words.append(arg["token"])
            words += self.value(rng, arg, command)
        return words

    def value(self, rng, arg, command):
        kind, name = arg["type"], arg["name"]
        if kind == "pure-token":
            return [arg["token"]]
        if kind == "oneof":
            return self.argument(rng, {**rng.choice(arg["arguments"]), "flags": []}, command)
        if kind == "block":
            return [w for part in arg["arguments"] for w in self.argument(rng, part, command)]
        if kind == "key":
            return [self.key(rng)]
        if name in ("numkeys", "numfields"):
            self.count = rng.choice([1, 1, 2, 3])
            return [str(self.count)] if rng.random() < 0.95 else [rng.choice(NUMBERS)]
        if name == "timeout" or name == "milliseconds" and command in ("xread", "xreadgroup"):
            waits = WAITS if kind == "double" else ["1", "5", "20"]
            # A pause without end would be all that the rest of the run sees.
            return [rng.choice(waits) if rng.random() < 0.98 or command in ("client|pause", "wait", "waitaof", "migrate") else rng.choice(["0", "-1", "x"])]
        if kind == "unix-time":
            return [rng.choice(["1", "2000000000", "4000000000000", "-1", "x"])]
        if name in TIMES and rng.random() < 0.95:
            return [rng.choice(TIMES[name])]
        if name == "function-code":
            return [LIBRARY.format(rng.choice(["one", "two", "three"]))]
        if command == "command|getkeys" or command == "command|getkeysandflags" or name in ("command", "command-name"):
            return [rng.choice(self.names).split("|")[0]] if name.startswith("command") else [rng.choice(WORDS)]
        if name in NAMED:
            return [rng.choice(NAMED[name])]
        if kind == "integer":
            return [rng.choice(NUMBERS)]
        if kind == "double":
            return [rng.choice(DOUBLES)]
        return [rng.choice(WORDS)]


def nearly(rng, words):
    """A call that is wrong in one place."""
    words, at = list(words), rng.randrange(len(words))
    # The name of a subcommand stays: what is left out must not come back by chance.
    after = rng.randint(min(2, len(words)), len(words))
    choice = rng.randrange(6)
    if choice == 0:
        return words[:after] if len(words) > 1 else words
    if choice == 1:
        return words[:after] + [rng.choice(WORDS + NUMBERS)] + words[after:]
    if choice == 2 and after < len(words):
        words[after] = rng.choice(WORDS + ["".join(rng.choices(BINARY, k=rng.choice([1, 8, 40])))])
    elif choice == 3:
        words[at] = words[at].lower()
    elif choice == 4:
        words += words[after:] + [rng.choice(string.ascii_uppercase)]
    elif choice == 5 and after + 1 < len(words):
        words[after], words[-1] = words[-1], words[after]
    return words


def crc64(data):
    """The checksum of snapshots: CRC-64 of Jones, reflected."""
    crc = 0
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


def entry(n):
    for _ in range(8):
        n = (n >> 1) ^ (0x95AC9329AC4BC9B5 if n & 1 else 0)
    return n


TABLE = [entry(n) for n in range(256)]


def damaged(rng, payload):
    """A payload of DUMP, whole, or changed somewhere with a checksum that is right again."""
    body = bytearray(payload[:-10])
    if len(body) > 4000 or rng.random() < 0.3:
        return bytes(payload)
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(body))
        change = rng.randrange(4)
        if change == 0:
            body[at] = rng.randrange(256)
        elif change == 1:
            body[at] ^= 1 << rng.randrange(8)
        elif change == 2:
            del body[at:at + rng.choice([1, 2, 8])]
        else:
            body[at:at] = body[at:at + rng.choice([1, 4, 16])]
        if not body:
            return bytes(payload)
    body += payload[-10:-8]
    return bytes(body) + crc64(body).to_bytes(8, "little")
