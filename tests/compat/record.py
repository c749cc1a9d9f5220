#!/usr/bin/env python3
"""Records what a server answers: reads a trace, sends its commands, prints the trace with that server's replies.

    record.py PORT < old.trace > new.trace

A trace has a line `> ` with a command, words separated by blanks, bytes as \\xNN (a word of nothing is ""), then a
line with the reply's exact bytes, escaped the same way. Lines with `#` and empty lines are kept; old replies go.
"""
import re
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from wire import Link


def word(text):
    if text == '""':
        return b""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())


def flat(reply):
    if isinstance(reply, list):
        return reply[0] + b"\r\n" + b"".join(flat(r) for r in reply[1:])
    return reply if reply.startswith((b"$", b"=")) and reply[1:2] != b"-" else reply + b"\r\n"


def shown(data):
    text = data.replace(b"\\", b"\\\\").replace(b"\r", b"\\r").replace(b"\n", b"\\n")
    return "".join(chr(b) if 32 <= b < 127 else f"\\x{b:02x}" for b in text)


def main():
    link = Link(int(sys.argv[1]))
    for line in sys.stdin:
        line = line.rstrip("\n")
        if line.startswith("> "):
            print(line)
            print(shown(flat(link.ask(*[word(w) for w in line[2:].split(" ")]))))
        elif line.startswith("#") or not line:
            print(line)


if __name__ == "__main__":
    main()
