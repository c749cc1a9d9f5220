//! What is known about one directive, and the macro that makes the typed configuration from the table.

use crate::ServerConfig;
use crate::codec::{Refused, Source};

/// When a directive may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At any time, by CONFIG SET.
    Run,
    /// By CONFIG SET only where `enable-protected-configs` allows it.
    Protected,
    /// Only at the start.
    Start,
}

/// What setting a directive does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has its effect.
    Done,
    /// Likewise, and CONFIG GET shows it only when asked by its exact name.
    DoneHidden,
    /// It is known and kept, but has no effect yet; a changed value deserves a warning.
    Accepted,
    /// Likewise, and CONFIG GET shows it only when asked by its exact name.
    AcceptedHidden,
}

impl State {
    /// Whether setting it changes anything.
    #[must_use]
    pub fn has_effect(self) -> bool {
        matches!(self, State::Done | State::DoneHidden)
    }

    /// Whether CONFIG GET shows it only when asked by its exact name.
    #[must_use]
    pub fn is_hidden(self) -> bool {
        matches!(self, State::DoneHidden | State::AcceptedHidden)
    }
}

/// One directive: a row of the table.
#[derive(Debug)]
pub struct Directive {
    /// The name that CONFIG REWRITE writes.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// When it may change.
    pub when: When,
    /// Whether it has an effect.
    pub state: State,
    pub(crate) multi: bool,
    pub(crate) get: fn(&ServerConfig) -> String,
    pub(crate) set: fn(&mut ServerConfig, &[&str], Source) -> Result<(), Refused>,
    pub(crate) lines: fn(&ServerConfig) -> Vec<String>,
}

impl Directive {
    /// The directive of this name or alias, in any case.
    pub fn find(name: &str) -> Option<&'static Directive> {
        let lower = name.to_ascii_lowercase();
        let by_name = |d: &&Directive| d.name == lower || d.aliases.contains(&lower.as_str());
        Directive::all().iter().find(by_name)
    }

    /// Every name and alias with its directive, in alphabetical order.
    pub fn names() -> Vec<(&'static str, &'static Directive)> {
        let each = |d: &'static Directive| {
            let names = std::iter::once(d.name).chain(d.aliases.iter().copied());
            names.map(move |name| (name, d))
        };
        let mut names: Vec<_> = Directive::all().iter().flat_map(each).collect();
        names.sort_unstable_by_key(|(name, _)| *name);
        names
    }

    /// Whether the value must not appear in logs or in the slow log.
    pub fn sensitive(&self) -> bool {
        matches!(
            self.name,
            "requirepass" | "masterauth" | "masteruser" | "tls-key-file-pass" | "tls-client-key-file-pass"
        )
    }
}

macro_rules! directives {
    ($(
        $(#[$meta:meta])*
        $name:literal [$($alias:literal),*] $field:ident: $ty:ty = $default:expr, $codec:expr, $when:ident, $state:ident;
    )*) => {
        /// The server's configuration: one field per directive, named as the directive with `_` for `-`.
        #[derive(Clone, Debug, PartialEq)]
        pub struct ServerConfig {
            $(
                #[doc = concat!("`", $name, "`. ")]
                $(#[$meta])*
                pub $field: $ty,
            )*
            /// Directives that may stand several times and are not in CONFIG GET.
            pub lists: crate::lists::Lists,
        }

        impl Default for ServerConfig {
            fn default() -> Self {
                ServerConfig { $($field: $default,)* lists: crate::lists::Lists::default() }
            }
        }

        fn multi<T, C: Codec<Value = T>>(_: &C) -> bool {
            C::MULTI
        }

        impl Directive {
            /// The whole table.
            pub fn all() -> &'static [Directive] {
                static TABLE: std::sync::LazyLock<Vec<Directive>> = std::sync::LazyLock::new(|| vec![$(Directive {
                    name: $name,
                    aliases: &[$($alias),*],
                    when: When::$when,
                    state: State::$state,
                    multi: multi::<$ty, _>(&$codec),
                    get: |config| Codec::text(&$codec, &config.$field),
                    set: |config, args, source| {
                        config.$field = $codec.parse(args, &config.$field, source)?;
                        Ok(())
                    },
                    lines: |config| Codec::lines(&$codec, $name, &config.$field),
                }),*]);
                &TABLE
            }
        }
    };
}
pub(crate) use directives;
