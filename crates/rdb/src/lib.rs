//! The RDB snapshot format: bytes in, bytes out.
