//! Streams: entries in nodes, as far as commands let see where these begin, and groups that consume them.

mod groups;

use super::{ALIEN, BTreeMap, Dice, KEYS, Model, Step, WRONG_TYPE, follow, int};
use groups::Group;

type Id = (u64, u64);

/// Most entries of a node, deleted ones included.
const NODE: usize = 4;

struct Entry {
    id: Id,
    value: String,
    /// Not deleted.
    live: bool,
}

#[derive(Default)]
struct Stream {
    /// Entries that are deleted stay in their node until that goes.
    nodes: Vec<Vec<Entry>>,
    last: Id,
    max_deleted: Id,
    /// The identifiers of all entries that ever were.
    added: Vec<Id>,
    groups: BTreeMap<&'static str, Group>,
}

#[derive(Default)]
struct Streams(BTreeMap<String, Stream>);

/// What is to go of a stream, as it is said and as it is meant.
struct Trim {
    words: String,
    most: Option<usize>,
    least: Option<Id>,
    whole_nodes: bool,
    limit: Option<usize>,
}

fn text(id: Id) -> String {
    format!("{}-{}", id.0, id.1)
}

fn shown(id: Id, value: &str) -> String {
    format!("[{} [f {value}]]", text(id))
}

fn entries<'a>(all: impl Iterator<Item = (Id, &'a String)>) -> String {
    let each: Vec<String> = all.map(|(id, value)| shown(id, value)).collect();
    format!("[{}]", each.join(" "))
}

fn live_in(node: &[Entry]) -> usize {
    node.iter().filter(|entry| entry.live).count()
}

impl Stream {
    fn live(&self) -> impl DoubleEndedIterator<Item = (Id, &String)> {
        self.nodes.iter().flatten().filter(|entry| entry.live).map(|entry| (entry.id, &entry.value))
    }

    fn len(&self) -> usize {
        self.live().count()
    }

    fn get(&self, id: Id) -> Option<&String> {
        self.live().find(|entry| entry.0 == id).map(|(_, value)| value)
    }

    fn last_live(&self) -> Id {
        self.live().next_back().map_or((0, 0), |(id, _)| id)
    }

    fn add(&mut self, id: Id, value: String) {
        if self.nodes.last().is_none_or(|node| node.len() >= NODE) {
            self.nodes.push(Vec::new());
        }
        self.nodes.last_mut().expect("one at least").push(Entry { id, value, live: true });
        self.last = id;
        self.added.push(id);
    }

    /// Deletes an entry, and a node with its last one.
    fn delete(&mut self, id: Id) -> bool {
        let there = self.get(id).is_some();
        self.nodes.retain_mut(|node| {
            let Some(entry) = node.iter_mut().find(|entry| entry.id == id && entry.live) else { return true };
            entry.live = false;
            live_in(node) > 0
        });
        if there {
            self.max_deleted = self.max_deleted.max(id);
        }
        there
    }

    /// How many entries go: whole nodes first, as long as the limit allows, then single ones if that is wanted.
    fn trim(&mut self, trim: &Trim) -> usize {
        let before = self.len();
        while let Some(node) = self.nodes.first() {
            let (live, len) = (live_in(node), self.len());
            if trim.most.is_some_and(|most| len <= most) {
                break;
            }
            if trim.limit.is_some_and(|limit| limit > 0 && before - len + live > limit) {
                break;
            }
            let highest = node.last().map_or((0, 0), |entry| entry.id);
            if trim.most.is_some_and(|most| len - live >= most) || trim.least.is_some_and(|id| highest < id) {
                self.nodes.remove(0);
                continue;
            }
            if !trim.whole_nodes {
                let mut surplus = trim.most.map_or(usize::MAX, |most| len - most);
                for entry in self.nodes[0].iter_mut().filter(|entry| entry.live) {
                    if surplus > 0 && trim.least.is_none_or(|id| entry.id < id) {
                        entry.live = false;
                        surplus -= 1;
                    }
                }
            }
            break;
        }
        before - self.len()
    }
}

