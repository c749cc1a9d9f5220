#!/usr/bin/env python3
"""Sends the same scripts to two servers and compares their replies, byte for byte.

    scripts.py OURS THEIRS [--seed N] [--random N]

OURS and THEIRS are ports on this machine; both are emptied first. The scripts are those of scripts.txt, which need no
data types but strings, each run under both protocols, and N random ones that put values through the libraries. What is
known to differ is listed in KNOWN with the reason. Prints every difference; exits with 1 if there is one.
"""
import argparse
import random
import sys

from wire import Link

# Some replies are nested as deeply as Lua allows.
sys.setrecursionlimit(100_000)
HERE = __file__.rsplit("/", 1)[0]

# Differences that are meant: (test on the script, reason).
KNOWN = [
    (lambda s: "SERVER_NAME" in s or "VALKEY_VERSION" in s, "each tells its own name and version"),
    (lambda s: s.startswith("return tostring(next("), "the order of keys is free"),
]

# Commands about scripts and functions, in this order.
COMMANDS = [
    ["EVALSHA", "x", "0"], ["EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"],
    ["SCRIPT", "LOAD", "return 1"], ["SCRIPT", "LOAD", "x="],
    ["EVALSHA", "E0E1F9FABFC9D4800C877A703B823AC0578FF8DB", "0"],
    ["SCRIPT", "EXISTS", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "x"],
    ["SCRIPT", "SHOW", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"], ["SCRIPT", "SHOW", "x"],
    ["SCRIPT", "KILL"], ["SCRIPT", "DEBUG", "no"], ["SCRIPT", "DEBUG", "x"], ["SCRIPT", "FLUSH", "x"],
    ["SCRIPT", "FLUSH", "async", "x"], ["SCRIPT", "FLUSH"], ["SCRIPT", "EXISTS"], ["SCRIPT", "NOSUCH"], ["SCRIPT"],
    ["EVAL", "return 1", "x"], ["EVAL", "return 1", "-1"], ["EVAL", "return 1", "2"], ["EVAL", "return 1"],
    ["EVAL", "return 1", "2", "a", "b"], ["EVAL", "return 1", "99999999999999999999"],
    ["EVAL", "return {KEYS,ARGV}", "2", "a", "b", "c"],
    ["EVAL_RO", "return redis.call('set','a','b')", "0"], ["EVAL_RO", "return redis.call('get','a')", "0"],
    ["EVAL_RO", "return redis.call('publish','a','b')", "0"], ["EVAL_RO", "#!lua\nreturn 1", "0"],
    ["EVAL_RO", "#!lua flags=no-writes\nreturn 1", "0"],
    ["FUNCTION", "FLUSH"],
    ["FUNCTION", "LOAD", "no shebang"], ["FUNCTION", "LOAD", "#!lua"], ["FUNCTION", "LOAD", "#!lua\n"],
    ["FUNCTION", "LOAD", "#!lua foo=bar\n"], ["FUNCTION", "LOAD", "#!lua name=a name=b\n"],
    ["FUNCTION", "LOAD", "#!lua name=a-b\n"], ["FUNCTION", "LOAD", "#!lua name=\n"], ["FUNCTION", "LOAD", "#!foo name=a\n"],
    ["FUNCTION", "LOAD", "#! lua name=a\n"], ["FUNCTION", "LOAD", "X", "#!lua name=a\n"],
] + [
    ["FUNCTION", "LOAD", "REPLACE", "#!lua name=l\n" + code] for code in [
        "x", "x=1", "return 1", "return y", "redis.call('ping')", "pairs({})", "redis.x=1",
        "redis.register_function()", "redis.register_function('a')", "redis.register_function('a','b')",
        "redis.register_function(1,function() return 'one' end)", "redis.register_function('a b',function() end)",
        "redis.register_function('',function() end)", "redis.register_function(nil,function() end)",
        "redis.register_function('a',function() end) redis.register_function('a',function() end)",
        "redis.register_function{}", "redis.register_function{function_name='a'}",
        "redis.register_function{function_name='a',callback=1}",
        "redis.register_function{function_name=1,callback=function() end}",
        "redis.register_function{function_name='a',callback=function() end,flags=1}",
        "redis.register_function{function_name='a',callback=function() end,flags={'zz'}}",
        "redis.register_function{function_name='a',callback=function() end,flags={1}}",
        "redis.register_function{function_name='a',callback=function() end,description=1}",
        "redis.register_function{function_name='a',callback=function() end,foo=1}",
        "redis.register_function{function_name='a',callback=function() end,[1]=1}",
        "redis.register_function('a',function() end,1)", "redis.register_function(1)",
        "redis.register_function('f',function(k,a) return {k,a} end) redis.register_function('e',function() error('x') end)\n"
        "redis.register_function('n',function() return redis.call('nosuch') end) "
        "redis.register_function('g',function() x=1 end) redis.register_function('r',function() return redis.register_function end) "
        "redis.register_function{function_name='ro',callback=function() return redis.call('set','a','b') end,"
        "flags={'no-writes','allow-oom','allow-stale','no-cluster','allow-cross-slot-keys'},description='text'}",
    ]
] + [
    ["FCALL", "f", "1", "a", "b"], ["FCALL", "e", "0"], ["FCALL", "n", "0"], ["FCALL", "g", "0"], ["FCALL", "r", "0"],
    ["FCALL", "ro", "0"], ["FCALL_RO", "ro", "0"], ["FCALL_RO", "f", "0"], ["FCALL", "nosuch", "0"], ["FCALL", "f", "x"],
    ["FCALL", "f", "-1"], ["FCALL", "f", "3"], ["FUNCTION", "LIST", "LIBRARYNAME"],
    ["FUNCTION", "LIST", "LIBRARYNAME", "a", "LIBRARYNAME", "b"], ["FUNCTION", "LIST", "WITHCODE", "WITHCODE"],
    ["FUNCTION", "LIST", "x"], ["FUNCTION", "STATS"], ["FUNCTION", "KILL"],
    ["FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f',function() end)"],
    ["FUNCTION", "LOAD", "#!lua name=m\nredis.register_function('f',function() end)"],
    ["FUNCTION", "DELETE", "nosuch"], ["FUNCTION", "DELETE", "l"], ["FUNCTION", "RESTORE", "x"],
    ["FUNCTION", "RESTORE", "x", "y"], ["FUNCTION", "RESTORE", "x", "flush", "z"], ["FUNCTION", "FLUSH", "x"],
    ["FUNCTION", "FLUSH", "sync"], ["FUNCTION", "NOSUCH"], ["FUNCTION"],
]


def value(rng, depth=0):
    """A value as Lua text."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(["0", "1", "-1", "127", "128", "255", "256", "-32", "-33", "65535", "65536", "2^31", "2^32",
                           "-2^31-1", "2^53", "2^62", "0.1", "1.5", "-2.25", "1e100", "1e-7", "123456789.123456789"])
    if kind < 0.55:
        text = "".join("\\%03d" % rng.choice([rng.randrange(256), rng.randrange(32, 127)]) for _ in range(rng.choice([0, 1, 5, 31, 40, 300])))
        return "'%s'" % text
    if kind < 0.65 or depth > 3:
        return rng.choice(["true", "false", "cjson.null"])
    items = [value(rng, depth + 1) for _ in range(rng.choice([0, 1, 2, 5, 17]))]
    if rng.random() < 0.6:
        return "{%s}" % ",".join(items)
    # One pair only: the order of more is free.
    return "{%s=%s}" % (rng.choice(["a", "['x y']", "[1.5]", "[3]"]), items[0] if items else "1")


def number(rng):
    return rng.choice(["0", "1", "-1", "200", "-200", "65537", "2^31", "2^40+3", "-2^33-7", "0.5", "1.5", "2.5", "1e15"])


def scripts(rng, count):
    hexed = "local s=%s return (s:gsub('.',function(c) return string.format('%%02x',c:byte()) end))"
    for _ in range(count):
        kind = rng.randrange(7)
        if kind == 0:
            yield "return cjson.encode(%s)" % value(rng)
        elif kind == 1:
            yield hexed % ("cmsgpack.pack(%s)" % ",".join(value(rng) for _ in range(rng.randint(1, 3))))
        elif kind == 2:
            yield "return cjson.encode(cjson.decode(cjson.encode(%s)))" % value(rng)
        elif kind == 3:
            yield "return cjson.encode({cmsgpack.unpack(cmsgpack.pack(%s))})" % value(rng)
        elif kind == 4:
            sizes = "".join(rng.choice(["b", "B", "h", "H", "l", "L", "i", "I", "i3", "I7", "i16", "d", "f"]) for _ in range(3))
            order = rng.choice(["<", ">", "!4", "!8>", "!<"])
            yield hexed % ("struct.pack('%s',%s,%s,%s)" % (order + sizes, number(rng), number(rng), number(rng)))
        elif kind == 5:
            op = rng.choice(["band", "bor", "bxor", "lshift", "rshift", "arshift", "rol", "ror"])
            yield "return tostring(bit.%s(%s,%s))..bit.tohex(%s)" % (op, number(rng), number(rng), number(rng))
        else:
            # Bytes that are nothing in particular.
            text = "".join("\\%03d" % rng.choice([rng.randrange(256), *b'{}[]",:\\u0123eEtn-+.']) for _ in range(rng.randrange(12)))
            call = rng.choice(["cjson.decode('%s')", "cmsgpack.unpack('%s')", "struct.unpack('>i4', '%s')"]) % text
            yield "local r={pcall(function() return %s end)} if not r[1] then return r[2] end return cjson.encode(r)" % call


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours", type=int)
    parser.add_argument("theirs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--random", type=int, default=1000)
    o = parser.parse_args()
    links = [Link(p) for p in (o.ours, o.theirs)]
    for link in links:
        link.ask("FLUSHALL")
        link.ask("SCRIPT", "FLUSH")
    rng = random.Random(o.seed)
    fixed = [s.strip("\n") for s in open(f"{HERE}/scripts.txt").read().split("\n---\n")]
    wrong = count = 0

    def compare(words):
        nonlocal wrong, count
        count += 1
        ours, theirs = [link.ask(*words) for link in links]
        if ours != theirs and not any(test(words[1]) for test, _ in KNOWN if len(words) > 1):
            wrong += 1
            print(f"{words}\n  ours:   {str(ours)[:600]}\n  theirs: {str(theirs)[:600]}")

    for words in COMMANDS:
        compare(words)
    for protocol in ("2", "3"):
        for link in links:
            link.ask("HELLO", protocol)
            link.ask("FLUSHALL")
        for script in fixed:
            compare(["EVAL", script, "1", "key", "argument"])
    for script in scripts(rng, o.random):
        compare(["EVAL", script, "0"])
    print(f"{count} scripts and commands, {wrong} differences")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
