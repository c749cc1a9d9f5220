"""What the comparing programs share: a connection to a server, and the replication stream of one."""
import socket


class Link:
    """One connection; replies are kept as they come."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.buf = b""

    def send(self, *words):
        words = [w if isinstance(w, bytes) else w.encode("latin1") for w in words]
        head = b"*%d\r\n" % len(words)
        self.sock.sendall(head + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))

    def take(self, n):
        while len(self.buf) < n:
            self.fill()
        part, self.buf = self.buf[:n], self.buf[n:]
        return part

    def fill(self):
        data = self.sock.recv(1 << 16)
        if not data:
            raise EOFError("the server closed the connection")
        self.buf += data

    def line(self):
        while b"\r\n" not in self.buf:
            self.fill()
        line, self.buf = self.buf.split(b"\r\n", 1)
        return line

    def reply(self):
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind in b"$=" and rest != b"-1":
            return line + b"\r\n" + self.take(int(rest) + 2)
        if kind in b"*~%>" and rest != b"-1":
            count = int(rest) * (2 if kind == b"%" else 1)
            return [line] + [self.reply() for _ in range(count)]
        return line

    def ask(self, *words):
        self.send(*words)
        return self.reply()


class Stream:
    """The replication stream of a server, entry by entry."""

    def __init__(self, port):
        self.link = Link(port)
        self.link.send("PSYNC", "?", "-1")
        self.link.line()
        line = b""
        while not line.startswith(b"$"):
            line = self.link.line()
        if line.startswith(b"$EOF:"):
            while line[5:] not in self.link.buf:
                self.link.fill()
            self.link.buf = self.link.buf.split(line[5:], 1)[1]
        else:
            self.link.take(int(line[1:]))

    def until(self, mark):
        """What was written before a PUBLISH of `mark`."""
        entries = []
        while True:
            words = [w.split(b"\r\n", 1)[1][:-2] for w in self.link.reply()[1:]]
            name = words[0].upper()
            if name == b"PUBLISH" and words[2] == mark:
                return entries
            if name not in (b"PING", b"SELECT", b"REPLCONF"):
                entries.append([name] + words[1:])


def text(reply):
    """What a string says."""
    return (reply.split(b"\r\n", 1)[1][:-2] if reply[:1] == b"$" else reply[1:]).decode("latin1")
