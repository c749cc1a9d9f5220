//! What is refused in every state in which the node may refuse something, against what Valkey says there
//! (`refusals.txt`, made by `tests/compat/refusals.py`, which says how to read it).

use super::{World, decode, show};
use crate::SessionId;
use std::collections::BTreeMap;
use tanist_config::{SavePoint, ServerConfig};
use tanist_resp::{Value, encode_command};

const WRITE: &str = "return redis.call('set', 'k', 'v')";
const READ: &str = "return redis.call('get', 'k')";
const FLAGS: [&str; 6] =
    ["", "no-writes", "allow-oom", "allow-stale", "no-writes,allow-stale", "allow-oom,allow-stale"];

/// The words of a case by its name.
fn words(name: &str) -> Vec<String> {
    let plain: &[&str] = match name {
        "set" => &["SET", "k", "v"],
        "del" => &["DEL", "none"],
        "get" => &["GET", "k"],
        "publish" => &["PUBLISH", "c", "m"],
        "pfcount" => &["PFCOUNT", "none"],
        "info" => &["INFO", "server"],
        "eval:del" => &["EVAL", "return redis.call('del', 'none')", "0"],
        "eval:publish" => &["EVAL", "return redis.call('publish', 'c', 'm')", "0"],
        _ => return script_words(name),
    };
    plain.iter().map(|&word| word.to_owned()).collect()
}

/// `eval[flags]:w`, `fcall_ro[flags]:r` and the like.
fn script_words(name: &str) -> Vec<String> {
    let (command, kind) = name.split_once(':').expect("a script that writes or reads");
    let (command, flags) = match command.split_once('[') {
        Some((command, flags)) => (command, Some(flags.trim_end_matches(']'))),
        None => (command, None),
    };
    let code = if kind == "w" { WRITE } else { READ };
    let what = match flags {
        None => code.to_owned(),
        Some(flags) if command.starts_with("fcall") => {
            format!("{kind}{}", FLAGS.iter().position(|known| *known == flags).expect("flags of a function"))
        }
        Some("") => format!("#!lua\n{code}"),
        Some(flags) => format!("#!lua flags={flags}\n{code}"),
    };
    vec![command.to_uppercase(), what, "0".into()]
}

/// A function for each set of flags, one that writes and one that reads.
fn library() -> String {
    let mut code = String::from("#!lua name=lib\n");
    for (i, flags) in FLAGS.iter().enumerate() {
        let flags: Vec<_> = flags.split(',').filter(|f| !f.is_empty()).map(|f| format!("'{f}'")).collect();
        for (kind, body) in [("w", WRITE), ("r", READ)] {
            code += &format!(
                "redis.register_function{{function_name='{kind}{i}', flags={{{}}}, callback=function() {body} end}}\n",
                flags.join(",")
            );
        }
    }
    code
}

/// The node and the two connections that the cases come from.
struct Judge {
    world: World,
    own: SessionId,
    other: SessionId,
}

impl Judge {
    /// A node whose last snapshot has failed.
    fn new() -> Judge {
        let save = vec![SavePoint { seconds: 3600, changes: 1_000_000 }];
        let mut world = World::with(ServerConfig { save, ..ServerConfig::default() });
        world.node.saving.last_ok = false;
        let (own, other) = (world.connect(), world.connect());
        let mut judge = Judge { world, own, other };
        assert_eq!(judge.ask(&["FUNCTION".into(), "LOAD".into(), library()]), "ok");
        judge
    }

    fn ask(&mut self, words: &[String]) -> String {
        let mut bytes = Vec::new();
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        encode_command(&mut bytes, &words);
        let (out, _) = self.world.raw(self.own, &bytes);
        said(&decode(&out)[0])
    }

    fn order(&mut self, id: SessionId, line: &str) {
        assert_eq!(self.world.say(id, line), "OK", "{line}");
    }

    fn become_role(&mut self, role: char) {
        self.enter(self.own, 'W', "");
        let to = if role == 'P' { "NO ONE" } else { "127.0.0.1 1" };
        let reply = self.world.say(self.own, &format!("REPLICAOF {to}"));
        assert!(reply.starts_with("OK"), "{reply}");
        (self.own, self.other) = (self.world.connect(), self.world.connect());
    }

    fn enter(&mut self, id: SessionId, role: char, state: &str) {
        let value = |letter, on, off| if state.contains(letter) { on } else { off };
        let line = format!(
            "CONFIG SET replica-read-only {} stop-writes-on-bgsave-error {} min-replicas-to-write {} maxmemory {} \
             replica-serve-stale-data {}",
            if role == 'W' { "no" } else { "yes" },
            value('s', "yes", "no"),
            value('f', "1", "0"),
            value('m', "1", "0"),
            value('o', "no", "yes"),
        );
        self.order(id, &line);
    }

    /// What becomes of a command: alone, in a transaction, and in one that was queued before the state began.
    fn fate(&mut self, role: char, state: &str, words: &[String]) -> String {
        self.enter(self.own, role, state);
        let alone = self.ask(words);
        self.order(self.own, "MULTI");
        let (queued, ended) = (self.ask(words), self.ask(&["EXEC".into()]));
        self.enter(self.own, 'W', "");
        self.order(self.own, "MULTI");
        assert_eq!(self.ask(words), "queued", "{words:?}");
        self.enter(self.other, role, state);
        format!("{alone} {queued} {ended} {}", self.ask(&["EXEC".into()]))
    }
}

/// The first word of an error, with that of the one that has aborted a transaction; else `ok` or `queued`.
fn said(reply: &Value) -> String {
    let text = match reply {
        Value::Array(replies) => return replies.iter().map(said).collect::<Vec<_>>().join("+"),
        Value::Error(text) => String::from_utf8_lossy(text),
        _ if show(reply) == "QUEUED" => return "queued".into(),
        _ => return "ok".into(),
    };
    let (word, rest) = text.split_once(' ').expect("a code and a sentence");
    match rest.split_once(": ") {
        Some((_, reason)) if word == "EXECABORT" => {
            format!("{word}:{}", reason.split(' ').next().unwrap_or_default())
        }
        _ => word.into(),
    }
}

/// What is expected: by role and state, each case with its fate.
fn expected() -> BTreeMap<(char, String), Vec<(String, String)>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut names = Vec::new();
    for line in include_str!("refusals.txt").lines() {
        let Some((fate, states)) = line.trim().split_once(": ").filter(|_| line.starts_with(' ')) else {
            names = line.split(' ').collect();
            continue;
        };
        for state in states.split(' ') {
            let (role, state) = (state.chars().next().expect("a role"), state[1..].to_owned());
            let cases = names.iter().map(|name| ((*name).to_owned(), fate.to_owned()));
            all.entry((role, state)).or_default().extend(cases);
        }
    }
    all
}

#[test]
fn every_state_refuses_what_valkey_refuses_there() {
    let (mut judge, mut at) = (Judge::new(), 'P');
    let mut different = Vec::new();
    let expected = expected();
    assert_eq!(expected.len(), 8 + 16 + 16, "states");
    for ((role, state), cases) in expected {
        if role != at {
            judge.become_role(role);
            at = role;
        }
        assert_eq!(cases.len(), 48, "cases");
        for (name, theirs) in cases {
            let ours = judge.fate(role, &state, &words(&name));
            if ours != theirs {
                different.push(format!("{role}{state} {name}: {ours}, not {theirs}"));
            }
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
}
