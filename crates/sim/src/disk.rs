//! A host's disk: named files that are replaced as a whole, as the shells do it: write beside, fsync, rename, fsync the
//! directory.
//!
//! Between the rename and the directory's fsync a file has its new content for everybody who reads it, but a power
//! failure may bring the old one back. A failed replacement may have happened all the same.

use std::collections::BTreeMap;
use tanist_types::Rng;

/// How the end of a host treats its disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// The process ended; the kernel writes out what it has taken.
    Process,
    /// Power failed: only what was made durable is sure.
    Power,
    /// The disk is gone.
    Wipe,
}

/// What is wrong with a disk for now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// Nothing can be written.
    Full,
    /// Some writes fail.
    Errors,
}

#[derive(Clone, Debug, Default)]
struct File {
    /// What a reader sees.
    seen: Option<Vec<u8>>,
    /// What survives a power failure for sure; differs from `seen` between rename and fsync.
    durable: Option<Vec<u8>>,
}

/// The files of a host.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: BTreeMap<&'static str, File>,
    pub(crate) trouble: Trouble,
}

impl Disk {
    /// The content of a file.
    pub(crate) fn read(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name)?.seen.as_deref()
    }

    /// What of a file survives a power failure for sure.
    pub(crate) fn durable(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name)?.durable.as_deref()
    }

    /// The rename: the new content is there for whoever reads.
    pub(crate) fn rename(&mut self, name: &'static str, content: Vec<u8>) {
        self.files.entry(name).or_default().seen = Some(content);
    }

    /// The directory's fsync: what is seen is durable.
    pub(crate) fn sync(&mut self, name: &'static str) {
        if let Some(file) = self.files.get_mut(name) {
            file.durable.clone_from(&file.seen);
        }
    }

    /// The process or the host ends.
    pub(crate) fn end(&mut self, how: Ending, rng: &mut Rng) {
        match how {
            Ending::Process => {}
            Ending::Power => {
                for file in self.files.values_mut() {
                    if rng.chance(1, 2) {
                        file.seen.clone_from(&file.durable);
                    }
                    file.durable.clone_from(&file.seen);
                }
            }
            Ending::Wipe => self.files.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_survives_all_but_a_wipe() {
        let mut disk = Disk::default();
        disk.rename("f", b"old".to_vec());
        disk.sync("f");
        for seed in 0..20 {
            disk.end(Ending::Power, &mut Rng::from_seed(seed));
            assert_eq!(disk.read("f"), Some(&b"old"[..]));
        }
        disk.end(Ending::Wipe, &mut Rng::from_seed(0));
        assert_eq!(disk.read("f"), None);
    }

    #[test]
    fn what_was_only_renamed_may_be_the_old_or_the_new_after_a_power_failure() {
        let mut outcomes = std::collections::BTreeSet::new();
        for seed in 0..20 {
            let mut disk = Disk::default();
            disk.rename("f", b"old".to_vec());
            disk.sync("f");
            disk.rename("f", b"new".to_vec());
            disk.end(Ending::Process, &mut Rng::from_seed(seed));
            assert_eq!(disk.read("f"), Some(&b"new"[..]));
            disk.end(Ending::Power, &mut Rng::from_seed(seed));
            outcomes.insert(disk.read("f").map(<[u8]>::to_vec));
        }
        assert_eq!(outcomes.len(), 2);
    }
}
