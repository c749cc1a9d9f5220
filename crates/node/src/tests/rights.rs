//! Whatever the arguments, a command touches no key that its user's rights were not judged by.
//!
//! Arguments are made from the command's own documentation and then spoilt: words of options stand as keys and as values,
//! things are repeated, left out and exchanged. Each command runs twice, as a user who may do with every key what
//! [`keys::find`] has found and no more; the second time, every key that it did not find holds something else. What is
//! answered, sent and written must be the same, what was not found must stay, and nothing may be told of it.

use super::World;
use crate::command::{Action, Arg, Command, Flags, KeyAccess};
use crate::{Input, Output, SessionId, keys};
use std::collections::BTreeMap;
use tanist_resp::{Args, encode_command};
use tanist_scripting::sha1;
use tanist_types::Rng;

type Words = Vec<Vec<u8>>;

/// What is found of one key: whether it is read, and whether it is written.
type Found = BTreeMap<Vec<u8>, (bool, bool)>;

/// A command, its arguments, and what is there before.
struct Case {
    command: &'static Command,
    words: Words,
    /// The keys that there may be, and the kind of each value.
    data: Vec<(Vec<u8>, usize)>,
}

struct Dice {
    rng: Rng,
    /// Names of keys.
    keys: Vec<Vec<u8>>,
    /// The words of the command's options.
    tokens: Vec<&'static str>,
    /// How often things are repeated.
    times: usize,
    /// What `RESTORE` takes.
    payload: Vec<u8>,
}

/// Values to be made by these commands: the first time as given, the second time with `SECRET` written otherwise.
const KINDS: [&[&str]; 10] = [
    &["SET KEY SECRET"],
    &["SET KEY 5"],
    &["RPUSH KEY 1 SECRET x"],
    &["SADD KEY 1 2 3"],
    &["SADD KEY x SECRET a"],
    &["ZADD KEY 1 x 2 SECRET 3 a"],
    &["GEOADD KEY 13 38 x 15 37 SECRET"],
    &["HSET KEY x 1 a SECRET 1 2"],
    &[
        "XADD KEY 1-1 x SECRET",
        "XADD KEY 2-1 a 1",
        "XGROUP CREATE KEY x 0",
        "XREADGROUP GROUP x a COUNT 1 STREAMS KEY >",
    ],
    &["PFADD KEY SECRET"],
];

/// Kinds of the values that the commands of a group are for.
fn fitting(command: &Command) -> &'static [usize] {
    match command.group.name() {
        "string" | "bitmap" => &[0, 1],
        "list" => &[2],
        "set" => &[3, 4],
        "sorted-set" => &[4, 5],
        "geo" => &[6],
        "hash" => &[7],
        "stream" => &[8],
        "hyperloglog" => &[9],
        _ => &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    }
}

