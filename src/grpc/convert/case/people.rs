//! Who calls, who is ill and where: what is personal on the wire.

use crate::{
    domain::{
        case::{
            Case, callers,
            outgoing::{self, Outgoing, Withheld},
            patient::Consent,
            sealed::{Caller, Identity, Representative, WayIn},
            state::{ContactSafety, Patient},
        },
        person::Private,
        place::Position,
    },
    grpc::pb,
};

use super::{super::codes::Coded, ms, text};

/// Who calls.
pub fn caller(known: &Caller) -> pb::Caller {
    pb::Caller {
        name: known.name.reveal().clone(),
        phone: known.phone.reveal().clone(),
        call_back: known.call_back.reveal().clone(),
        kind: known.kind.clone().unwrap_or_default(),
        language: known.language.clone().unwrap_or_default(),
        difficulty: known.difficulty.clone().unwrap_or_default(),
        partner: known.partner.reveal().clone(),
        partner_reference: known.partner_reference.reveal().clone(),
        kind_label: label(&callers::KINDS, known.kind.as_deref()),
        difficulty_label: label(&callers::DIFFICULTIES, known.difficulty.as_deref()),
    }
}

fn label(list: &[callers::Labelled], code: Option<&str>) -> String {
    code.and_then(|code| callers::label(list, code)).unwrap_or_default().to_owned()
}

fn way_in(known: &WayIn) -> pb::WayIn {
    let text = |part: &Private<String>| part.reveal().clone();
    pb::WayIn {
        building: text(&known.building),
        entrance: text(&known.entrance),
        floor: text(&known.floor),
        door: text(&known.door),
        code: text(&known.code),
        interphone: text(&known.interphone),
        lift: text(&known.lift),
        service: text(&known.service),
    }
}

/// Where the patient is, with the address.
pub fn place(case: &Case) -> pb::Place {
    let address = &case.sealed.address;
    pb::Place {
        position: case.place.position.map(position),
        street: address.street.reveal().clone(),
        access: address.access.reveal().clone(),
        way_in: (address.way_in != WayIn::default()).then(|| way_in(&address.way_in)),
        ..surroundings(case)
    }
}

/// Where the patient is as far as everybody may know: the commune and its sector.
pub(super) fn surroundings(case: &Case) -> pb::Place {
    pb::Place {
        commune: text(case.place.commune.as_ref()),
        position: None,
        street: String::new(),
        access: String::new(),
        way_in: None,
        sector_id: text(case.place.sector.as_ref()),
        kind: case.place.kind.clone().unwrap_or_default(),
    }
}

fn position(known: Position) -> pb::Position {
    pb::Position { lat: known.lat, lon: known.lon }
}

/// What a contact may be used for.
pub fn safety(known: ContactSafety) -> pb::ContactSafety {
    let ContactSafety { may_ring, may_text, may_leave_message, risk } = known;
    pb::ContactSafety { may_ring, may_text, may_leave_message, risk: risk.map_or(0, Coded::wire) }
}

/// What must not be sent about a case.
pub fn withheld(case: &Case) -> Vec<pb::Withheld> {
    let told = |(what, patient, why): (Outgoing, u32, Withheld)| pb::Withheld {
        kind: what.wire(),
        patient,
        reason: why.wire(),
        label: [what.label(), " : ", why.label()].concat(),
    };
    outgoing::withheld(case).into_iter().map(told).collect()
}

/// A patient, with who it is when the reader may know.
pub fn patient(known: &Patient, identity: Option<&Identity>) -> pb::Patient {
    let clear = pb::Patient {
        number: known.number,
        own_gp_id: text(known.own_gp.as_ref()),
        ald: known.ald,
        ehpad: known.ehpad,
        reduced_mobility: known.reduced_mobility,
        isolated: known.isolated,
        noted_in_error: known.noted_in_error,
        infant: Some(known.infant),
        no_gp: known.no_gp,
        pregnant: known.pregnant,
        minor: Some(known.minor),
        secrecy: known.secrecy,
        identity_unknown: known.identity_unknown,
        consents: known.consents.iter().map(consent).collect(),
        ..pb::Patient::default()
    };
    let Some(who) = identity else { return clear };
    pb::Patient {
        name: who.name.reveal().clone(),
        birth_date: who.birth_date.reveal().clone(),
        age_years: *who.age_years.reveal(),
        age: who.age.reveal().as_ref().map(ToString::to_string).unwrap_or_default(),
        weight_grams: *who.weight_grams.reveal(),
        ins_status: who.ins_status.reveal().map_or(0, Coded::wire),
        ins_authority: who.ins_authority.reveal().map_or(0, Coded::wire),
        birth_name: who.birth_name.reveal().clone(),
        birth_first_names: who.birth_first_names.reveal().clone(),
        birth_place: who.birth_place.reveal().clone(),
        representative: representative(&who.representative),
        sex: who.sex.reveal().map_or(0, Coded::wire),
        nir: who.nir.reveal().clone(),
        gp_name: who.gp_name.reveal().clone(),
        ..clear
    }
}

fn consent(known: &Consent) -> pb::Consent {
    pb::Consent {
        recipient: known.recipient.wire(),
        wish: known.wish.wire(),
        form: known.form.map_or(0, Coded::wire),
        at_unix_ms: ms(known.at),
    }
}

fn representative(known: &Representative) -> Option<pb::Representative> {
    let text = |part: &Private<String>| part.reveal().clone();
    let told = pb::Representative { name: text(&known.name), phone: text(&known.phone), tie: text(&known.tie) };
    (*known != Representative::default()).then_some(told)
}
