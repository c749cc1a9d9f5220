//! What a shell asks the node besides feeding it.

use crate::node::Node;
use crate::session::SessionId;
use tanist_config::ServerConfig;

impl Node {
    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// Whether a session may send more than a password; `false` for one that is gone.
    #[must_use]
    pub fn is_authenticated(&self, id: SessionId) -> bool {
        self.sessions.get(id).is_some_and(|s| s.authenticated || self.users.default().is_open())
    }
}
