//! One user: how it proves who it is, and what it may do.

use super::selector::Selector;
use crate::sha::sha256;

/// A password, as its SHA-256.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Password([u8; 32]);

impl Password {
    pub(crate) fn of(plain: &[u8]) -> Password {
        Password(sha256(plain))
    }

    /// From 64 hexadecimal digits in lower case.
    pub(crate) fn from_hex(digits: &[u8]) -> Option<Password> {
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.as_chunks::<2>().0) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Some(Password(hash))
    }

    pub(crate) fn hex(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }
}

impl PartialEq for Password {
    /// Compares without telling by its time how much of the beginning was right.
    fn eq(&self, other: &Password) -> bool {
        self.0.iter().zip(&other.0).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }
}

impl Eq for Password {}

/// A user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct User {
    pub(crate) name: Box<[u8]>,
    /// May log in.
    pub(crate) enabled: bool,
    /// Any password will do.
    pub(crate) no_password: bool,
    pub(crate) passwords: Vec<Password>,
    /// What it may do: the rules given to the user itself come first, and are always there.
    pub(crate) selectors: Vec<Selector>,
    /// Some selector allows everything; kept by [`User::settle`].
    omnipotent: bool,
}

impl User {
    /// One who may do everything without a password.
    pub(crate) fn omnipotent(name: &[u8]) -> User {
        User {
            name: name.into(),
            enabled: true,
            no_password: true,
            passwords: Vec::new(),
            selectors: vec![Selector::all()],
            omnipotent: true,
        }
    }

    /// One who may not even log in; `channels`: but could use every channel.
    pub(crate) fn nobody(name: &[u8], channels: bool) -> User {
        User {
            enabled: false,
            no_password: false,
            selectors: vec![Selector::none(channels)],
            omnipotent: false,
            ..User::omnipotent(name)
        }
    }

    /// With this password and no other; without any if it is empty.
    pub(crate) fn with_password(mut self, password: &[u8]) -> User {
        self.no_password = password.is_empty();
        self.passwords = if password.is_empty() { Vec::new() } else { vec![Password::of(password)] };
        self
    }

    /// The rules given to the user itself.
    pub(crate) fn root(&mut self) -> &mut Selector {
        &mut self.selectors[0]
    }

    /// Draws the conclusions after a change.
    pub(crate) fn settle(&mut self) {
        self.omnipotent = self.selectors.iter().any(Selector::is_all);
    }

    /// Whether it may do everything there is.
    pub(crate) fn is_omnipotent(&self) -> bool {
        self.omnipotent
    }

    /// Whether a connection is this user without saying a word.
    pub(crate) fn is_open(&self) -> bool {
        self.enabled && self.no_password
    }

    /// Whether somebody with this password may be this user.
    pub(crate) fn admits(&self, password: &[u8]) -> bool {
        let given = Password::of(password);
        // All are compared, so that the time does not tell which one was right.
        let known = self.passwords.iter().fold(false, |found, known| found | (*known == given));
        self.enabled && (self.no_password || known)
    }

    /// Whether it may listen to a channel, or to a pattern of channels.
    pub(crate) fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.selectors.iter().any(|s| s.allows_channel(channel, is_pattern))
    }

    /// The user as words of a line, after `user` and its name.
    pub(crate) fn words(&self) -> Vec<Vec<u8>> {
        let mut words = vec![if self.enabled { b"on".to_vec() } else { b"off".to_vec() }];
        if self.no_password {
            words.push(b"nopass".to_vec());
        }
        words.extend(self.passwords.iter().map(|p| format!("#{}", p.hex()).into_bytes()));
        for (i, selector) in self.selectors.iter().enumerate() {
            let of_selector = selector.words();
            if i == 0 {
                words.extend(of_selector);
            } else {
                words.push([b"(", &*of_selector.join(&b' '), b")"].concat());
            }
        }
        words
    }

    /// The user as a line of `ACL LIST` and of the file of users.
    pub(crate) fn line(&self) -> Vec<u8> {
        [b"user ", &*self.name, b" ", &*self.words().join(&b' ')].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_is_admitted() {
        let mut user = User::omnipotent(b"a").with_password(b"secret");
        assert!(user.admits(b"secret"));
        for wrong in ["", "secre", "secrets", "Secret"] {
            assert!(!user.admits(wrong.as_bytes()), "{wrong}");
        }
        user.enabled = false;
        assert!(!user.admits(b"secret"));
    }

    #[test]
    fn a_password_is_read_from_its_hexadecimal_form() {
        let hex = Password::of(b"abc").hex();
        assert_eq!(Password::from_hex(hex.as_bytes()), Some(Password::of(b"abc")));
        assert_ne!(Password::from_hex(hex.as_bytes()), Some(Password::of(b"abd")));
        for bad in [&hex[1..], &hex.to_uppercase(), &hex.replace('b', "g"), ""] {
            assert_eq!(Password::from_hex(bad.as_bytes()), None, "{bad}");
        }
    }
}
