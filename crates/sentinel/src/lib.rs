//! tanist-sentinel: failure detection, election, failover.
