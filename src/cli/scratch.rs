//! A folder that goes away with what is played, in memory where the machine has a place for that: the store is thrown away.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process,
};

/// A folder, removed when dropped unless it is to be kept.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    kept: bool,
}

impl Scratch {
    /// A folder to keep.
    pub(super) fn keep(path: &Path) -> io::Result<Self> {
        private().recursive(true).create(path)?;
        if fs::read_dir(path)?.next().is_some() {
            return Err(io::Error::other("the folder is not empty: a day is played into an empty one"));
        }
        Ok(Self { path: path.to_owned(), kept: true })
    }

    /// A folder to throw away.
    pub(super) fn new() -> io::Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let mut n = 0;
        loop {
            let path = parent.join(format!("sas-dispatch-{}-{n}", process::id()));
            match private().create(&path) {
                Ok(()) => return Ok(Self { path, kept: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => n += 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// What is played may be a real day's messages: other accounts of the machine have no business in it.
fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept {
            // A folder that cannot be removed is the system's to clear.
            fs::remove_dir_all(&self.path).ok();
        }
    }
}
