//! Versions of the format and the magic bytes that carry them.

use crate::RdbError;

/// The version a snapshot is written in or was read from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RdbVersion(u16);

impl RdbVersion {
    /// The length of the magic and the version digits.
    pub(crate) const MAGIC_LEN: usize = 9;
    /// What Redis 7.0 writes, and the newest it reads.
    pub const V10: RdbVersion = RdbVersion(10);
    /// What Redis 7.2 and Valkey 7.2 to 8 write.
    pub const V11: RdbVersion = RdbVersion(11);
    /// What Redis 8.0 writes, the newest `REDIS` version read here.
    pub const V12: RdbVersion = RdbVersion(12);
    /// What Valkey 9 writes, under its own magic.
    pub const VALKEY80: RdbVersion = RdbVersion(80);

    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether the end of the snapshot is followed by a checksum (since version 5).
    pub(crate) const fn has_checksum(self) -> bool {
        self.0 >= 5
    }

    /// Whether this build reads payloads of version `number`.
    pub(crate) const fn from_number(number: u16) -> Option<RdbVersion> {
        match number {
            1..=12 | 80 => Some(RdbVersion(number)),
            _ => None,
        }
    }

    /// The nine bytes that a snapshot of this version begins with.
    #[must_use]
    pub fn magic(self) -> [u8; 9] {
        let mut out = if self == RdbVersion::VALKEY80 { *b"VALKEY000" } else { *b"REDIS0000" };
        let mut rest = self.0;
        for digit in out.iter_mut().rev().take(3) {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        out
    }

    /// Reads the nine bytes that a snapshot begins with.
    pub(crate) fn parse(magic: &[u8]) -> Result<RdbVersion, RdbError> {
        let text = || String::from_utf8_lossy(magic).into_owned();
        let (digits, valkey) = match (magic.strip_prefix(b"REDIS"), magic.strip_prefix(b"VALKEY")) {
            (Some(digits), _) => (digits, false),
            (_, Some(digits)) => (digits, true),
            _ => return Err(RdbError::BadMagic(text())),
        };
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(RdbError::BadMagic(text()));
        }
        let number = digits.iter().fold(0u16, |n, d| n * 10 + u16::from(d - b'0'));
        let version = RdbVersion::from_number(number).filter(|v| valkey == (*v == RdbVersion::VALKEY80));
        version.ok_or_else(|| RdbError::Version(text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_and_back() {
        for v in [RdbVersion::V10, RdbVersion::V11, RdbVersion::V12, RdbVersion::VALKEY80] {
            assert_eq!(RdbVersion::parse(&v.magic()), Ok(v));
        }
        assert_eq!(RdbVersion::V11.magic(), *b"REDIS0011");
        assert_eq!(RdbVersion::VALKEY80.magic(), *b"VALKEY080");
    }

    #[test]
    fn other_versions_are_refused() {
        for bad in [b"REDIS0013", b"REDIS0000", b"REDIS0080", b"VALKEY011", b"REDIS9999", b"VALKEY999"] {
            assert!(matches!(RdbVersion::parse(bad), Err(RdbError::Version(_))), "{bad:?}");
        }
        for bad in [b"RADIS0011", b"REDIS00a1", b"\0\0\0\0\0\0\0\0\0"] {
            assert!(matches!(RdbVersion::parse(bad), Err(RdbError::BadMagic(_))), "{bad:?}");
        }
    }
}