impl Streams {
    /// An identifier of an entry that is or was at `key`, often the first or last of its node, or one near by.
    fn some_id(&self, dice: &mut Dice, key: &str) -> Id {
        let stream = self.0.get(key);
        let last = stream.map_or((0, 0), |s| s.last);
        let Some(node) = stream.filter(|s| !s.nodes.is_empty()).map(|s| &s.nodes[dice.below(s.nodes.len())])
        else {
            return (last.0.saturating_sub(dice.below(20) as u64), 1 + dice.below(3) as u64);
        };
        let id = match dice.below(3) {
            0 => node[0].id,
            1 => node[node.len() - 1].id,
            _ => node[dice.below(node.len())].id,
        };
        match dice.below(6) {
            0 => (id.0, id.1 + 1),
            1 => (id.0, id.1.saturating_sub(1).max(1)),
            _ => id,
        }
    }

    /// Trims that often end where a node does.
    fn some_trim(&self, dice: &mut Dice, key: &str) -> Trim {
        let none = Vec::new();
        let nodes = self.0.get(key).map_or(&none, |s| &s.nodes);
        let sizes: Vec<usize> = nodes.iter().map(|node| live_in(node)).collect();
        let cut = dice.below(nodes.len() + 1);
        let near = |dice: &mut Dice, n: usize| (n + dice.below(3)).saturating_sub(1);
        let sign = dice.pick(&["~ ", "~ ", "~ ", "= ", ""]);
        let mut trim =
            Trim { words: String::new(), most: None, least: None, whole_nodes: sign == "~ ", limit: None };
        if dice.one_in(2) {
            let most = near(dice, sizes[cut..].iter().sum());
            trim.most = Some(most);
            trim.words = format!("MAXLEN {sign}{most}");
        } else {
            let least = self.some_id(dice, key);
            trim.least = Some(least);
            trim.words = format!("MINID {sign}{}", text(least));
        }
        if dice.below(3) == 0 && (trim.whole_nodes || dice.one_in(8)) {
            let limit = near(dice, sizes[..cut].iter().sum());
            trim.limit = Some(limit);
            trim.words += &format!(" LIMIT {limit}");
        }
        trim
    }

    fn add(&mut self, dice: &mut Dice, key: &'static str, now: i64) -> Step {
        let (value, trims, no_stream) = (dice.element(), dice.one_in(4), dice.one_in(10));
        let trim = self.some_trim(dice, key);
        let last = self.0.get(key).map_or((0, 0), |s| s.last);
        let ms = last.0 + dice.below(2) as u64;
        let (id, word) = match dice.below(40) {
            0 if now as u64 > last.0 => ((now as u64, 0), "*".into()),
            0 => ((last.0, last.1 + 1), "*".into()),
            1..10 if ms == last.0 => ((ms, last.1 + 1), format!("{ms}-*")),
            1..10 => ((ms, 0), format!("{ms}-*")),
            _ => {
                let id = (ms, 1 + dice.below(4) as u64);
                (id, text(id))
            }
        };
        let words = if trims { format!("{} ", trim.words) } else { String::new() };
        let line =
            format!("XADD {key} {}{words}{word} f {value}", if no_stream { "NOMKSTREAM " } else { "" });
        if let Some(refusal) = trim.refusal().filter(|_| trims) {
            return Step::new(line, refusal);
        }
        if no_stream && !self.0.contains_key(key) {
            return Step::new(line, "(nil)");
        }
        if id <= last {
            let refusal = "-ERR The ID specified in XADD is equal or smaller than the target stream top item";
            return Step::new(line, refusal);
        }
        let stream = self.0.entry(key.into()).or_default();
        stream.add(id, value);
        let gone = if trims { stream.trim(&trim) } else { 0 };
        Step::new(line, text(id)).event("xadd", key).event_if(gone > 0, "xtrim", key)
    }

