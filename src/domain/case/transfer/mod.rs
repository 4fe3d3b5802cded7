//! The hand-over of a case to another territory: a saga of guarded commits, since no commit spans two territories.
//!
//! # Who is responsible, and where it is decided
//!
//! The sender's log decides, and nothing else. A case that was sent keeps its regulation there, its owner and an alarmed
//! deadline; the other territory has a copy of it in its queue. A regulator there who takes the copy has accepted: that is
//! provisional, he reads so, and he signs once the sender's log has recorded it ([`Step::Accept`]) and his own log has that
//! word ([`Step::Confirm`]), seconds later. From the sender's commit on, the case is his. Every other end is the sender's own
//! commit too and needs no answer from elsewhere, so that an unreachable territory delays neither a deadline nor a P0.
//!
//! # The steps
//!
//! [`next()`] looks at both records and says what is to be done: level-triggered, so that any instance takes a step up that
//! another left, and a step done twice finds nothing to do. Each step is one commit in one territory, guarded on the record
//! it changes, under a command id made from the sending command's.
//!
//! | sender's record | copy | step |
//! |---|---|---|
//! | waits | none | open the copy ([`Step::Receive`]) |
//! | waits | waits, and lacks what was added since | bring it ([`Step::Bring`]) |
//! | waits | accepted | record it ([`Step::Accept`]): here the acceptance wins |
//! | waits | refused, or ended | back to the sender's queue with an alarm ([`Step::Return`]) |
//! | accepted | not confirmed | bring what it lacks, then confirm it ([`Step::Confirm`]) |
//! | ended otherwise, or never heard of it | waits or accepted | end it with the reason ([`Step::End`]): here the acceptance loses |
//! | ended otherwise | goes on all the same | tell the sender ([`Step::TellSender`]) |
//! | accepted, then taken up again | the receiver's own | tell the receiver ([`Step::TellReceiver`]) |
//! | gone | not confirmed | it is the receiver's ([`Step::Confirm`]): a request is never ended for want of its sender |
//!
//! # What may cross
//!
//! - *Accepted there, and taken back, requalified, found vital or expired here*: whichever commit the sender's log has
//!   first. If the acceptance, the other is refused or, being a new qualification, opens the case again here and the
//!   receiver is told. If not, the copy ends: its holder reads why, and has signed nothing.
//! - *Accepted there while the sender cannot be reached*: nobody can act there either; it is recorded once it is back, before
//!   its late timers fire.
//! - *Found vital there*: a P0 is the AMU's wherever it was heard, and its acceptance of the hand-over the answer. Such a copy
//!   is not ended: it goes on, and both sides are told.
//! - *A copy opened late*, by an instance that had stood still since before the end: it is ended like any other.
//! - *Refused there and ended here*: both are ended; nothing is left to be done.
//! - *The call goes on here*: what is added while the answer is awaited follows the copy; once accepted, whoever adds is told
//!   to ring the other territory.
//! - *Both sides hear something of the same*: what people there have said themselves stays, and what the sender says
//!   otherwise is a note; of what protects the patient the stricter holds. What becomes more urgent here does so there.
//! - *A side is read as it was*, from a primary that was cut off: what ends or confirms a copy is first guarded in the sender's
//!   territory on the record as it was read, or on its absence, at the level of what is acknowledged.
//! - *Their clocks differ*: each side's acts are of its own territory's time; words that came from the other are never later.

mod act;
mod open;
mod packet;
mod steps;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    coded_enum,
    domain::{
        ids::{CaseId, CommandId, NoteId, PersonId, TerritoryId},
        person::unsaid,
        regulation::qualification::Priority,
        time::Instant,
    },
};

use super::state::Case;

pub use act::{TransferAct, TransferAnswer, TransferWord};
pub use open::{OpenTransfer, TransferState};
pub use packet::{Packet, packet};
pub use steps::{Side, Step, act, next};

coded_enum! {
    /// How a hand-over to another territory ended.
    TransferEnd {
        /// A regulator there has it.
        Accepted = "ACCEPTED", "Accepté";
        /// They refused it; why is among the notes.
        Refused = "REFUSED", "Refusé";
        /// Nobody there answered in time.
        Expired = "EXPIRED", "Sans réponse à l'échéance";
        /// The sender took it back; why is among the notes.
        TakenBack = "TAKEN_BACK", "Repris par l'expéditeur";
        /// The sender qualified it again.
        Requalified = "REQUALIFIED", "Requalifié par l'expéditeur";
        /// The sender found a vital emergency, which goes to its own AMU.
        Vital = "VITAL", "Urgence vitale prise en charge par l'expéditeur";
        /// The sender knows nothing of it: its log was lost from there on.
        Unknown = "UNKNOWN", "Inconnu de l'expéditeur";
    }
}

