//! The problem: everything a plan depends on, as plain data that an engine fills.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::domain::{
    calendar::monday,
    case::state::{Case, Offer, Patient, Whereabouts},
    directory::{Connection, Directory, Responder, ResponderKind},
    ids::{DecisionId, PersonId, ResponderId, SectorId, SlotId},
    regulation::{
        decision::Decision,
        need::{CareType, Need},
    },
    slots::{Slot, SlotState},
    territory::Territory,
    time::Instant,
    visits::{Shift, ShiftState},
};

use super::{Category, Means, WhyNot};

/// What has to be planned.
#[derive(Debug, Clone)]
pub struct Problem<'a> {
    /// The instant of planning.
    pub now: Instant,
    /// Policy table, sectors, calendar, exceptions and their version.
    pub territory: &'a Territory,
    /// Who there is.
    pub directory: &'a Directory,
    /// The signed need.
    pub need: &'a Need,
    /// When it was signed: delays run from here.
    pub signed_at: Instant,
    /// The care of the answer or, before it is signed, of the need.
    pub care: CareType,
    /// For whom.
    pub patient: &'a Patient,
    /// Where the patient is.
    pub place: &'a Whereabouts,
    /// Everybody who regulated the case.
    pub regulators: &'a BTreeSet<PersonId>,
    /// What was tried for this decision and led nowhere.
    pub tried: Vec<Tried>,
    /// The supply as it is known now.
    pub supply: &'a Supply,
}

impl<'a> Problem<'a> {
    /// The problem of one decision of a case; `None` when the case has no patient of the need's number.
    pub fn of_case(
        now: Instant,
        (territory, directory): (&'a Territory, &'a Directory),
        case: &'a Case,
        decision: &'a Decision,
        supply: &'a Supply,
    ) -> Option<Self> {
        Some(Self {
            now,
            territory,
            directory,
            need: &decision.need,
            signed_at: decision.signed.at,
            care: decision.answer.as_ref().map_or(decision.need.care, |answer| answer.care),
            patient: case.patient(decision.need.patient)?,
            place: &case.place,
            regulators: &case.regulators,
            tried: Tried::of_case(case, decision.id),
            supply,
        })
    }
}

/// An offer of this decision that led nowhere, or was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Who was asked.
    pub responder: ResponderId,
    /// How.
    pub by: Asked,
    /// Why it led nowhere.
    pub why: WhyNot,
    /// The one doctor whose no it is; none: the responder's.
    pub doctor: Option<PersonId>,
    /// Until when it had to be answered.
    pub until: Instant,
}

/// How a responder was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// By telephone.
    Phone,
    /// By holding this slot.
    Slot(SlotId),
    /// By offering a visit.
    Visit,
}

impl Tried {
    /// An offer that is over.
    pub fn of(offer: &Offer, why: WhyNot) -> Self {
        let by = match offer.means {
            Means::Ring => Asked::Phone,
            Means::Slot { slot, .. } => Asked::Slot(slot),
            Means::Visit { .. } => Asked::Visit,
        };
        let (responder, doctor) = (offer.responder.clone(), offer.refused_by().cloned());
        Self { responder, by, why, doctor, until: offer.until }
    }

    /// All closed offers of a decision, and what was cancelled.
    pub fn of_case(case: &Case, decision: DecisionId) -> Vec<Self> {
        let cancelled = case.cancelled(decision).map(|offer| Self::of(offer, WhyNot::Cancelled));
        case.tried(decision).map(|(offer, why)| Self::of(offer, why)).chain(cancelled).collect()
    }
}

/// Whether a source of supply is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    /// It is, and what it published is below.
    Connected,
    /// Nobody has connected it.
    NotConnected,
    /// It is connected and has not answered since. What it said before is not relied on. Nothing in the service tells this yet.
    SilentSince(Instant),
}

/// Supply as it is known at one instant.
#[derive(Debug, Clone, Default)]
pub struct Supply {
    /// The sources of slots, shifts and video consultations; one that is not named is not connected. Own GPs and
    /// colleagues are rung: their source is the directory, and needs no entry.
    pub sources: BTreeMap<Category, SourceState>,
    /// Free slots by responder. A responder that publishes slots to come has an entry even when none is free.
    pub slots: BTreeMap<ResponderId, Vec<FreeSlot>>,
    /// Free consultations by video, in the same way.
    pub video: BTreeMap<ResponderId, Vec<FreeSlot>>,
    /// Doctors on duty at this instant.
    pub shifts: Vec<OnDuty>,
    /// Doctors who are on a visit, perhaps still in a shift that has run out: none of them takes another one.
    pub driving: BTreeSet<PersonId>,
    /// Booked patients of others that each responder sees at the request of the SAS, by the Monday of the local week.
    pub snp: BTreeMap<(ResponderId, NaiveDate), u32>,
}

