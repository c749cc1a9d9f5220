"""Random commands about users and their rights."""
from wire import text


class Users:
    """Commands about users and their rights: `--users`. What a command may be is what both servers know."""

    NAMES = ["t", "u", "default2"]
    PATTERNS = ["a", "b", "k*", "*", "[ab]", "", "a b"]

    def __init__(self, rng, links):
        self.rng = rng
        known = [{text(w).lower() for w in link.ask("COMMAND", "LIST")[1:]} for link in links]
        listed = [{text(w) for w in link.ask("ACL", "CAT")[1:]} for link in links]
        self.categories = sorted(listed[0] & listed[1])
        both = sorted(known[0] & known[1])
        subs = [{text(w).lower() for w in link.ask("COMMAND", "LIST", "FILTERBY", "PATTERN", "*|*")[1:]} for link in links]
        self.commands = both + sorted(subs[0] & subs[1])

    def rule(self, in_selector=False):
        r = self.rng
        pick = r.choice
        pattern = lambda: pick(self.PATTERNS)
        command = lambda: pick(self.commands)
        rules = [
            lambda: pick("+-") + command(), lambda: pick("+-") + command(), lambda: pick("+-") + command(),
            lambda: pick("+-") + "@" + pick(self.categories), lambda: pick(["+@all", "-@all", "allcommands", "nocommands"]),
            lambda: "+" + command() + "|" + pick(["x", "id", "1", ""]), lambda: "-" + command() + "|x",
            lambda: "~" + pattern(), lambda: "%" + pick(["R", "W", "RW", "wr", "X", ""]) + "~" + pattern(),
            lambda: "&" + pattern(), lambda: pick(["allkeys", "resetkeys", "allchannels", "resetchannels", "~*", "&*"]),
            lambda: "db=" + pick(["0", "1", "0,1", "1,0", "15", "16", "x", "-1", "", "0,", "+1", "99999999999"]),
            lambda: pick(["alldbs", "resetdbs", "ALLDBS", "DB=1"]), lambda: pick(["+nonsense", "-@nonsense", "what", "", "+", "%"]),
        ]
        own = [
            lambda: pick(["on", "off", "nopass", "resetpass", "reset", "clearselectors", "sanitize-payload"]),
            lambda: pick("><") + pick(["pw", "other"]), lambda: pick("#!") + pick(["a" * 64, "A" * 64, "b" * 63, "b" * 64]),
            lambda: "(" + " ".join(self.rule(True) for _ in range(r.randint(0, 4))) + ")",
            lambda: "(" + self.rule(True), lambda: self.rule(True) + ")",
        ]
        return pick(rules if in_selector or r.random() < 0.6 else own)()

    def command(self):
        r = self.rng
        name = lambda: r.choice(self.NAMES)
        kind = r.random()
        if kind < 0.45:
            return ["ACL", "SETUSER", name()] + [self.rule() for _ in range(r.choice([0, 1, 1, 1, 2, 3]))]
        if kind < 0.85:
            wanted = r.choice(self.commands)
            words = wanted.split("|") + [r.choice(["a", "b", "k1", "0", "1", "99", "x", "DB", "GET"])
                                         for _ in range(r.randint(0, 4))]
            return ["ACL", "DRYRUN", name()] + words
        return r.choice([["ACL", "LIST"], ["ACL", "USERS"], ["ACL", "GETUSER", name()], ["ACL", "DELUSER", name()],
                         ["SELECT", r.choice("01")], ["ACL", "WHOAMI"]])
