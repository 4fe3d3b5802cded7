//! Comma-separated files: a fixed head, one record a line, `#` opens a comment line. No quoting: no value here has a
//! comma.

use std::{fmt::Display, str::FromStr};

use super::fault::FaultLog;

/// One record and where it stands.
pub(super) struct Record<'a> {
    file: &'a str,
    log: &'a FaultLog,
    columns: &'a [&'a str],
    values: Vec<&'a str>,
    /// Line, from 1.
    pub line: usize,
}

/// Hands each record of `text` to `read`. A wrong head, or a record of another length, is a fault.
pub(super) fn each_record<'a>(
    file: &'a str,
    text: &'a str,
    columns: &'a [&'a str],
    log: &'a FaultLog,
    mut read: impl FnMut(&Record<'a>),
) {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let head = columns.join(",");
    match lines.next() {
        Some((_, line)) if line == head => {}
        Some((line, _)) => return log.add(file, line, format!("expected the head '{head}'")),
        None => return log.add(file, 1, format!("empty; expected the head '{head}' and records below it")),
    }
    for (line, text) in lines {
        let values: Vec<_> = text.split(',').map(str::trim).collect();
        if values.len() == columns.len() {
            read(&Record { file, log, columns, values, line });
        } else {
            log.add(file, line, format!("expected {} columns ({head}), got {}", columns.len(), values.len()));
        }
    }
}

impl Record<'_> {
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
