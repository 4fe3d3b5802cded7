//! Writes sections.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use crate::store::dump::Row;

use super::line::{End, Header, Line, hex};

/// A section under way; without its end it is no section.
pub struct Section<W> {
    out: W,
    hash: Sha256,
    lines: u64,
}

/// Begins a section.
///
/// # Errors
/// When it cannot be written.
pub fn begin<W: Write>(out: W, header: &Header) -> io::Result<Section<W>> {
    let mut section = Section { out, hash: Sha256::new(), lines: 0 };
    section.write(&Line::Header(header.clone()))?;
    Ok(section)
}

impl<W: Write> Section<W> {
    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.out.write_all(&text)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        self.lines += 1;
        self.write(&Line::of(row))
    }

    /// Ends the section and gives the output back with the number of rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self) -> io::Result<(W, u64)> {
        let sha256 = hex(&std::mem::take(&mut self.hash).finalize());
        let lines = self.lines;
        self.write(&Line::End(End { lines, sha256 }))?;
        Ok((self.out, lines))
    }
}
