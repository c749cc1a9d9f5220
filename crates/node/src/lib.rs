//! The data node as one deterministic state machine.
