//! Who calls, who is ill and where: what is personal on the wire.

use crate::{
    domain::{
        case::{
            Case,
            sealed::{Caller, Identity},
            state::{ContactSafety, Patient},
        },
        place::Position,
    },
    grpc::pb,
};

use super::{super::codes::Coded, text};

/// Who calls.
pub fn caller(known: &Caller) -> pb::Caller {
    pb::Caller {
        name: known.name.reveal().clone(),
        phone: known.phone.reveal().clone(),
        call_back: known.call_back.reveal().clone(),
        kind: known.kind.clone().unwrap_or_default(),
        language: known.language.clone().unwrap_or_default(),
    }
}

/// Where the patient is, with the address.
pub fn place(case: &Case) -> pb::Place {
    let address = &case.sealed.address;
    pb::Place {
        position: case.place.position.map(position),
        street: address.street.reveal().clone(),
        access: address.access.reveal().clone(),
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
        sector_id: text(case.place.sector.as_ref()),
        kind: case.place.kind.clone().unwrap_or_default(),
    }
}

fn position(known: Position) -> pb::Position {
    pb::Position { lat: known.lat, lon: known.lon }
}

/// What a contact may be used for.
pub fn safety(known: ContactSafety) -> pb::ContactSafety {
    let ContactSafety { may_ring, may_text, may_leave_message } = known;
    pb::ContactSafety { may_ring, may_text, may_leave_message }
}

/// A patient, with who it is when the reader may know.
pub fn patient(known: &Patient, identity: Option<&Identity>) -> pb::Patient {
    let clear = pb::Patient {
        number: known.number,
        own_gp_id: text(known.own_gp.as_ref()),
        ald: known.ald,
        ehpad: known.ehpad,
        reduced_mobility: known.reduced_mobility,
        infant: Some(known.infant),
        opposes_return: known.opposes_return,
        ..pb::Patient::default()
    };
    let Some(who) = identity else { return clear };
    pb::Patient {
        name: who.name.reveal().clone(),
        birth_date: who.birth_date.reveal().clone(),
        age_years: *who.age_years.reveal(),
        sex: who.sex.reveal().map_or(0, Coded::wire),
        nir: who.nir.reveal().clone(),
        gp_name: who.gp_name.reveal().clone(),
        ..clear
    }
}
