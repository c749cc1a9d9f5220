//! Groups of consumers: which entries wait for whom, since when, and how often they were handed out.

use super::{BTreeMap, Dice, Id, Step, Stream, Streams, entries, int, shown, text};

pub(super) const GROUPS: [&str; 2] = ["g", "h"];
const CONSUMERS: [&str; 3] = ["c", "d", "e"];
const KEY_MISSING: &str = "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use \
                           the MKSTREAM option to create an empty stream automatically.";

#[derive(Default)]
pub(super) struct Group {
    last: Id,
    pending: BTreeMap<Id, Delivery>,
    consumers: BTreeMap<&'static str, Consumer>,
}

struct Delivery {
    owner: &'static str,
    /// In milliseconds since 1970.
    at: i64,
    count: usize,
}

impl Delivery {
    fn shown(&self, id: Id, now: i64) -> String {
        format!("[{} {} :{} :{}]", text(id), self.owner, (now - self.at).max(0), self.count)
    }
}

#[derive(Default)]
struct Consumer {
    /// When it last tried something, and when it last got something.
    seen: i64,
    active: Option<i64>,
}

impl Group {
    /// The consumer has been seen; whether it is a new one.
    fn see(&mut self, consumer: &'static str, now: i64) -> bool {
        let new = !self.consumers.contains_key(consumer);
        self.consumers.entry(consumer).or_default().seen = now;
        new
    }

    fn of(&self, consumer: &str) -> usize {
        self.pending.values().filter(|delivery| delivery.owner == consumer).count()
    }

    /// Hands an entry to a consumer.
    fn hand(&mut self, id: Id, owner: &'static str, at: i64, count: usize, now: i64) {
        self.pending.insert(id, Delivery { owner, at, count });
        self.consumers.entry(owner).or_default().active = Some(now);
    }
}

/// Words that say how many at most, and how many that are.
fn some_count(dice: &mut Dice) -> (String, usize) {
    match dice.below(4) {
        0 => (String::new(), usize::MAX),
        n => (format!(" COUNT {n}"), n),
    }
}

fn no_group(key: &str, group: &str, command: &str) -> String {
    format!("-NOGROUP No such key '{key}' or consumer group '{group}'{command}")
}

fn row(items: &[String]) -> String {
    format!("[{}]", items.join(" "))
}

impl Streams {
    pub(super) fn in_group(&mut self, dice: &mut Dice, key: &'static str, now: i64) -> Step {
        let group = if dice.one_in(5) { GROUPS[1] } else { GROUPS[0] };
        match dice.below(17) {
            0..3 => self.manage(dice, key, group, now),
            3..7 => self.read_new(dice, key, group, now),
            7 => self.read_again(dice, key, group, now),
            8..10 => self.acknowledge(dice, key, group),
            10..12 => self.pending(dice, key, group, now),
            12..14 => self.claim(dice, key, group, now),
            14..16 => self.claim_next(dice, key, group, now),
            _ => self.tell(dice, key, group, now),
        }
    }

    /// Calls `f` with the stream and its group, if both are there.
    fn with<R>(
        &mut self,
        key: &str,
        group: &'static str,
        f: impl FnOnce(&Stream, &mut Group) -> R,
    ) -> Option<R> {
        let stream = self.0.get_mut(key)?;
        let mut taken = stream.groups.remove(group)?;
        let result = f(stream, &mut taken);
        stream.groups.insert(group, taken);
        Some(result)
    }

