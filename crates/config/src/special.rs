//! Directives with a shape of their own: save points, addresses, buffer limits, event classes and the like.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::codec::{Bool, Codec, Refused, Source, single};
use crate::units::{format_memory, parse_int, parse_loose_int, parse_memory};

/// "Save if at least `changes` changes happened within `seconds`."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// The period in seconds, at least 1.
    pub seconds: u64,
    /// The number of changes, at least 0.
    pub changes: u64,
}

/// `save 3600 1 300 100`; an empty list means that nothing is saved by itself.
pub(crate) struct Save;

impl Codec for Save {
    type Value = Vec<SavePoint>;
    const MULTI: bool = true;

    fn parse(&self, args: &[&str], old: &Vec<SavePoint>, source: Source) -> Result<Vec<SavePoint>, Refused> {
        let bad = || "Invalid save parameters".to_owned();
        // The second is what is left of quotes that a shell has quoted: `--save '""'`.
        let quoted = source != Source::Runtime && matches!(args, ["\"\""]);
        let args = if quoted || matches!(args, [""]) { &[] } else { args };
        let (pairs, []) = args.as_chunks::<2>() else { return Err(bad()) };
        let mut points = match source {
            Source::File { again: true } if !args.is_empty() => old.clone(),
            _ => Vec::new(),
        };
        for [seconds, changes] in pairs {
            let seconds = parse_loose_int(seconds).filter(|&n| n >= 1).ok_or_else(bad)?;
            let few = |n: &i64| (0..=i64::from(i32::MAX)).contains(n);
            let changes = parse_loose_int(changes).filter(few).ok_or_else(bad)?;
            points.push(SavePoint { seconds: seconds.unsigned_abs(), changes: changes.unsigned_abs() });
        }
        Ok(points)
    }

    fn text(&self, value: &Vec<SavePoint>) -> String {
        let words: Vec<String> = value.iter().map(|p| format!("{} {}", p.seconds, p.changes)).collect();
        words.join(" ")
    }

    fn lines(&self, name: &str, value: &Vec<SavePoint>) -> Vec<String> {
        if value.is_empty() {
            return vec![format!("{name} \"\"")];
        }
        value.iter().map(|p| format!("{name} {} {}", p.seconds, p.changes)).collect()
    }
}

/// Limits of a client's pending output; 0 means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferLimit {
    /// Bytes at which the client is closed at once.
    pub hard: u64,
    /// Bytes at which the client is closed if it stays above them for `soft_seconds`.
    pub soft: u64,
    /// Seconds above the soft limit that are tolerated.
    pub soft_seconds: u64,
}

/// The output limits of the three classes of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferLimits {
    /// Ordinary clients and MONITOR.
    pub normal: BufferLimit,
    /// Replicas.
    pub replica: BufferLimit,
    /// Clients subscribed to at least one channel.
    pub pubsub: BufferLimit,
}

impl Default for BufferLimits {
    fn default() -> Self {
        let limit = |hard, soft, soft_seconds| BufferLimit { hard, soft, soft_seconds };
        BufferLimits {
            normal: limit(0, 0, 0),
            replica: limit(256 << 20, 64 << 20, 60),
            pubsub: limit(32 << 20, 8 << 20, 60),
        }
    }
}

impl BufferLimits {
    fn class(&mut self, name: &str) -> Option<&mut BufferLimit> {
        match name.to_ascii_lowercase().as_str() {
            "normal" => Some(&mut self.normal),
            "replica" | "slave" => Some(&mut self.replica),
            "pubsub" => Some(&mut self.pubsub),
            _ => None,
        }
    }
}

/// `client-output-buffer-limit <class> <hard> <soft> <seconds> ...`.
pub(crate) struct OutputLimits;

impl Codec for OutputLimits {
    type Value = BufferLimits;
    const MULTI: bool = true;

