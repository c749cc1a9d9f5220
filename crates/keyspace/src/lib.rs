//! The data: table, values, expiry, scan, snapshot iteration.
