//! `responders.toml`: who gives care, checked one by one and against each other.

use std::collections::BTreeMap;

use super::{
    geography::Communes,
    sheet::Table,
    values::{boolean, date, degrees, list, parsed, whole, words},
};
use crate::domain::{
    calendar::{CalendarRules, CareHours, PublicHolidays},
    directory::{Absence, CollectiveProgramme, Connection, ConventionFlags, FixedPointKind, Responder, ResponderKind},
    ids::{PersonId, ResponderId, SectorId},
    person::Private,
    phone::e164,
    place::{InseeCode, Position},
};

/// What a responder is checked against.
pub(super) struct Ground<'a> {
    pub calendar: &'a CalendarRules,
    pub communes: &'a Communes,
    pub sectors: &'a BTreeMap<SectorId, String>,
}

/// The responders of `responders.toml`; a reference to one that is not there is a fault at the line that makes it.
pub(super) fn responders(root: &Table<'_>, ground: &Ground<'_>) -> Vec<Responder> {
    let kinds = kinds(root);
    let holidays = PublicHolidays::of(ground.calendar);
    let mut seen = Vec::new();
    root.tables("responder", |table| {
        let responder = responder(table, ground, &holidays);
        if let Some(responder) = &responder {
            if seen.contains(&responder.id) {
                table.fault("id", format!("'{}' stands twice", responder.id));
            }
            seen.push(responder.id.clone());
            check_references(table, responder, &kinds);
            check_kind(table, responder);
        }
        responder
    })
}

/// The kind of each responder, read ahead so that one may refer to another below it; faults are found in the real pass.
fn kinds(root: &Table<'_>) -> BTreeMap<ResponderId, Option<ResponderKind>> {
    let texts = root.texts_of("responder", ["id", "kind"]);
    texts
        .into_iter()
        .filter_map(|[id, kind]| Some((id?.parse().ok()?, kind.and_then(|kind| kind.parse().ok()))))
        .collect()
}

fn responder(table: &Table<'_>, ground: &Ground<'_>, holidays: &PublicHolidays) -> Option<Responder> {
    let id = table.required("id", parsed::<ResponderId>);
    let name = table.required("name", words);
    let kind = table.required("kind", parsed::<ResponderKind>);
    let place = place(table, ground);
    let hours = table.required("hours", |value| {
        CareHours::parse(&words(value)?, holidays).map_err(|error| error.to_string().replace('\n', " "))
    });
    let phone = table.required("phone", phone);
    let rest = Rest::read(table, ground);
    let (commune, position) = place?;
    Some(Responder {
        id: id?,
        name: name?,
        kind: kind?,
        doctors: rest.doctors,
        commune,
        position,
        hours: hours?,
        absences: rest.absences,
        practice: rest.practice,
        cpts: rest.cpts,
        visit_sectors: rest.visit_sectors,
        conventions: rest.conventions,
        phone: Private::new(phone?),
        supernumerary: rest.supernumerary,
        connection: rest.connection,
        fixed_point: rest.fixed_point,
        association: rest.association,
        programme: rest.programme,
    })
}

/// The parts of a responder that may be absent.
struct Rest {
    doctors: Vec<PersonId>,
    absences: Vec<Absence>,
    practice: Option<ResponderId>,
    cpts: Option<ResponderId>,
    visit_sectors: Vec<SectorId>,
    conventions: ConventionFlags,
    supernumerary: bool,
    connection: Connection,
    fixed_point: Option<FixedPointKind>,
    association: Option<ResponderId>,
    programme: Option<CollectiveProgramme>,
}

impl Rest {
    fn read(table: &Table<'_>, ground: &Ground<'_>) -> Self {
        let flag = |key: &str| table.or(key, false, boolean);
        Self {
            doctors: table.or("doctors", Vec::new(), list(parsed::<PersonId>)),
            absences: table.tables("absences", absence),
            practice: table.optional("practice", parsed::<ResponderId>),
            cpts: table.optional("cpts", parsed::<ResponderId>),
            visit_sectors: visit_sectors(table, ground),
            conventions: ConventionFlags {
                sas: flag("sas"),
                pdsa: flag("pdsa"),
                own_regulation: flag("own_regulation"),
            },
            supernumerary: flag("supernumerary"),
            connection: if flag("connected") { Connection::Connected } else { Connection::NotConnected },
            fixed_point: table.optional("fixed_point", parsed::<FixedPointKind>),
            association: table.optional("association", parsed::<ResponderId>),
            programme: table.table("programme", programme).flatten(),
        }
    }
}

