//! A small territory in plain data, to be changed by each story.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use sas_dispatch::domain::{
    calendar::{CareHours, PublicHolidays, to_instant},
    case::state::{Patient, Whereabouts},
    directory::{Connection, ConventionFlags, Directory, FixedPointKind, Responder, ResponderKind},
    ids::{PersonId, ResponderId, SectorId, SlotId},
    person::Private,
    place::Position,
    regulation::need::{CareLevel, CareType, Constraints, LongestDelay, Need},
    routing::{
        Asked, Category, FreeSlot, Means, OnDuty, Plan, Problem, Row, SourceState, Supply, Tried, Verdict, WhyNot, plan,
    },
    slots::SlotKind,
    territory::{Commune, SectorAssignment, SectorBand, Territory},
    time::{Instant, Span},
};
use uuid::Uuid;

pub const OFFICE: &str = "Mo-Fr 08:00-12:00,14:00-19:00; PH off";
pub const ALWAYS: &str = "24/7";
pub const COMMUNE: &str = "67482";
pub const SECTOR: &str = "centre";

/// Everything a problem is made of.
#[derive(Debug, Clone)]
pub struct World {
    pub now: Instant,
    pub signed_at: Instant,
    pub territory: Territory,
    pub responders: Vec<Responder>,
    pub need: Need,
    pub care: CareType,
    pub patient: Patient,
    pub place: Whereabouts,
    pub regulators: BTreeSet<PersonId>,
    pub tried: Vec<Tried>,
    pub supply: Supply,
}

impl World {
    /// A consultation within 24 hours, decided at `wall` (local time of Bas-Rhin) for a patient at home in the centre.
    pub fn at(wall: &str) -> Self {
        let territory = territory();
        let now = instant(&territory, wall);
        Self {
            now,
            signed_at: now,
            responders: Vec::new(),
            need: Need {
                patient: 1,
                care: CareType::Consultation,
                level: CareLevel::R3,
                longest_delay: LongestDelay::H24,
                constraints: Constraints::default(),
                reasons: vec!["M03.14".into()],
            },
            care: CareType::Consultation,
            patient: Patient { number: 1, ..Patient::default() },
            place: Whereabouts {
                kind: None,
                commune: Some(COMMUNE.parse().unwrap()),
                position: Some(north(0)),
                sector: Some(sector(SECTOR)),
            },
            regulators: BTreeSet::from([person("dr-regulateur")]),
            tried: Vec::new(),
            supply: Supply { sources: heard(), ..Supply::default() },
            territory,
        }
    }

    pub fn who(mut self, responder: Responder) -> Self {
        self.responders.push(responder);
        self
    }

    pub fn own_gp(mut self, id: &str) -> Self {
        self.patient.own_gp = Some(responder_id(id));
        self
    }

    pub fn decided(mut self, care: CareType, within: LongestDelay) -> Self {
        (self.care, self.need.care, self.need.longest_delay) = (care, care, within);
        self
    }

    /// A free slot of `responder` so many minutes from now.
    pub fn slot(mut self, responder: &str, minutes: i64) -> Self {
        let slots = self.supply.slots.entry(responder_id(responder)).or_default();
        slots.push(free_slot(self.now, minutes, SlotKind::Snp));
        self
    }

    pub fn on_duty(mut self, structure: &str, doctor: &str, free: bool) -> Self {
        let (responder, doctor, sectors) = (responder_id(structure), person(doctor), vec![sector(SECTOR)]);
        let (start, end) = (self.now - Span::from_hours(2), self.now + Span::from_hours(6));
        self.supply.shifts.push(OnDuty { responder, doctor, sectors, start, end, free });
        self
    }

    pub fn tried(mut self, responder: &str, by: Asked, why: WhyNot) -> Self {
        let until = self.now - Span::from_mins(1);
        self.tried.push(Tried { responder: responder_id(responder), by, why, doctor: None, until });
        self
    }

    /// One doctor of `responder` said no to a visit, or called it off.
    pub fn refused_by(mut self, responder: &str, doctor: &str) -> Self {
        let (responder, doctor) = (responder_id(responder), Some(person(doctor)));
        let until = self.now - Span::from_mins(1);
        self.tried.push(Tried { responder, by: Asked::Visit, why: WhyNot::Declined, doctor, until });
        self
    }

    pub fn directory(&self) -> Directory {
        Directory::new(self.responders.clone())
    }

    pub fn plan(&self) -> Plan {
        plan(&Problem {
            now: self.now,
            territory: &self.territory,
            directory: &self.directory(),
            need: &self.need,
            signed_at: self.signed_at,
            care: self.care,
            patient: &self.patient,
            place: &self.place,
            regulators: &self.regulators,
            tried: self.tried.clone(),
            supply: &self.supply,
        })
    }
}

/// `CATEGORY responder` of the kept rows, in order.
pub fn kept(plan: &Plan) -> Vec<String> {
    let kept = plan.rows.iter().filter(|row| matches!(row.verdict, Verdict::Kept { .. }));
    kept.map(|row| format!("{} {}", row.category, row.responder.as_ref().unwrap())).collect()
}

