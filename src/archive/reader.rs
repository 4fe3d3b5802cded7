//! Reads sections, plain or gzip, and refuses what is damaged with the line and what to do.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use crate::{domain::ids::TerritoryId, store::dump::Row};

use super::{
    FORMAT, VERSION,
    line::{End, Header, Line, hex},
};

/// No line is longer: a record has at most 256 KiB, in base64.
const LONGEST_LINE: u64 = 1024 * 1024;

/// One thing that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A section begins.
    Begin(Box<Header>),
    /// A row of it.
    Row(Box<Row>),
    /// It ended, and its count and checksum are right. Until then nothing of it may be relied on.
    End,
}

/// Why a file is not read further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong and what to do.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

/// The sections of a file, one item after the other.
pub struct Sections<R> {
    input: R,
    line: u64,
    open: Option<(Sha256, u64, TerritoryId)>,
    done: bool,
}

/// Opens a file, plain or gzip.
///
/// # Errors
/// When it cannot be read.
pub fn open(path: &Path) -> io::Result<Sections<Box<dyn BufRead>>> {
    let mut file = BufReader::new(File::open(path)?);
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let input: Box<dyn BufRead> =
        if packed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
    Ok(Sections::new(input))
}

impl<R: BufRead> Sections<R> {
    /// Over lines.
    pub fn new(input: R) -> Self {
        Self { input, line: 0, open: None, done: false }
    }

    fn step(&mut self) -> Result<Option<Item>, Fault> {
        self.line += 1;
        let mut text = Vec::new();
        let read = self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut text);
        match read {
            Err(error) => return Err(self.fault(&format!("it cannot be read on ({error}); export again"))),
            Ok(0) if self.open.is_none() => return Ok(None),
            Ok(_) if text.len() as u64 == LONGEST_LINE && text.last() != Some(&b'\n') => {
                return Err(self.fault("a line longer than any of this format: the file is damaged; export again"));
            }
            Ok(_) if text.last() != Some(&b'\n') => {
                return Err(self.fault("the file ends in the middle of a section: it was cut short; export again"));
            }
            Ok(_) => {}
        }
        let line = self.parse(&text)?;
        self.item(line, &text).map(Some)
    }

    /// What stands in a line is never quoted: it may be a patient's.
    fn parse(&self, text: &[u8]) -> Result<Line, Fault> {
        serde_json::from_slice(text).map_err(|error| {
            let what = if error.is_data() { "not a line of this format" } else { "not JSON" };
            let shape =
                format!("{what} at column {}, {} bytes: the file is damaged; export again", error.column(), text.len());
            self.fault(&shape)
        })
    }

    fn item(&mut self, line: Line, text: &[u8]) -> Result<Item, Fault> {
        match (line, self.open.take()) {
            (Line::Header(header), None) => {
                self.known(&header)?;
                let mut hash = Sha256::new();
                hash.update(text);
                self.open = Some((hash, 0, header.territory.clone()));
                Ok(Item::Begin(Box::new(header)))
            }
            (Line::Header(_), Some(_)) => Err(self.fault("a header before the end of the section above")),
            (_, None) => Err(self.fault("expected a header: name a file of `sas-dispatch export` or of the archive")),
            (Line::End(end), Some((hash, lines, _))) => self.ended(&end, &hash.finalize(), lines),
            (line, Some((mut hash, lines, territory))) => {
                hash.update(text);
                self.open = Some((hash, lines + 1, territory));
                line.row().map(|row| Item::Row(Box::new(row))).ok_or_else(|| self.fault("expected a row"))
            }
        }
    }

    fn known(&self, header: &Header) -> Result<(), Fault> {
        if header.format != FORMAT {
            return Err(self.fault("another format: name a file of `sas-dispatch export` or of the archive"));
        }
        if header.version != VERSION {
            let version = header.version;
            let problem =
                format!("format version {version}, this binary reads {VERSION}: use the release that wrote it");
            return Err(self.fault(&problem));
        }
        Ok(())
    }

    fn ended(&self, end: &End, hash: &[u8], lines: u64) -> Result<Item, Fault> {
        if end.lines != lines {
            let problem = format!("{lines} lines, the end counts {}: the file is damaged; export again", end.lines);
            return Err(self.fault(&problem));
        }
        if end.sha256 != hex(hash) {
            return Err(self.fault("the checksum is another: something above was changed; export again"));
        }
        Ok(Item::End)
    }

    fn fault(&self, problem: &str) -> Fault {
        Fault { line: self.line, problem: problem.to_owned() }
    }
}

impl<R: BufRead> Iterator for Sections<R> {
    type Item = Result<Item, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step().transpose();
        self.done = !matches!(step, Some(Ok(_)));
        step
    }
}