const SCRIPTS: [&str; 4] = [
    "return redis.pcall('GET', KEYS[1])",
    "return redis.pcall('GET', 'k')",
    "return redis.pcall('SET', KEYS[#KEYS], 'x')",
    "return {redis.pcall('DEL', 'l'), redis.pcall('SORT', 'k', 'STORE', 'm')}",
];
const FUNCTIONS: &str = "#!lua name=f
redis.register_function('f', function(keys, args) return redis.pcall('COPY', keys[1] or 'k', args[1] or 'l', 'REPLACE') end)
local function get(keys) return redis.pcall('GET', keys[1] or 'k') end
redis.register_function{function_name='g', callback=get, flags={'no-writes'}}";

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.rng.below(n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn key(&mut self) -> Vec<u8> {
        let at = self.below(self.keys.len());
        self.keys[at].clone()
    }

    /// A word of an option, in any case.
    fn token(&mut self, word: &str) -> Vec<u8> {
        match self.below(3) {
            0 => word.to_ascii_lowercase().into_bytes(),
            _ => word.to_owned().into_bytes(),
        }
    }

    /// Any word at all.
    fn word(&mut self) -> Vec<u8> {
        match self.below(6) {
            0 | 1 if !self.tokens.is_empty() => {
                let tokens = std::mem::take(&mut self.tokens);
                let word = self.pick(&tokens);
                self.tokens = tokens;
                self.token(word)
            }
            0..=2 => self.key(),
            3 => self
                .pick(&["1", "2", "3", "0", "-1", "+1", "01", "1.5", "1e0", " 1", "18446744073709551617"])
                .into(),
            4 => self.pick(&["x", "a", "", "*", "km*", "FROMMEMBER", "(1"]).into(),
            _ => self.pick(&["0-0", ">", "$", "+", "-", "[x", "m", "u8"]).into(),
        }
    }

    /// What an argument of this type may be.
    fn value(&mut self, arg: &Arg) -> Vec<u8> {
        if self.one_in(12) {
            return self.word();
        }
        match arg.kind {
            "key" => self.key(),
            "integer" if arg.name.starts_with("num") => self.times.to_string().into_bytes(),
            "integer" => self.pick(&["0", "1", "2", "3", "10"]).into(),
            "double" => self.pick(&["0", "1", "2.5", "37", "100"]).into(),
            "unix-time" => self.pick(&["1800000000", "1800000000000"]).into(),
            "pattern" => self.pick(&["*", "x", "k*", "nosort", "#"]).into(),
            _ => match arg.name {
                "script" => self.pick(&SCRIPTS).into(),
                "sha1" => sha1::hex(&sha1::digest(self.pick(&SCRIPTS).as_bytes())).into(),
                "function" => self.pick(&["f", "g"]).into(),
                "serialized-value" => self.payload.clone(),
                "subcommand" => self.pick(&["ENCODING", "GETREG", "DECODE", "TODENSE"]).into(),
                "encoding" => self.pick(&["u8", "i5"]).into(),
                "group" | "groupname" => "x".into(),
                "start" | "stop" | "end" | "min" | "max" => {
                    self.pick(&["-", "+", "[a", "[x", "0", "1", "5", "(1"]).into()
                }
                name if name.to_lowercase().contains("id") => self.pick(&["0", "1-1", "0-0", "3-0"]).into(),
                _ => self.pick(&["x", "a", "1", "2", "m"]).into(),
            },
        }
    }

    /// Appends what is documented as `arg`.
    fn document(&mut self, arg: &Arg, words: &mut Words) {
        if arg.optional && self.one_in(2) {
            return;
        }
        let times = if arg.multiple { self.times } else { 1 };
        for n in 0..times {
            if let Some(token) = arg.token
                && (n == 0 || arg.multiple_token)
            {
                let token = self.token(token);
                words.push(token);
            }
            match arg.kind {
                "pure-token" => {}
                "oneof" => {
                    let part = self.below(arg.parts.len());
                    self.document(&arg.parts[part], words);
                }
                "block" => arg.parts.iter().for_each(|part| self.document(part, words)),
                _ => {
                    let value = self.value(arg);
                    words.push(value);
                }
            }
        }
    }

    /// Makes one mistake.
    fn spoil(&mut self, words: &mut Words, head: usize) {
        if words.len() <= head {
            return;
        }
        let at = head + self.below(words.len() - head);
        match self.below(6) {
            0 => words[at] = self.word(),
            1 => words.insert(at, self.word()),
            2 => words.push(self.word()),
            3 => {
                words.remove(at);
            }
            4 => {
                let other = head + self.below(words.len() - head);
                words.swap(at, other);
            }
            _ => {
                let to = (at + 1 + self.below(3)).min(words.len());
                let again = words[at..to].to_vec();
                let place = at + self.below(words.len() - at + 1);
                words.splice(place..place, again);
            }
        }
    }
}

/// All words that options of `args` begin with or are.
fn tokens(args: &[Arg], found: &mut Vec<&'static str>) {
    for arg in args {
        found.extend(arg.token);
        tokens(arg.parts, found);
    }
}

/// What `DUMP` gives for a value.
fn payload() -> Vec<u8> {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SET k 7");
    match w.all(c, "DUMP k").remove(0).as_bytes() {
        Some(payload) => payload.to_vec(),
        None => panic!("DUMP gives bytes"),
    }
}

impl Case {
    fn new(command: &'static Command, seed: u64, payload: &[u8]) -> Case {
        let mut words: Vec<&'static str> = Vec::new();
        tokens(command.args, &mut words);
        let mut dice = Dice {
            rng: Rng::from_seed(seed),
            keys: Vec::new(),
            tokens: words,
            times: 1,
            payload: payload.to_vec(),
        };
        dice.times = 1 + dice.below(3);
        dice.keys.extend(["k", "l", "m", "1", "x"].map(|key| key.as_bytes().to_vec()));
        for word in dice.tokens.clone() {
            let word = dice.token(word);
            if dice.one_in(2) && !word.is_empty() && !dice.keys.contains(&word) {
                dice.keys.push(word);
            }
        }
        let mut words: Words = command.full_name.split('|').map(|name| name.as_bytes().to_vec()).collect();
        let head = words.len();
        command.args.iter().for_each(|arg| dice.document(arg, &mut words));
        if dice.one_in(2) {
            (0..=dice.below(3)).for_each(|_| dice.spoil(&mut words, head));
        }
        let alike = dice.pick(fitting(command));
        let kinds: Vec<usize> = (0..dice.keys.len())
            .map(|_| match dice.below(10) {
                0 => dice.below(KINDS.len() + 1),
                1..=4 => dice.pick(fitting(command)),
                _ => alike,
            })
            .collect();
        Case { command, words, data: dice.keys.into_iter().zip(kinds).collect() }
    }

