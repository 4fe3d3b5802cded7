//! What is known of caller, place and patients, from the wire. Only the shape of values and what configuration knows is
//! checked; what it means for the case is the domain's to say.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::{
    domain::{
        calendar::local_date,
        case::{
            command::Particulars,
            sealed::{Address, Caller, Identity},
            state::{ContactSafety, Patient, Whereabouts},
        },
        ids::ResponderId,
        person::Private,
        place::InseeCode,
        territory::Territory,
        time::Instant,
    },
    engine::Place,
    grpc::pb,
    interop::hub::{codes, nir_key_holds},
};

use super::{
    fields::{Fields, LONGEST_LINE},
    phone::phone,
};

/// Most patients of one case.
const MOST_PATIENTS: usize = 20;
/// Below this age in years a patient is an infant (NOURRISSON, HubSante.patient).
const INFANT_BELOW_YEARS: u32 = 2;
/// The oldest age that is believed, years.
const OLDEST_YEARS: u32 = 130;

/// The parts of a request that say what is known.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Who calls.
    pub caller: Option<&'a pb::Caller>,
    /// Where.
    pub place: Option<&'a pb::Place>,
    /// What the contact may be used for.
    pub safety: Option<&'a pb::ContactSafety>,
    /// For whom.
    pub patients: &'a [pb::Patient],
}

/// Reads what is known, for the territory `ground` at `now`.
pub fn particulars(fields: &mut Fields, parts: Parts<'_>, ground: &Place, now: Instant) -> Particulars {
    let place = parts.place;
    Particulars {
        caller: parts.caller.map(|given| caller(fields, given)),
        address: place.filter(|given| !given.street.is_empty() || !given.access.is_empty()).map(|given| Address {
            street: line(fields, "place.street", &given.street),
            access: line(fields, "place.access", &given.access),
        }),
        place: place.and_then(|given| whereabouts(fields, given, &ground.territory, now)),
        safety: parts.safety.map(|given| ContactSafety {
            may_ring: given.may_ring,
            may_text: given.may_text,
            may_leave_message: given.may_leave_message,
        }),
        patients: patients(fields, parts.patients, ground, now),
    }
}

fn line(fields: &mut Fields, field: &str, text: &str) -> Private<String> {
    fields.optional_words(field, text, LONGEST_LINE).unwrap_or_default()
}

fn caller(fields: &mut Fields, given: &pb::Caller) -> Caller {
    Caller {
        name: line(fields, "caller.name", &given.name),
        phone: phone(fields, "caller.phone", &given.phone).unwrap_or_default(),
        call_back: phone(fields, "caller.call_back", &given.call_back).unwrap_or_default(),
        kind: listed(fields, "caller.kind", &given.kind, codes::CALLER_KINDS, "HubSante.typeAppelant"),
        language: listed(fields, "caller.language", &given.language, codes::LANGUAGES, "ISO 639-1, such as fr"),
    }
}

/// A code of a national list that may be left out.
pub fn listed(fields: &mut Fields, field: &str, text: &str, list: codes::Codes, name: &str) -> Option<String> {
    match text {
        "" => None,
        code if list.contains(&code) => Some(code.to_owned()),
        _ => fields.fault(field, format!("expected a code of {name}, got {} characters", text.chars().count())),
    }
}

fn whereabouts(fields: &mut Fields, given: &pb::Place, territory: &Territory, now: Instant) -> Option<Whereabouts> {
    let position = fields.position("place.position", given.position.as_ref());
    let commune = commune(fields, &given.commune, territory);
    let kind = place_kind(fields, &given.kind);
    let known = commune.is_some() || position.is_some() || kind.is_some();
    known.then(|| Whereabouts { kind, ..Whereabouts::within(territory, commune, position, now) })
}

/// A code of HubSante.lieu: a letter and three pairs of digits. Its list is long and grows: the shape is enough.
fn place_kind(fields: &mut Fields, text: &str) -> Option<String> {
    let pair = |part: &str| part.len() == 2 && part.chars().all(|c| c.is_ascii_digit());
    let pairs: Vec<&str> = text.strip_prefix('L').unwrap_or_default().split('.').collect();
    match text {
        "" => None,
        code if pairs.len() == 3 && pairs.iter().all(|part| pair(part)) => Some(code.to_owned()),
        _ => {
            let got = text.chars().count();
            fields.fault("place.kind", format!("expected a code of HubSante.lieu (L01.02.03), got {got} characters"))
        }
    }
}

