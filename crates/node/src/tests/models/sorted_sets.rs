//! Sorted sets: maps from members to scores, sorted when asked. Scores are quarters, so that sums are exact.

use super::{ALIEN, BTreeMap, Dice, KEYS, LIMIT, LONGEST, Model, Step, WRONG_TYPE, follow, int, list};

type Scores = BTreeMap<String, f64>;
/// Members and their scores, from the lowest.
type Row = Vec<(String, f64)>;

/// A set that is no sorted one, but may be combined with them.
const PLAIN: &str = "plain";

#[derive(Default)]
struct SortedSets {
    sets: BTreeMap<String, Scores>,
    large: BTreeMap<String, bool>,
}

fn text(score: f64) -> String {
    // Without the sign of zero.
    (score + 0.0).to_string()
}

fn score(dice: &mut Dice) -> f64 {
    match dice.below(50) {
        0 => f64::INFINITY,
        1 => f64::NEG_INFINITY,
        _ => dice.below(40) as f64 / 4.0 - 2.0,
    }
}

fn in_order(scores: &Scores) -> Row {
    let mut all: Row = scores.iter().map(|(m, s)| (m.clone(), *s)).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
    all
}

fn flat(pairs: &[(String, f64)]) -> String {
    let words: Vec<String> = pairs.iter().flat_map(|(m, s)| [m.clone(), text(*s)]).collect();
    list(&words)
}

fn members(pairs: &[(String, f64)]) -> String {
    let words: Vec<String> = pairs.iter().map(|(m, _)| m.clone()).collect();
    list(&words)
}

/// The ranks from `from` to `to`, both counted from the end if negative.
fn ranks(all: Row, from: i64, to: i64) -> Row {
    let len = all.len() as i64;
    let place = |n: i64| if n < 0 { n + len } else { n };
    let (from, to) = (place(from), place(to));
    all.into_iter().zip(0..).filter(|(_, rank)| (from..=to).contains(rank)).map(|(pair, _)| pair).collect()
}

impl SortedSets {
    fn scores(&self, key: &str) -> Scores {
        if key == PLAIN {
            return ["1", "2", "m1", "m2", "x"].map(|m| (m.into(), 1.0)).into();
        }
        self.sets.get(key).cloned().unwrap_or_default()
    }

    fn ordered(&self, key: &str) -> Row {
        in_order(&self.scores(key))
    }

    /// Sets a score; whether the member is new.
    fn set(&mut self, key: &str, member: &str, score: f64) -> bool {
        let set = self.sets.entry(key.into()).or_default();
        let new = set.insert(member.into(), score).is_none();
        *self.large.entry(key.into()).or_default() |= set.len() > LIMIT || new && member.len() > LONGEST;
        new
    }

    fn remove(&mut self, key: &str, gone: &[(String, f64)]) {
        if let Some(set) = self.sets.get_mut(key) {
            gone.iter().for_each(|(member, _)| _ = set.remove(member));
        }
        self.sets.retain(|_, set| !set.is_empty());
        let sets = &self.sets;
        self.large.retain(|key, _| sets.contains_key(key));
    }

    /// The step of a command that takes those off the set.
    fn removal(
        &mut self,
        line: String,
        answer: String,
        event: &str,
        key: &str,
        gone: &[(String, f64)],
    ) -> Step {
        self.remove(key, gone);
        let emptied = !gone.is_empty() && !self.sets.contains_key(key);
        Step::new(line, answer).event_if(!gone.is_empty(), event, key).event_if(emptied, "del", key)
    }

    /// The step of a command that puts its result at `key`.
    fn store(&mut self, line: String, event: &str, key: &'static str, result: Row) -> Step {
        let was_there = self.sets.remove(key).is_some();
        self.large.remove(key);
        result.iter().for_each(|(member, score)| _ = self.set(key, member, *score));
        Step::new(line, int(result.len())).stored(event, key, !result.is_empty(), was_there)
    }

    fn add(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let words: Vec<&str> =
            ["NX", "XX", "GT", "LT", "CH", "INCR"].into_iter().filter(|_| dice.below(10) < 2).collect();
        let has = |word: &str| words.contains(&word);
        let most = if has("INCR") && !dice.one_in(4) { 1 } else { [4, 4, 12][dice.below(3)] };
        let pairs: Row = dice.elements(most).into_iter().map(|m| (m, self.a_score(dice, key))).collect();
        let shown: Vec<String> = pairs.iter().map(|(m, s)| format!("{} {m}", text(*s))).collect();
        let line = format!("ZADD {key} {} {}", words.join(" "), shown.join(" ")).replace("  ", " ");
        if has("NX") && has("XX") {
            return Step::new(line, "-ERR XX and NX options at the same time are not compatible");
        }
        if has("GT") && has("LT") || has("NX") && (has("GT") || has("LT")) {
            return Step::new(line, "-ERR GT, LT, and/or NX options at the same time are not compatible");
        }
        if has("INCR") && pairs.len() > 1 {
            return Step::new(line, "-ERR INCR option supports a single increment-element pair");
        }
        self.put(line, key, &pairs, &words)
    }

