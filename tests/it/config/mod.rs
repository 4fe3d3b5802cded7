//! The configuration: what is shipped, every fault with file and line, a territory without a folder.

mod advice;
mod directory;
mod faults;
mod missing;
mod protocols;
mod shipped;

use std::{fs, path::Path};

use sas_dispatch::config::{Config, Faults};
use tempfile::TempDir;

/// A copy of the shipped folder, to break.
pub(crate) struct Copy(TempDir);

impl Copy {
    pub(crate) fn of_shipped() -> Self {
        let copy = Self(TempDir::new().unwrap());
        copy_folder(&shipped_dir(), copy.path());
        copy
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Replaces the one occurrence of `old` in a file; returns the line it stood on.
    pub(crate) fn replace(&self, file: &str, old: &str, new: &str) -> usize {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(old).count(), 1, "'{old}' in {file}");
        let at = text.find(old).unwrap();
        fs::write(&path, text.replace(old, new)).unwrap();
        1 + text[..at].matches('\n').count()
    }

    /// Adds a line at the end of a file; returns its number.
    pub(crate) fn append(&self, file: &str, line: &str) -> usize {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{line}\n")).unwrap();
        1 + text.matches('\n').count()
    }

    pub(crate) fn load(&self) -> Result<Config, Faults> {
        Config::load(self.path())
    }

    /// The faults as `file:line: message`, with the file relative to the folder.
    pub(crate) fn faults(&self) -> Vec<String> {
        let prefix = format!("{}/", self.path().display());
        let faults = self.load().unwrap_err();
        faults.0.iter().map(|fault| fault.to_string().replace(&prefix, "")).collect()
    }
}

pub(crate) fn shipped_dir() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
