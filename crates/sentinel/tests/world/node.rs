//! A data node of the scripted world: classic or Tanist, with just enough behaviour to be led.

use tanist_resp::Value;

/// A data node.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) tanist: bool,
    pub(crate) role: String,
    pub(crate) id: String,
    pub(crate) run: String,
    /// Whom it follows, `host:port`.
    pub(crate) follows: String,
    pub(crate) link: bool,
    pub(crate) offset: u64,
    pub(crate) epoch: u64,
    pub(crate) promised: u64,
    pub(crate) leader: String,
    pub(crate) priority: u32,
    pub(crate) voting: bool,
    pub(crate) paused: bool,
    /// It answers PING with LOADING.
    pub(crate) loading: bool,
    /// An error for every order.
    pub(crate) refuses: String,
    /// An error for AUTH, after which nothing is allowed.
    pub(crate) refuses_auth: String,
    /// What it says when it is to prepare a switchover, in place of `OK`; its disk takes so long, or it is an error.
    pub(crate) prepare: String,
    /// An error for the order to take over.
    pub(crate) refuses_promote: String,
    /// The addresses that a primary lists.
    pub(crate) replicas: Vec<String>,
    /// Replicas that attach just before somebody listens for that.
    pub(crate) joining: Vec<String>,
    queued: Vec<Vec<String>>,
    in_multi: bool,
}

impl Node {
    pub(crate) fn new(id: &str) -> Node {
        Node {
            tanist: false,
            role: "master".into(),
            id: long_id(id),
            run: long_id(id),
            follows: String::new(),
            link: false,
            offset: 100,
            epoch: 0,
            promised: 0,
            leader: String::new(),
            priority: 100,
            voting: true,
            paused: false,
            loading: false,
            refuses: String::new(),
            refuses_promote: String::new(),
            prepare: String::new(),
            refuses_auth: String::new(),
            replicas: Vec::new(),
            joining: Vec::new(),
            queued: Vec::new(),
            in_multi: false,
        }
    }

    /// Whether the command changes something, so that a reader wants to see it.
    pub(crate) fn is_order(&self, words: &[String]) -> bool {
        match words[0].to_ascii_uppercase().as_str() {
            "SLAVEOF" | "CLIENT" | "SCRIPT" => words.get(1).is_none_or(|w| w != "KILL"),
            "TANIST" if words[1] == "PREPARE" => self.prepare != "PENDING",
            "TANIST" => words[1] != "STATUS",
            _ => false,
        }
    }

    pub(crate) fn answer(&mut self, words: &[String]) -> Value {
        let ok = Value::Simple(b"OK".to_vec());
        let name = words[0].to_ascii_uppercase();
        if !self.refuses.is_empty() && self.is_order(words) {
            return Value::Error(self.refuses.clone().into_bytes());
        }
        if self.in_multi && name != "EXEC" {
            self.queued.push(words.to_vec());
            return Value::Simple(b"QUEUED".to_vec());
        }
        match name.as_str() {
            "INFO" => Value::Bulk(self.info().into_bytes()),
            "MULTI" => {
                self.in_multi = true;
                ok
            }
            "EXEC" => {
                self.in_multi = false;
                let queued = std::mem::take(&mut self.queued);
                queued.iter().filter(|q| q[0] == "SLAVEOF").for_each(|q| self.follow(&q[1], &q[2]));
                Value::Array(vec![ok; queued.len()])
            }
            "CLIENT" => {
                self.paused = words[1] == "PAUSE";
                ok
            }
            "TANIST" => self.tanist_command(words),
            _ => ok,
        }
    }

    fn follow(&mut self, host: &str, port: &str) {
        if host.eq_ignore_ascii_case("no") {
            self.role = "master".into();
            self.follows.clear();
        } else {
            self.role = "slave".into();
            self.follows = format!("{host}:{port}");
            self.link = true;
        }
    }

    fn tanist_command(&mut self, words: &[String]) -> Value {
        let ok = Value::Simple(b"OK".to_vec());
        let number = |i: usize| words[i].parse::<u64>().unwrap_or(0);
        match words[1].as_str() {
            "STATUS" => self.status(),
            "FENCE" => {
                if number(3) <= self.promised && !(number(3) == self.promised && words[4] == self.leader) {
                    return Value::Error(format!("FENCED {} {}", self.promised, self.leader).into_bytes());
                }
                self.promised = number(3);
                self.leader = words[4].clone();
                self.link = false;
                if self.role == "master" {
                    self.role = "idle".into();
                }
                self.status()
            }
            "PREPARE" if self.prepare == "PENDING" => Value::Simple(b"PENDING".to_vec()),
            "PREPARE" if !self.prepare.is_empty() => Value::Error(self.prepare.clone().into_bytes()),
            "PROMOTE" if !self.refuses_promote.is_empty() => {
                Value::Error(self.refuses_promote.clone().into_bytes())
            }
            "PROMOTE" if number(3) != self.promised => Value::Error(b"NOPROMISE".to_vec()),
            "PROMOTE" if words[6] != self.run => Value::Error(b"WRONGRUN it restarted".to_vec()),
            "PROMOTE" => {
                self.role = "master".into();
                self.follows.clear();
                self.epoch = number(3);
                ok
            }
            "FOLLOW" if number(3) < self.promised => {
                Value::Error(format!("FENCED {} {}", self.promised, self.leader).into_bytes())
            }
            "FOLLOW" => {
                self.follow(&words[4].clone(), &words[5].clone());
                ok
            }
            "PAUSE" => {
                self.paused = true;
                ok
            }
            _ => {
                self.paused = false;
                ok
            }
        }
    }