/// A case that was sent to another territory, as its sender keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// Where to.
    pub to: TerritoryId,
    /// The copy's id there.
    pub there: CaseId,
    /// The command that sent it, from which the ids of all steps come.
    pub command: CommandId,
    /// Who sent it.
    pub by: PersonId,
    /// When.
    pub at: Instant,
    /// How often something that travels has changed since.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub changed: u32,
    /// How it ended; none while the answer is awaited.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub ended: Option<Ended>,
    /// Since when it is known here that the copy goes on there although this ended.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub goes_on: Option<Instant>,
    /// Since when it is taken up again here although it was accepted there.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub again: Option<Instant>,
    /// Fields of a newer binary, kept.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// The end of a hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Instant,
    /// How.
    pub how: TransferEnd,
    /// The doctor there who accepted or refused.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub by: Option<PersonId>,
    /// The number of the case there.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub number: String,
}

impl Transfer {
    /// True until it has ended.
    pub fn waits(&self) -> bool {
        self.ended.is_none()
    }

    /// Where it stands, in French.
    pub fn label(&self) -> &'static str {
        self.ended.as_ref().map_or("Réponse attendue", |ended| ended.how.label())
    }

    /// True when a doctor there has accepted it.
    pub fn accepted(&self) -> bool {
        self.ended.as_ref().is_some_and(|ended| ended.how == TransferEnd::Accepted)
    }
}

/// What the receivers said of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// When.
    pub at: Instant,
    /// Who.
    pub by: PersonId,
    /// The note that says why it was refused; none: it was accepted.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub refused: Option<NoteId>,
}

/// What of a copy people here have said themselves: nothing that is brought replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SaidHere {
    /// Who calls.
    #[serde(skip_serializing_if = "unsaid")]
    pub caller: bool,
    /// Where, in words.
    #[serde(skip_serializing_if = "unsaid")]
    pub address: bool,
    /// Where, for routing.
    #[serde(skip_serializing_if = "unsaid")]
    pub place: bool,
    /// What the contact may be used for.
    #[serde(skip_serializing_if = "unsaid")]
    pub safety: bool,
    /// Patients, by number.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub patients: BTreeSet<u32>,
}

/// Where a case came from that another territory sent, and what became of the sending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Whose it was.
    pub from: TerritoryId,
    /// Its id there.
    pub case: CaseId,
    /// Its number there.
    pub number: String,
    /// The command that sent it.
    pub command: CommandId,
    /// Who sent it.
    pub by: PersonId,
    /// When it was sent.
    pub sent: Instant,
    /// Until when its sender awaits an answer.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub until: Option<Instant>,
    /// Who has regulated it there: none of them becomes its responder here.
    pub regulators: BTreeSet<PersonId>,
    /// Who has given care in it there: none of them regulates it here.
    pub responders: BTreeSet<PersonId>,
    /// How urgent it was there when that was last brought; not known of a copy of an older service.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub priority: Option<Priority>,
    /// What people here have said of it themselves while the hand-over stands open.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub here: SaidHere,
    /// How many of the changes there are brought here.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub as_of: u32,
    /// What the regulators here said.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub answered: Option<Answered>,
    /// What the sender's log said; only then does an acceptance hold.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub settled: Option<(Instant, TransferEnd)>,
    /// It is worked on here although the sending ended otherwise.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub goes_on: bool,
    /// Since when it is known here that the sender has taken the case up again.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub again: Option<Instant>,
    /// Fields of a newer binary, kept.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Received {
    /// True while the sender's log has not said whose it is.
    pub fn open(&self) -> bool {
        self.settled.is_none() && !self.refused()
    }

    /// Where it stands, in French.
    pub fn label(&self) -> &'static str {
        match (&self.settled, &self.answered) {
            (Some((_, how)), _) => how.label(),
            (None, None) => "À accepter ou à renvoyer",
            (None, Some(Answered { refused: None, .. })) => "Accepté, à confirmer par l'expéditeur",
            (None, Some(Answered { refused: Some(_), .. })) => "Renvoyé à l'expéditeur",
        }
    }

    pub(super) fn refused(&self) -> bool {
        self.answered.as_ref().is_some_and(|answer| answer.refused.is_some())
    }

    pub(super) fn accepted(&self) -> bool {
        self.answered.as_ref().is_some_and(|answer| answer.refused.is_none())
    }

    /// True when the request is with its sender again, or stayed there, and nothing of it is done here.
    pub fn with_sender(&self) -> bool {
        let ended = self.settled.is_some_and(|(_, how)| how != TransferEnd::Accepted);
        (self.refused() || ended) && !self.goes_on
    }
}

impl Case {
    /// The hand-over that waits for another territory's answer.
    pub fn sent(&self) -> Option<&Transfer> {
        self.transfers.last().filter(|transfer| transfer.waits())
    }

    /// The acceptance by which another territory has this case, unless it was taken up again here.
    pub fn handed_on(&self) -> Option<&Transfer> {
        self.transfers.last().filter(|transfer| transfer.accepted() && transfer.again.is_none())
    }

    /// True when it is a copy whose request is with its sender.
    pub fn with_sender(&self) -> bool {
        self.received.as_ref().is_some_and(|received| received.with_sender())
    }

    /// The hand-over whose copy has this id.
    pub fn transfer(&self, there: CaseId) -> Option<&Transfer> {
        self.transfers.iter().find(|transfer| transfer.there == there)
    }
}