    fn manage(&mut self, dice: &mut Dice, key: &'static str, group: &'static str, now: i64) -> Step {
        let (id, consumer, make) = (self.some_id(dice, key), dice.pick(&CONSUMERS), dice.one_in(2));
        let word = if dice.one_in(3) { "$".into() } else { text(id) };
        let missing = format!("-NOGROUP No such consumer group '{group}' for key name '{key}'");
        let known = self.0.contains_key(key);
        let id_of = |stream: &Stream| if word == "$" { stream.last } else { id };
        match dice.below(12) {
            0..6 => {
                let line =
                    format!("XGROUP CREATE {key} {group} {word}{}", if make { " MKSTREAM" } else { "" });
                if !known && !make {
                    return Step::new(line, KEY_MISSING);
                }
                let stream = self.0.entry(key.into()).or_default();
                if stream.groups.contains_key(group) {
                    return Step::new(line, "-BUSYGROUP Consumer Group name already exists");
                }
                let last = id_of(stream);
                stream.groups.insert(group, Group { last, ..Group::default() });
                Step::new(line, "OK").event("xgroup-create", key)
            }
            6 => {
                let line = format!("XGROUP DESTROY {key} {group}");
                let Some(stream) = self.0.get_mut(key) else { return Step::new(line, KEY_MISSING) };
                let gone = stream.groups.remove(group).is_some();
                Step::new(line, int(gone.into())).event_if(gone, "xgroup-destroy", key)
            }
            n => {
                let line = match n {
                    7..9 => format!("XGROUP SETID {key} {group} {word}"),
                    9 => format!("XGROUP DELCONSUMER {key} {group} {consumer}"),
                    _ => format!("XGROUP CREATECONSUMER {key} {group} {consumer}"),
                };
                let done = self.with(key, group, |stream, group| match n {
                    7..9 => {
                        group.last = id_of(stream);
                        ("OK".to_owned(), Some("xgroup-setid"))
                    }
                    9 => {
                        let (waiting, known) =
                            (group.of(consumer), group.consumers.remove(consumer).is_some());
                        group.pending.retain(|_, delivery| delivery.owner != consumer);
                        (int(waiting), known.then_some("xgroup-delconsumer"))
                    }
                    _ => {
                        // One that is there has done nothing by that.
                        let new = !group.consumers.contains_key(consumer) && group.see(consumer, now);
                        (int(new.into()), new.then_some("xgroup-createconsumer"))
                    }
                });
                match done {
                    None if known => Step::new(line, missing),
                    None => Step::new(line, KEY_MISSING),
                    Some((answer, event)) => {
                        Step::new(line, answer).event_if(event.is_some(), event.unwrap_or_default(), key)
                    }
                }
            }
        }
    }

    fn read_new(&mut self, dice: &mut Dice, key: &'static str, group: &'static str, now: i64) -> Step {
        let (consumer, no_ack, (count, most)) = (dice.pick(&CONSUMERS), dice.one_in(6), some_count(dice));
        let option = if no_ack { " NOACK" } else { "" };
        let line = format!("XREADGROUP GROUP {group} {consumer}{count}{option} STREAMS {key} >");
        let done = self.with(key, group, |stream, group| {
            let new_consumer = group.see(consumer, now);
            let last = group.last;
            let new: Vec<(Id, &String)> = stream.live().filter(|(id, _)| *id > last).take(most).collect();
            for (id, _) in &new {
                group.last = *id;
                if !no_ack {
                    group.hand(*id, consumer, now, 1, now);
                }
            }
            let answer = match new.is_empty() {
                true => "(nil)".into(),
                false => format!("[[{key} {}]]", entries(new.into_iter())),
            };
            (answer, new_consumer)
        });
        answer(line, done, key, no_group(key, group, " in XREADGROUP with GROUP option"))
    }

    /// What waits for a consumer is shown to it again, which counts.
    fn read_again(&mut self, dice: &mut Dice, key: &'static str, group: &'static str, now: i64) -> Step {
        let (consumer, (count, most)) = (dice.pick(&CONSUMERS), some_count(dice));
        let behind = if dice.one_in(2) { (0, 0) } else { self.some_id(dice, key) };
        let line = format!("XREADGROUP GROUP {group} {consumer}{count} STREAMS {key} {}", text(behind));
        let done = self.with(key, group, |stream, group| {
            let new_consumer = group.see(consumer, now);
            let waiting = group.pending.iter_mut().filter(|(id, d)| **id > behind && d.owner == consumer);
            let show = |(id, delivery): (&Id, &mut Delivery)| match stream.get(*id) {
                None => format!("[{} (nil)]", text(*id)),
                Some(value) => {
                    (delivery.at, delivery.count) = (now, delivery.count + 1);
                    shown(*id, value)
                }
            };
            let again: Vec<String> = waiting.take(most).map(show).collect();
            (format!("[[{key} {}]]", row(&again)), new_consumer)
        });
        answer(line, done, key, no_group(key, group, " in XREADGROUP with GROUP option"))
    }

    /// Identifiers, most of them of entries that wait.
    fn some_waiting(&self, dice: &mut Dice, key: &str, group: &str) -> Vec<Id> {
        let pending = self.0.get(key).and_then(|s| s.groups.get(group)).map(|g| &g.pending);
        let waiting: Vec<Id> = pending.into_iter().flat_map(BTreeMap::keys).copied().collect();
        let pick = |dice: &mut Dice| match waiting.is_empty() || dice.one_in(4) {
            true => self.some_id(dice, key),
            false => waiting[dice.below(waiting.len())],
        };
        (0..=dice.below(3)).map(|_| pick(dice)).collect()
    }