    /// A score for a key; those of one key are seldom different, so that the order of bytes can be asked for.
    fn a_score(&self, dice: &mut Dice, key: &str) -> f64 {
        if key == KEYS[2] && !dice.one_in(60) { 0.5 } else { score(dice) }
    }

    fn put(&mut self, line: String, key: &str, pairs: &[(String, f64)], words: &[&str]) -> Step {
        let has = |word: &str| words.contains(&word);
        let (mut added, mut changed, mut last) = (0, 0, None);
        if self.sets.contains_key(key) || !has("XX") {
            // The form is chosen for all that is named, be it added or not.
            *self.large.entry(key.into()).or_default() |=
                pairs.len() > LIMIT || pairs.iter().any(|(m, _)| m.len() > LONGEST);
        }
        for (member, score) in pairs {
            let Some(old) = self.scores(key).get(member).copied() else {
                if !has("XX") {
                    self.set(key, member, *score);
                    (added, last) = (added + 1, Some(*score));
                }
                continue;
            };
            if has("NX") {
                continue;
            }
            let new = if has("INCR") { old + score } else { *score };
            if new.is_nan() {
                return Step::new(line, "-ERR resulting score is not a number (NaN)");
            }
            if has("GT") && new <= old || has("LT") && new >= old {
                continue;
            }
            last = Some(new);
            changed += usize::from(new != old);
            self.set(key, member, new);
        }
        let answer = match last {
            Some(score) if has("INCR") => text(score),
            None if has("INCR") => "(nil)".into(),
            _ => int(if has("CH") { added + changed } else { added }),
        };
        let event = if has("INCR") { "zincr" } else { "zadd" };
        Step::new(line, answer).event_if(added + changed > 0, event, key)
    }

    /// The words for a stretch of a set, and what is in it, in the order that is asked for.
    fn stretch(&self, dice: &mut Dice, key: &str) -> (String, Row) {
        let all = self.ordered(key);
        let (reverse, mut limited) = (dice.one_in(2), dice.one_in(2));
        let level = all.iter().all(|(_, score)| *score == all[0].1);
        let (first, last, kind, mut found) = match dice.below(if level { 5 } else { 3 }) {
            0 => {
                let (from, to) = (dice.below(24) as i64 - 12, dice.below(24) as i64 - 12);
                limited = false;
                let all = if reverse { all.into_iter().rev().collect() } else { all };
                let mut found = ranks(all, from, to);
                // As the others.
                if reverse {
                    found.reverse();
                }
                (from.to_string(), to.to_string(), "", found)
            }
            1 | 2 => {
                let (low, high) = (score(dice), score(dice));
                let (out_low, out_high) = (dice.one_in(3), dice.one_in(3));
                let within =
                    |s: f64| (s > low || !out_low && s == low) && (s < high || !out_high && s == high);
                let bound = |out: bool, s: f64| format!("{}{}", if out { "(" } else { "" }, text(s));
                let found = all.into_iter().filter(|(_, s)| within(*s)).collect();
                let (low, high) = (bound(out_low, low), bound(out_high, high));
                if reverse { (high, low, " BYSCORE", found) } else { (low, high, " BYSCORE", found) }
            }
            _ => {
                let (low, high) = (lexical(dice), lexical(dice));
                let behind = |m: &str| match low.split_at(1) {
                    ("-", _) => true,
                    ("+", _) => false,
                    (sign, word) => m > word || sign == "[" && m == word,
                };
                let before = |m: &str| match high.split_at(1) {
                    ("-", _) => false,
                    ("+", _) => true,
                    (sign, word) => m < word || sign == "[" && m == word,
                };
                let found = all.into_iter().filter(|(m, _)| behind(m) && before(m)).collect();
                if reverse { (high, low, " BYLEX", found) } else { (low, high, " BYLEX", found) }
            }
        };
        if reverse {
            found.reverse();
        }
        let mut words = format!("{first} {last}{kind}{}", if reverse { " REV" } else { "" });
        if limited {
            let (offset, count) = (dice.below(5), [-1, 0, 1, 2, 5][dice.below(5)]);
            words += &format!(" LIMIT {offset} {count}");
            let most = usize::try_from(count).unwrap_or(usize::MAX);
            found = found.into_iter().skip(offset).take(most).collect();
        }
        (words, found)
    }

