//! Backlog, lineage, PSYNC, acknowledgements, epochs: a core.