    fn parse(&self, args: &[&str], old: &BufferLimits, source: Source) -> Result<BufferLimits, Refused> {
        if args == [""] && matches!(source, Source::Runtime) {
            // `CONFIG SET` of no limits at all changes none.
            return Ok(*old);
        }
        let (groups, []) = args.as_chunks::<4>() else {
            return Err("Wrong number of arguments in buffer limit configuration.".to_owned());
        };
        let mut limits = *old;
        for [class, hard, soft, seconds] in groups {
            let slot =
                limits.class(class).ok_or("Invalid client class specified in buffer limit configuration.")?;
            let bad = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
            let few = |n: &i64| (0..=i64::from(i32::MAX)).contains(n);
            let seconds = parse_loose_int(seconds).filter(few).ok_or(bad)?;
            *slot = BufferLimit {
                hard: parse_memory(hard).ok_or(bad)?,
                soft: parse_memory(soft).ok_or(bad)?,
                soft_seconds: seconds.unsigned_abs(),
            };
        }
        Ok(limits)
    }

    fn text(&self, value: &BufferLimits) -> String {
        let one = |name, l: BufferLimit| format!("{name} {} {} {}", l.hard, l.soft, l.soft_seconds);
        [one("normal", value.normal), one("slave", value.replica), one("pubsub", value.pubsub)].join(" ")
    }

    fn lines(&self, name: &str, value: &BufferLimits) -> Vec<String> {
        let classes = [("normal", value.normal), ("replica", value.replica), ("pubsub", value.pubsub)];
        let line = |(class, l): (&str, BufferLimit)| {
            let (hard, soft) = (format_memory(l.hard), format_memory(l.soft));
            format!("{name} {class} {hard} {soft} {}", l.soft_seconds)
        };
        classes.map(line).to_vec()
    }
}

/// Addresses to listen on; a leading `-` tolerates one that is not available.
pub(crate) struct Bind;

/// The most addresses that `bind` takes.
const MAX_BIND: usize = 16;

impl Codec for Bind {
    type Value = Vec<String>;
    const MULTI: bool = true;

    fn parse(&self, args: &[&str], _: &Vec<String>, _: Source) -> Result<Vec<String>, Refused> {
        if args.len() > MAX_BIND {
            return Err("Too many bind addresses specified.".to_owned());
        }
        if matches!(args, [""]) {
            return Ok(Vec::new());
        }
        Ok(args.iter().map(|&a| a.to_owned()).collect())
    }

    fn text(&self, value: &Vec<String>) -> String {
        value.join(" ")
    }

    fn lines(&self, name: &str, value: &Vec<String>) -> Vec<String> {
        vec![if value.is_empty() { format!("{name} \"\"") } else { format!("{name} {}", value.join(" ")) }]
    }
}

/// Host and port of the primary to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryAddr {
    /// Address or host name.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// `replicaof <host> <port>` or `replicaof no one`.
pub(crate) struct ReplicaOf;

impl Codec for ReplicaOf {
    type Value = Option<PrimaryAddr>;
    const MULTI: bool = true;

    fn parse(&self, args: &[&str], _: &Self::Value, _: Source) -> Result<Self::Value, Refused> {
        let [host, port] = args else {
            return Err("wrong number of arguments".to_owned());
        };
        if host.eq_ignore_ascii_case("no") && port.eq_ignore_ascii_case("one") {
            return Ok(None);
        }
        let port = parse_int(port).and_then(|n| u16::try_from(n).ok()).ok_or("Invalid primary port")?;
        Ok(Some(PrimaryAddr { host: (*host).to_owned(), port }))
    }

    fn text(&self, value: &Self::Value) -> String {
        value.as_ref().map(|p| format!("{} {}", p.host, p.port)).unwrap_or_default()
    }

    fn lines(&self, name: &str, value: &Self::Value) -> Vec<String> {
        value.iter().map(|p| format!("{name} {} {}", p.host, p.port)).collect()
    }
}

