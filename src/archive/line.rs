//! One line of a file, and what it says of a row.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    domain::{
        ids::{CommandId, TerritoryId},
        time::Instant,
    },
    store::{
        Counter, Digest, Index, Key, LogEntry, Member, Record, Score, Version,
        dump::{Head, KeptReceipt, Row},
    },
};

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Everything a territory owns, at one seq.
    State,
    /// Its log alone.
    Log,
    /// A piece of the archive: log entries, or records that left the working set.
    Archive,
}

/// How a section begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`super::FORMAT`].
    pub format: String,
    /// [`super::VERSION`].
    pub version: u32,
    /// Whose rows.
    pub territory: TerritoryId,
    /// Which of them.
    pub content: Content,
    /// The territory's epoch.
    pub epoch: u64,
    /// The schema of its records.
    pub schema: u32,
    /// The first seq of the log entries that follow; one more than `last_seq` when there are none.
    pub first_seq: u64,
    /// The last seq of them; in an export where the log's head stood.
    pub last_seq: u64,
    /// How many touches the territory has seen.
    pub touches: u64,
    /// The last instant the store used for it.
    pub last: Instant,
    /// What the clock showed then.
    pub wall: Instant,
    /// When it was written out.
    pub written: Instant,
}

impl Header {
    /// The header of `content`, whose log entries are `first_seq` to `last_seq`.
    pub fn new(territory: TerritoryId, content: Content, head: Head, seqs: (u64, u64), written: Instant) -> Self {
        let Head { epoch, schema, touches, last, wall, .. } = head;
        let (format, version) = (super::FORMAT.to_owned(), super::VERSION);
        let (first_seq, last_seq) = seqs;
        Self { format, version, territory, content, epoch, schema, first_seq, last_seq, touches, last, wall, written }
    }

    /// Where the territory stood.
    pub fn head(&self) -> Head {
        let Self { epoch, schema, last_seq: seq, touches, last, wall, .. } = *self;
        Head { epoch, seq, schema, touches, last, wall }
    }
}

/// How a section ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// Lines between header and end.
    pub lines: u64,
    /// SHA-256 of header and lines, each with its line break.
    pub sha256: String,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Header(Header),
    Record(RecordLine),
    Entry(EntryLine),
    Counter(CounterLine),
    Receipt(ReceiptLine),
    Log(LogLine),
    End(End),
}

/// Bytes as base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The cause would quote the text, which may be a patient's.
        STANDARD.decode(text).map(Self).map_err(|_| D::Error::custom("expected base64"))
    }
}

/// Bytes of a fixed number as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pairs: Option<Vec<u8>> = text
            .is_ascii()
            .then(|| (0..text.len()).step_by(2))
            .and_then(|mut at| at.try_fold(Vec::new(), |all, at| push(all, text.get(at..at + 2)?)));
        let bytes = pairs.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| D::Error::custom(format!("expected {} hexadecimal digits", 2 * N)))
    }
}

fn push(mut bytes: Vec<u8>, pair: &str) -> Option<Vec<u8>> {
    bytes.push(u8::from_str_radix(pair, 16).ok()?);
    Some(bytes)
}

/// Two digits for each byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordLine {
    key: String,
    version: Hex<16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    value: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryLine {
    index: String,
    score: Score,
    member: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CounterLine {
    counter: String,
    value: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptLine {
    command: CommandId,
    digest: Hex<32>,
    seq: u64,
    at: Instant,
    written: Instant,
    counts: Vec<u64>,
    outcome: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogLine {
    seq: u64,
    command: CommandId,
    at: Instant,
    counts: Vec<u64>,
    event: Bytes,
}

impl Line {
    pub fn of(row: &Row) -> Self {
        match row.clone() {
            Row::Record(key, Record { version, number, value }) => {
                let (key, version) = (key.to_string(), Hex(version.to_bytes()));
                Self::Record(RecordLine { key, version, number, value: Bytes(value) })
            }
            Row::Entry(index, score, Member(member)) => {
                Self::Entry(EntryLine { index: index.to_string(), score, member })
            }
            Row::Counter(counter, value) => Self::Counter(CounterLine { counter: counter.to_string(), value }),
            Row::Receipt(KeptReceipt { command, digest, seq, at, written, counts, outcome }) => {
                let (digest, outcome) = (Hex(digest.0), Bytes(outcome));
                Self::Receipt(ReceiptLine { command, digest, seq, at, written, counts, outcome })
            }
            Row::Log(LogEntry { seq, command_id: command, at, counts, event }) => {
                Self::Log(LogLine { seq, command, at, counts, event: Bytes(event) })
            }
        }
    }

    /// The row of a line that is one.
    pub fn row(self) -> Option<Row> {
        Some(match self {
            Self::Header(_) | Self::End(_) => return None,
            Self::Record(RecordLine { key, version, number, value }) => {
                let version = Version::from_bytes(&version.0)?;
                Row::Record(Key::from_stored(key), Record { version, number, value: value.0 })
            }
            Self::Entry(EntryLine { index, score, member }) => {
                Row::Entry(Index::from_stored(index), score, Member(member))
            }
            Self::Counter(CounterLine { counter, value }) => Row::Counter(Counter::from_stored(counter), value),
            Self::Receipt(ReceiptLine { command, digest, seq, at, written, counts, outcome }) => {
                let (digest, outcome) = (Digest(digest.0), outcome.0);
                Row::Receipt(KeptReceipt { command, digest, seq, at, written, counts, outcome })
            }
            Self::Log(LogLine { seq, command: command_id, at, counts, event }) => {
                Row::Log(LogEntry { seq, command_id, at, counts, event: event.0 })
            }
        })
    }
}
