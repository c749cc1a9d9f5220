"""Brings what two servers replicate to one form: what may be said in several ways that mean the same to a replica."""


def lifetime(words):
    """Of the options of a SET or HSETEX, what becomes of the time to live; the last word counts."""
    if words and words[-1] in (b"NX", b"XX", b"GET", b"FNX", b"FXX"):
        return lifetime(words[:-1])
    return words[-1:] if words[-1:] == [b"KEEPTTL"] else words[-2:]


def trimmed(words):
    """Of an XADD or XTRIM, what does not depend on how the limit is put: an identifier may be that of any entry up to the
    first that stays."""
    words = [w.upper() if w.upper() in (b"MAXLEN", b"MINID", b"LIMIT") else w for w in words if w != b"="]
    if b"MINID" in words:
        at = words.index(b"MINID") + 1
        words[at] = b"..."
    if b"LIMIT" in words:
        # It has been spent: how much was trimmed is said by the limit of length.
        at = words.index(b"LIMIT")
        del words[at:at + 2]
    return words


# What may be said in two ways that mean the same to a replica.
def canonical(entries):
    flat = []
    for e in entries:
        name = e[0]
        if name in (b"MULTI", b"EXEC"):
            continue
        if name == b"PEXPIREAT":
            e = e[:3]
        elif name == b"GETSET":
            e = [b"SET"] + e[1:3]
        elif name == b"SET" and len(e) > 3:
            words = [w.upper() for w in e[3:]]
            if b"IFEQ" in words:
                at = words.index(b"IFEQ")
                words = words[:at] + words[at + 2:]
            e = e[:3] + lifetime(words)
        elif name == b"MSETEX":
            end = 2 + 2 * int(e[1])
            rest = lifetime([w.upper() for w in e[end:]])
            flat += [[b"SET", e[i], e[i + 1]] + rest for i in range(2, end, 2)]
            continue
        elif name == b"MSET":
            flat += [[b"SET", e[i], e[i + 1]] for i in range(1, len(e), 2)]
            continue
        elif name == b"SORT":
            upper = [w.upper() for w in e]
            e = [b"DEL", e[len(e) - 1 - upper[::-1].index(b"STORE") + 1]]
        elif name == b"HSETEX" and e[2].upper() == b"FIELDS":
            # One field: as it came, or as it is afterwards.
            e = [b"HSET", e[1]] + (e[4:] if len(e) > 6 else e[4:5])
        elif name == b"HSETEX":
            at = [w.upper() for w in e].index(b"FIELDS", 2)
            e = e[:2] + lifetime([w.upper() for w in e[2:at]]) + [b"FIELDS"] + e[at + 1:]
        elif name in (b"HSETNX", b"HINCRBY") or name == b"HSET" and len(e) == 4:
            # As it came, or as the field is afterwards.
            e = [b"HSET"] + e[1:3]
        elif name in (b"XADD", b"XTRIM"):
            e = trimmed(e)
        elif name == b"LMOVE":
            e = e[:3] + [w.upper() for w in e[3:]]
        elif name in (b"HPEXPIREAT", b"HPERSIST"):
            # Fields that it does not apply to may be named or not, with the condition for it.
            e = e[:3] if name == b"HPEXPIREAT" else e[:2]
        elif name in (b"HGETDEL", b"HDEL"):
            # Fields that were not there may be named or not.
            e = [b"HDEL", e[1]]
        flat.append(e)
    return [e for i, e in enumerate(flat) if not replaced(e, flat[i + 1:])]


def replaced(entry, later):
    """Whether it removes one key that a SET behind it makes anew, keeping nothing of it. Who finds a key past its time
    on the way to overwriting it may say so or not."""
    if entry[0] not in (b"DEL", b"UNLINK") or len(entry) != 2:
        return False
    for e in later:
        if entry[1] in e[1:]:
            return e[:2] == [b"SET", entry[1]] and b"KEEPTTL" not in e[3:]
    return False


def without_own(words, ours, theirs):
    """Of our effects of a command, what it does not tell the other's replicas (docs/compatibility.md): which consumer it has
    made, and which entries it has shown again."""
    name = words[0].upper()
    if name not in ("XREADGROUP", "XCLAIM", "XAUTOCLAIM"):
        return ours

    def own(e):
        made = e[:2] == [b"XGROUP", b"CREATECONSUMER"]
        again = name == "XREADGROUP" and e[0] == b"XCLAIM" and e[e.index(b"RETRYCOUNT") + 1] != b"1"
        return (made or again) and not any(agree([e], [t]) for t in theirs)

    return [e for e in ours if not own(e)]


def near(a, b):
    """Equal, or numbers as close as two clocks that are read one after the other."""
    if a == b:
        return True
    try:
        x, y = int(a.lstrip(b":")), int(b.lstrip(b":"))
    except ValueError:
        return False
    return abs(x - y) <= 150 and x > 0 and y > 0


def agree(ours, theirs):
    """Whether two lists of effects in one form mean the same."""
    return len(ours) == len(theirs) and all(
        len(x) == len(y) and all(equal(x[0], p, q) for p, q in zip(x, y)) for x, y in zip(ours, theirs))


def equal(name, a, b):
    """A score may be written with more digits than a double has. What is above a thousand million is a moment."""
    try:
        moments = min(int(a), int(b)) > 10**9 if a.isdigit() and b.isdigit() else False
        return a == b or moments and near(a, b) or name == b"ZADD" and float(a) == float(b)
    except ValueError:
        return False