/// A slot that may be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeSlot {
    /// Which.
    pub id: SlotId,
    /// For whom it was published.
    pub kind: crate::domain::slots::SlotKind,
    /// Its start.
    pub start: Instant,
    /// Its end.
    pub end: Instant,
}

/// A doctor on duty for a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    /// The structure.
    pub responder: ResponderId,
    /// The doctor.
    pub doctor: PersonId,
    /// Sectors served.
    pub sectors: Vec<SectorId>,
    /// From when.
    pub start: Instant,
    /// Until when.
    pub end: Instant,
    /// Not on a visit of this shift; see also [`Supply::driving`].
    pub free: bool,
}

impl Supply {
    /// Enters a stored slot that is still to come: its owner publishes, and it is an option when a hold may take it at `now`.
    /// One that was withdrawn or has begun says nothing of its owner: he may be rung, and what is published depends on no
    /// instance's memory of the past.
    pub fn add_slot(&mut self, slot: &Slot, now: Instant) {
        if slot.start <= now || matches!(slot.state, SlotState::Withdrawn { .. }) {
            return;
        }
        let published = self.slots.entry(slot.responder.clone()).or_default();
        if slot.open_to_hold(now).is_ok() {
            published.push(FreeSlot { id: slot.id, kind: slot.kind, start: slot.start, end: slot.end });
        }
    }

    /// Counts a stored slot in the week of its start, on the wall clock of `zone`.
    pub fn count_snp(&mut self, slot: &Slot, zone: Tz) {
        if slot.supplement() {
            *self.snp.entry((slot.responder.clone(), monday(zone, slot.start))).or_default() += 1;
        }
    }

    /// Enters a stored shift when it runs at `now`, and whoever is on a visit of it, even if it has run out.
    pub fn add_shift(&mut self, shift: &Shift, now: Instant) {
        if matches!(shift.state, ShiftState::OnVisit { .. }) {
            self.driving.insert(shift.doctor.clone());
        }
        if shift.on_duty(now) {
            self.shifts.push(OnDuty {
                responder: shift.responder.clone(),
                doctor: shift.doctor.clone(),
                sectors: shift.sectors.clone(),
                start: shift.start,
                end: shift.end,
                free: shift.state == ShiftState::Free,
            });
        }
    }

    /// Whether a doctor on duty could take a visit now.
    pub(super) fn is_free(&self, on: &OnDuty) -> bool {
        on.free && !self.driving.contains(&on.doctor)
    }

    /// States which sources are heard: that of a category when one of the responders it asks is connected, or has said
    /// something here himself: a shift that runs, slots to come.
    pub fn hear(&mut self, directory: &Directory) {
        const PUBLISHED: [Category; 4] =
            [Category::SasSlot, Category::FixedPoint, Category::HomeVisit, Category::Teleconsultation];
        let said = |category, who: &Responder| match category {
            Category::HomeVisit => self.shifts.iter().any(|on| on.responder == who.id),
            Category::Teleconsultation => self.video.contains_key(&who.id),
            _ => self.slots.contains_key(&who.id),
        };
        let heard = |category| {
            let mut asked = directory.iter().filter(|who| self.asks(category, who));
            match asked.any(|who| who.connection == Connection::Connected || said(category, who)) {
                true => SourceState::Connected,
                false => SourceState::NotConnected,
            }
        };
        self.sources = PUBLISHED.into_iter().map(|category| (category, heard(category))).collect();
    }

    /// Whether a responder is one of those that a category of published supply asks. A collective practice visits only its
    /// listed patients, as their own GP.
    pub(super) fn asks(&self, category: Category, who: &Responder) -> bool {
        let publishes = || self.slots.contains_key(&who.id);
        match (category, who.kind) {
            (Category::SasSlot, ResponderKind::Gp | ResponderKind::SasProfessional) => {
                who.conventions.sas || who.supernumerary || publishes()
            }
            (Category::SasSlot, ResponderKind::Practice) => publishes(),
            (Category::FixedPoint, kind) => kind == ResponderKind::FixedPoint,
            (Category::HomeVisit, kind) => !who.visit_sectors.is_empty() && kind != ResponderKind::CollectivePractice,
            (Category::Teleconsultation, _) => self.video.contains_key(&who.id),
            _ => false,
        }
    }

    /// Whether the source of a category is heard.
    pub fn source(&self, category: Category) -> SourceState {
        self.sources.get(&category).copied().unwrap_or(SourceState::NotConnected)
    }
}
