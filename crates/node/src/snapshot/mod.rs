//! Snapshots: producing one in slices while commands run, and loading one beside the data that serve.
//!
//! There is one snapshot at a time, for a file or for replicas; its position in the log is the log's end at its
//! beginning. Nothing forks: an entry that changes before its turn is written out in its old form (see the
//! keyspace's snapshot).

mod file;
mod loader;
mod producer;

pub(crate) use file::{Reload, SaveKind, Saving, Stay};
pub use loader::LoadError;
pub(crate) use loader::{Loaded, Loader, Progress};
pub(crate) use producer::{Head, Producer};