    fn range(&mut self, dice: &mut Dice, key: &'static str, other: &'static str) -> Step {
        let (words, found) = self.stretch(dice, key);
        match dice.below(3) {
            0 => self.store(format!("ZRANGESTORE {other} {key} {words}"), "zrangestore", other, found),
            1 if !words.contains("BYLEX") => {
                Step::new(format!("ZRANGE {key} {words} WITHSCORES"), flat(&found))
            }
            _ => Step::new(format!("ZRANGE {key} {words}"), members(&found)),
        }
    }

    fn remove_range(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let (words, gone) = loop {
            let (words, gone) = self.stretch(dice, key);
            if gone.len() < 6 && !words.contains("REV") && !words.contains("LIMIT") {
                break (words, gone);
            }
        };
        let (name, words) = match words.split_once(" BY") {
            None => ("ZREMRANGEBYRANK", words.as_str()),
            Some((words, "SCORE")) => ("ZREMRANGEBYSCORE", words),
            Some((words, _)) => ("ZREMRANGEBYLEX", words),
        };
        let line = format!("{name} {key} {words}");
        self.removal(line, int(gone.len()), &name.to_lowercase(), key, &gone)
    }

    fn count(&self, dice: &mut Dice, key: &'static str) -> Step {
        let (words, found) = loop {
            let (words, found) = self.stretch(dice, key);
            if words.contains("BY") && !words.contains("REV") && !words.contains("LIMIT") {
                break (words, found);
            }
        };
        let (name, words) = match words.split_once(" BY") {
            Some((words, "SCORE")) => ("ZCOUNT", words),
            Some((words, _)) => ("ZLEXCOUNT", words),
            None => unreachable!("not by rank"),
        };
        Step::new(format!("{name} {key} {words}"), int(found.len()))
    }

    fn pop(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let (end, most) = (dice.pick(&["MIN", "MAX"]), dice.below(4));
        let (event, upwards) = (format!("zpop{}", end.to_lowercase()), end == "MIN");
        let take = |all: Row, most: usize| -> Row {
            if upwards {
                all.into_iter().take(most).collect()
            } else {
                all.into_iter().rev().take(most).collect()
            }
        };
        if dice.one_in(2) {
            let (line, most) = match dice.one_in(4) {
                true => (format!("ZPOP{end} {key}"), 1),
                false => (format!("ZPOP{end} {key} {most}"), most),
            };
            let popped = take(self.ordered(key), most);
            return self.removal(line, flat(&popped), &event, key, &popped);
        }
        let keys = dice.sources(3);
        let line = format!("ZMPOP {} {} {end} COUNT {}", keys.len(), keys.join(" "), most + 1);
        match keys.iter().find(|key| **key == ALIEN || self.sets.contains_key(**key)) {
            None => Step::new(line, "(nil)"),
            Some(&ALIEN) => Step::new(line, WRONG_TYPE),
            Some(key) => {
                let popped = take(self.ordered(key), most + 1);
                let pairs: Vec<String> = popped.iter().map(|(m, s)| format!("[{m} {}]", text(*s))).collect();
                let answer = format!("[{key} [{}]]", pairs.join(" "));
                self.removal(line, answer, &event, key, &popped)
            }
        }
    }

    fn combine(&mut self, dice: &mut Dice) -> Step {
        let mut keys = dice.sources(3);
        if dice.one_in(6) {
            keys.push(PLAIN);
        }
        let wrong = keys.contains(&ALIEN);
        let sets: Vec<Scores> = keys.iter().map(|key| self.scores(key)).collect();
        let name = dice.pick(&["UNION", "INTER", "DIFF"]);
        let mut words = format!("{} {}", keys.len(), keys.join(" "));
        if dice.one_in(6) {
            let limit = dice.below(4);
            let most = if limit == 0 { usize::MAX } else { limit };
            let common = sets[0].keys().filter(|m| sets.iter().all(|set| set.contains_key(*m))).count();
            let answer = if wrong { WRONG_TYPE.into() } else { int(common.min(most)) };
            return Step::new(format!("ZINTERCARD {words} LIMIT {limit}"), answer);
        }
        let (mut weights, mut aggregate) = (vec![1.0; keys.len()], "SUM");
        // Sums of more than two depend on their order if infinities meet, and no number is infinity times zero.
        let endless = sets.iter().flat_map(BTreeMap::values).any(|s| s.is_infinite());
        if name != "DIFF" && dice.one_in(2) {
            weights
                .iter_mut()
                .for_each(|w| *w = [1.0, 2.0, 0.5, -1.0, 0.0][dice.below(if endless { 4 } else { 5 })]);
            let shown: Vec<String> = weights.iter().map(f64::to_string).collect();
            words += &format!(" WEIGHTS {}", shown.join(" "));
        }
        if name != "DIFF" && (dice.one_in(2) || endless) {
            aggregate = dice.pick(if endless { &["MIN", "MAX"] } else { &["SUM", "MIN", "MAX"] });
            words += &format!(" AGGREGATE {aggregate}");
        }
        let result = in_order(&combined(name, aggregate, &sets, &weights));
        if dice.one_in(2) {
            let (to, name) = (dice.key(), format!("Z{name}STORE"));
            let (event, line) = (name.to_lowercase(), format!("{name} {to} {words}"));
            return if wrong { Step::new(line, WRONG_TYPE) } else { self.store(line, &event, to, result) };
        }
        let answer = if wrong { WRONG_TYPE.into() } else { flat(&result) };
        Step::new(format!("Z{name} {words} WITHSCORES"), answer)
    }