/// The commune and the position: its own where `lat` and `lon` are given, else the commune's.
fn place(table: &Table<'_>, ground: &Ground<'_>) -> Option<(InseeCode, Position)> {
    let insee = table.required("commune", parsed::<InseeCode>);
    let lat = table.optional("lat", degrees(-90.0..=90.0));
    let lon = table.optional("lon", degrees(-180.0..=180.0));
    let insee = insee?;
    if table.has("lat") != table.has("lon") {
        table.fault("commune", "lat and lon come together; without them the commune's centre counts");
    }
    let Some(commune) = ground.communes.known.get(&insee) else {
        if !ground.communes.mentions(insee) {
            table.fault("commune", format!("{insee} is not in communes.csv"));
        }
        return None;
    };
    Some((insee, lat.zip(lon).map_or(commune.position, |(lat, lon)| Position { lat, lon })))
}

fn visit_sectors(table: &Table<'_>, ground: &Ground<'_>) -> Vec<SectorId> {
    let sectors = table.or("visit_sectors", Vec::new(), list(parsed::<SectorId>));
    for sector in sectors.iter().filter(|sector| !ground.sectors.contains_key(sector)) {
        table.fault("visit_sectors", format!("'{sector}' has no name under [sectors] of territory.toml"));
    }
    sectors
}

fn absence(table: &Table<'_>) -> Option<Absence> {
    let from = table.required("from", date);
    let to = table.required("to", date);
    let absence = Absence { from: from?, to: to? };
    if absence.to < absence.from {
        table.fault("to", "must not lie before 'from'");
    }
    Some(absence)
}

fn programme(table: &Table<'_>) -> Option<CollectiveProgramme> {
    let capacity_patients = table.required("capacity_patients", whole(1..=100_000));
    let list_owner = table.required("list_owner", words);
    let mt_fee = table.required("mt_fee", boolean);
    let served_by = table.required("served_by", parsed::<ResponderId>);
    Some(CollectiveProgramme {
        capacity_patients: u32::try_from(capacity_patients?).expect("read as at most 100 000"),
        list_owner: list_owner?,
        mt_fee: mt_fee?,
        served_by: served_by?,
    })
}

/// As a caller's number is read. The message never shows the number.
fn phone(value: &toml::de::DeValue<'_>) -> Result<String, String> {
    let shape = "expected a French number such as \"03 53 01 00 00\", or + and 6 to 15 digits such as \"+33353010000\"";
    e164(&words(value)?).ok_or_else(|| shape.to_owned())
}

fn check_references(table: &Table<'_>, responder: &Responder, kinds: &BTreeMap<ResponderId, Option<ResponderKind>>) {
    let programme = responder.programme.as_ref();
    let references = [
        ("practice", responder.practice.as_ref(), ResponderKind::Practice),
        ("cpts", responder.cpts.as_ref(), ResponderKind::Cpts),
        ("association", responder.association.as_ref(), ResponderKind::SosMedecins),
        ("programme", programme.map(|programme| &programme.served_by), ResponderKind::SosMedecins),
    ];
    for (key, id, wanted) in references {
        let Some(id) = id else { continue };
        match kinds.get(id) {
            // A kind that cannot be read is a fault of its own.
            Some(found) if found.is_none_or(|found| found == wanted) => {}
            Some(Some(found)) => table.fault(key, format!("'{id}' is of kind {found}, expected {wanted}")),
            _ => table.fault(key, format!("'{id}' is no responder of this file")),
        }
    }
}

/// What each kind must state, and what only it may.
fn check_kind(table: &Table<'_>, responder: &Responder) {
    let kind = responder.kind;
    if (kind == ResponderKind::FixedPoint) != table.has("fixed_point") {
        table.fault("fixed_point", "MMG or SOS is stated for kind FIXED_POINT, and for no other");
    }
    if (kind == ResponderKind::CollectivePractice) != table.has("programme") {
        table.fault("programme", "is stated for kind COLLECTIVE_PRACTICE, and for no other");
    }
    if kind == ResponderKind::Gp && responder.doctors.len() != 1 {
        table.fault("doctors", "a GP is one person: name exactly one");
    }
    if kind == ResponderKind::SosMedecins && responder.visit_sectors.is_empty() {
        table.fault("visit_sectors", "an association that makes visits names the sectors it drives to");
    }
}
