//! One responder: a doctor or a structure that gives care.

use chrono::NaiveDate;

use crate::{
    coded_enum,
    domain::{
        calendar::{CareHours, local_date},
        ids::{PersonId, ResponderId, SectorId},
        person::Private,
        place::{InseeCode, Position},
        time::{Instant, Span},
    },
};

coded_enum! {
    /// What kind of doctor or structure a responder is.
    ResponderKind {
        /// A general practitioner; can be somebody's own GP.
        Gp = "GP", "médecin généraliste";
        /// A practice of several doctors (cabinet, maison or centre de santé).
        Practice = "PRACTICE", "cabinet de groupe";
        /// A communauté professionnelle territoriale de santé.
        Cpts = "CPTS", "CPTS";
        /// A professional who opens slots to the SAS.
        SasProfessional = "SAS_PROFESSIONAL", "effecteur SAS";
        /// A place where patients are seen on duty: see [`Responder::fixed_point`].
        FixedPoint = "FIXED_POINT", "point fixe de garde";
        /// A SOS Médecins association: visits at home.
        SosMedecins = "SOS_MEDECINS", "SOS Médecins";
        /// A structure that stands in as own GP for patients without one: see [`Responder::programme`].
        CollectivePractice = "COLLECTIVE_PRACTICE", "structure traitante";
    }
}

coded_enum! {
    /// Whose fixed point it is.
    FixedPointKind {
        /// Maison médicale de garde.
        Mmg = "MMG", "maison médicale de garde";
        /// Consultation point of a SOS Médecins association.
        Sos = "SOS", "point de consultation SOS Médecins";
    }
}

coded_enum! {
    /// Whether the service hears from this responder's agenda or terminal.
    Connection {
        /// It publishes slots, shifts or answers here.
        Connected = "CONNECTED", "connecté";
        /// It does not: its availability is unknown, never "none". It can still be rung.
        NotConnected = "NOT_CONNECTED", "non connecté";
    }
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
    /// Whether it is one doctor, who sees one patient at a time. Of a structure it is not known how many give care at once.
    pub fn is_one_doctor(&self) -> bool {
        self.doctors.len() == 1
    }

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
