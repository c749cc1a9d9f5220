//! Where the lines go.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Standard output, or a file that is found again after it was moved.
#[derive(Debug)]
pub(super) enum Output {
    Stdout,
    File { path: PathBuf, file: File, identity: (u64, u64) },
}

impl Output {
    /// Opens the file, or standard output without one.
    pub(super) fn open(path: Option<PathBuf>) -> io::Result<Output> {
        let Some(path) = path else { return Ok(Output::Stdout) };
        let (file, identity) = open_file(&path)?;
        Ok(Output::File { path, file, identity })
    }

    /// Writes a line. What cannot be written is lost: there is no other place to tell it.
    pub(super) fn write(&mut self, line: &str) {
        let _ = match self {
            Output::Stdout => io::stdout().write_all(line.as_bytes()),
            Output::File { path, file, identity } => {
                if found_at(path) != Some(*identity)
                    && let Ok((anew, its_identity)) = open_file(path)
                {
                    (*file, *identity) = (anew, its_identity);
                }
                file.write_all(line.as_bytes())
            }
        };
    }
}

fn open_file(path: &Path) -> io::Result<(File, (u64, u64))> {
    let file = OpenOptions::new().append(true).create(true).mode(0o644).open(path)?;
    let metadata = file.metadata()?;
    Ok((file, (metadata.dev(), metadata.ino())))
}

fn found_at(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()))
}
