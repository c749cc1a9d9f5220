//! Events: what happened, in Redis Sentinel's words. Each goes to the log and to the subscribers of the channel that
//! is named like it; those that people are woken for also run the group's notification script.

use super::Sentinel;
use super::group::{Group, NodeIx, PeerIx};
use super::io::{Level, Output};

/// Whom an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    /// The group, which is named by its primary.
    Group,
    /// A data node.
    Node(NodeIx),
    /// Another sentinel.
    Peer(PeerIx),
}

impl Sentinel {
    /// Names an instance as events do: `<type> <name> <ip> <port> @ <group> <ip> <port>`.
    pub(crate) fn describe(&self, g: &Group, who: Who) -> String {
        let names = self.globals.announce_hostnames;
        let primary = &g.primary().addr;
        let at = |kind: &str, name: &str, addr: &super::addr::Addr| {
            format!(
                "{kind} {name} {} {} @ {} {} {}",
                addr.shown(names),
                addr.port(),
                g.name,
                primary.shown(names),
                primary.port()
            )
        };
        match who {
            Who::Node(ix) if ix != g.primary => match g.nodes.get(&ix) {
                Some(n) => at("slave", &n.addr.name(names), &n.addr),
                None => String::new(),
            },
            Who::Peer(ix) => match g.peers.get(&ix) {
                Some(p) => at("sentinel", &p.run_id.to_string(), &p.addr),
                None => String::new(),
            },
            Who::Group | Who::Node(_) => {
                format!("master {} {} {}", g.name, primary.shown(names), primary.port())
            }
        }
    }

    /// An event about an instance, followed by `more` if that is not empty.
    pub(crate) fn event(&mut self, g: &Group, level: Level, name: &str, who: Who, more: &str) {
        let mut text = self.describe(g, who);
        if !more.is_empty() {
            text.push(' ');
            text.push_str(more);
        }
        self.event_text(Some(g), level, name, &text);
    }

    /// An event with a text of its own.
    pub(crate) fn event_text(&mut self, g: Option<&Group>, level: Level, name: &str, text: &str) {
        self.out.push(Output::Log { level, line: format!("{name} {text}") });
        if level > Level::Debug {
            self.publish(name, text);
        }
        if level == Level::Warning
            && let Some(script) = g.and_then(|g| g.settings.notification_script.clone())
        {
            self.schedule_script(script, vec![name.to_owned(), text.to_owned()]);
        }
    }

    /// A line for the log alone.
    pub(crate) fn log(&mut self, level: Level, line: impl Into<String>) {
        self.out.push(Output::Log { level, line: line.into() });
    }
}