/// The one row of a category and a responder (none: the row about the category as a whole).
pub fn row<'p>(plan: &'p Plan, category: Category, responder: Option<&str>) -> &'p Row {
    let wanted = responder.map(responder_id);
    let mut rows = plan.rows.iter().filter(|row| row.category == category && row.responder == wanted);
    let found = rows.next().unwrap_or_else(|| panic!("no row {category} {responder:?} in {:#?}", plan.rows));
    assert!(rows.next().is_none(), "two rows {category} {responder:?}");
    found
}

/// Why that row was refused.
pub fn why(plan: &Plan, category: Category, responder: Option<&str>) -> WhyNot {
    match row(plan, category, responder).verdict {
        Verdict::Refused { why } => why,
        Verdict::Kept { rank } => panic!("{category} {responder:?} was kept at {rank}"),
    }
}

pub fn gp(id: &str, metres: i64) -> Responder {
    Responder {
        id: responder_id(id),
        name: format!("Dr Fictif {id}"),
        kind: ResponderKind::Gp,
        doctors: vec![person(&format!("dr-{id}"))],
        commune: COMMUNE.parse().unwrap(),
        position: north(metres),
        hours: hours(OFFICE),
        absences: Vec::new(),
        practice: None,
        cpts: None,
        visit_sectors: Vec::new(),
        conventions: ConventionFlags { sas: true, ..ConventionFlags::default() },
        phone: Private::new("+33353010000".into()),
        supernumerary: false,
        connection: Connection::Connected,
        fixed_point: None,
        association: None,
        programme: None,
    }
}

pub fn mmg(id: &str, metres: i64) -> Responder {
    let hours = hours(ALWAYS);
    let fixed_point = Some(FixedPointKind::Mmg);
    Responder { kind: ResponderKind::FixedPoint, doctors: Vec::new(), hours, fixed_point, ..gp(id, metres) }
}

pub fn sos(id: &str, doctors: &[&str]) -> Responder {
    Responder {
        kind: ResponderKind::SosMedecins,
        doctors: doctors.iter().map(|doctor| person(doctor)).collect(),
        hours: hours(ALWAYS),
        visit_sectors: vec![sector(SECTOR)],
        ..gp(id, 3_000)
    }
}

pub fn free_slot(now: Instant, minutes: i64, kind: SlotKind) -> FreeSlot {
    let start = Instant::from_unix_ms(now.unix_ms() + minutes * 60_000);
    FreeSlot { id: slot_id(start, kind), kind, start, end: start + Span::from_mins(20) }
}

/// One id per start and kind: stories tell slots apart by them.
pub fn slot_id(start: Instant, kind: SlotKind) -> SlotId {
    SlotId(Uuid::from_u128((start.unix_ms() as u128) << 8 | kind as u128))
}

pub fn slot_of(row: &Row) -> SlotId {
    match row.means {
        Some(Means::Slot { slot, .. }) => slot,
        ref other => panic!("no slot but {other:?}"),
    }
}

/// Every published source answers.
pub fn heard() -> BTreeMap<Category, SourceState> {
    let published = [Category::SasSlot, Category::FixedPoint, Category::HomeVisit, Category::Teleconsultation];
    published.into_iter().map(|category| (category, SourceState::Connected)).collect()
}

/// Bas-Rhin by law, with one commune in one sector for both halves of the night.
pub fn territory() -> Territory {
    let mut territory = Territory::from_law(&"fr-67".parse().unwrap()).unwrap();
    territory.configured = true;
    let assigned =
        |band| SectorAssignment { sector: sector(SECTOR), band, from: "2015-01-01".parse().unwrap(), to: None };
    let both = vec![assigned(SectorBand::FirstHalf), assigned(SectorBand::SecondHalf)];
    territory.sectors.assignments.insert(COMMUNE.parse().unwrap(), both);
    territory.communes.insert(COMMUNE.parse().unwrap(), Commune { name: "Strasbourg".into(), position: north(0) });
    territory
}

pub fn instant(territory: &Territory, wall: &str) -> Instant {
    to_instant(territory.calendar.zone(), NaiveDateTime::parse_from_str(wall, "%Y-%m-%dT%H:%M").unwrap())
}

thread_local! {
    static HOLIDAYS: PublicHolidays = PublicHolidays::of(&territory().calendar);
}

pub fn hours(text: &str) -> CareHours {
    HOLIDAYS.with(|holidays| CareHours::parse(text, holidays).unwrap())
}

/// A position so many metres north of the patient.
pub fn north(metres: i64) -> Position {
    Position { lat: 48.5734 + metres as f64 / 111_195.0, lon: 7.7521 }
}

pub fn responder_id(id: &str) -> ResponderId {
    id.parse().unwrap()
}

pub fn person(id: &str) -> PersonId {
    id.parse().unwrap()
}

pub fn sector(id: &str) -> SectorId {
    id.parse().unwrap()
}