    fn trim(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let trim = self.some_trim(dice, key);
        let line = format!("XTRIM {key} {}", trim.words);
        if let Some(refusal) = trim.refusal() {
            return Step::new(line, refusal);
        }
        let gone = self.0.get_mut(key).map_or(0, |stream| stream.trim(&trim));
        Step::new(line, int(gone)).event_if(gone > 0, "xtrim", key)
    }

    /// Often all that is left of a node, or all but its last entry.
    fn delete(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let mut ids: Vec<Id> = (0..=dice.below(2)).map(|_| self.some_id(dice, key)).collect();
        if let Some(stream) = self.0.get(key).filter(|s| !s.nodes.is_empty() && dice.one_in(3)) {
            let node = &stream.nodes[dice.below(stream.nodes.len())];
            ids = node.iter().map(|entry| entry.id).collect();
            match dice.below(4) {
                0 => ids.truncate(ids.len() - 1),
                1 => _ = ids.remove(0),
                2 => ids = ids.split_off(ids.len() - 1),
                _ => {}
            }
        }
        ids.extend(if dice.one_in(4) { ids.first().copied() } else { None });
        let words: Vec<String> = ids.iter().map(|id| text(*id)).collect();
        let line = format!("XDEL {key} {}", words.join(" ")).trim_end().to_owned();
        if ids.is_empty() {
            return Step::new(format!("XLEN {key}"), int(self.0.get(key).map_or(0, Stream::len)));
        }
        let stream = self.0.get_mut(key);
        let gone = stream.map_or(0, |stream| ids.iter().filter(|id| stream.delete(**id)).count());
        Step::new(line, int(gone)).event_if(gone > 0, "xdel", key)
    }

    fn range(&self, dice: &mut Dice, key: &'static str) -> Step {
        let (from, to) = (self.some_id(dice, key), self.some_id(dice, key));
        let (out_from, out_to) = (dice.one_in(4), dice.one_in(4));
        let bound = |out: bool, id: Id| format!("{}{}", if out { "(" } else { "" }, text(id));
        let (open_from, open_to) = (dice.one_in(4), dice.one_in(4));
        let low = if open_from { "-".into() } else { bound(out_from, from) };
        let high = if open_to { "+".into() } else { bound(out_to, to) };
        let within = |id: Id| {
            (open_from || id > from || id == from && !out_from) && (open_to || id < to || id == to && !out_to)
        };
        let (reverse, count) = (dice.one_in(2), [None, Some(1), Some(3), Some(NODE), Some(0)][dice.below(5)]);
        let words = if reverse {
            format!("XREVRANGE {key} {high} {low}")
        } else {
            format!("XRANGE {key} {low} {high}")
        };
        let line = words + &count.map_or(String::new(), |count| format!(" COUNT {count}"));
        let Some(stream) = self.0.get(key) else { return Step::new(line, "[]") };
        if count == Some(0) {
            return Step::new(line, "(nil)");
        }
        let most = count.unwrap_or(usize::MAX);
        let found = stream.live().filter(|(id, _)| within(*id));
        let answer = if reverse { entries(found.rev().take(most)) } else { entries(found.take(most)) };
        Step::new(line, answer)
    }

    fn read(&self, dice: &mut Dice) -> Step {
        let (keys, count) = (dice.sources(2), [None, Some(1), Some(3)][dice.below(3)]);
        let ids: Vec<Option<Id>> =
            keys.iter().map(|key| (!dice.one_in(6)).then(|| self.some_id(dice, key))).collect();
        let words: Vec<String> = ids.iter().map(|id| id.map_or("$".into(), text)).collect();
        let option = count.map_or(String::new(), |count| format!("COUNT {count} "));
        let line = format!("XREAD {option}STREAMS {} {}", keys.join(" "), words.join(" "));
        if keys.contains(&ALIEN) {
            return Step::new(line, WRONG_TYPE);
        }
        let mut served = Vec::new();
        for (key, id) in keys.iter().zip(ids) {
            let Some((stream, id)) = self.0.get(*key).zip(id).filter(|(stream, id)| stream.last_live() > *id)
            else {
                continue;
            };
            let new = stream.live().filter(|entry| entry.0 > id).take(count.unwrap_or(usize::MAX));
            served.push(format!("[{key} {}]", entries(new)));
        }
        let answer = if served.is_empty() { "(nil)".into() } else { format!("[{}]", served.join(" ")) };
        Step::new(line, answer)
    }