/// A limit given in bytes or as a share of `maxmemory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PercentOrBytes {
    /// Percent of `maxmemory`, 1 to 100.
    Percent(u8),
    /// Bytes; 0 means no limit.
    Bytes(u64),
}

/// `5%` or `100mb`.
pub(crate) struct PercentOrMemory;

impl Codec for PercentOrMemory {
    type Value = PercentOrBytes;

    fn parse(&self, args: &[&str], _: &PercentOrBytes, _: Source) -> Result<PercentOrBytes, Refused> {
        let text = single(args)?;
        let bad = "argument must be a memory or percent value";
        if let Some(number) = text.strip_suffix('%') {
            let percent = parse_int(number).filter(|&n| n >= 0).ok_or(bad)?;
            let percent = u8::try_from(percent).ok().filter(|&p| p <= 100);
            return match percent.ok_or("percentage argument must be less or equal to 100")? {
                // No share of anything is no limit, and is shown as such.
                0 => Ok(PercentOrBytes::Bytes(0)),
                percent => Ok(PercentOrBytes::Percent(percent)),
            };
        }
        let bytes = parse_memory(text).filter(|&bytes| i64::try_from(bytes).is_ok());
        Ok(PercentOrBytes::Bytes(bytes.ok_or(bad)?))
    }

    fn text(&self, value: &PercentOrBytes) -> String {
        match value {
            PercentOrBytes::Percent(p) => format!("{p}%"),
            PercentOrBytes::Bytes(b) => b.to_string(),
        }
    }

    fn lines(&self, name: &str, value: &PercentOrBytes) -> Vec<String> {
        match value {
            PercentOrBytes::Percent(p) => vec![format!("{name} {p}%")],
            PercentOrBytes::Bytes(b) => vec![format!("{name} {}", format_memory(*b))],
        }
    }
}

/// `activedefrag`: nothing can be defragmented, which a file may ask for nevertheless.
pub(crate) struct ActiveDefrag;

impl Codec for ActiveDefrag {
    type Value = bool;

    fn parse(&self, args: &[&str], old: &bool, source: Source) -> Result<bool, Refused> {
        match (Bool.parse(args, old, source)?, source) {
            (true, Source::Runtime) => Err("Active defragmentation cannot be enabled: it requires a server compiled \
                                            with a modified Jemalloc like the one shipped by default with the source \
                                            distribution"
                .to_owned()),
            (yes, _) => Ok(yes),
        }
    }

    fn text(&self, value: &bool) -> String {
        Bool.text(value)
    }
}

/// Three numbers: primary, replica, background child.
pub(crate) struct OomValues;

impl Codec for OomValues {
    type Value = [i32; 3];
    const MULTI: bool = true;

    fn parse(&self, args: &[&str], _: &[i32; 3], _: Source) -> Result<[i32; 3], Refused> {
        let [a, b, c] = args else {
            return Err("wrong number of arguments".to_owned());
        };
        let one = |text: &str| {
            let number = parse_loose_int(text).and_then(|n| i32::try_from(n).ok());
            number.filter(|n| (-2000..=2000).contains(n)).ok_or_else(|| {
                "Invalid oom-score-adj-values, elements must be between -2000 and 2000.".to_owned()
            })
        };
        Ok([one(a)?, one(b)?, one(c)?])
    }

    fn text(&self, [a, b, c]: &[i32; 3]) -> String {
        format!("{a} {b} {c}")
    }
}

/// A list of percentiles between 0 and 100.
pub(crate) struct Percentiles;

impl Codec for Percentiles {
    type Value = Vec<f64>;
    const MULTI: bool = true;

    fn parse(&self, args: &[&str], _: &Vec<f64>, _: Source) -> Result<Vec<f64>, Refused> {
        let args = if matches!(args, [""]) { &[] } else { args };
        let one = |text: &&str| {
            let n = text.parse().ok().filter(|n: &f64| !n.is_nan());
            let n = n.ok_or("Invalid latency-tracking-info-percentiles parameters")?;
            if (0.0..=100.0).contains(&n) {
                return Ok(n);
            }
            Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".to_owned())
        };
        args.iter().map(one).collect()
    }