    fn look_up(&self, dice: &mut Dice, key: &'static str) -> Step {
        let (all, member) = (self.ordered(key), dice.element());
        match dice.below(4) {
            0 => Step::new(format!("ZCARD {key}"), int(all.len())),
            1 => {
                let asked = dice.elements(3);
                let told: Vec<String> = asked
                    .iter()
                    .map(|m| self.scores(key).get(m).map_or("(nil)".into(), |s| text(*s)))
                    .collect();
                match &asked[..] {
                    [member] => Step::new(format!("ZSCORE {key} {member}"), told[0].clone()),
                    _ => Step::new(format!("ZMSCORE {key} {}", asked.join(" ")), list(&told)),
                }
            }
            n => {
                let name = if n == 2 { "ZRANK" } else { "ZREVRANK" };
                let place = all.iter().position(|(m, _)| *m == member);
                let rank = place.map(|at| if n == 2 { at } else { all.len() - 1 - at });
                match (rank, place) {
                    (Some(rank), Some(at)) if dice.one_in(2) => Step::new(
                        format!("{name} {key} {member} WITHSCORE"),
                        format!("[:{rank} {}]", text(all[at].1)),
                    ),
                    _ => Step::new(format!("{name} {key} {member}"), rank.map_or("(nil)".into(), int)),
                }
            }
        }
    }
}

/// An end of a stretch of members of the same score.
fn lexical(dice: &mut Dice) -> String {
    match dice.below(8) {
        0 => "-".into(),
        1 => "+".into(),
        n => format!("{}{}", if n < 5 { "[" } else { "(" }, dice.element()),
    }
}

fn combined(name: &str, aggregate: &str, sets: &[Scores], weights: &[f64]) -> Scores {
    let mut result = Scores::new();
    let all: Vec<&String> = sets.iter().flat_map(BTreeMap::keys).collect();
    for member in all {
        let holders = sets.iter().filter(|set| set.contains_key(member)).count();
        let belongs = match name {
            "UNION" => true,
            "INTER" => holders == sets.len(),
            _ => holders == 1 && sets[0].contains_key(member),
        };
        let product = |(set, weight): (&Scores, &f64)| {
            let product = set.get(member)? * weight;
            Some(if product.is_nan() { 0.0 } else { product })
        };
        let scores = sets.iter().zip(weights).filter_map(product);
        let score = match aggregate {
            "SUM" => scores.sum(),
            "MIN" => scores.fold(f64::INFINITY, f64::min),
            _ => scores.fold(f64::NEG_INFINITY, f64::max),
        };
        if belongs {
            result.insert(member.clone(), score + 0.0);
        }
    }
    result
}

impl Model for SortedSets {
    const SETUP: &'static [&'static str] = &["RPUSH alien x", "SADD plain 1 2 m1 m2 x"];

    fn step(&mut self, dice: &mut Dice, _now: i64) -> Step {
        let (key, other) = (dice.key(), dice.key());
        match dice.below(20) {
            0..6 => self.add(dice, key),
            6 => {
                let (member, by) = (dice.element(), score(dice));
                let line = format!("ZINCRBY {key} {} {member}", text(by));
                self.put(line, key, &[(member, by)], &["INCR"])
            }
            7 => {
                let named = dice.elements(3);
                let scores = self.scores(key);
                let gone: Row = scores.into_iter().filter(|(member, _)| named.contains(member)).collect();
                self.removal(format!("ZREM {key} {}", named.join(" ")), int(gone.len()), "zrem", key, &gone)
            }
            8..11 => self.range(dice, key, other),
            11 => self.remove_range(dice, key),
            12 => self.count(dice, key),
            13..15 => self.pop(dice, key),
            15..18 => self.combine(dice),
            _ => self.look_up(dice, key),
        }
    }

    fn encoding(&self, key: &str) -> Option<&'static str> {
        self.large.get(key).map(|large| if *large { "skiplist" } else { "listpack" })
    }

    fn holds(&self, key: &str) -> Option<bool> {
        Some(self.sets.contains_key(key))
    }
}

#[test]
fn sorted_sets_follow_their_model() {
    follow::<SortedSets>(2_000, 200);
}
