//! Faults of the configuration: all of them at once, each with its file and line.

use std::{cell::RefCell, fmt};

use serde::Serialize;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// Path of the file, starting with the configuration folder as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Every fault of a configuration, by file and line; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|fault| writeln!(f, "{fault}"))
    }
}

/// Gathers faults while the files are read.
#[derive(Debug, Default)]
pub(super) struct FaultLog(RefCell<Vec<Fault>>);

impl FaultLog {
    pub(super) fn add(&self, file: &str, line: usize, message: impl Into<String>) {
        self.0.borrow_mut().push(Fault { file: file.to_owned(), line, message: message.into() });
    }

    /// The faults, or `value` when there are none.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Faults> {
        let mut faults = self.0.into_inner();
        faults.sort();
        faults.dedup();
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            _ => Err(Faults(faults)),
        }
    }
}
