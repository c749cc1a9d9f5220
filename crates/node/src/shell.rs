//! What a shell asks the node besides feeding it.

use crate::node::Node;
use crate::session::{SessionId, SessionKind};
use tanist_config::{BufferLimit, ServerConfig};

impl Node {
    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// Whether a session may send more than a password; `false` for one that is gone.
    #[must_use]
    pub fn is_authenticated(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|s| s.authenticated)
    }

    /// How much output may wait for a session (`client-output-buffer-limit`), by what it is used for.
    #[must_use]
    pub fn output_limit(&self, id: SessionId) -> BufferLimit {
        let limits = &self.config.client_output_buffer_limit;
        match self.sessions.get(id).map(|s| s.kind).unwrap_or_default() {
            SessionKind::Normal => limits.normal,
            SessionKind::Pubsub => limits.pubsub,
            SessionKind::Replica => limits.replica,
        }
    }
}
