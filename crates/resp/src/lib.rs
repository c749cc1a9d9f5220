//! RESP2 and RESP3: incremental, bounded, without I/O.
