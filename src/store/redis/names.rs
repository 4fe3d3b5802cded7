//! Every Redis key, in one place: `<prefix>:<layout version>:{<territory>}:<what>`.
//!
//! The braces are the hash tag: all keys of a territory lie in one slot, so that one script may touch them together.
//! Raise [`VERSION`] when the layout changes: an old and a new binary then never read each other's keys.
//!
//! | what | type | holds |
//! |---|---|---|
//! | `head` | hash | epoch, seq, schema, touches, the two instants of the store's time, and `lookup`, which tells look-up keys apart |
//! | `log` | stream | `<seq>-0`: command, at, counts, event |
//! | `counters` | hash | counter → value |
//! | `receipt:<command id>` | text, 72 h | digest, seq, at, written, counts, outcome (see [`super::form`]) |
//! | `record:<key>` | text | version, number when it has one, bytes; a record or receipt of another type is refused |
//! | `index:<index>` | sorted set | member → score |
//!
//! There is no key outside a territory: a list of territories would lie in one slot, apart from what it lists, so that a
//! failover could lose one and keep the other. Which territories have state is asked of their heads.

use crate::{
    domain::ids::{CommandId, TerritoryId},
    store::{Index, Key},
};

const VERSION: u32 = 1;

/// Makes the keys of one service.
#[derive(Debug, Clone)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub fn new(prefix: &str) -> Self {
        Self { prefix: format!("{prefix}:{VERSION}:") }
    }

    /// The names of one territory, to be written one after the other.
    pub fn within(&self, territory: &TerritoryId) -> Within {
        let mut text = String::with_capacity(LONGEST);
        for part in [&self.prefix, "{", territory.as_str(), "}:"] {
            text.push_str(part);
        }
        Within { begins: text.len(), text }
    }

    fn of(&self, territory: &TerritoryId, what: &str) -> String {
        self.made(territory, "", what)
    }

    fn made(&self, territory: &TerritoryId, kind: &str, name: &str) -> String {
        [&self.prefix, "{", territory.as_str(), "}:", kind, name].concat()
    }

    pub fn head(&self, territory: &TerritoryId) -> String {
        self.of(territory, "head")
    }

    pub fn log(&self, territory: &TerritoryId) -> String {
        self.of(territory, "log")
    }

    pub fn counters(&self, territory: &TerritoryId) -> String {
        self.of(territory, "counters")
    }

    pub fn receipt(&self, territory: &TerritoryId, command: CommandId) -> String {
        self.made(territory, "receipt:", &command.to_string())
    }

    pub fn record(&self, territory: &TerritoryId, key: &Key) -> String {
        self.made(territory, "record:", key.as_str())
    }

    /// What the records' keys begin with; `kind` is the beginning of their names (`case/`).
    pub fn records(&self, territory: &TerritoryId, kind: &str) -> String {
        self.made(territory, "record:", kind)
    }

    pub fn index(&self, territory: &TerritoryId, index: &Index) -> String {
        self.made(territory, "index:", index.as_str())
    }

    /// Any key of a territory by its name; the empty name gives what they all begin with.
    pub fn whole(&self, territory: &TerritoryId, name: &str) -> String {
        self.of(territory, name)
    }

    /// The glob pattern of all keys that begin with `prefix`, whatever characters it holds.
    pub fn pattern(prefix: &str) -> String {
        let escape = |c: char| if "*?[]\\^".contains(c) { format!("\\{c}") } else { c.to_string() };
        prefix.chars().map(escape).chain(["*".to_owned()]).collect()
    }
}

/// Room for an ordinary name.
const LONGEST: usize = 160;

/// The names of one territory in one buffer that they are written to in turn: a dozen of them go with every commit.
#[derive(Debug)]
pub(super) struct Within {
    text: String,
    /// Where what is common to all of them ends.
    begins: usize,
}

impl Within {
    fn named(&mut self, kind: &str, name: &str) -> &str {
        self.text.truncate(self.begins);
        self.text.push_str(kind);
        self.text.push_str(name);
        &self.text
    }

    pub fn head(&mut self) -> &str {
        self.named("", "head")
    }

    pub fn log(&mut self) -> &str {
        self.named("", "log")
    }

    pub fn counters(&mut self) -> &str {
        self.named("", "counters")
    }

    pub fn receipt(&mut self, command: CommandId) -> &str {
        self.named("receipt:", "");
        command.append_to(&mut self.text);
        &self.text
    }

    pub fn record(&mut self, key: &Key) -> &str {
        self.named("record:", key.as_str())
    }

    /// See [`Names::records`].
    pub fn records(&mut self, kind: &str) -> &str {
        self.named("record:", kind)
    }

    pub fn index(&mut self, index: &Index) -> &str {
        self.named("index:", index.as_str())
    }
}
