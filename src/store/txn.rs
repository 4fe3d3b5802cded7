//! The transaction: what is expected to be so (guards), what is to be written (ops), and what it says (event, outcome).

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::domain::{
    ids::{Canonical, CommandId, TerritoryId},
    time::{Instant, Span},
};

use super::{
    Policy, StoreError,
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
/// Longest name of a record, index, counter or member, bytes.
pub const MAX_NAME: usize = 512;
/// An older command id is refused, hours: its receipt (72 h) may be gone.
pub const MAX_COMMAND_AGE: Span = Span::from_hours(71);
/// A command id further ahead is refused.
pub const MAX_COMMAND_AHEAD: Span = Span::from_mins(5);
/// How long a receipt answers a repeated command.
pub const RECEIPT_LIFE: Span = Span::from_hours(72);
/// `Txn::at` may differ by this much from the store's time.
pub const MAX_CLOCK_GAP: Span = Span::from_secs(1);
/// Scores and numbers are exact in every engine up to here (2^53).
pub const MAX_SCORE: i64 = 1 << 53;

/// The place of a member in an index: milliseconds, or a class times 2^42 plus milliseconds.
pub type Score = i64;

/// What an index holds: the text of an opaque id or of ids joined with `/`. Never patient data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member(pub String);

impl<T: Canonical> From<&T> for Member {
    fn from(id: &T) -> Self {
        Self(id.text())
    }
}

/// An opaque record version: the seq that wrote it, and 64 bits of its command id mixed with its instant. A plain counter
/// would be fooled after a failover that lost a tail, and so would the command id alone: a command whose first run was
/// lost is decided again under the same id, and may come to stand at the same seq with another content. A touch has no
/// command: 40 bits of its content and 24 bits of the territory's count of touches stand in its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    seq: u64,
    command: u64,
}

impl Version {
    /// The version that a commit of `command` at `seq`, whose instant is `at`, gives to what it writes.
    pub fn new(seq: u64, command: CommandId, at: Instant) -> Self {
        let low = command.0.as_u128() as u64;
        Self { seq, command: low ^ at.unix_ms().unsigned_abs().rotate_left(16) }
    }

    /// The version that touch number `count` of the territory gives at `seq`; `digest` is [`Txn::touch_digest`].
    pub(super) fn of_touch(seq: u64, digest: u64, count: u64) -> Self {
        Self { seq, command: (digest << 24) | (count & 0x00ff_ffff) }
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

    /// The place before the first commit of a territory.
    pub const NONE: Self = Self { seq: 0, command: 0 };

    /// A place of the log whose command is not known: its entry was trimmed away.
    pub fn unknown(seq: u64) -> Self {
        Self { seq, command: 0 }
    }

    /// Whether the command of this place is not known.
    pub fn is_unknown(self) -> bool {
        self.command == 0
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
    /// Writes a record. With a counter, the counter goes up by one and the record keeps the value as its number. Only a
    /// new record is numbered: on one that exists (which an `Absent` guard rules out) the transaction is malformed.
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
    /// Begins another epoch: one more than the greater of the territory's and `beyond`. Whoever still writes in an
    /// earlier one is fenced. `beyond` is the highest epoch known from a history that is no longer there, so that no
    /// number of it comes again.
    RaiseEpoch {
        /// The highest epoch known from elsewhere; 0 when none is.
        beyond: u64,
    },
    /// Moves a counter on, so that it does not give again what it gave in a history that is no longer there.
    Skip {
        /// Which counter.
        counter: Counter,
        /// How many numbers are left out.
        numbers: u64,
    },
}

/// One conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Txn {
    /// The command; repeating it answers its receipt. `None` for a touch (a renewal, a presence): no event, no receipt.
    pub command: Option<(CommandId, Digest)>,
    /// Whose state.
    pub territory: TerritoryId,
    /// The schema the records it puts are written in: lower than the territory's is refused, higher raises the territory's.
    pub schema: u32,
    /// The epoch the caller believes in; 0 begins a territory.
    pub epoch: u64,
    /// The instant that record, index, event and reply all use.
    pub at: Instant,
    /// All must hold.
    pub guards: Vec<Guard>,
    /// Applied in order.
    pub ops: Vec<Op>,
    /// The log entry; `None` writes none and leaves the seq as it is. Needs a command.
    pub event: Option<Vec<u8>>,
    /// Kept in the receipt.
    pub outcome: Vec<u8>,
    /// What to do when the promised durability cannot be had.
    pub policy: Policy,
    /// Part of taking a call: committed, in a raised epoch, even when the store has gone back behind what was
    /// acknowledged. Everything else is refused then ([`StoreError::Behind`]).
    pub even_behind: bool,
}

impl Txn {
    /// An empty touch: no command, guards or ops yet; strict.
    pub fn touch(territory: TerritoryId, epoch: u64, at: Instant) -> Self {
        let (guards, ops, outcome) = (Vec::new(), Vec::new(), Vec::new());
        let policy = Policy::Strict;
        let (event, even_behind) = (None, false);
        Self { command: None, territory, schema: 0, epoch, at, guards, ops, event, outcome, policy, even_behind }
    }

