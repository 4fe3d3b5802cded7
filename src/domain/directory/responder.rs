//! One responder: a doctor or a structure that gives care.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::{
    calendar::{CareHours, local_date},
    ids::{PersonId, ResponderId, SectorId},
    person::Private,
    place::{InseeCode, Position},
    time::{Instant, Span},
};

/// What kind of doctor or structure a responder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResponderKind {
    /// A general practitioner; can be somebody's own GP.
    Gp,
    /// A practice of several doctors (cabinet, maison or centre de santé).
    Practice,
    /// A communauté professionnelle territoriale de santé.
    Cpts,
    /// A professional who opens slots to the SAS.
    SasProfessional,
    /// A place where patients are seen on duty: see [`Responder::fixed_point`].
    FixedPoint,
    /// A SOS Médecins association: visits at home.
    SosMedecins,
    /// A structure that stands in as own GP for patients without one: see [`Responder::programme`].
    CollectivePractice,
}

impl ResponderKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Gp,
        Self::Practice,
        Self::Cpts,
        Self::SasProfessional,
        Self::FixedPoint,
        Self::SosMedecins,
        Self::CollectivePractice,
    ];

    /// The name in configuration, in code and on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Gp => "GP",
            Self::Practice => "PRACTICE",
            Self::Cpts => "CPTS",
            Self::SasProfessional => "SAS_PROFESSIONAL",
            Self::FixedPoint => "FIXED_POINT",
            Self::SosMedecins => "SOS_MEDECINS",
            Self::CollectivePractice => "COLLECTIVE_PRACTICE",
        }
    }

    /// The kind of this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Whose fixed point it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FixedPointKind {
    /// Maison médicale de garde.
    Mmg,
    /// Consultation point of a SOS Médecins association.
    Sos,
}

/// Whether the service hears from this responder's agenda or terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Connection {
    /// It publishes slots, shifts or answers here.
    Connected,
    /// It does not: its availability is unknown, never "none". It can still be rung.
    NotConnected,
}

/// Away on these local dates, first and last included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// First day away.
    pub from: NaiveDate,
    /// Last day away.
    pub to: NaiveDate,
}

/// What the responder has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConventionFlags {
    /// Takes part in the SAS and may claim the SNP supplement.
    pub sas: bool,
    /// Takes part in the permanence des soins.
    pub pdsa: bool,
    /// An association whose own platform regulates under convention with the SAMU (R6315-3 CSP).
    pub own_regulation: bool,
}

/// A collective practice as own GP for listed patients (Sens, 2015).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectiveProgramme {
    /// The most patients it takes.
    pub capacity_patients: u32,
    /// Who makes and keeps the list, such as the CCAS of a town.
    pub list_owner: String,
    /// Whether it claims the yearly fee of an own GP.
    pub mt_fee: bool,
    /// The association whose doctors serve it.
    pub served_by: ResponderId,
}

/// A doctor or structure that gives care.
#[derive(Debug, Clone, PartialEq)]
pub struct Responder {
    /// The directory's name for it.
    pub id: ResponderId,
    /// As shown to people.
    pub name: String,
    /// What it is.
    pub kind: ResponderKind,
    /// The persons who give care for it; a regulator among them can never be sent his own case.
    pub doctors: Vec<PersonId>,
    /// Commune of its premises.
    pub commune: InseeCode,
    /// Where they are.
    pub position: Position,
    /// Its own hours, on the local wall clock.
    pub hours: CareHours,
    /// Days away.
    pub absences: Vec<Absence>,
    /// The practice a doctor belongs to.
    pub practice: Option<ResponderId>,
    /// The CPTS a doctor or a practice belongs to.
    pub cpts: Option<ResponderId>,
    /// Sectors it drives to; empty for those who make no visits.
    pub visit_sectors: Vec<SectorId>,
    /// Conventions.
    pub conventions: ConventionFlags,
    /// The line a coordinator or dispatcher rings.
    pub phone: Private<String>,
    /// Takes patients beyond its published slots: ring it.
    pub supernumerary: bool,
    /// Whether its agenda or terminal talks to the service.
    pub connection: Connection,
    /// For a fixed point: whose.
    pub fixed_point: Option<FixedPointKind>,
    /// The association behind a fixed point or a collective practice.
    pub association: Option<ResponderId>,
    /// For a collective practice: its programme.
    pub programme: Option<CollectiveProgramme>,
}

impl Responder {
    /// The absence that covers the local date of `at`.
    pub fn absent_at(&self, at: Instant) -> Option<&Absence> {
        let date = local_date(self.hours.zone(), at);
        self.absences.iter().find(|absence| absence.from <= date && date <= absence.to)
    }

    /// Whether its hours say open at `at` and it is not away.
    pub fn open_at(&self, at: Instant) -> bool {
        self.absent_at(at).is_none() && self.hours.is_open_at(at)
    }

    /// The first instant in `[at, at + within)` at which it is open and not away.
    pub fn next_open(&self, at: Instant, within: Span) -> Option<Instant> {
        let end = at + within;
        let mut from = at;
        while let Some(open) = self.hours.next_open(from, end.since(from)) {
            let Some(absence) = self.absent_at(open) else { return Some(open) };
            from = self.hours.midnight_after(absence.to);
        }
        None
    }

    /// Whether it drives to patients in `sector`.
    pub fn visits(&self, sector: &SectorId) -> bool {
        self.visit_sectors.contains(sector)
    }
}
