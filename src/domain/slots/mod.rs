//! Slots: a bookable period of a responder, free, held until a stated instant, or booked. One case at most, ever.
//!
//! A hold that ran out blocks nobody: expiry is data, judged at the commit of whoever wants the slot next (design.md §3,
//! invariant 4). Booking states follow RS-SAS-RDV (pending, booked, fulfilled, noshow, cancelled; domain.md §3.1).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    coded_enum,
    domain::{
        ids::{CaseId, OfferId, ResponderId, SlotId},
        time::Instant,
    },
};

coded_enum! {
    /// For whom a slot was published (PN SAS agenda types; domain.md §3.1).
    SlotKind {
        /// Anybody.
        Public = "PUBLIC", "Grand public";
        /// Professionals.
        Pro = "PRO", "Professionnels";
        /// Unscheduled care.
        Snp = "SNP", "Soins non programmés";
        /// Members of a CPTS.
        Cpts = "CPTS", "CPTS";
        /// A fixed point's slot.
        FixedPoint = "FIXED_POINT", "Point fixe";
    }
}

/// Where a slot stands. Each variant says how one leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SlotState {
    /// Left by a hold or a withdrawal.
    Free,
    /// Left by a booking, a release, or another hold once `until` is past.
    Held {
        /// For which case.
        case: CaseId,
        /// Under which offer.
        offer: OfferId,
        /// Until when (not included).
        until: Instant,
    },
    /// Left by a cancellation, which makes it free again if it has not begun.
    Booked {
        /// For which case.
        case: CaseId,
        /// Under which offer.
        offer: OfferId,
        /// Since when.
        at: Instant,
        /// The patient is the responder's own.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        own_patient: bool,
    },
    /// Taken back by its owner; final.
    Withdrawn {
        /// When.
        at: Instant,
    },
}

/// A slot as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Its id.
    pub id: SlotId,
    /// Whose.
    pub responder: ResponderId,
    /// For whom it was published.
    pub kind: SlotKind,
    /// Its start.
    pub start: Instant,
    /// Its end (not included).
    pub end: Instant,
    /// Where it stands.
    pub state: SlotState,
    /// Of a doctor who sees one patient at a time: more than that of every slot that lay in its hours when it was published.
    /// None for a structure, whose doctors see several at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// Fields of a newer binary, kept.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// The hours, counted from 1970, in which a slot from `start` to `end` lies: five at most, since none is longer than four.
pub fn hours(start: Instant, end: Instant) -> impl Iterator<Item = i64> {
    const HOUR_MS: i64 = 3_600_000;
    const MOST_HOURS: usize = 5;
    (start.unix_ms().div_euclid(HOUR_MS)..=(end.unix_ms() - 1).div_euclid(HOUR_MS)).take(MOST_HOURS)
}

/// Why a slot cannot be held or booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotRefusal {
    /// Another case has it.
    #[error("the slot belongs to another case")]
    Taken,
    /// Its owner took it back.
    #[error("the slot was withdrawn by its owner")]
    Withdrawn,
    /// It has begun.
    #[error("the slot has begun")]
    Past,
    /// The hold ran out.
    #[error("the hold ran out")]
    HoldEnded,
}

impl Slot {
    /// True when a new hold may take it at `now`.
    pub fn open_to_hold(&self, now: Instant) -> Result<(), SlotRefusal> {
        if self.start <= now {
            return Err(SlotRefusal::Past);
        }
        match self.state {
            SlotState::Free => Ok(()),
            SlotState::Held { until, .. } if until <= now => Ok(()),
            SlotState::Held { .. } | SlotState::Booked { .. } => Err(SlotRefusal::Taken),
            SlotState::Withdrawn { .. } => Err(SlotRefusal::Withdrawn),
        }
    }

    /// Whether `offer` may turn its hold into a booking at `now`. A hold that ran out may still be booked as long as nobody
    /// else took the slot: the patient on the line is not sent away for a second.
    pub fn may_book(&self, offer: OfferId, now: Instant) -> Result<(), SlotRefusal> {
        match self.state {
            SlotState::Held { offer: held, .. } if held == offer && self.start > now => Ok(()),
            SlotState::Held { offer: held, .. } if held == offer => Err(SlotRefusal::Past),
            SlotState::Free => Err(SlotRefusal::HoldEnded),
            SlotState::Withdrawn { .. } => Err(SlotRefusal::Withdrawn),
            SlotState::Held { .. } | SlotState::Booked { .. } => Err(SlotRefusal::Taken),
        }
    }

    /// Whether a doctor's patient of another doctor has it, seen at the request of the SAS: an act with the SNP supplement.
    pub fn supplement(&self) -> bool {
        matches!(self.state, SlotState::Booked { own_patient: false, .. }) && self.kind != SlotKind::FixedPoint
    }

    /// The hours, counted from 1970, in which it lies.
    pub fn hours(&self) -> impl Iterator<Item = i64> + use<> {
        hours(self.start, self.end)
    }

    /// Whether its owner still offers it, or somebody has it.
    pub fn listed(&self) -> bool {
        !matches!(self.state, SlotState::Withdrawn { .. })
    }

    /// Whether it is not withdrawn and shares time with a period from `start` to `end`.
    pub fn shares(&self, (start, end): (Instant, Instant)) -> bool {
        self.listed() && self.start < end && start < self.end
    }

    /// The case that holds or has it, judged at `now`.
    pub fn bound_to(&self, now: Instant) -> Option<CaseId> {
        match self.state {
            SlotState::Held { case, until, .. } if until > now => Some(case),
            SlotState::Booked { case, .. } => Some(case),
            _ => None,
        }
    }
}