    fn status(&self) -> Value {
        let (host, port) = self.follows.rsplit_once(':').unwrap_or(("", "0"));
        let role = match self.role.as_str() {
            "master" => "primary",
            "slave" => "replica",
            other => other,
        };
        let link = match (self.role.as_str(), self.link) {
            ("slave", true) => "up",
            ("slave", false) => "down",
            _ => "none",
        };
        let fields = [
            ("node-id", self.id.clone()),
            ("run-id", self.run.clone()),
            ("boot", "1".into()),
            ("group", "mymaster".into()),
            ("role", role.into()),
            ("promised-epoch", self.promised.to_string()),
            ("promised-leader", self.leader.clone()),
            ("accepted-epoch", self.epoch.to_string()),
            ("last-epoch", self.epoch.to_string()),
            ("offset", self.offset.to_string()),
            ("floor-epoch", "-1".into()),
            ("floor-offset", "-1".into()),
            ("voting", u8::from(self.voting).to_string()),
            ("ex-primary-epoch", "-1".into()),
            ("config-version", "0".into()),
            ("replid", self.id.clone()),
            ("link", link.into()),
            ("primary-host", host.into()),
            ("primary-port", port.into()),
            ("priority", self.priority.to_string()),
        ];
        let bulk = |s: &str| Value::Bulk(s.as_bytes().to_vec());
        Value::Array(fields.iter().flat_map(|(k, v)| [bulk(k), bulk(v)]).collect())
    }

    fn info(&self) -> String {
        let mut out = format!("# Server\r\nrun_id:{}\r\n", self.run);
        if self.tanist {
            out.push_str("tanist_version:0.1.0\r\n");
        }
        let primary = self.role == "master";
        // A node that waits for a word follows nobody.
        let word = if primary || self.role == "idle" { "master" } else { "slave" };
        out.push_str(&format!("# Replication\r\nrole:{word}\r\n"));
        if let (false, Some((host, port))) = (primary, self.follows.rsplit_once(':')) {
            out.push_str(&format!(
                "master_host:{host}\r\nmaster_port:{port}\r\nmaster_link_status:{}\r\n",
                if self.link { "up" } else { "down" }
            ));
        }
        out.push_str(&format!("slave_repl_offset:{}\r\nslave_priority:{}\r\n", self.offset, self.priority));
        out.push_str(&format!("master_repl_offset:{}\r\n", self.offset));
        for (i, addr) in self.replicas.iter().enumerate() {
            let (host, port) = addr.rsplit_once(':').unwrap_or(("", ""));
            out.push_str(&format!("slave{i}:ip={host},port={port},state=online,offset=1,lag=0\r\n"));
        }
        if self.tanist {
            let role = if primary { "primary" } else { self.role.as_str() };
            let role = if role == "slave" { "replica" } else { role };
            out.push_str(&format!("tanist_role:{role}\r\n"));
        }
        out
    }
}

/// A short name as a whole identity.
pub(crate) fn long_id(short: &str) -> String {
    let mut id: String = short.chars().filter(char::is_ascii_hexdigit).collect();
    while id.len() < 40 {
        id.push('0');
    }
    id
}

/// The words of an order, identities cut short.
pub(crate) fn shortened(words: &[String]) -> String {
    words
        .iter()
        .map(|w| if w.len() == 40 { w[..6].to_owned() } else { w.clone() })
        .collect::<Vec<_>>()
        .join(" ")
}

/// A reply on one line.
pub(crate) fn text(value: &Value) -> String {
    let join = |v: &[Value]| v.iter().map(text).collect::<Vec<_>>().join(" ");
    match value {
        Value::Null => "(nothing)".into(),
        Value::Int(n) => n.to_string(),
        Value::Error(e) => format!("-{}", String::from_utf8_lossy(e)),
        Value::Array(v) | Value::Push(v) | Value::Set(v) => format!("[{}]", join(v)),
        Value::Map(m) => {
            let fields: Vec<_> = m.iter().map(|(k, v)| format!("{}={}", text(k), text(v))).collect();
            format!("{{{}}}", fields.join(" "))
        }
        other => String::from_utf8_lossy(other.as_bytes().unwrap_or_default()).into_owned(),
    }
}
