//! The transaction: what is expected to be so (guards), what is to be written (ops), and what it says (event, outcome).

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::domain::{
    ids::{CommandId, TerritoryId},
    time::Instant,
};

use super::{
    StoreError,
    keys::{Counter, Index, Key},
};

/// Most guards of one transaction.
pub const MAX_GUARDS: usize = 32;
/// Most ops of one transaction.
pub const MAX_OPS: usize = 64;
/// Largest event, bytes.
pub const MAX_EVENT: usize = 64 * 1024;
/// Largest outcome, bytes.
pub const MAX_OUTCOME: usize = 4 * 1024;
/// Largest record, bytes.
pub const MAX_RECORD: usize = 256 * 1024;
/// Scores and numbers are exact in every engine up to here (2^53).
pub const MAX_SCORE: i64 = 1 << 53;

/// The place of a member in an index: milliseconds, or a class times 2^42 plus milliseconds.
pub type Score = i64;

/// What an index holds: the text of an opaque id or of ids joined with `/`. Never patient data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member(pub String);

impl<T: fmt::Display> From<&T> for Member {
    fn from(id: &T) -> Self {
        Self(id.to_string())
    }
}

/// An opaque record version: the seq that wrote it and 64 bits of its command id. A plain counter would be fooled after
/// a failover that lost a tail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    seq: u64,
    command: u64,
}

impl Version {
    /// The version that a commit of `command` at `seq` gives to what it writes.
    pub fn new(seq: u64, command: CommandId) -> Self {
        let low = command.0.as_u128() as u64;
        Self { seq, command: low }
    }

    /// Sixteen bytes, for the wire and the store.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.seq.to_be_bytes());
        bytes[8..].copy_from_slice(&self.command.to_be_bytes());
        bytes
    }

    /// The reverse of [`Version::to_bytes`]; `None` when the bytes are not a version.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 16] = bytes.try_into().ok()?;
        let part = |range: std::ops::Range<usize>| bytes[range].iter().fold(0_u64, |n, b| (n << 8) | u64::from(*b));
        Some(Self { seq: part(0..8), command: part(8..16) })
    }

    /// The seq of the commit that wrote it.
    pub fn seq(self) -> u64 {
        self.seq
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:016x}", self.seq, self.command)
    }
}

/// SHA-256 of a request: recognises a known command id that comes with another payload.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{:02x}{:02x}…", self.0[0], self.0[1])
    }
}

/// What must be so for the ops to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// The record exists with this version.
    Version(Key, Version),
    /// The record does not exist.
    Absent(Key),
    /// The head of the index is this member, or the index is empty.
    First(Index, Option<Member>),
    /// The member is in the index and its score is at or before the store's own now: it is due.
    Due(Index, Member),
    /// The member is in the index and its score is after the store's own now: it still runs.
    Running(Index, Member),
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Writes a record. With a counter (only for a new record), the counter goes up by one and the record keeps the value
    /// as its number.
    Put {
        /// Which record.
        key: Key,
        /// Its new bytes.
        value: Vec<u8>,
        /// The counter that numbers a new record.
        number: Option<Counter>,
    },
    /// Removes a record (no error when it is absent).
    Delete(Key),
    /// Adds a member or moves it to a new score.
    IndexAdd(Index, Score, Member),
    /// Removes a member (no error when it is absent).
    IndexRemove(Index, Member),
}

/// One conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Txn {
    /// The command; repeating it answers its receipt. `None` for a touch (a renewal, a presence): no event, no receipt.
    pub command: Option<(CommandId, Digest)>,
    /// Whose state.
    pub territory: TerritoryId,
    /// The schema the records are written in.
    pub schema: u32,
    /// The epoch the caller believes in; 0 begins a territory.
    pub epoch: u64,
    /// The instant that record, index, event and reply all use.
    pub at: Instant,
    /// All must hold.
    pub guards: Vec<Guard>,
    /// Applied in order.
    pub ops: Vec<Op>,
    /// The log entry; `None` writes none and leaves the seq as it is.
    pub event: Option<Vec<u8>>,
    /// Kept in the receipt.
    pub outcome: Vec<u8>,
}

impl Txn {
    /// Checks every limit before anything is sent: the engines may rely on it.
    pub fn check(&self) -> Result<(), StoreError> {
        let mut faults = Vec::new();
        let mut over = |what: &str, got: usize, most: usize| {
            if got > most {
                faults.push(format!("{what}: {got}, at most {most}"));
            }
        };
        over("guards", self.guards.len(), MAX_GUARDS);
        over("ops", self.ops.len(), MAX_OPS);
        over("event bytes", self.event.as_ref().map_or(0, Vec::len), MAX_EVENT);
        over("outcome bytes", self.outcome.len(), MAX_OUTCOME);
        for op in &self.ops {
            match op {
                Op::Put { value, .. } => over("record bytes", value.len(), MAX_RECORD),
                Op::IndexAdd(_, score, _) if score.unsigned_abs() > MAX_SCORE.unsigned_abs() => {
                    faults.push("score beyond 2^53".to_owned());
                    break;
                }
                _ => {}
            }
        }
        if self.command.is_none() && self.event.is_some() {
            faults.push("an event without a command".to_owned());
        }
        if faults.is_empty() { Ok(()) } else { Err(StoreError::Malformed(faults.join("; "))) }
    }
}
