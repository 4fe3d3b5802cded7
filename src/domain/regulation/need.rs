//! The need: what care, at which level, by when, under which constraints. Never a person.
//!
//! Levels: HubSante.niveauSoin. Delays: HubSante.delai, with 48 h for unscheduled care (domain.md §3.1).
//! The national words of a decision: [`super::national`].

use serde::{Deserialize, Serialize};

use crate::{
    coded_enum,
    domain::time::{Instant, Span},
};

use super::{prescription, qualification::Stream, wrong::Wrong};

coded_enum! {
    /// What kind of care answers the request.
    CareType {
        /// Medical advice by telephone.
        Advice = "ADVICE", "Conseil médical";
        /// A drug prescribed by telephone (R6315-5).
        PhonePrescription = "PHONE_PRESCRIPTION", "Prescription médicamenteuse téléphonique";
        /// A consultation: own GP, SAS slot or fixed point.
        Consultation = "CONSULTATION", "Consultation";
        /// A doctor at the patient's bed.
        HomeVisit = "HOME_VISIT", "Visite à domicile";
        /// A consultation at a distance.
        Teleconsultation = "TELECONSULTATION", "Téléconsultation";
        /// An ambulance (TSU or VSAV).
        Ambulance = "AMBULANCE", "Ambulance";
        /// The emergency department, by own means.
        EmergencyDepartment = "EMERGENCY_DEPARTMENT", "Service des urgences";
        /// Transfer to the AMU regulator, or SMUR.
        Amu = "AMU", "Aide médicale urgente";
        /// Pharmacy, dentist, nurse, social services.
        OtherResource = "OTHER_RESOURCE", "Autre ressource";
        /// No further decision (PASPLUS).
        NoFurther = "NO_FURTHER", "Pas de décision supplémentaire";
        /// The patient refuses what is needed: only ever an answer.
        RefusedByPatient = "REFUSED_BY_PATIENT", "Refus du patient";
    }
}

impl CareType {
    /// True when a responder has to be found: the need is signed first, the answer after the plan was shown.
    pub const fn needs_supply(self) -> bool {
        matches!(self, Self::Consultation | Self::HomeVisit | Self::Teleconsultation)
    }

    /// True when the patient may leave for a place where others take over; [`super::decision::Answer::elsewhere`] tells whether he
    /// does.
    pub const fn may_lead_elsewhere(self) -> bool {
        matches!(self, Self::EmergencyDepartment | Self::Amu | Self::Ambulance)
    }
}

coded_enum! {
    /// Care level (HubSante.niveauSoin).
    CareLevel {
        /// Vital emergency: SMUR.
        R1 = "R1", "Urgence vitale";
        /// True emergency without vital distress.
        R2 = "R2", "Urgence vraie";
        /// Continuity of care: the delay is no risk factor.
        R3 = "R3", "Continuité de soins";
        /// Advice or prescription by telephone.
        R4 = "R4", "Conseil ou PMT";
    }
}

coded_enum! {
    /// The longest acceptable delay, as elapsed time from the signature (HubSante.delai).
    LongestDelay {
        /// At once.
        Immediate = "DEL0", "Immédiatement";
        /// As soon as available, within one hour.
        Asap = "ASAP", "Dès que disponible (1 h au plus)";
        /// 30 minutes.
        M30 = "30M", "30 minutes";
        /// 45 minutes.
        M45 = "45M", "45 minutes";
        /// One hour.
        H1 = "1H", "1 heure";
        /// Two hours.
        H2 = "2H", "2 heures";
        /// Four hours.
        H4 = "4H", "4 heures";
        /// Eight hours.
        H8 = "8H", "8 heures";
        /// Twelve hours.
        H12 = "12H", "12 heures";
        /// One day.
        H24 = "24H", "24 heures";
        /// Two days: the limit of unscheduled care.
        H48 = "48H", "48 heures";
    }
}

impl LongestDelay {
    /// The elapsed time it allows.
    pub const fn span(self) -> Span {
        match self {
            Self::Immediate => Span::ZERO,
            Self::M30 => Span::from_mins(30),
            Self::M45 => Span::from_mins(45),
            Self::Asap | Self::H1 => Span::from_hours(1),
            Self::H2 => Span::from_hours(2),
            Self::H4 => Span::from_hours(4),
            Self::H8 => Span::from_hours(8),
            Self::H12 => Span::from_hours(12),
            Self::H24 => Span::from_hours(24),
            Self::H48 => Span::from_hours(48),
        }
    }
}

