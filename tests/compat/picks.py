"""Commands that pick at random: what two servers choose cannot be equal, and is compared by what must hold.

Picks are elements of the collection, as many as were asked for, and each once unless repetition was asked for. What
removes its picks is carried out by one server, and the other is told to remove the same elements.
"""

WHOLE = {"SPOP": ["SMEMBERS"], "SRANDMEMBER": ["SMEMBERS"], "HRANDFIELD": ["HGETALL"], "ZRANDMEMBER": ["ZRANGE", "0", "-1", "WITHSCORES"]}


def flat(reply):
    """The strings in a reply, whatever lists they are in."""
    return [s for part in reply[1:] for s in flat(part)] if isinstance(reply, list) else [reply]


def content(reply):
    return reply.split(b"\r\n", 1)[1][:-2]


def pick(words, links, drawer):
    """Asks both servers for random picks; `drawer` is the one that chooses if they are removed. Gives nothing for any
    other command, and for picks that are not random; else both replies, and whether they are as they must be."""
    name = words[0].upper()
    if name not in WHOLE or len(words) < 2:
        return None
    everything = [link.ask(WHOLE[name][0], words[1], *WHOLE[name][1:]) for link in links][0]
    count = number(words[2]) if len(words) > 2 else 1
    if not isinstance(everything, list) or len(everything) < 2 or count in (None, 0):
        return None
    if name == "SPOP":
        if len(words) > 3 or not 0 < count < len(everything) - 1:
            return None
        replies = [None, None]
        replies[drawer] = links[drawer].ask(*words)
        drawn = [content(s) for s in flat(replies[drawer])]
        replies[1 - drawer] = links[1 - drawer].ask("SREM", words[1], *drawn)
        whole = {content(s) for s in flat(everything)}
        return *replies, replies[1 - drawer] == b":%d" % count and len(set(drawn)) == len(drawn) == count and set(drawn) <= whole
    replies = [link.ask(*words) for link in links]
    return *replies, shape(replies[0]) == shape(replies[1]) and all(
        holds(everything, reply, name, count, len(words) > 3) for reply in replies)


def number(word):
    return int(word) if word.lstrip("-").isdigit() and len(word) < 19 else None


def shape(reply):
    """Of errors all, of strings that they are some, of lists how they are nested."""
    if isinstance(reply, list):
        return [reply[0]] + [shape(part) for part in reply[1:]]
    return reply if reply[:1] in b"-_" or reply == b"$-1" else reply[:1]


def holds(everything, reply, name, count, with_values):
    if not isinstance(reply, list):
        return reply[:1] == b"-" or reply in flat(everything)
    whole, picked = flat(everything), flat(reply)
    if name != "SRANDMEMBER":
        whole = list(zip(whole[::2], whole[1::2]))
        picked = list(zip(picked[::2], picked[1::2])) if with_values else picked
        whole = whole if with_values else [one for one, _ in whole]
    if not all(p in whole for p in picked):
        return False
    return len(picked) == -count if count < 0 else len(picked) == len(set(picked)) == min(count, len(whole))