    /// The schema of the records it writes; `None` when it writes none, and then no schema is checked or raised.
    pub(super) fn written_schema(&self) -> Option<u32> {
        self.ops.iter().any(|op| matches!(op, Op::Put { .. })).then_some(self.schema)
    }

    /// Checks every limit before anything is sent: the engines may rely on it. Says every fault at once.
    pub fn check(&self) -> Result<(), StoreError> {
        let mut faults = Vec::new();
        self.check_sizes(&mut faults);
        self.check_ops(&mut faults);
        let names = self.guards.iter().flat_map(Guard::names).chain(self.ops.iter().flat_map(Op::names));
        if let Some(name) = names.into_iter().find(|name| name.is_empty() || name.len() > MAX_NAME) {
            faults.push(format!("a name of {} bytes, expected 1 to {MAX_NAME}", name.len()));
        }
        if !(0..=MAX_SCORE).contains(&self.at.unix_ms()) {
            faults.push("at: expected milliseconds since 1970, up to 2^53".to_owned());
        }
        match self.command {
            None if self.event.is_some() => faults.push("an event without a command".to_owned()),
            Some((id, _)) if command_time(id).is_none() => faults.push("command id: expected a UUIDv7".to_owned()),
            _ => {}
        }
        if faults.is_empty() { Ok(()) } else { Err(StoreError::Malformed(faults.join("; "))) }
    }

    fn check_sizes(&self, faults: &mut Vec<String>) {
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
            if let Op::Put { value, .. } = op {
                over("record bytes", value.len(), MAX_RECORD);
            }
        }
    }

    fn check_ops(&self, faults: &mut Vec<String>) {
        let mut written = std::collections::BTreeSet::new();
        for op in &self.ops {
            match op {
                Op::Put { key, number: Some(_), .. } if written.contains(key) => {
                    faults.push("a numbered record is written before in the same transaction".to_owned());
                }
                Op::Put { key, .. } | Op::Delete(key) => {
                    written.insert(key);
                }
                Op::IndexAdd(_, score, _) if score.unsigned_abs() > MAX_SCORE.unsigned_abs() => {
                    faults.push("score: expected -2^53 to 2^53".to_owned());
                }
                Op::RaiseEpoch { beyond } if *beyond >= MAX_SCORE.unsigned_abs() => {
                    faults.push("epoch: expected less than 2^53".to_owned());
                }
                Op::Skip { numbers, .. } if *numbers >= MAX_SCORE.unsigned_abs() => {
                    faults.push("numbers to skip: expected less than 2^53".to_owned());
                }
                _ => {}
            }
        }
    }