    /// The keys that are found among the arguments.
    fn found(&self) -> Found {
        let slices: Vec<&[u8]> = self.words.iter().map(Vec::as_slice).collect();
        let mut found = Found::new();
        for key in keys::find(self.command, Args::from_slices(&slices)).unwrap_or_default() {
            let has = |flag| key.flags.contains(&flag);
            let (reads, writes) = found.entry(slices[key.index].to_vec()).or_default();
            if key.access != KeyAccess::Channel {
                *reads |= has("access");
                *writes |= has("insert") || has("delete") || has("update");
            }
        }
        found
    }

    fn shown(&self) -> String {
        let words: Vec<_> = self.words.iter().map(|word| String::from_utf8_lossy(word)).collect();
        format!("{words:?}")
    }
}

/// What came of a command.
struct Seen {
    replies: Vec<u8>,
    sent: Vec<u8>,
    /// Keys of which something was told.
    told: Vec<Vec<u8>>,
    before: BTreeMap<(usize, Vec<u8>), Vec<u8>>,
    after: BTreeMap<(usize, Vec<u8>), Vec<u8>>,
}

fn secret(key: &[u8]) -> Vec<u8> {
    [b"<", key, b"-secret-", key, b">"].concat()
}

/// A pattern of rules that stands for one key; a rule has no place for blanks and zeros.
fn pattern(key: &[u8]) -> Vec<u8> {
    let part = |&byte: &u8| if matches!(byte, 0 | 9..=13 | b' ') { vec![b'?'] } else { vec![b'\\', byte] };
    key.iter().flat_map(part).collect()
}

fn send(w: &mut World, c: SessionId, words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_command(&mut bytes, words);
    w.raw(c, &bytes).0
}

fn make(w: &mut World, c: SessionId, key: &[u8], kind: usize, secret: &[u8]) {
    for line in KINDS.get(kind).copied().unwrap_or_default() {
        let words: Vec<&[u8]> = line
            .split(' ')
            .map(|word| match word {
                "KEY" => key,
                "SECRET" => secret,
                word => word.as_bytes(),
            })
            .collect();
        let reply = send(w, c, &words);
        assert!(!reply.starts_with(b"-"), "{line}: {}", String::from_utf8_lossy(&reply));
    }
}

/// What three databases hold, the last of which the user may not use.
fn contents(w: &mut World, c: SessionId) -> BTreeMap<(usize, Vec<u8>), Vec<u8>> {
    let mut held = BTreeMap::new();
    for db in 0..3 {
        w.say(c, &format!("SELECT {db}"));
        let names = w.all(c, "KEYS *").remove(0);
        let tanist_resp::Value::Array(names) = names else { panic!("KEYS answers with an array") };
        for name in names.iter().filter_map(|name| name.as_bytes()) {
            let dump = send(w, c, &[b"DUMP", name]);
            let until = send(w, c, &[b"PEXPIRETIME", name]);
            held.insert((db, name.to_vec()), [dump, until].concat());
        }
    }
    w.say(c, "SELECT 0");
    held
}

/// Runs a command among its data; with `other`, what is not found holds something else.
fn run(case: &Case, found: &Found, other: bool) -> Seen {
    let mut w = World::new();
    let (admin, user, listener) = (w.connect(), w.connect(), w.connect());
    for (n, (key, kind)) in case.data.iter().enumerate() {
        match other && !found.contains_key(key) {
            false => make(&mut w, admin, key, *kind, &secret(key)),
            true => {
                make(&mut w, admin, key, [*kind, *kind, *kind + n + 1][n % 3] % (KINDS.len() + 1), b"other")
            }
        }
    }
    if case.command.group.name() == "scripting" {
        SCRIPTS.iter().for_each(|script| drop(send(&mut w, admin, &[b"SCRIPT", b"LOAD", script.as_bytes()])));
        send(&mut w, admin, &[b"FUNCTION", b"LOAD", FUNCTIONS.as_bytes()]);
    }
    let mut rules: Words = ["ACL", "SETUSER", "u", "on", "nopass", "+@all", "&*", "db=0,1"]
        .map(|w| w.as_bytes().to_vec())
        .into();
    for (key, (reads, writes)) in found {
        if *reads || !*writes {
            rules.push([b"%R~", pattern(key).as_slice()].concat());
        }
        if *writes {
            rules.push([b"%W~", pattern(key).as_slice()].concat());
        }
    }
    let rules: Vec<&[u8]> = rules.iter().map(Vec::as_slice).collect();
    assert_eq!(send(&mut w, admin, &rules), b"+OK\r\n");
    w.say(user, "AUTH u x");
    let before = contents(&mut w, admin);
    w.say(admin, "CONFIG SET notify-keyspace-events EAmn");
    w.say(listener, "PSUBSCRIBE __keyevent*");
    w.outs.drain().for_each(drop);
    let words: Vec<&[u8]> = case.words.iter().map(Vec::as_slice).collect();
    let replies = send(&mut w, user, &words);
    let mut seen = Seen { replies, sent: Vec::new(), told: Vec::new(), before, after: BTreeMap::new() };
    let mut messages = Vec::new();
    while let Some(outputs) = Some(w.outs.drain().collect::<Vec<_>>()).filter(|outputs| !outputs.is_empty()) {
        for output in outputs {
            match output {
                Output::Exchange { number, bytes, .. } => {
                    seen.sent.extend(bytes);
                    let bytes = b"+OK\r\n".repeat(20);
                    w.node.step(w.now, Input::Exchanged { number, bytes }, &mut w.outs);
                }
                Output::Send { session, bytes } if session == listener => messages.extend(bytes),
                Output::Send { session, bytes } if session == user => seen.replies.extend(bytes),
                _ => {}
            }
        }
    }
    for message in super::decode(&messages) {
        if let tanist_resp::Value::Array(parts) = message {
            seen.told.extend(parts.last().and_then(|part| part.as_bytes()).map(<[u8]>::to_vec));
        }
    }
    w.say(admin, "CONFIG SET notify-keyspace-events ''");
    seen.after = contents(&mut w, admin);
    seen
}

