//! What people write to servers and sentinels alike: the words and quotes of a line, globs, numbers, names of
//! ACL categories.
//!
//! Pure and below everything that reads them, so that the same text means the same thing everywhere.

#![forbid(unsafe_code)]

pub mod acl;
pub mod double;
pub mod glob;
pub mod words;
