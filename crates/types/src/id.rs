//! Identifiers of 160 bits, written as 40 lower-case hexadecimal digits as in Redis.

use crate::Rng;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// A random 160-bit identifier. `K` keeps the kinds apart: a replication id is never compared with a run id.
pub struct Id<K> {
    bytes: [u8; 20],
    kind: PhantomData<fn() -> K>,
}

/// Marks [`ReplId`].
#[derive(Debug)]
pub enum ReplKind {}
/// Marks [`RunId`].
#[derive(Debug)]
pub enum RunKind {}
/// Marks [`NodeId`].
#[derive(Debug)]
pub enum NodeKind {}

/// Names one history of the replication log. A new one begins with each promotion.
pub type ReplId = Id<ReplKind>;
/// Names one run of a process: random at each start.
pub type RunId = Id<RunKind>;
/// Names a data node for as long as its state file lives; never derived from an address.
pub type NodeId = Id<NodeKind>;

/// How often a node has started with its present state file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct BootCount(pub u64);

/// The text is not 40 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadId;

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier is 40 hexadecimal digits")
    }
}

impl std::error::Error for BadId {}

impl<K> Id<K> {
    /// A fresh identifier drawn from the core's own generator.
    #[must_use]
    pub fn random(rng: &mut Rng) -> Self {
        let mut bytes = [0; 20];
        rng.fill(&mut bytes);
        Id { bytes, kind: PhantomData }
    }

    /// The identifier with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Id { bytes, kind: PhantomData }
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.bytes
    }

    /// The 40 hexadecimal digits, without allocation.
    #[must_use]
    pub fn hex(&self) -> [u8; 40] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut out = [0; 40];
        for (pair, b) in out.chunks_exact_mut(2).zip(self.bytes) {
            pair[0] = DIGITS[usize::from(b >> 4)];
            pair[1] = DIGITS[usize::from(b & 15)];
        }
        out
    }

    /// Reads 40 hexadecimal digits of either case.
    ///
    /// # Errors
    /// When `text` is anything else.
    pub fn parse(text: &[u8]) -> Result<Self, BadId> {
        if text.len() != 40 {
            return Err(BadId);
        }
        let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8).ok_or(BadId);
        let mut bytes = [0; 20];
        for (b, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *b = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Id { bytes, kind: PhantomData })
    }
}

impl<K> FromStr for Id<K> {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        Id::parse(s.as_bytes())
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).map_err(|_| fmt::Error)?)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for b in &self.bytes[..4] {
            write!(f, "{b:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_back() {
        let id = RunId::random(&mut Rng::from_seed(7));
        assert_eq!(RunId::parse(&id.hex()), Ok(id));
        assert_eq!(id.to_string().as_bytes(), id.hex());
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "12",
            "zz00000000000000000000000000000000000000",
            "?",
            "é000000000000000000000000000000000000",
        ] {
            assert_eq!(bad.parse::<ReplId>(), Err(BadId), "{bad}");
        }
    }
}
