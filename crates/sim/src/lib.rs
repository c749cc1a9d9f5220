//! The deterministic world over the node and sentinel cores.
