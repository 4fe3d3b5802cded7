//! What is known of caller, place and patients, from the wire. Only the shape of values and what configuration knows is
//! checked; what it means for the case is the domain's to say.

use std::fmt::Display;

use crate::{
    domain::{
        actor::Actor,
        case::{
            command::Particulars,
            sealed::{Address, Caller, WayIn},
            state::{ContactSafety, Whereabouts},
        },
        person::Private,
        place::InseeCode,
        territory::Territory,
        time::Instant,
    },
    engine::Place,
    grpc::pb,
    interop::hub::codes,
};

use super::{
    fields::{Fields, LONGEST_LINE},
    patient::patients,
    phone::phone,
};

/// Name of the list of languages.
pub(super) const LANGUAGE: &str = "ISO 639-1, such as fr";
/// Longest name of a partner centre, and longest tie to a patient, characters.
pub(super) const LONGEST_NAME: usize = 100;
/// Longest number of a case at a partner centre, characters.
const LONGEST_REFERENCE: usize = 64;

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

/// Where, by whom and when what is known was said.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The acting territory.
    pub place: &'a Place,
    /// Who asks.
    pub actor: &'a Actor,
    /// The instant at which it holds.
    pub now: Instant,
}

/// Reads what is known.
pub fn particulars(fields: &mut Fields, parts: Parts<'_>, ground: Ground<'_>) -> Particulars {
    let place = parts.place;
    Particulars {
        caller: parts.caller.map(|given| caller(fields, given)),
        address: place.map(|given| address(fields, given)).filter(|read| *read != Address::default()),
        place: place.and_then(|given| whereabouts(fields, given, &ground.place.territory, ground.now)),
        safety: parts.safety.map(|given| ContactSafety {
            may_ring: given.may_ring,
            may_text: given.may_text,
            may_leave_message: given.may_leave_message,
            risk: fields.optional_code("safety.risk", given.risk),
        }),
        patients: patients(fields, parts.patients, ground),
        motive: None,
        activates: None,
        possible_repeat: false,
    }
}

fn address(fields: &mut Fields, given: &pb::Place) -> Address {
    let none = pb::WayIn::default();
    let way_in = given.way_in.as_ref().unwrap_or(&none);
    let mut part = |field: &str, text: &str| line(fields, field, text);
    let way_in = WayIn {
        building: part("place.way_in.building", &way_in.building),
        entrance: part("place.way_in.entrance", &way_in.entrance),
        floor: part("place.way_in.floor", &way_in.floor),
        door: part("place.way_in.door", &way_in.door),
        code: part("place.way_in.code", &way_in.code),
        interphone: part("place.way_in.interphone", &way_in.interphone),
        lift: part("place.way_in.lift", &way_in.lift),
        service: part("place.way_in.service", &way_in.service),
    };
    Address {
        street: line(fields, "place.street", &given.street),
        access: line(fields, "place.access", &given.access),
        way_in,
    }
}

/// A line of text that may be left out.
pub(super) fn line(fields: &mut Fields, field: impl Display, text: &str) -> Private<String> {
    fields.optional_words(field, text, LONGEST_LINE).unwrap_or_default()
}

fn caller(fields: &mut Fields, given: &pb::Caller) -> Caller {
    Caller {
        name: line(fields, "caller.name", &given.name),
        phone: phone(fields, "caller.phone", &given.phone).unwrap_or_default(),
        call_back: phone(fields, "caller.call_back", &given.call_back).unwrap_or_default(),
        kind: listed(fields, "caller.kind", &given.kind, codes::CALLER_KINDS, "HubSante.typeAppelant"),
        language: listed(fields, "caller.language", &given.language, codes::LANGUAGES, LANGUAGE),
        difficulty: listed(
            fields,
            "caller.difficulty",
            &given.difficulty,
            codes::DIFFICULTIES,
            "HubSante.communication",
        ),
        partner: short(fields, "caller.partner", &given.partner, LONGEST_NAME),
        partner_reference: short(fields, "caller.partner_reference", &given.partner_reference, LONGEST_REFERENCE),
    }
}

/// A text of at most so many characters that may be left out.
pub(super) fn short(fields: &mut Fields, field: impl Display, text: &str, longest: usize) -> Private<String> {
    fields.optional_words(field, text, longest).unwrap_or_default()
}

/// A code of a national list that may be left out.
pub fn listed(fields: &mut Fields, field: impl Display, text: &str, list: codes::Codes, name: &str) -> Option<String> {
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