/// Commands that write where, by the facts that clients know, they only read: a cached count, and what a group's
/// consumers have been given.
const WRITE_UNTOLD: [&str; 3] = ["pfcount", "pfdebug", "xreadgroup"];
/// Commands that show entries where, by the same facts, they only write.
const READ_UNTOLD: [&str; 2] = ["xautoclaim", "xclaim"];

/// Whether the command did anything but complain.
fn check(case: &Case) -> Result<bool, String> {
    let found = case.found();
    let (one, two) = (run(case, &found, false), run(case, &found, true));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if one.replies != two.replies {
        return Err(format!("the replies differ: {} and {}", text(&one.replies), text(&two.replies)));
    }
    if one.sent != two.sent {
        return Err(format!("what is sent differs: {} and {}", text(&one.sent), text(&two.sent)));
    }
    let writable = |key: &Vec<u8>| {
        found.get(key).is_some_and(|&(_, writes)| writes || WRITE_UNTOLD.contains(&case.command.name))
    };
    for seen in [&one, &two] {
        if let Some(key) = seen.told.iter().find(|key| !found.contains_key(*key)) {
            return Err(format!("{} is told of", text(key)));
        }
        if seen.after.keys().any(|&(db, _)| db == 2) {
            return Err("a database is written".into());
        }
        for place in seen.before.keys().chain(seen.after.keys()) {
            if seen.before.get(place) != seen.after.get(place) && !writable(&place.1) {
                return Err(format!("{} is written", text(&place.1)));
            }
        }
    }
    for ((db, key), held) in &one.after {
        if found.contains_key(key) && two.after.get(&(*db, key.clone())) != Some(held) {
            return Err(format!("{} is written according to what was not found", text(key)));
        }
    }
    for (key, _) in &case.data {
        let secret = secret(key);
        let is_in = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret);
        let holds = |((_, other), held): (&(usize, Vec<u8>), &Vec<u8>)| other != key && is_in(held);
        let leaks = is_in(&one.replies) || is_in(&one.sent) || one.after.iter().any(holds);
        let readable = |&(reads, _): &(bool, bool)| reads || READ_UNTOLD.contains(&case.command.name);
        if leaks && !found.get(key).is_some_and(readable) {
            return Err(format!("{} is read", text(key)));
        }
    }
    Ok(!one.replies.starts_with(b"-"))
}

#[test]
fn no_key_is_touched_but_by_its_rights() {
    let (payload, mut wrong, mut idle) = (payload(), Vec::new(), Vec::new());
    for (_, command) in crate::table::CommandTable::new(&[]).all() {
        if command.keys.is_empty() || matches!(command.action, Action::Container(_)) {
            continue;
        }
        let mut done = 0;
        for seed in 0..if command.flags.has(Flags::MOVABLE_KEYS) { 300 } else { 60 } {
            let case = Case::new(command, seed, &payload);
            if command.accepts(case.words.len()) {
                match check(&case) {
                    Ok(does) => done += usize::from(does),
                    Err(why) => wrong.push(format!("seed {seed}: {}: {why}", case.shown())),
                }
            }
        }
        if done == 0 {
            idle.push(command.full_name);
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong[..wrong.len().min(30)].join("\n"));
    // Without slots there is nothing to scan.
    assert_eq!(idle, ["clusterscan"], "these never did anything");
}
