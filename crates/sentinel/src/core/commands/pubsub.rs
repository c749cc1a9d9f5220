//! Subscriptions to events, and hello messages of other sentinels.

use super::{Call, Done};
use crate::core::Sentinel;
use crate::core::hello::{CHANNEL, Hello};
use tanist_resp::Reply;

#[derive(Clone, Copy)]
enum Kind {
    Channel,
    Pattern,
}

impl Sentinel {
    pub(crate) fn cmd_subscribe(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        self.subscribe(call, r, Kind::Channel, "subscribe")
    }

    pub(crate) fn cmd_psubscribe(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        self.subscribe(call, r, Kind::Pattern, "psubscribe")
    }

    pub(crate) fn cmd_unsubscribe(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        self.unsubscribe(call, r, Kind::Channel, "unsubscribe")
    }

    pub(crate) fn cmd_punsubscribe(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        self.unsubscribe(call, r, Kind::Pattern, "punsubscribe")
    }

    fn subscribe(&mut self, call: &Call<'_>, r: &mut Reply<'_>, kind: Kind, word: &str) -> Done {
        let Some(s) = self.sessions.all.get_mut(&call.session) else { return Done::Later };
        for name in &call.args[1..] {
            match kind {
                Kind::Channel => s.channels.insert(name.clone()),
                Kind::Pattern => s.patterns.insert(name.clone()),
            };
            r.push(3);
            r.bulk(word.as_bytes());
            r.bulk(name);
            r.int(s.subscriptions() as i64);
        }
        Done::Now
    }

    fn unsubscribe(&mut self, call: &Call<'_>, r: &mut Reply<'_>, kind: Kind, word: &str) -> Done {
        let Some(s) = self.sessions.all.get_mut(&call.session) else { return Done::Later };
        let all: Vec<Vec<u8>> = match kind {
            Kind::Channel => s.channels.iter().cloned().collect(),
            Kind::Pattern => s.patterns.iter().cloned().collect(),
        };
        let names = if call.args.len() > 1 { call.args[1..].to_vec() } else { all };
        if names.is_empty() {
            r.push(3);
            r.bulk(word.as_bytes());
            r.null();
            r.int(s.subscriptions() as i64);
        }
        for name in names {
            match kind {
                Kind::Channel => s.channels.remove(&name),
                Kind::Pattern => s.patterns.remove(&name),
            };
            r.push(3);
            r.bulk(word.as_bytes());
            r.bulk(&name);
            r.int(s.subscriptions() as i64);
        }
        Done::Now
    }

    /// A hello that another sentinel sends us directly.
    pub(crate) fn cmd_publish(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if call.args[1] != CHANNEL.as_bytes() {
            r.error("ERR Only HELLO messages are accepted by Sentinel instances.");
            return Done::Now;
        }
        if let Ok(hello) = Hello::parse(&call.args[2])
            && let Some(id) = self.group_named(&hello.group).map(|g| g.id)
        {
            self.with_group(id, |s, g| s.hello_received(g, hello));
        }
        r.int(1);
        Done::Now
    }
}
