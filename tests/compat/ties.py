"""Orders that are free: of what SORT BY finds equal with ALPHA, and of members at one distance if COUNT leaves some of them.
Valkey sorts only as far as it has to, and equals come as that happens to leave them (docs/compatibility.md).
"""
from picks import content


def settle(words, replies, links):
    """Whether two replies differ by nothing but that. What was stored is looked at instead, and removed if it differs, so
    that both servers hold the same again."""
    found = tied_sort(words) or tied_places(words)
    if not found or any(reply[:1] == b"-" for reply in replies):
        return False
    store, look, rank = found
    if store:
        if replies[0] != replies[1]:
            return False
        replies = [link.ask(look, store, "0", "-1") for link in links]
        if replies[0] == replies[1]:
            return True
        for link in links:
            link.ask("DEL", store)
    if not all(isinstance(reply, list) for reply in replies):
        return False
    ours, theirs = [[rank(links[0], member(item)) for item in reply[1:]] for reply in replies]
    if look == "ZRANGE" and store:
        # In the order of places there.
        ours, theirs = sorted(ours), sorted(theirs)
    return ours == theirs


def member(item):
    return content(item if isinstance(item, bytes) else item[1])


def tied_sort(words):
    upper = [w.upper() for w in words]
    if upper[0] not in ("SORT", "SORT_RO") or "ALPHA" not in upper or "BY" not in upper[:-1] or "GET" in upper:
        return None
    pattern, stores = words[last(upper[:-1], "BY") + 1], "STORE" in upper[:-1]
    return words[last(upper[:-1], "STORE") + 1] if stores else None, "LRANGE", lambda link, e: link.ask(
        "GET", pattern.encode("latin1").replace(b"*", e, 1))


def last(words, word):
    return len(words) - 1 - words[::-1].index(word)


def tied_places(words):
    name, kept, store, counted = words[0].upper(), [], None, False
    if not name.startswith("GEO") or "ANY" in (w.upper() for w in words):
        return None
    rest = words[1:]
    if name == "GEOSEARCHSTORE":
        store, rest = rest[0], rest[1:]
    while rest:
        word, takes = rest[0].upper(), 1
        if word == "COUNT" or word in ("STORE", "STOREDIST") and name.startswith("GEORADIUS"):
            takes, counted = 2, counted or word == "COUNT"
            store = store if word == "COUNT" else rest[1:2] and rest[1]
        elif word not in ("WITHDIST", "WITHCOORD", "WITHHASH", "STOREDIST"):
            kept.append(rest[0])
        rest = rest[takes:]
    if not counted:
        return None
    name = "GEOSEARCH" if name.startswith("GEOSEARCH") else name.removesuffix("_RO") + "_RO"
    distances = {}

    def rank(link, e):
        # Of a result that has taken the place of the members nothing can be said.
        if not distances and store != kept[0]:
            told = link.ask(name, *kept, "WITHDIST")[1:]
            distances.update({content(item[1]): content(item[2]) for item in told})
        return distances.get(e, b"unknown" if store == kept[0] else None)

    return store, "ZRANGE", rank
