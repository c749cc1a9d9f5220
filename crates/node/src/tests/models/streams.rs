//! Streams: maps from identifiers to entries, and groups of them.

use super::{BTreeMap, Dice, Model, Step, follow, int};

type Id = (u64, u64);

#[derive(Default)]
struct Stream {
    entries: BTreeMap<Id, String>,
    last: Id,
    group: Option<Group>,
}

#[derive(Default)]
struct Group {
    last: Id,
    pending: BTreeMap<Id, &'static str>,
}

#[derive(Default)]
struct Streams(BTreeMap<String, Stream>);

fn text(id: Id) -> String {
    format!("{}-{}", id.0, id.1)
}

fn entries<'a>(all: impl Iterator<Item = (&'a Id, &'a String)>) -> String {
    let each: Vec<String> = all.map(|(id, value)| format!("[{} [f {value}]]", text(*id))).collect();
    format!("[{}]", each.join(" "))
}

impl Model for Streams {
    fn step(&mut self, dice: &mut Dice, _now: i64) -> Step {
        let (key, value) = (dice.key(), dice.element());
        let consumer = dice.pick(&["c", "d"]);
        let near = |dice: &mut Dice, stream: Option<&Stream>| {
            let last = stream.map_or(0, |s| s.last.0);
            (last.saturating_sub(dice.below(20) as u64), dice.below(3) as u64)
        };
        let (from, to) = (near(dice, self.0.get(key)), near(dice, self.0.get(key)));
        let known = self.0.contains_key(key);
        match dice.below(14) {
            0..5 => {
                let stream = self.0.entry(key.into()).or_default();
                let id = (stream.last.0 + dice.below(2) as u64, 1 + dice.below(4) as u64);
                let answer = if id > stream.last {
                    stream.last = id;
                    stream.entries.insert(id, value.clone());
                    text(id)
                } else {
                    "-ERR The ID specified in XADD is equal or smaller than the target stream top item".into()
                };
                Step::new(format!("XADD {key} {} f {value}", text(id)), answer)
            }
            5 => Step::new(format!("XLEN {key}"), int(self.0.get(key).map_or(0, |s| s.entries.len()))),
            6 => {
                let within = self.0.get(key).into_iter().flat_map(|s| &s.entries);
                let within = entries(within.filter(|(id, _)| (from..=to).contains(id)));
                Step::new(format!("XRANGE {key} {} {}", text(from), text(to)), within)
            }
            7 => {
                let all = self.0.get(key).into_iter().flat_map(|s| s.entries.iter().rev());
                Step::new(format!("XREVRANGE {key} + - COUNT 5"), entries(all.take(5)))
            }
            8 => {
                let removed = self.0.get_mut(key).and_then(|s| s.entries.remove(&from)).is_some();
                Step::new(format!("XDEL {key} {}", text(from)), int(removed.into()))
            }
            9 => {
                let mut gone = 0;
                if let Some(stream) = self.0.get_mut(key) {
                    let before = stream.entries.len();
                    stream.entries = stream.entries.split_off(&from);
                    gone = before - stream.entries.len();
                }
                Step::new(format!("XTRIM {key} MINID {}", text(from)), int(gone))
            }
            10 => {
                let made = known && self.0.get(key).is_some_and(|s| s.group.is_none());
                let line = format!("XGROUP CREATE {key} g {}", text(from));
                if made {
                    let group = Group { last: from, ..Group::default() };
                    self.0.get_mut(key).expect("there").group = Some(group);
                    return Step::new(line, "OK");
                }
                let none = "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use \
                            the MKSTREAM option to create an empty stream automatically.";
                Step::new(line, if known { "-BUSYGROUP Consumer Group name already exists" } else { none })
            }
            11 => {
                let line = format!("XREADGROUP GROUP g {consumer} COUNT 3 STREAMS {key} >");
                let Some(Stream { entries: all, group: Some(group), .. }) = self.0.get_mut(key) else {
                    let refusal = format!(
                        "-NOGROUP No such key '{key}' or consumer group 'g' in XREADGROUP with GROUP option"
                    );
                    return Step::new(line, refusal);
                };
                let new: Vec<(&Id, &String)> =
                    all.iter().filter(|(id, _)| **id > group.last).take(3).collect();
                for (id, _) in &new {
                    group.last = **id;
                    group.pending.insert(**id, consumer);
                }
                let answer = match new.is_empty() {
                    true => "(nil)".into(),
                    false => format!("[[{key} {}]]", entries(new.into_iter())),
                };
                Step::new(line, answer)
            }
            12 => {
                let group = self.0.get_mut(key).and_then(|s| s.group.as_mut());
                let first = group.as_ref().and_then(|g| g.pending.keys().next().copied()).unwrap_or(from);
                let acked = group.is_some_and(|g| g.pending.remove(&first).is_some());
                Step::new(format!("XACK {key} g {}", text(first)), int(acked.into()))
            }
            _ => {
                let line = format!("XPENDING {key} g");
                let Some(group) = self.0.get(key).and_then(|s| s.group.as_ref()) else {
                    return Step::new(line, format!("-NOGROUP No such key '{key}' or consumer group 'g'"));
                };
                let pending = &group.pending;
                let of = |name: &str| pending.values().filter(|owner| **owner == name).count();
                let owners: Vec<String> = ["c", "d"]
                    .into_iter()
                    .filter(|name| of(name) > 0)
                    .map(|name| format!("[{name} {}]", of(name)))
                    .collect();
                let answer = match (pending.keys().next(), pending.keys().next_back()) {
                    (Some(first), Some(last)) => {
                        format!(
                            "[:{} {} {} [{}]]",
                            pending.len(),
                            text(*first),
                            text(*last),
                            owners.join(" ")
                        )
                    }
                    _ => "[:0 (nil) (nil) (nil)]".into(),
                };
                Step::new(line, answer)
            }
        }
    }

    fn encoding(&self, _key: &str) -> Option<&'static str> {
        None
    }
}

#[test]
fn streams_follow_their_model() {
    follow::<Streams>(60, 200);
}
