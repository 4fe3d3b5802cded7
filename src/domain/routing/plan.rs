//! The plan: options in order, each with its verdict, and what each source said.

use serde::{Deserialize, Serialize};

use crate::{
    coded_enum,
    domain::{
        ids::{ResponderId, SectorId, SlotId},
        time::Instant,
    },
};

/// A kind of responder, as the policy table orders them.
pub use crate::domain::territory::RouteCategory as Category;

coded_enum! {
    /// Why an option was not kept.
    WhyNot {
        /// Regulated this case: may not respond.
        RegulatedCase = "REGULATED_CASE", "A régulé ce dossier";
        /// The patient has no GP.
        NoOwnGp = "NO_OWN_GP", "Pas de médecin traitant connu";
        /// On leave.
        Absent = "ABSENT", "Absent";
        /// Not open before the longest delay ends.
        ClosedBeforeDeadline = "CLOSED_BEFORE_DEADLINE", "Fermé jusqu'au délai maximal";
        /// No free slot at all.
        NoFreeSlot = "NO_FREE_SLOT", "Aucun créneau libre";
        /// Free slots only after the longest delay.
        SlotAfterDeadline = "SLOT_AFTER_DEADLINE", "Créneau libre après le délai maximal";
        /// Farther than the policy allows.
        TooFar = "TOO_FAR", "Trop loin";
        /// The policy does not use this kind in this period.
        NotInThisPeriod = "NOT_IN_THIS_PERIOD", "Hors de la période d'emploi";
        /// The patient cannot leave the place.
        PatientCannotLeave = "PATIENT_CANNOT_LEAVE", "Le patient ne peut pas se déplacer";
        /// A visit is not the care that was decided.
        OtherCareDecided = "OTHER_CARE_DECIDED", "Autre type de soin décidé";
        /// An examination is needed.
        MustExamine = "MUST_EXAMINE", "Examen nécessaire";
        /// The source is not connected.
        NotConnected = "NOT_CONNECTED", "Source non connectée";
        /// The source did not answer.
        NoAnswer = "NO_ANSWER", "Source sans réponse";
        /// The responder declined this case.
        Declined = "DECLINED", "A décliné";
        /// The responder could not be reached for this case.
        Unreachable = "UNREACHABLE", "Injoignable";
        /// The offer's time ran out.
        Expired = "EXPIRED", "Offre expirée";
        /// The slot was taken meanwhile.
        Taken = "TAKEN", "Créneau pris entre-temps";
        /// The responder's weekly limit of unscheduled patients is reached. In plans of earlier binaries only: the limit is
        /// of a fee, and refuses nobody.
        WeeklyCap = "WEEKLY_CAP", "Plafond hebdomadaire atteint";
        /// Nobody visits where the patient is.
        SectorNotServed = "SECTOR_NOT_SERVED", "Secteur non desservi";
        /// Nobody of this structure is on duty.
        NobodyOnDuty = "NOBODY_ON_DUTY", "Personne de garde";
        /// The responder takes no patient of another doctor.
        OwnPatientsOnly = "OWN_PATIENTS_ONLY", "N'accepte que sa patientèle";
        /// The patient's place is not known well enough.
        PlaceUnknown = "PLACE_UNKNOWN", "Lieu inconnu";
        /// The patient opposes that his GP is told, whose practice this is.
        PatientOpposes = "PATIENT_OPPOSES", "Le patient s'oppose à ce que son médecin traitant soit informé";
        /// It was held or agreed for this decision, and cancelled.
        Cancelled = "CANCELLED", "Annulé pour cette décision";
    }
}

/// What a source of supply said. "No answer" is never shown as "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Availability {
    /// There is something.
    Found,
    /// It answered: nothing.
    None,
    /// Nobody has connected it.
    NotConnected,
    /// No answer since this instant.
    NoAnswerSince(Instant),
}

/// One source of supply and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Which kind of responder it speaks for.
    pub category: Category,
    /// What it said.
    pub availability: Availability,
}

/// How an option is taken up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Means {
    /// By ringing the practice.
    Ring,
    /// By holding, then booking, a slot.
    Slot {
        /// Which.
        slot: SlotId,
        /// Its start.
        start: Instant,
        /// Its end.
        end: Instant,
    },
    /// By offering a visit to the doctors on duty in a sector.
    Visit {
        /// Where.
        sector: SectorId,
    },
}

/// Kept or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Kept, at this place (from 1).
    Kept {
        /// Its place.
        rank: u32,
    },
    /// Refused.
    Refused {
        /// Why.
        why: WhyNot,
    },
}

/// One option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its kind.
    pub category: Category,
    /// Who; absent when the kind as a whole is refused (no own GP, not connected …).
    pub responder: Option<ResponderId>,
    /// How it is taken up; absent on some refusals.
    pub means: Option<Means>,
    /// The earliest instant the care can begin, as far as known.
    pub earliest: Option<Instant>,
    /// Until when somebody is on duty who is still on a visit, where nobody is free: the offer waits for one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_until: Option<Instant>,
    /// The doctor has as many patients of others in that week as the SNP supplement is paid for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub snp_cap_reached: bool,
    /// Straight-line distance from the patient, metres.
    pub distance_m: Option<u32>,
    /// Kept or refused.
    pub verdict: Verdict,
}

/// Ordered options with their reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// When it was made.
    pub at: Instant,
    /// Version of the territory's rules it was made under.
    pub rules: String,
    /// Legal period code at that instant (`OFFICE_HOURS`, `PDSA_NIGHT` …).
    pub period: String,
    /// By when the care must have begun.
    pub deadline: Instant,
    /// What each source said.
    pub sources: Vec<Source>,
    /// Kept options by rank first, then refused ones: the own GP, then in policy order. Bounded by category.
    pub rows: Vec<Row>,
    /// Refused options left out of `rows`, by reason.
    pub left_out: Vec<(Category, WhyNot, u32)>,
    /// Kept options left out of `rows`, which a later plan brings; those in `rows` are the best.
    #[serde(default)]
    pub kept_left_out: Vec<(Category, u32)>,
}

impl Plan {
    /// The first kept option.
    pub fn first(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.verdict == Verdict::Kept { rank: 1 })
    }
}
