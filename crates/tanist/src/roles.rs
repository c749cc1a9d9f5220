//! One binary, several programs: which one it is shows in its name or in its first argument.
//!
//! A link called `redis-server` in the place of Redis' own must do what that did; `tanist up` starts its members
//! from this very file under other names.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

/// A program other than the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Server,
    Sentinel,
}

/// Runs the server or the sentinel if that is what was started; `None` if it was the command.
pub fn run(args: &[OsString]) -> Option<ExitCode> {
    let (role, args) = role(args)?;
    Some(match role {
        Role::Server => tanist_server::main(args),
        Role::Sentinel => {
            tanist_sentinel::main(args.into_iter().map(|a| a.to_string_lossy().into_owned()).collect())
        }
    })
}

/// The role, and its arguments with its name before them.
fn role(args: &[OsString]) -> Option<(Role, Vec<OsString>)> {
    let called = args.first().map(Path::new).and_then(Path::file_name).and_then(by_name);
    let role = match called {
        Some(role) => (role, args.to_vec()),
        None => (by_word(args.get(1)?)?, args[1..].to_vec()),
    };
    match role {
        // Redis' own way to ask a server to be a sentinel.
        (Role::Server, args) if args.iter().any(|a| a == "--sentinel") => {
            Some((Role::Sentinel, args.into_iter().filter(|a| a != "--sentinel").collect()))
        }
        other => Some(other),
    }
}

fn by_name(name: &OsStr) -> Option<Role> {
    match name.to_str()? {
        "tanist-server" | "redis-server" | "valkey-server" => Some(Role::Server),
        "tanist-sentinel" | "redis-sentinel" | "valkey-sentinel" => Some(Role::Sentinel),
        _ => None,
    }
}

fn by_word(word: &OsStr) -> Option<Role> {
    match word.to_str()? {
        "server" => Some(Role::Server),
        "sentinel" => Some(Role::Sentinel),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Option<(Role, Vec<String>)> {
        let args: Vec<OsString> = words.iter().map(Into::into).collect();
        role(&args).map(|(r, a)| (r, a.into_iter().map(|a| a.into_string().unwrap()).collect()))
    }

    #[test]
    fn the_name_decides_first() {
        let args = vec!["/usr/bin/redis-server".to_owned(), "a.conf".to_owned()];
        assert_eq!(of(&["/usr/bin/redis-server", "a.conf"]), Some((Role::Server, args)));
        assert_eq!(of(&["valkey-sentinel", "s.conf"]).unwrap().0, Role::Sentinel);
        assert_eq!(of(&["tanist-server", "sentinel"]).unwrap().0, Role::Server, "a file of that name");
    }

    #[test]
    fn then_the_first_argument() {
        let (role, args) = of(&["./tanist", "server", "--port", "1"]).unwrap();
        assert_eq!((role, args), (Role::Server, vec!["server".into(), "--port".into(), "1".into()]));
        assert_eq!(of(&["tanist", "sentinel", "s.conf"]).unwrap().0, Role::Sentinel);
        assert_eq!(of(&["tanist", "up"]), None);
        assert_eq!(of(&["tanist"]), None);
    }

    #[test]
    fn a_server_may_be_told_to_be_a_sentinel() {
        let (role, args) = of(&["redis-server", "s.conf", "--sentinel"]).unwrap();
        assert_eq!((role, args), (Role::Sentinel, vec!["redis-server".into(), "s.conf".into()]));
    }
}