    fn text(&self, value: &Vec<f64>) -> String {
        value.iter().map(|&p| percentile(p)).collect::<Vec<_>>().join(" ")
    }

    fn lines(&self, name: &str, value: &Vec<f64>) -> Vec<String> {
        vec![if value.is_empty() { format!("{name} \"\"") } else { format!("{name} {}", self.text(value)) }]
    }
}

/// A percentile with at most six decimals and no trailing zeros.
fn percentile(p: f64) -> String {
    let text = format!("{p:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Classes of keyspace events that are published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotifyFlags(u32);

/// Letters of the classes, in the order in which they are printed; the first eleven make up `A`.
const EVENT_LETTERS: &[u8; 14] = b"g$lshzxetdnKEm";
const EVENT_ALL: u32 = 0b11_1111_1111;

impl NotifyFlags {
    /// Whether the class of this letter (one of ``g$lshzxetdnKEm``) is published.
    pub fn has(self, letter: u8) -> bool {
        EVENT_LETTERS.iter().position(|&l| l == letter).is_some_and(|i| self.0 & (1 << i) != 0)
    }

    /// Whether nothing at all is published.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// `notify-keyspace-events`.
pub(crate) struct Events;

impl Codec for Events {
    type Value = NotifyFlags;

    fn parse(&self, args: &[&str], _: &NotifyFlags, _: Source) -> Result<NotifyFlags, Refused> {
        let mut flags = 0;
        for letter in single(args)?.bytes() {
            flags |= match EVENT_LETTERS.iter().position(|&l| l == letter) {
                Some(i) => 1 << i,
                None if letter == b'A' => EVENT_ALL,
                None => return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned()),
            };
        }
        Ok(NotifyFlags(flags))
    }

    fn text(&self, value: &NotifyFlags) -> String {
        let all = value.0 & EVENT_ALL == EVENT_ALL;
        let letters = if all { &EVENT_LETTERS[11..] } else { &EVENT_LETTERS[..] };
        let named = letters.iter().filter(|&&l| value.has(l)).map(|&l| char::from(l));
        all.then_some('A').into_iter().chain(named).collect()
    }

    fn lines(&self, name: &str, value: &NotifyFlags) -> Vec<String> {
        vec![format!("{name} \"{}\"", self.text(value))]
    }
}

/// How a signal shuts the server down: flags of SHUTDOWN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShutdownFlags {
    /// Save even without save points.
    pub save: bool,
    /// Do not save.
    pub nosave: bool,
    /// Do not wait for lagging replicas.
    pub now: bool,
    /// Go on although saving failed.
    pub force: bool,
    /// Refuse if that would lose data that a cluster cannot replace.
    pub safe: bool,
    /// Hand over to a replica first.
    pub failover: bool,
}

/// `shutdown-on-sigterm` and `shutdown-on-sigint`.
pub(crate) struct ShutdownOn;

impl ShutdownFlags {
    fn named(&mut self) -> [(&'static str, &mut bool); 6] {
        [
            ("save", &mut self.save),
            ("nosave", &mut self.nosave),
            ("now", &mut self.now),
            ("force", &mut self.force),
            ("safe", &mut self.safe),
            ("failover", &mut self.failover),
        ]
    }
}

impl Codec for ShutdownOn {
    type Value = ShutdownFlags;
    const MULTI: bool = true;

    fn parse(&self, args: &[&str], _: &ShutdownFlags, _: Source) -> Result<ShutdownFlags, Refused> {
        let mut flags = ShutdownFlags::default();
        let expected =
            "argument(s) must be one of the following: default, save, nosave, now, force, safe, failover";
        if args.is_empty() {
            return Err(expected.to_owned());
        }
        for word in args {
            let known = flags.named().into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
            match known {
                Some((_, flag)) => *flag = true,
                None if word.eq_ignore_ascii_case("default") => {}
                None => return Err(expected.to_owned()),
            }
        }
        if flags.save && flags.nosave {
            return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".to_owned());
        }
        Ok(flags)
    }

    fn text(&self, value: &ShutdownFlags) -> String {
        let mut value = *value;
        let words: Vec<&str> =
            value.named().into_iter().filter(|(_, on)| **on).map(|(name, _)| name).collect();
        if words.is_empty() { "default".to_owned() } else { words.join(" ") }
    }
}

/// A file name without a folder.
pub(crate) fn plain_file(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("dbfilename can't be empty"),
        path if path.contains('/') => Err("dbfilename can't be a path, just a filename"),
        _ => Ok(()),
    }
}

/// The name of the append-only file.
pub(crate) fn append_file(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("appendfilename can't be empty"),
        path if path.contains('/') => Err("appendfilename can't be a path, just a filename"),
        _ => Ok(()),
    }
}

