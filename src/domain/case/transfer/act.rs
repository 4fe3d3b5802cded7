//! What is asked about a hand-over: by people on either side, and by upkeep that carries it.

use crate::domain::{
    ids::{CaseId, PersonId, TerritoryId},
    person::Private,
    time::Instant,
};

use super::{super::sealed::Note, Packet, TransferEnd};

/// One command about a hand-over.
#[derive(Debug, Clone, PartialEq)]
pub enum TransferAct {
    /// Hand over to another territory.
    Send {
        /// Fencing number of the regulator who holds it; none: the ARM, while nobody does.
        claim_no: Option<u64>,
        /// Where to.
        to: TerritoryId,
        /// Why.
        reason: Private<String>,
    },
    /// Take back what was sent.
    TakeBack {
        /// Why.
        reason: Private<String>,
    },
    /// Answer for what another territory sent: take the case, or send it back.
    Answer {
        /// Why it is sent back; none: the case is taken.
        refused: Option<Private<String>>,
    },
    /// Upkeep, at the receiver: open the copy.
    Receive(Box<Packet>),
    /// Upkeep, at the receiver: bring what was added or changed at the sender.
    Bring(Box<Packet>),
    /// Upkeep, at the sender: record what became of the copy.
    Settle {
        /// The copy's id.
        there: CaseId,
        /// What became of it.
        answer: TransferAnswer,
    },
    /// Upkeep, at the receiver: record what the sender's log says.
    Tell(TransferWord),
}

impl TransferAct {
    /// Its name, as in the API and in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Send { .. } => "TransferCase",
            Self::TakeBack { .. } => "WithdrawTransfer",
            Self::Answer { .. } => "AnswerTransfer",
            Self::Receive(_) => "ReceiveTransfer",
            Self::Bring(_) => "BringTransfer",
            Self::Settle { .. } => "SettleTransfer",
            Self::Tell(_) => "TellTransfer",
        }
    }
}

/// What became of a copy, for its sender.
#[derive(Debug, Clone, PartialEq)]
pub enum TransferAnswer {
    /// A doctor there has it.
    Accepted {
        /// Who.
        by: PersonId,
        /// The number of the case there.
        number: String,
    },
    /// It is the sender's again.
    Returned {
        /// How it ended there.
        how: TransferEnd,
        /// Who refused.
        by: Option<PersonId>,
        /// Why.
        reason: Option<Box<Note>>,
    },
    /// It goes on there although the sending ended.
    GoesOn {
        /// The number of the case there.
        number: String,
    },
}

/// What the sender's log says, for the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferWord {
    /// The case is yours.
    Confirmed,
    /// It is not.
    Ended(TransferEnd),
    /// The sender has taken its case up again, at this instant.
    SenderAgain(Instant),
}