    fn acknowledge(&mut self, dice: &mut Dice, key: &'static str, group: &'static str) -> Step {
        let ids = self.some_waiting(dice, key, group);
        let words: Vec<String> = ids.iter().map(|id| text(*id)).collect();
        let acked = self
            .with(key, group, |_, group| ids.iter().filter(|id| group.pending.remove(id).is_some()).count());
        Step::new(format!("XACK {key} {group} {}", words.join(" ")), int(acked.unwrap_or(0)))
    }

    fn pending(&mut self, dice: &mut Dice, key: &'static str, group: &'static str, now: i64) -> Step {
        let refusal = no_group(key, group, "");
        if dice.one_in(2) {
            let told = self.with(key, group, |_, group| summary(group));
            return Step::new(format!("XPENDING {key} {group}"), told.unwrap_or(refusal));
        }
        let (from, to, count) =
            (self.some_id(dice, key), self.some_id(dice, key), [0, 1, 3, 100][dice.below(4)]);
        let (open, idle) = (dice.one_in(2), [None, Some(1), Some(25)][dice.below(3)]);
        let consumer = [None, Some(dice.pick(&CONSUMERS))][dice.below(2)];
        let line = format!(
            "XPENDING {key} {group}{} {} {} {count}{}",
            idle.map_or(String::new(), |idle| format!(" IDLE {idle}")),
            if open { "-".into() } else { text(from) },
            if open { "+".into() } else { text(to) },
            consumer.map_or(String::new(), |consumer| format!(" {consumer}")),
        );
        let told = self.with(key, group, |_, group| {
            let wanted = |(id, d): &(&Id, &Delivery)| {
                (open || (from..=to).contains(id))
                    && idle.is_none_or(|idle| now - d.at >= idle)
                    && consumer.is_none_or(|consumer| d.owner == consumer)
            };
            let shown = group.pending.iter().filter(wanted).take(count);
            row(&shown.map(|(id, delivery)| delivery.shown(*id, now)).collect::<Vec<_>>())
        });
        Step::new(line, told.unwrap_or(refusal))
    }

    pub(super) fn all_pending(&mut self, key: &str, group: &'static str, now: i64) -> Step {
        let told = self.with(key, group, |_, group| {
            row(&group.pending.iter().map(|(id, delivery)| delivery.shown(*id, now)).collect::<Vec<_>>())
        });
        Step::new(
            format!("XPENDING {key} {group} - + 1000"),
            told.unwrap_or_else(|| no_group(key, group, "")),
        )
    }

    fn claim(&mut self, dice: &mut Dice, key: &'static str, group: &'static str, now: i64) -> Step {
        let (ids, consumer) = (self.some_waiting(dice, key, group), dice.pick(&CONSUMERS));
        let min_idle = [0, 0, 1, 25][dice.below(4)];
        let (force, just_id) = (dice.one_in(3), dice.one_in(3));
        let (idle, retries) = ([None, Some(10)][dice.below(2)], [None, Some(0), Some(7)][dice.below(3)]);
        let words: Vec<String> = ids.iter().map(|id| text(*id)).collect();
        let mut line = format!("XCLAIM {key} {group} {consumer} {min_idle} {}", words.join(" "));
        line += &idle.map_or(String::new(), |idle| format!(" IDLE {idle}"));
        line += &retries.map_or(String::new(), |retries| format!(" RETRYCOUNT {retries}"));
        line += if force { " FORCE" } else { "" };
        line += if just_id { " JUSTID" } else { "" };
        let done = self.with(key, group, |stream, group| {
            let (new_consumer, mut taken) = (group.see(consumer, now), Vec::new());
            for id in &ids {
                let Some(value) = stream.get(*id) else {
                    group.pending.remove(id);
                    continue;
                };
                let before = match group.pending.get(id) {
                    Some(d) if min_idle > 0 && now - d.at < min_idle => continue,
                    Some(d) => d.count,
                    None if force => 1,
                    None => continue,
                };
                let count = retries.unwrap_or(before + usize::from(!just_id));
                group.hand(*id, consumer, now - idle.unwrap_or(0), count, now);
                taken.push(if just_id { text(*id) } else { shown(*id, value) });
            }
            (row(&taken), new_consumer)
        });
        answer(line, done, key, no_group(key, group, ""))
    }