/// The name of the append-only folder.
pub(crate) fn append_dir(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("appenddirname can't be empty"),
        path if path.contains('/') => Err("appenddirname can't be a path, just a dirname"),
        _ => Ok(()),
    }
}

/// The process title's template: text with known `{variables}`; `{{` is a brace. Something must be left of it if there is
/// no title, no socket and no file.
pub(crate) fn title_template(text: &str) -> Result<(), &'static str> {
    const FULL: [&str; 6] = ["listen-addr", "server-mode", "port", "tls-port", "host", "pid"];
    const EMPTY: [&str; 3] = ["title", "unixsocket", "config-file"];
    let bad = Err("template format is invalid or contains unknown variables");
    let (mut rest, mut is_there) = (text, false);
    while let Some(open) = rest.find('{') {
        is_there |= !rest[..open].trim_matches(' ').is_empty();
        rest = &rest[open + 1..];
        if let Some(literal) = rest.strip_prefix('{') {
            (rest, is_there) = (literal, true);
            continue;
        }
        let Some((name, behind)) = rest.split_once('}') else { return bad };
        if !FULL.contains(&name) && !EMPTY.contains(&name) {
            return bad;
        }
        is_there |= FULL.contains(&name);
        rest = behind;
    }
    if is_there || !rest.trim_matches(' ').is_empty() { Ok(()) } else { bad }
}

/// A host name as a cluster may announce it.
pub(crate) fn host_name(text: &str) -> Result<(), &'static str> {
    if text.len() >= 256 {
        return Err("Hostnames must be less than 256 characters");
    }
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
        return Ok(());
    }
    Err("Hostnames may only contain alphanumeric characters, hyphens or dots")
}

/// Whether a cluster can write the text into its file and its links: nothing there but letters, digits and a few signs.
fn is_one_word(text: &str) -> bool {
    text.bytes().all(|b| !b.is_ascii() || b.is_ascii_alphanumeric() || b"-./:_`".contains(&b))
}

/// The address that a cluster node announces.
pub(crate) fn announced_ip(text: &str) -> Result<(), &'static str> {
    match text.len() {
        46.. => Err("cluster-announce-ip is too long"),
        _ if is_one_word(text) => Ok(()),
        _ => Err("cluster-announce-ip contains invalid character"),
    }
}

/// The name of a cluster node for people.
pub(crate) fn node_name(text: &str) -> Result<(), &'static str> {
    if is_one_word(text) { Ok(()) } else { Err("Announced human node name contained invalid character") }
}

/// An IPv4 address or nothing.
pub(crate) fn ipv4(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.parse::<Ipv4Addr>().is_ok() { Ok(()) } else { Err("Invalid IPv4 address") }
}

/// An IPv6 address or nothing.
pub(crate) fn ipv6(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.parse::<Ipv6Addr>().is_ok() { Ok(()) } else { Err("Invalid IPv6 address") }
}
