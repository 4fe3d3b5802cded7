//! Faults put into the simulated store on purpose: whoever hunts for faults must find these.

use sas_dispatch::store::{Guard, Op, Txn};

/// One way in which a store can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// Answers that a command was done, and keeps nothing of it.
    DropsAcknowledged,
    /// Carries a command out a second time.
    AppliesTwice,
    /// Leaves out an index entry.
    ForgetsIndexEntry,
    /// Takes a case's version for right whatever it is.
    IgnoresVersions,
    /// Takes the head of a queue for right whatever it is.
    IgnoresHeads,
    /// Keeps no receipt of a command.
    ForgetsReceipt,
    /// Answers before the replica has it.
    AnswersBeforeReplica,
    /// Shows readers of the log what the replica may never have.
    ShowsUnsafe,
    /// Never says that a connection leads to another server.
    HidesServers,
}

impl Plant {
    pub const ALL: [Plant; 9] = [
        Self::DropsAcknowledged,
        Self::AppliesTwice,
        Self::ForgetsIndexEntry,
        Self::IgnoresVersions,
        Self::IgnoresHeads,
        Self::ForgetsReceipt,
        Self::AnswersBeforeReplica,
        Self::ShowsUnsafe,
        Self::HidesServers,
    ];
}

/// What is planted, and how often it could have come into play so far.
#[derive(Debug, Clone, Default)]
pub struct Planted {
    pub what: Option<Plant>,
    chances: u32,
}

/// A fault that shows at once would be too easy: it waits for so many chances, and strikes once.
const WAITS: u32 = 12;

impl Planted {
    pub fn new(what: Plant) -> Self {
        Self { what: Some(what), chances: 0 }
    }

    pub fn is(&self, plant: Plant) -> bool {
        self.what == Some(plant)
    }

    fn strikes(&mut self) -> bool {
        self.chances += 1;
        self.chances == WAITS
    }

    /// Whether it strikes at this command.
    pub fn now(&mut self, plant: Plant, txn: &Txn) -> bool {
        self.is(plant) && txn.event.is_some() && self.strikes()
    }

    /// Whether this op is left out.
    pub fn forgets(&mut self, op: &Op) -> bool {
        self.is(Plant::ForgetsIndexEntry) && matches!(op, Op::IndexAdd(..)) && self.strikes()
    }

    /// Whether a guard that does not hold is let through, this time and always.
    pub fn ignores(&self, guard: &Guard) -> bool {
        match guard {
            Guard::Version(..) => self.is(Plant::IgnoresVersions),
            Guard::First(..) => self.is(Plant::IgnoresHeads),
            _ => false,
        }
    }
}