    /// The part of a touch's version that its content decides: 40 bits of a digest of instant and ops. With the
    /// territory's count of touches (24 bits) it stands where a command's 64 bits stand, so that two touches at one seq
    /// differ, also when a failover lost the first and its number comes again.
    pub(super) fn touch_digest(&self) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.at.unix_ms().to_be_bytes());
        for op in &self.ops {
            for name in op.names() {
                hash.update((name.len() as u64).to_be_bytes());
                hash.update(name);
            }
            if let Op::Put { value, .. } = op {
                hash.update((value.len() as u64).to_be_bytes());
                hash.update(value);
            }
        }
        hash.finalize()[..5].iter().fold(0, |n, byte| (n << 8) | u64::from(*byte))
    }
}

impl Guard {
    fn names(&self) -> impl Iterator<Item = &str> {
        let (name, member) = match self {
            Self::Version(key, _) | Self::Absent(key) => (key.as_str(), None),
            Self::First(index, member) => (index.as_str(), member.as_ref()),
            Self::Due(index, member) | Self::Running(index, member) => (index.as_str(), Some(member)),
        };
        [Some(name), member.map(|member| member.0.as_str())].into_iter().flatten()
    }
}

impl Op {
    fn names(&self) -> impl Iterator<Item = &str> {
        let (name, other) = match self {
            Self::Put { key, number, .. } => (Some(key.as_str()), number.as_ref().map(Counter::as_str)),
            Self::Delete(key) => (Some(key.as_str()), None),
            Self::IndexAdd(index, _, member) | Self::IndexRemove(index, member) => {
                (Some(index.as_str()), Some(member.0.as_str()))
            }
            Self::RaiseEpoch { .. } => (None, None),
            Self::Skip { counter, .. } => (Some(counter.as_str()), None),
        };
        [name, other].into_iter().flatten()
    }
}

/// `00` to `ff`.
static PAIRS: [[u8; 2]; 256] = {
    let (digits, mut pairs, mut n) = (b"0123456789abcdef", [[0; 2]; 256], 0);
    while n < pairs.len() {
        pairs[n] = [digits[n >> 4], digits[n & 15]];
        n += 1;
    }
    pairs
};

/// Bytes as lower-case hexadecimal digits.
pub fn digits(bytes: &[u8]) -> String {
    let mut text = vec![0; 2 * bytes.len()];
    for (pair, byte) in text.as_chunks_mut().0.iter_mut().zip(bytes) {
        *pair = PAIRS[usize::from(*byte)];
    }
    String::from_utf8(text).expect("hexadecimal digits are ASCII")
}

/// The instant inside a command id; `None` when it is not a UUIDv7.
pub fn command_time(id: CommandId) -> Option<Instant> {
    let ms = (id.0.as_u128() >> 80) as i64;
    (id.0.get_version_num() == 7).then_some(Instant::from_unix_ms(ms))
}

/// The command id of what falls due by itself (a timer, a lease end): the same for the same cause and instant, so that
/// two instances that fire one timer are one command. `cause` names kind, entity and generation; `due` is its instant.
pub fn due_command(cause: &str, due: Instant) -> CommandId {
    let hash = Sha256::digest(cause.as_bytes());
    let low = hash[..10].iter().fold(0_u128, |n, byte| (n << 8) | u128::from(*byte));
    let time = u128::from(due.unix_ms().max(0).unsigned_abs()) << 80;
    let layout = (low & 0x0fff_3fff_ffff_ffff_ffff) | 0x7000_8000_0000_0000_0000;
    CommandId(uuid::Uuid::from_u128(time | layout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_due_command_is_a_uuid_v7_of_its_cause_and_instant() {
        let due = Instant::from_unix_ms(1_735_200_000_000);
        let id = due_command("lease/1/1", due);
        assert_eq!(command_time(id), Some(due));
        assert_eq!(id.0.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id, due_command("lease/1/1", due));
        assert_ne!(id, due_command("lease/1/2", due));
    }

    #[test]
    fn a_version_survives_its_bytes() {
        let version = Version::new(7, due_command("x", Instant::from_unix_ms(5)), Instant::from_unix_ms(6));
        assert_eq!(Version::from_bytes(&version.to_bytes()), Some(version));
        assert_eq!(Version::from_bytes(&[0; 15]), None);
    }
}
