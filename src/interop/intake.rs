//! An incoming case as the commands that open and qualify it here.

use chrono::NaiveDate;

use super::{
    incoming::{IncomingCaller, IncomingCase, IncomingPatient, IncomingPlace, Source},
    remarks,
};
use crate::domain::{
    age::{Age, AgeUnit},
    calendar::local_date,
    case::{
        command::{Open, Particulars, Qualify},
        fact::Opened,
        patient::{INFANT_BELOW_YEARS, MINOR_BELOW_YEARS},
        sealed::{Address, Caller, Identity, Sex, WayIn},
        state::{Channel, Line, Patient, Whereabouts},
    },
    person::Private,
    phone::e164,
    regulation::{
        motives::Motive,
        need::{CareLevel, CareType, Constraints, LongestDelay, Need},
        qualification::{Flag, Priority, Stream},
    },
    territory::Territory,
    time::Instant,
};

/// Longest name of a partner centre, characters.
const LONGEST_PARTNER: usize = 100;
/// Longest number of a case at a partner centre, characters.
const LONGEST_REFERENCE: usize = 64;
/// Weights that are believed, grams.
const WEIGHTS_GRAMS: std::ops::RangeInclusive<f64> = 200.0..=500_000.0;
/// The motive of a message that names none: M06.04, "Autre motif".
const NO_MOTIVE: &str = "M06.04";

/// The command that opens the case as it came; `at` is the instant whose legal period decides the sector.
pub fn open(incoming: &IncomingCase, territory: &Territory, at: Instant) -> Open {
    let opened = Opened {
        channel: Channel::Hub,
        origin: incoming.origin.map(str::to_owned),
        arrived: incoming.received,
        call: None,
        number_form: None,
        line: line(incoming),
    };
    let vital = incoming.priority == Some(Priority::P0);
    let note = notes(incoming, territory);
    Open {
        opened,
        answered: true,
        vital,
        particulars: particulars(incoming, territory, at),
        note,
        paper: None,
        heard: None,
    }
}

