//! How many files the process may have open: each connection is one.

use crate::listen;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;

/// What became of a wish for more open files.
#[derive(Debug)]
enum OpenFiles {
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
fn open_files(wanted: u64) -> OpenFiles {
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

/// Sees to it that `clients` connections and `others` further files can be open, and says in the log what became of it.
/// Returns how many clients there can be: `clients`, or fewer.
pub fn room_for(clients: u32, others: u32) -> u32 {
    let wanted = u64::from(clients) + u64::from(others);
    match open_files(wanted) {
        OpenFiles::Enough => clients,
        OpenFiles::Raised { from } => {
            tracing::info!(
                "Increased maximum number of open files to {wanted} (it was originally set to {from})."
            );
            clients
        }
        OpenFiles::Limited { at, error } => {
            let fit = fit(at, clients, others);
            tracing::warn!(
                "You requested maxclients of {clients} requiring at least {wanted} max file descriptors."
            );
            tracing::warn!(
                "Server can't set maximum open files to {wanted} because of OS error: {}.",
                listen::describe(&error)
            );
            tracing::warn!(
                "Current maximum open files is {at}. maxclients has been reduced to {fit} to compensate for low \
                 ulimit. If you need higher maxclients increase 'ulimit -n'."
            );
            fit
        }
    }
}

/// How many of `clients` there can be with `at` open files: at least one.
fn fit(at: u64, clients: u32, others: u32) -> u32 {
    let left = at.saturating_sub(others.into());
    u32::try_from(left).map_or(clients, |left| left.clamp(1, clients.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_clients_fit_beside_the_other_files() {
        assert_eq!(fit(1024, 10_000, 32), 992);
        assert_eq!(fit(32, 10_000, 32), 1);
        assert_eq!(fit(u64::MAX, 10_000, 32), 10_000);
    }

    #[test]
    fn a_small_wish_touches_nothing() {
        let before = getrlimit(Resource::Nofile);
        assert!(matches!(open_files(1), OpenFiles::Enough));
        assert_eq!(getrlimit(Resource::Nofile).current, before.current);
    }
}
