//! tanist-server: the shell around the node.
