//! Orders in a leader's name with something wrong in them (W18): as of a leader that mixes up its groups, of a message from
//! another time, of somebody who has found the port. Whoever carries one out has not looked at all of it.

use crate::client::GROUP;
use crate::net::HostId;
use crate::plan::FaultKind;
use crate::trace::Text;
use crate::world::World;
use tanist_resp::Value;
use tanist_types::{Epoch, RunId};

impl World {
    /// A data node has answered a fence: until it is told more, whoever knows how may make it the primary.
    pub(crate) fn meddle(&mut self, node: HostId) {
        if self.troubled && self.plan.faults.kinds.contains(&FaultKind::Impostor) && self.fate.chance(1, 2) {
            self.deceive(node);
        }
    }

    /// What a data node has to say to a wrong order.
    pub(crate) fn refused(&mut self, answer: &[u8]) {
        // Nor is it an order that cannot be understood: that would say nothing of the rules.
        if !answer.starts_with(b"-") || answer.starts_with(b"-ERR ") {
            self.watch.fail(format!(
                "W18: an order that nobody has the right to give is answered: {}",
                Text(answer)
            ));
        }
    }

    /// Gives a data node a wrong order.
    pub(crate) fn deceive(&mut self, node: HostId) {
        let promised = self.watch.promised(node);
        if promised == Epoch::ZERO {
            return;
        }
        let stranger = RunId::random(&mut self.fate).to_string();
        match self.fate.below(6) {
            // Another leader in the epoch that is promised, or in one before.
            wrong @ 0..3 => {
                let epoch = promised.0 - u64::from(wrong == 2) * self.fate.below(promised.0);
                let (epoch, leader) = (epoch.to_string(), stranger.as_bytes());
                let words: [&[u8]; 6] =
                    [b"TANIST", b"FENCE", GROUP.as_bytes(), epoch.as_bytes(), leader, b"0"];
                self.misorder(node, &words);
            }
            wrong => self.misdirect(node, wrong, &stranger),
        }
    }

    /// A promotion of a node that waits for its leader's word, with the wrong leader, run or log.
    fn misdirect(&mut self, node: HostId, wrong: u64, stranger: &str) {
        let Some(s) = self.standing(node).filter(|s| s.role == "idle" && s.accepted < s.promised.epoch)
        else {
            return;
        };
        let (epoch, run, key) = (s.promised.epoch.to_string(), s.run.to_string(), s.key);
        let Some(leader) = s.promised.leader.map(|l| l.to_string()) else { return };
        let status = self.observe(node, &[b"TANIST", b"STATUS"]);
        let Some(identity) = status.as_ref().and_then(|s| s.field("node-id")).and_then(Value::as_str) else {
            return;
        };
        let further = 1 + self.fate.below(10_000);
        let (last, end) = (key.epoch.to_string(), key.pos.0.to_string());
        let wrong_end = (key.pos.0 + further).to_string();
        let (leader, run, end) = match wrong {
            3 => (stranger, run.as_str(), end),
            4 => (leader.as_str(), stranger, end),
            _ => (leader.as_str(), run.as_str(), wrong_end),
        };
        let words = ["TANIST", "PROMOTE", GROUP, &epoch, leader, identity, run, &last, &end];
        self.misorder(node, &words.map(str::as_bytes));
    }
}
