//! Comma-separated files: a fixed head, one record a line, `#` opens a comment line. No quoting: no value here has a
//! comma.

use std::{fmt::Display, str::FromStr};

use super::fault::FaultLog;

/// The head is not the one expected, which is among the faults; nothing was read.
pub(super) struct WrongHead;

/// One record and where it stands.
pub(super) struct Record<'a> {
    file: &'a str,
    log: &'a FaultLog,
    columns: &'a [&'a str],
    values: Vec<&'a str>,
    /// Line, from 1.
    pub line: usize,
}

/// Hands each record of `text` to `read`, one of another length too. A wrong head and a wrong length are faults.
pub(super) fn each_record<'a>(
    file: &'a str,
    text: &'a str,
    columns: &'a [&'a str],
    log: &'a FaultLog,
    mut read: impl FnMut(&Record<'a>),
) -> Result<(), WrongHead> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let head = columns.join(",");
    match lines.next() {
        Some((_, line)) if line == head => {}
        other => {
            log.add(
                file,
                other.map_or(1, |(line, _)| line),
                format!("expected the head '{head}', and records below it"),
            );
            return Err(WrongHead);
        }
    }
    for (line, text) in lines {
        let values: Vec<_> = text.split(',').map(str::trim).collect();
        if values.len() != columns.len() {
            log.add(file, line, format!("expected {} columns ({head}), got {}", columns.len(), values.len()));
        }
        read(&Record { file, log, columns, values, line });
    }
    Ok(())
}

impl Record<'_> {
    /// Whether it has as many values as there are columns; another number is a fault already.
    pub(super) fn is_whole(&self) -> bool {
        self.values.len() == self.columns.len()
    }

    /// Adds a fault at this record.
    pub(super) fn fault(&self, problem: impl Into<String>) {
        self.log.add(self.file, self.line, problem);
    }

    /// The text of a column.
    pub(super) fn text(&self, column: &str) -> &str {
        let at = self.columns.iter().position(|known| *known == column);
        at.and_then(|at| self.values.get(at)).copied().unwrap_or_default()
    }

    /// The value of a column; a fault and `None` when it cannot be read.
    pub(super) fn value<T: FromStr<Err: Display>>(&self, column: &str) -> Option<T> {
        self.text(column).parse().map_err(|error: T::Err| self.fault(format!("{column}: {error}"))).ok()
    }
}