    fn set_id(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let last = self.0.get(key).map_or((0, 0), |s| s.last);
        let id = (last.0.saturating_sub(1) + dice.below(3) as u64, dice.below(5) as u64);
        let line = format!("XSETID {key} {}", text(id));
        let Some(stream) = self.0.get_mut(key) else { return Step::new(line, "-ERR no such key") };
        if id < stream.max_deleted {
            let refusal = "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id";
            return Step::new(line, refusal);
        }
        if id < stream.last_live() {
            let refusal = "-ERR The ID specified in XSETID is smaller than the target stream top item";
            return Step::new(line, refusal);
        }
        stream.last = id;
        Step::new(line, "OK").event("xsetid", key)
    }

    fn describe(&self, key: &'static str) -> Step {
        let line = format!("XINFO STREAM {key}");
        let Some(stream) = self.0.get(key) else { return Step::new(line, "-ERR no such key") };
        let end = |entry: Option<(Id, &String)>| entry.map_or("(nil)".into(), |(id, value)| shown(id, value));
        let first = stream.live().next();
        let answer = format!(
            "[length :{} radix-tree-keys :{} radix-tree-nodes ? last-generated-id {} max-deleted-entry-id {} \
             entries-added :{} recorded-first-entry-id {} groups :{} first-entry {} last-entry {}]",
            stream.len(),
            stream.nodes.len(),
            text(stream.last),
            text(stream.max_deleted),
            stream.added.len(),
            text(first.map_or((0, 0), |(id, _)| id)),
            stream.groups.len(),
            end(first),
            end(stream.live().next_back()),
        );
        Step::new(line, answer)
    }
}

impl Trim {
    fn refusal(&self) -> Option<&'static str> {
        let unfit = self.limit.is_some() && !self.whole_nodes;
        unfit.then_some("-ERR syntax error, LIMIT cannot be used without the special ~ option")
    }
}

impl Model for Streams {
    fn step(&mut self, dice: &mut Dice, now: i64) -> Step {
        // Most of the time one of them grows long.
        let key = if dice.one_in(2) { KEYS[0] } else { dice.key() };
        match dice.below(40) {
            0..13 => self.add(dice, key, now),
            13..16 => self.trim(dice, key),
            16..18 => self.delete(dice, key),
            18..22 => self.range(dice, key),
            22 => self.read(dice),
            23 => self.describe(key),
            24 if dice.one_in(3) => self.set_id(dice, key),
            24 if dice.one_in(3) => {
                let there = self.0.remove(key).is_some();
                Step::new(format!("DEL {key}"), int(there.into())).event_if(there, "del", key)
            }
            _ => self.in_group(dice, key, now),
        }
    }

    fn encoding(&self, _key: &str) -> Option<&'static str> {
        None
    }

    fn holds(&self, key: &str) -> Option<bool> {
        Some(self.0.contains_key(key))
    }

    fn looks(&mut self, key: &'static str, now: i64) -> Vec<Step> {
        let all = entries(self.0.get(key).into_iter().flat_map(Stream::live));
        let mut looks = vec![Step::new(format!("XRANGE {key} - +"), all)];
        looks.extend(groups::GROUPS.map(|group| self.all_pending(key, group, now)));
        looks.extend(groups::GROUPS.map(|group| self.consumers(key, group, now)));
        looks
    }

    fn questions(key: &str) -> Vec<String> {
        let mut questions = vec![format!("XRANGE {key} - +"), format!("XINFO GROUPS {key}")];
        questions.extend(groups::GROUPS.map(|group| format!("XPENDING {key} {group} - + 1000")));
        questions
    }
}

#[test]
fn streams_follow_their_model() {
    follow::<Streams>(2_000, 300);
}
