//! Keyspace events: what happens to keys, published on `__keyspace@<db>__:<key>` and `__keyevent@<db>__:<event>`
//! as `notify-keyspace-events` asks for.

use crate::node::Node;
use crate::output::Outputs;
use tanist_types::DbIndex;

impl Node {
    /// Whether events of this class are published at all.
    #[inline]
    pub(crate) fn notifies(&self, class: u8) -> bool {
        let wanted = self.config.notify_keyspace_events;
        !wanted.is_empty() && wanted.has(class)
    }

    /// The messages of one event: channel and payload.
    pub(crate) fn event_messages(
        &self,
        event: &str,
        db: DbIndex,
        key: &[u8],
    ) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + use<> {
        let wanted = self.config.notify_keyspace_events;
        let of_key = wanted.has(b'K').then(|| {
            let mut channel = format!("__keyspace@{}__:", db.0).into_bytes();
            channel.extend_from_slice(key);
            (channel, event.as_bytes().to_vec())
        });
        let of_event =
            wanted.has(b'E').then(|| (format!("__keyevent@{}__:{event}", db.0).into_bytes(), key.to_vec()));
        of_key.into_iter().chain(of_event)
    }

    /// Publishes an event to every session but the running one.
    pub(crate) fn publish_event(&self, class: u8, event: &str, db: DbIndex, key: &[u8], outs: &mut Outputs) {
        if self.notifies(class) {
            for (channel, payload) in self.event_messages(event, db, key) {
                self.publish(&channel, &payload, outs);
            }
        }
    }
}
