//! An incoming case as the commands that open and qualify it here.

use super::incoming::{IncomingCaller, IncomingCase, IncomingPatient, IncomingPlace, Source};
use crate::domain::{
    case::{
        command::{Open, Particulars, Qualify},
        fact::Opened,
        sealed::{Address, Caller, Identity, Sex},
        state::{Channel, Line, Patient, Whereabouts},
    },
    person::Private,
    regulation::{
        motives::Motive,
        need::{CareLevel, CareType, Constraints, LongestDelay, Need},
        qualification::{Flag, Priority, Stream},
    },
    territory::Territory,
    time::Instant,
};

/// Below this age a patient is an infant (NOURRISSON, HubSante.patient).
const INFANT_BELOW_YEARS: u16 = 2;
/// The motive of a message that names none: M06.04, "Autre motif".
const NO_MOTIVE: &str = "M06.04";

/// The command that opens the case as it came; `at` is the instant whose legal period decides the sector.
pub fn open(incoming: &IncomingCase, territory: &Territory, at: Instant) -> Open {
    let opened = Opened {
        channel: Channel::Hub,
        origin: incoming.origin.map(str::to_owned),
        arrived: incoming.received,
        call: None,
        line: line(incoming),
    };
    let vital = incoming.priority == Some(Priority::P0);
    let note = notes(incoming);
    Open { opened, answered: true, vital, particulars: particulars(incoming, territory, at), note, paper: None }
}

/// The command that qualifies it as the sender did. A message without a priority is regulated as P2, the national default
/// value (HubSante.priorite).
pub fn qualify(incoming: &IncomingCase) -> Qualify {
    let mut flags = Vec::new();
    if incoming.caller.as_ref().is_some_and(|caller| caller.difficulty.is_some_and(|code| code != "AUCUNE")) {
        flags.push(Flag::CommunicationBarrier);
    }
    Qualify {
        skill: None,
        priority: incoming.priority.unwrap_or(Priority::P2),
        stream: incoming.stream.unwrap_or_else(|| stream(incoming)),
        motive: Some(incoming.motive.as_ref().map_or(NO_MOTIVE, Motive::code).to_owned()),
        flags,
        symptoms: incoming.priority != Some(Priority::NotRegulated),
        protocol: None,
        particulars: Particulars::default(),
        note: None,
        answers: Vec::new(),
        lower_reason: None,
        appointment: None,
    }
}

/// The need the message carries, or one assumed so that the way can be shown: a consultation within a day.
pub fn need(incoming: &IncomingCase) -> Need {
    let assumed = (CareType::Consultation, CareLevel::R3, LongestDelay::H24);
    let (care, level, longest_delay) =
        incoming.need.as_ref().map_or(assumed, |need| (need.care, need.level, need.longest_delay));
    let reasons = incoming.motive.iter().map(|motive| motive.code().to_owned()).collect();
    Need { patient: 1, care, level, longest_delay, constraints: Constraints::default(), reasons }
}

/// Where a message names no stream, who regulated it says (HubSante.attribution), or else how urgent it is.
fn stream(incoming: &IncomingCase) -> Stream {
    match (incoming.attribution, incoming.priority) {
        (Some(code), _) if code.starts_with("DRM.MRU") => Stream::Amu,
        (Some("DRM.SPE.PSY"), _) => Stream::Psy,
        (None, Some(Priority::P0 | Priority::P1)) => Stream::Amu,
        _ => Stream::Snp,
    }
}

fn particulars(incoming: &IncomingCase, territory: &Territory, at: Instant) -> Particulars {
    let place = &incoming.location;
    let position = place.position.as_ref().map(|position| *position.reveal());
    Particulars {
        caller: incoming.caller.as_ref().map(caller),
        address: Some(address(place)),
        place: Some(Whereabouts::within(territory, place.commune, position, at)),
        safety: None,
        patients: incoming.patients.iter().zip(1..).map(|(known, number)| patient(known, number)).collect(),
    }
}

fn caller(incoming: &IncomingCaller) -> Caller {
    Caller {
        name: incoming.name.as_ref().map(|name| name.complete.clone()).unwrap_or_default(),
        phone: incoming.contact.phone().cloned().unwrap_or_default(),
        call_back: incoming.callback.as_ref().and_then(|contact| contact.phone()).cloned().unwrap_or_default(),
        kind: incoming.kind.map(str::to_owned),
        language: incoming.language.map(str::to_owned),
    }
}

fn address(place: &IncomingPlace) -> Address {
    let access = place.access.iter().map(|(what, text)| format!("{what} : {}", text.reveal()));
    let words = access.chain(place.note.iter().map(|note| note.reveal().clone())).collect::<Vec<_>>().join(" ; ");
    Address { street: place.address.clone().unwrap_or_default(), access: Private::new(words) }
}

fn patient(incoming: &IncomingPatient, number: u32) -> (Patient, Identity) {
    let years = incoming.age.map(super::age::Age::years);
    let flags = incoming.flags;
    let patient = Patient {
        number,
        own_gp: incoming.own_gp_id.clone(),
        ald: flags.ald,
        ehpad: flags.ehpad,
        reduced_mobility: flags.reduced_mobility,
        infant: years.is_some_and(|years| years < INFANT_BELOW_YEARS),
        opposes_return: false,
    };
    let nir = incoming.external_ids.iter().find(|(source, _)| *source == "NIR").map(|(_, value)| value.clone());
    let identity = Identity {
        number,
        name: incoming.name.as_ref().map(|name| name.complete.clone()).unwrap_or_default(),
        birth_date: incoming.birth_date.clone().unwrap_or_default(),
        age_years: Private::new(years.map(u32::from)),
        sex: Private::new(incoming.sex.and_then(|code| code.parse::<Sex>().ok())),
        nir: nir.unwrap_or_default(),
        gp_name: incoming.own_gp.as_ref().map(|gp| gp.name.complete.clone()).unwrap_or_default(),
    };
    (patient, identity)
}

fn line(incoming: &IncomingCase) -> Line {
    let known = incoming.caller.as_ref().is_some_and(|caller| {
        caller.contact.phone().is_some() || caller.callback.as_ref().is_some_and(|contact| contact.phone().is_some())
    });
    if known { Line::CallBack } else { Line::NoContact }
}

fn notes(incoming: &IncomingCase) -> Option<Private<String>> {
    let texts: Vec<_> = incoming.notes.iter().map(|note| note.text.reveal().as_str()).collect();
    (!texts.is_empty()).then(|| Private::new(texts.join("\n")))
}

/// True when nobody is ill: an exercise, which is never mixed with real cases.
pub fn exercise(incoming: &IncomingCase) -> bool {
    matches!(incoming.source, Source::Hub { exercise: true })
}