/// A commune of the acting territory. Without a configuration folder every code of the département is believed.
fn commune(fields: &mut Fields, text: &str, territory: &Territory) -> Option<InseeCode> {
    let code: InseeCode = fields.optional("place.commune", text)?;
    let id = &territory.id;
    if code.territory() != *id {
        return fields.fault("place.commune", format!("lies outside {id}, for which you act: open it there"));
    }
    if territory.configured && !territory.communes.contains_key(&code) {
        let known = territory.communes.len();
        let problem = format!("no commune of {id} has this INSEE code: choose one of its {known} communes");
        return fields.fault("place.commune", problem);
    }
    Some(code)
}

fn patients(fields: &mut Fields, given: &[pb::Patient], ground: &Place, now: Instant) -> Vec<(Patient, Identity)> {
    if given.len() > MOST_PATIENTS {
        fields.fault::<()>("patients", format!("{} patients: at most {MOST_PATIENTS} in one case", given.len()));
    }
    let mut numbers = BTreeSet::new();
    let mut read = Vec::new();
    for (place, known) in given.iter().take(MOST_PATIENTS).enumerate() {
        let at = format!("patients[{place}]");
        let number = if known.number == 0 { u32::try_from(place + 1).unwrap_or(u32::MAX) } else { known.number };
        if !numbers.insert(number) {
            fields.fault::<()>(&format!("{at}.number"), "another patient of this request has this number");
            continue;
        }
        read.push(patient(fields, &at, number, known, ground, now));
    }
    read
}

fn patient(
    fields: &mut Fields,
    at: &str,
    number: u32,
    given: &pb::Patient,
    ground: &Place,
    now: Instant,
) -> (Patient, Identity) {
    let today = local_date(ground.territory.calendar.zone(), now);
    let born = born(fields, &format!("{at}.birth_date"), &given.birth_date, today);
    let age = age(fields, &format!("{at}.age_years"), given.age_years);
    let years = born.and_then(|born| today.years_since(born)).or(age);
    let patient = Patient {
        number,
        own_gp: own_gp(fields, &format!("{at}.own_gp_id"), &given.own_gp_id, ground),
        ald: given.ald,
        ehpad: given.ehpad,
        reduced_mobility: given.reduced_mobility,
        infant: given.infant.unwrap_or_else(|| years.is_some_and(|years| years < INFANT_BELOW_YEARS)),
        opposes_return: given.opposes_return,
    };
    let identity = Identity {
        number,
        name: line(fields, &format!("{at}.name"), &given.name),
        birth_date: Private::new(born.map(|born| born.to_string()).unwrap_or_default()),
        age_years: Private::new(age),
        sex: Private::new(fields.optional_code(&format!("{at}.sex"), given.sex)),
        nir: nir(fields, &format!("{at}.nir"), &given.nir),
        gp_name: line(fields, &format!("{at}.gp_name"), &given.gp_name),
    };
    (patient, identity)
}

fn born(fields: &mut Fields, field: &str, text: &str, today: NaiveDate) -> Option<NaiveDate> {
    if text.is_empty() {
        return None;
    }
    let date = (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten();
    match date {
        Some(date) if date <= today && today.years_since(date).is_some_and(|years| years <= OLDEST_YEARS) => Some(date),
        Some(_) => fields.fault(field, format!("expected a day of the last {OLDEST_YEARS} years, not in the future")),
        None => fields.fault(field, format!("expected a date as YYYY-MM-DD, got {} characters", text.chars().count())),
    }
}

fn age(fields: &mut Fields, field: &str, years: Option<u32>) -> Option<u32> {
    match years? {
        years if years <= OLDEST_YEARS => Some(years),
        _ => fields.fault(field, format!("expected whole years, 0 to {OLDEST_YEARS}")),
    }
}

fn own_gp(fields: &mut Fields, field: &str, text: &str, ground: &Place) -> Option<ResponderId> {
    let id: ResponderId = fields.optional(field, text)?;
    if ground.directory.get(&id).is_some() {
        return Some(id);
    }
    let problem = "the directory has no responder of this id: find it with DirectoryService.FindOwnGp, or leave this \
                   out and give gp_name";
    fields.fault(field, problem)
}

/// A wrong key is told and kept: it is for the patient's card to settle, not for the call.
fn nir(fields: &mut Fields, field: &str, text: &str) -> Private<String> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if compact.chars().count() > 15 {
        return fields
            .fault(field, format!("expected 15 characters with the key, got {}", compact.chars().count()))
            .unwrap_or_default();
    }
    if !compact.is_empty() && !nir_key_holds(&compact) {
        fields.warn(field, "NIR_KEY", "the key does not fit the number; kept, to be checked with the patient");
    }
    Private::new(compact)
}
