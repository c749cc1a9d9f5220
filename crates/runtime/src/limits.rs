//! How many files the process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;

/// What became of a wish for more open files.
#[derive(Debug)]
pub enum OpenFiles {
    /// The limit was high enough; nothing was touched.
    Enough,
    /// The limit was raised.
    Raised {
        /// What it was before.
        from: u64,
    },
    /// The limit could not be raised that far.
    Limited {
        /// What it is now.
        at: u64,
        /// Why not more.
        error: io::Error,
    },
}

/// Sees to it that `wanted` files can be open. The limit is touched only if it is lower: a service manager may
/// forbid the call.
pub fn open_files(wanted: u64) -> OpenFiles {
    let now = getrlimit(Resource::Nofile);
    let Some(from) = now.current.filter(|&current| current < wanted) else { return OpenFiles::Enough };
    let set = |current, maximum| setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum });
    // Within the hard limit anybody may; beyond it only some.
    let enough = now.maximum.is_none_or(|maximum| maximum >= wanted);
    let maximum = if enough { now.maximum } else { Some(wanted) };
    match set(wanted, maximum) {
        Ok(()) => OpenFiles::Raised { from },
        Err(error) => {
            let most = now.maximum.unwrap_or(from);
            let at = if most > from && set(most, now.maximum).is_ok() { most } else { from };
            OpenFiles::Limited { at, error: error.into() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_wish_touches_nothing() {
        let before = getrlimit(Resource::Nofile);
        assert!(matches!(open_files(1), OpenFiles::Enough));
        assert_eq!(getrlimit(Resource::Nofile).current, before.current);
    }
}