/// The command that qualifies it as the sender did. A message without a priority is regulated as P2, the national default
/// value (HubSante.priorite), and so is one without regulation whose motive is of the body or the mind.
pub fn qualify(incoming: &IncomingCase) -> Qualify {
    let barrier = incoming.caller.as_ref().is_some_and(|known| caller(known).barrier());
    let asked = incoming.priority.unwrap_or(Priority::P2);
    let medical = incoming.motive.as_ref().is_some_and(Motive::medical);
    let priority = if asked == Priority::NotRegulated && medical { Priority::P2 } else { asked };
    let flags = barrier.then_some(Flag::CommunicationBarrier).into_iter().collect();
    Qualify {
        skill: None,
        priority,
        stream: incoming.stream.unwrap_or_else(|| stream(incoming)),
        motive: Some(incoming.motive.as_ref().map_or(NO_MOTIVE, Motive::code).to_owned()),
        flags,
        symptoms: priority != Priority::NotRegulated,
        protocol: None,
        waiting: None,
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
    // A place of another territory has no sector here; the note names it.
    let commune = place.commune.filter(|_| incoming.territory == territory.id);
    let today = local_date(territory.calendar.zone(), incoming.received.min(at));
    Particulars {
        caller: Some(sender(incoming)).filter(|known| *known != Caller::default()),
        address: Some(address(place)),
        place: Some(Whereabouts::within(territory, commune, position, at)),
        safety: None,
        patients: incoming.patients.iter().zip(1..).map(|(known, number)| patient(known, number, today)).collect(),
        motive: None,
        activates: None,
        possible_repeat: false,
    }
}

/// Who called, and the centre that passed the call on with its own number of the case.
fn sender(incoming: &IncomingCase) -> Caller {
    let known = incoming.caller.as_ref().map(caller).unwrap_or_default();
    if incoming.source == Source::RequestLine {
        return known;
    }
    let owner = incoming.owner.as_deref().unwrap_or_default();
    let reference = incoming.sender_case_id.clone().or_else(|| incoming.case_id.clone()).unwrap_or_default();
    let fits = |text: &str, longest: usize| text.chars().take(longest).collect::<String>();
    Caller {
        partner: Private::new(fits(owner, LONGEST_PARTNER)),
        partner_reference: Private::new(fits(reference.reveal(), LONGEST_REFERENCE)),
        ..known
    }
}

fn caller(incoming: &IncomingCaller) -> Caller {
    Caller {
        name: incoming.name.as_ref().map(|name| name.complete.clone()).unwrap_or_default(),
        phone: incoming.contact.phone().map(dialled).unwrap_or_default(),
        call_back: incoming.callback.as_ref().and_then(|contact| contact.phone()).map(dialled).unwrap_or_default(),
        kind: incoming.kind.map(str::to_owned),
        language: incoming.language.map(str::to_owned),
        difficulty: incoming.difficulty.map(str::to_owned),
        ..Caller::default()
    }
}

/// In the one form in which callers are compared; what has another shape stays as it came.
fn dialled(number: &Private<String>) -> Private<String> {
    e164(number.reveal()).map_or_else(|| number.clone(), Private::new)
}

fn address(place: &IncomingPlace) -> Address {
    Address {
        street: place.address.clone().unwrap_or_default(),
        access: place.note.clone().unwrap_or_default(),
        way_in: way_in(&place.access),
    }
}

/// The properties of `access` by their names; several codes stand in one text.
fn way_in(parts: &[(String, Private<String>)]) -> WayIn {
    let mut way_in = WayIn::default();
    for (name, text) in parts {
        let part = match name.split('[').next().unwrap_or_default() {
            "floor" => &mut way_in.floor,
            "roomNumber" => &mut way_in.door,
            "interphone" => &mut way_in.interphone,
            "elevator" => &mut way_in.lift,
            "buildingName" => &mut way_in.building,
            "entrance" => &mut way_in.entrance,
            "entity" => &mut way_in.service,
            _ => &mut way_in.code,
        };
        let known = std::mem::take(part);
        let whole = [known.reveal(), text.reveal()].into_iter().filter(|text| !text.is_empty());
        *part = Private::new(whole.map(String::as_str).collect::<Vec<_>>().join(" ; "));
    }
    way_in
}

/// A patient on the local day of the call. Who is known only by a date of birth has an age all the same: for an infant a
/// doctor decides.
fn patient(incoming: &IncomingPatient, number: u32, today: NaiveDate) -> (Patient, Identity) {
    let age_years = incoming.age.map(Age::years);
    let born = incoming.birth_date.as_ref().and_then(|date| date.reveal().parse::<NaiveDate>().ok());
    let years = born.and_then(|born| today.years_since(born)).or(age_years);
    let flags = incoming.flags;
    let patient = Patient {
        number,
        own_gp: incoming.own_gp_id.clone(),
        ald: flags.ald,
        ehpad: flags.ehpad,
        reduced_mobility: flags.reduced_mobility,
        infant: years.is_some_and(|years| years < INFANT_BELOW_YEARS),
        minor: years.is_some_and(|years| years < MINOR_BELOW_YEARS),
        no_gp: flags.no_gp,
        ..Patient::default()
    };
    let nir = incoming.external_ids.iter().find(|(source, _)| *source == "NIR").map(|(_, value)| value.clone());
    let identity = Identity {
        number,
        name: incoming.name.as_ref().map(|name| name.complete.clone()).unwrap_or_default(),
        birth_date: incoming.birth_date.clone().unwrap_or_default(),
        age_years: Private::new(age_years),
        age: Private::new(incoming.age.filter(|age| age.unit() != AgeUnit::Years)),
        weight_grams: Private::new(incoming.weight_kg.as_ref().and_then(|kilograms| grams(*kilograms.reveal()))),
        birth_name: incoming.birth_name.clone().unwrap_or_default(),
        sex: Private::new(incoming.sex.and_then(|code| code.parse::<Sex>().ok())),
        nir: nir.unwrap_or_default(),
        gp_name: incoming.own_gp.as_ref().map(|gp| gp.name.complete.clone()).unwrap_or_default(),
        ..Identity::default()
    };
    (patient, identity)
}

/// A weight that a person can have; another one is left out.
fn grams(kilograms: f64) -> Option<u32> {
    let grams = (kilograms * 1_000.0).round();
    WEIGHTS_GRAMS.contains(&grams).then_some(grams as u32)
}

fn line(incoming: &IncomingCase) -> Line {
    let known = incoming.caller.as_ref().is_some_and(|caller| {
        caller.contact.phone().is_some() || caller.callback.as_ref().is_some_and(|contact| contact.phone().is_some())
    });
    if known { Line::CallBack } else { Line::NoContact }
}

/// What was written down, and after it what the message says and a case has no field for.
fn notes(incoming: &IncomingCase, territory: &Territory) -> Option<Private<String>> {
    let written = incoming.notes.iter().map(|note| note.text.reveal().clone());
    let texts: Vec<String> = written.chain(remarks::remarks(incoming, territory)).collect();
    (!texts.is_empty()).then(|| Private::new(texts.join("\n")))
}

/// True when nobody is ill: an exercise, which is never mixed with real cases.
pub fn exercise(incoming: &IncomingCase) -> bool {
    matches!(incoming.source, Source::Hub { exercise: true })
}
