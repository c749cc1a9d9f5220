//! Files that survive a crash: written beside, synced, renamed into place, the directory synced.
//!
//! After [`write`] returned, a reader finds the new contents whatever happens; before, the old. A checksum is
//! the caller's: a disk may still rot.

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Replaces the file at `path` by one with these contents. When it returns `Ok`, they are on disk.
///
/// # Errors
/// Of the file system. The old file is then still in place, and nothing is left beside it.
pub fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = Pending::create(path)?;
    file.write_all(contents)?;
    file.commit()
}

/// A file that takes another's place when it is complete. Dropped before, it leaves nothing behind.
#[derive(Debug)]
pub struct Pending {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl Pending {
    /// Begins a file that will replace the one at `path`, in the same directory.
    ///
    /// # Errors
    /// Of the file system.
    pub fn create(path: &Path) -> io::Result<Pending> {
        Pending::create_as(path, temporary(path)?)
    }

    /// The same, by this name until it is complete: one in the same directory that nothing else has.
    ///
    /// # Errors
    /// Of the file system.
    pub fn create_as(path: &Path, temporary: PathBuf) -> io::Result<Pending> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&temporary)?;
        Ok(Pending { file, temporary, path: path.to_owned(), committed: false })
    }

    /// Hands what was written so far to the disk, so that [`Pending::commit`] has little left to do.
    ///
    /// # Errors
    /// Of the file system.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Puts the file in place. When it returns `Ok`, it is there after a crash too.
    ///
    /// # Errors
    /// Of the file system; the old file then stays, unless only the last step, syncing the directory, failed.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.temporary, &self.path)?;
        self.committed = true;
        sync_directory(&self.path)
    }
}

/// A name for a file beside `path` that nothing else has.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    Ok(path.with_file_name(format!("temp-{}-{number}.{}", std::process::id(), name.to_string_lossy())))
}

/// A file without a name: it is gone with the process, or when this is dropped.
#[derive(Debug)]
pub struct Unnamed(File);

impl Unnamed {
    /// An empty one; it is made beside `path`, and its name is taken away at once.
    ///
    /// # Errors
    /// Of the file system.
    pub fn create(path: &Path) -> io::Result<Unnamed> {
        let temporary = temporary(path)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        std::fs::remove_file(&temporary)?;
        Ok(Unnamed(file))
    }

    /// Writes at the end.
    ///
    /// # Errors
    /// Of the file system.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Exactly `len` bytes from `at` on.
    ///
    /// # Errors
    /// Of the file system; also if there are fewer.
    pub fn read_at(&self, at: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.0.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.committed {
            // A leftover does no harm; the next start may reuse its name.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// Makes the names in the directory of `path` durable.
///
/// # Errors
/// Of the file system.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The contents of the file at `path`; `None` if there is none.
///
/// # Errors
/// Of the file system; [`io::ErrorKind::FileTooLarge`] beyond `max` bytes.
pub fn read(path: &Path, max: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut contents = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut contents)?;
    if contents.len() as u64 > max {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(Some(contents))
}

/// A lock that at most one process holds, until it ends or drops this.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the file or directory at `path`; a file is created if need be, and never replaced.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if another process holds it; else of the file system.
    pub fn acquire(path: &Path) -> io::Result<Lock> {
        let file = if path.is_dir() {
            File::open(path)?
        } else {
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o644).open(path)?
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock { _file: file }),
            // A file system without locks: nothing can be promised, and nothing is lost either.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOLCK) => Ok(Lock { _file: file }),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that is removed at the end of the test.
    struct Temp(PathBuf);

    impl Temp {
        fn new(name: &str) -> Temp {
            let path = std::env::temp_dir().join(format!("tanist-durable-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Temp(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = std::fs::read_dir(&self.0).unwrap();
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Temp {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let dir = Temp::new("replace");
        let path = dir.0.join("state");
        assert_eq!(read(&path, 10).unwrap(), None);
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(read(&path, 3).unwrap(), Some(b"new".to_vec()));
        assert_eq!(read(&path, 2).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(dir.names(), ["state"]);
    }

    #[test]
    fn what_is_not_committed_leaves_no_trace() {
        let dir = Temp::new("abandon");
        let path = dir.0.join("state");
        write(&path, b"old").unwrap();
        let mut pending = Pending::create(&path).unwrap();
        pending.write_all(b"half").unwrap();
        assert_eq!(dir.names().len(), 2);
        drop(pending);
        assert_eq!(dir.names(), ["state"]);
        assert_eq!(read(&path, 10).unwrap(), Some(b"old".to_vec()));
    }

    #[test]
    fn a_file_bears_the_name_that_it_is_given_until_it_is_complete() {
        let dir = Temp::new("named");
        let path = dir.0.join("state");
        let mut pending = Pending::create_as(&path, dir.0.join("half")).unwrap();
        pending.write_all(b"new").unwrap();
        assert_eq!(dir.names(), ["half"]);
        pending.commit().unwrap();
        assert_eq!(dir.names(), ["state"]);
        assert_eq!(read(&path, 10).unwrap(), Some(b"new".to_vec()));
    }

    #[test]
    fn an_unnamed_file_leaves_no_trace() {
        let dir = Temp::new("unnamed");
        let mut file = Unnamed::create(&dir.0.join("x")).unwrap();
        file.append(b"0123").unwrap();
        file.append(b"456").unwrap();
        assert!(dir.names().is_empty());
        assert_eq!(file.read_at(2, 4).unwrap(), b"2345");
        assert!(file.read_at(5, 4).is_err());
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let dir = Temp::new("missing");
        assert_eq!(write(&dir.0.join("a/b"), b"").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(write(Path::new("/"), b"").is_err());
    }

    #[test]
    fn a_lock_is_held_by_one() {
        let dir = Temp::new("lock");
        let path = dir.0.join("lock");
        let first = Lock::acquire(&path).unwrap();
        assert_eq!(Lock::acquire(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(first);
        assert!(Lock::acquire(&path).is_ok());
        assert!(Lock::acquire(&dir.0).is_ok());
    }
}
