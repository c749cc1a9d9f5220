//! The one place where randomness comes from outside: seeds for the cores' generators.

use rand::TryRngCore;
use rand::rngs::OsRng;
use std::io;

/// Random bytes from the operating system.
///
/// # Errors
/// When the operating system has none to give.
pub fn fill(out: &mut [u8]) -> io::Result<()> {
    OsRng.try_fill_bytes(out).map_err(|error| io::Error::other(format!("no random bytes: {error}")))
}

/// A seed for a core's generator.
///
/// # Errors
/// When the operating system has no random bytes to give.
pub fn seed() -> io::Result<u64> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}