/// What the care must respect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Constraints {
    /// A hands-on examination is needed: no teleconsultation.
    pub must_examine: bool,
    /// The patient cannot leave the place: only a visit.
    pub home_only: bool,
    /// The patient cannot come by own means (R6315-5).
    pub transport: bool,
    /// The patient must be kept apart from others.
    pub isolation: bool,
}

coded_enum! {
    /// What whoever gives the care, or brings the patient to it, must be told of the signed constraints.
    Condition {
        /// He does not come by his own means.
        TransportNeeded = "TRANSPORT_NEEDED",
            "le patient ne peut pas venir par ses propres moyens : organiser son transport avant le rendez-vous";
        /// He is kept apart.
        IsolationNeeded = "ISOLATION_NEEDED",
            "le patient doit être tenu à l'écart des autres patients : en prévenir l'effecteur";
    }
}

impl Constraints {
    /// What must be told beside care at which the patient is seen; `travels`: he comes to whoever gives it.
    pub fn conditions(&self, travels: bool) -> Vec<Condition> {
        let transport = (self.transport && travels).then_some(Condition::TransportNeeded);
        transport.into_iter().chain(self.isolation.then_some(Condition::IsolationNeeded)).collect()
    }

    /// Why care of this kind does not respect them: the field that says so, the problem, and in French.
    pub fn exclude(&self, care: CareType) -> Option<(&'static str, &'static str, &'static str)> {
        if self.home_only && matches!(care, CareType::Consultation | CareType::EmergencyDepartment) {
            let problem = "the patient cannot leave: choose HOME_VISIT or AMBULANCE";
            return Some((
                "need.constraints.home_only",
                problem,
                "le patient ne peut pas sortir : visite ou ambulance",
            ));
        }
        let unseen = self.must_examine && care == CareType::Teleconsultation;
        let french = "un examen est nécessaire : pas de téléconsultation";
        unseen.then_some(("need.constraints.must_examine", "an examination is needed: not TELECONSULTATION", french))
    }
}

/// What a patient needs. Signed by a doctor, or proposed by a protocol named in configuration (D6311-35).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Which of the case's patients, from 1.
    pub patient: u32,
    /// What kind of care.
    pub care: CareType,
    /// At which level.
    pub level: CareLevel,
    /// By when at the latest.
    pub longest_delay: LongestDelay,
    /// Under which constraints.
    pub constraints: Constraints,
    /// Why, as codes (motives, signs); never free text.
    pub reasons: Vec<String>,
}

impl Need {
    /// The instant the care must have begun when signed at `at`.
    pub fn deadline(&self, at: Instant) -> Instant {
        at + self.longest_delay.span()
    }
}

/// What contradicts itself in a need. Empty means it may be signed.
pub fn contradictions(need: &Need, stream: Stream) -> Vec<Wrong> {
    let mut found: Vec<_> = prescription::forbidden(need.care, need.level, stream)
        .into_iter()
        .map(|wrong| Wrong { field: format!("need.{}", wrong.field).into(), ..wrong })
        .collect();
    let mut wrong = |broken: bool, field: &'static str, problem: &'static str, french: &'static str| {
        found.extend(broken.then(|| Wrong::new(field, problem, french)));
    };
    let by_phone = matches!(need.care, CareType::Advice | CareType::PhonePrescription);
    let no_responder = matches!(need.care, CareType::NoFurther | CareType::OtherResource);
    wrong(
        need.care == CareType::RefusedByPatient,
        "need.care",
        "sign the care that is needed, and put the refusal beside it (`refusal`)",
        "signez les soins nécessaires, et le refus à côté",
    );
    wrong(
        need.level == CareLevel::R1
            && !matches!(need.care, CareType::Amu | CareType::NoFurther | CareType::PhonePrescription),
        "need.level",
        "R1 is a vital emergency: choose care AMU, or another level",
        "R1 est une urgence vitale : choisissez l'AMU, ou un autre niveau",
    );
    wrong(
        need.level == CareLevel::R4 && !by_phone && !no_responder,
        "need.level",
        "R4 is advice or a prescription by telephone: choose R2 or R3 for other care",
        "R4 est un conseil ou une PMT : R2 ou R3 pour d'autres soins",
    );
    found
        .extend(need.constraints.exclude(need.care).map(|(field, problem, french)| Wrong::new(field, problem, french)));
    found
}