    fn claim_next(&mut self, dice: &mut Dice, key: &'static str, group: &'static str, now: i64) -> Step {
        let (start, consumer) = (self.some_id(dice, key), dice.pick(&CONSUMERS));
        let start = if dice.one_in(2) { (0, 0) } else { start };
        let (min_idle, just_id, most) = ([0, 1, 25][dice.below(3)], dice.one_in(3), 1 + dice.below(4));
        let option = if just_id { " JUSTID" } else { "" };
        let line =
            format!("XAUTOCLAIM {key} {group} {consumer} {min_idle} {} COUNT {most}{option}", text(start));
        let done = self.with(key, group, |stream, group| {
            let (new_consumer, mut taken, mut dropped) = (group.see(consumer, now), Vec::new(), Vec::new());
            let waiting: Vec<Id> = group.pending.range(start..).map(|(id, _)| *id).collect();
            let mut next = waiting.iter().copied();
            // For each that may be taken ten are looked at.
            for id in next.by_ref().take(10 * most) {
                let delivery = &group.pending[&id];
                match stream.get(id) {
                    None => {
                        group.pending.remove(&id);
                        dropped.push(text(id));
                    }
                    Some(_) if now - delivery.at < min_idle => {}
                    Some(value) => {
                        let count = delivery.count + usize::from(!just_id);
                        group.hand(id, consumer, now, count, now);
                        taken.push(if just_id { text(id) } else { shown(id, value) });
                    }
                }
                if taken.len() + dropped.len() == most {
                    break;
                }
            }
            let cursor = text(next.next().unwrap_or((0, 0)));
            (format!("[{cursor} {} {}]", row(&taken), row(&dropped)), new_consumer)
        });
        answer(line, done, key, no_group(key, group, ""))
    }

    fn tell(&mut self, dice: &mut Dice, key: &'static str, group: &'static str, now: i64) -> Step {
        if dice.one_in(2) {
            let line = format!("XINFO GROUPS {key}");
            let Some(stream) = self.0.get(key) else { return Step::new(line, "-ERR no such key") };
            let tell = |(name, group): (&&str, &Group)| {
                // How many are left may not be known; those that were trimmed may be counted.
                let left = stream.live().filter(|(id, _)| *id > group.last).count();
                let ever = stream.added.iter().filter(|id| **id > group.last).count();
                let (consumers, waiting) = (group.consumers.len(), group.pending.len());
                let last = text(group.last);
                // Behind an identifier that was set back, entries that came later count as well.
                let lag = match stream.added.is_sorted() {
                    true => format!("?(nil)|:{left}|:{ever}"),
                    false => "?".to_owned(),
                };
                format!(
                    "[name {name} consumers :{consumers} pending :{waiting} last-delivered-id {last} entries-read ? \
                     lag {lag}]"
                )
            };
            return Step::new(line, row(&stream.groups.iter().map(tell).collect::<Vec<_>>()));
        }
        self.consumers(key, group, now)
    }

    pub(super) fn consumers(&mut self, key: &str, group: &'static str, now: i64) -> Step {
        let line = format!("XINFO CONSUMERS {key} {group}");
        let known = self.0.contains_key(key);
        let told = self.with(key, group, |_, group| {
            let tell = |(name, consumer): (&&str, &Consumer)| {
                let (waiting, idle) = (group.of(name), now - consumer.seen);
                let inactive = consumer.active.map_or(-1, |at| now - at);
                format!("[name {name} pending :{waiting} idle :{idle} inactive :{inactive}]")
            };
            row(&group.consumers.iter().map(tell).collect::<Vec<_>>())
        });
        let missing = format!("-NOGROUP No such consumer group '{group}' for key name '{key}'");
        Step::new(line, told.unwrap_or(if known { missing } else { "-ERR no such key".into() }))
    }
}

fn summary(group: &Group) -> String {
    let (Some(first), Some(last)) = (group.pending.keys().next(), group.pending.keys().next_back()) else {
        return "[:0 (nil) (nil) (nil)]".into();
    };
    let waiting: Vec<String> = CONSUMERS
        .into_iter()
        .filter(|name| group.of(name) > 0)
        .map(|name| format!("[{name} {}]", group.of(name)))
        .collect();
    format!("[:{} {} {} {}]", group.pending.len(), text(*first), text(*last), row(&waiting))
}

/// The step of a command that has answered so and may have made its consumer, or was refused.
fn answer(line: String, done: Option<(String, bool)>, key: &str, refusal: String) -> Step {
    match done {
        None => Step::new(line, refusal),
        Some((answer, new)) => Step::new(line, answer).event_if(new, "xgroup-createconsumer", key),
    }
}
