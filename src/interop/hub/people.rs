//! Callers, patients and their doctors in RS-EDA.

use super::{case::coded, codes};
use crate::{
    domain::{age::Age, ins, person::Private, regulation::need::CareLevel, time::Instant},
    interop::{
        incoming::{Contact, IncomingCaller, IncomingNote, IncomingPatient, OwnGp, PersonName},
        json::{Node, Object},
        shapes,
    },
};

/// `initialAlert`: the call.
pub(super) struct Alert {
    pub(super) reception: Option<Instant>,
    pub(super) caller: Option<IncomingCaller>,
    pub(super) notes: Vec<IncomingNote>,
}

pub(super) fn alert(node: &Node) -> Option<Alert> {
    node.object(|o| {
        let reception = o.required("reception", Node::hub_date_time);
        let caller = o.required("caller", caller);
        let notes = o.entries("notes", alert_note);
        Some(Alert { reception, caller, notes: notes.into_iter().flatten().collect() })
    })
}

/// A note of the alert; one without words is nothing.
fn alert_note(node: &Node) -> Option<Option<IncomingNote>> {
    node.object(|o| {
        let at = o.optional("creation", Node::hub_date_time);
        let text = o.optional("freetext", Node::private);
        Some(text.map(|text| IncomingNote { at, role: None, patient: None, text }))
    })
}

fn caller(node: &Node) -> Option<IncomingCaller> {
    node.object(|o| {
        let with_channel = |node: &Node| contact(node, true);
        let contact = o.required("callerContact", with_channel).unwrap_or_default();
        let callback = o.optional("callbackContact", with_channel);
        let language = o.optional("language", |node| node.code(codes::LANGUAGES));
        let kind = o.optional("type", |node| node.code(codes::CALLER_KINDS));
        let difficulty = o.optional("communication", |node| node.code(codes::DIFFICULTIES));
        let note = o.optional("freetext", Node::private);
        let name = o.optional("detailedName", name);
        Some(IncomingCaller { contact, callback, language, kind, difficulty, name, note })
    })
}

/// A contact; a caller's also names its channel. One of no kind that is known may be a number all the same.
fn contact(node: &Node, channelled: bool) -> Option<Contact> {
    node.object(|o| {
        let channel = if channelled { o.required("channel", |node| node.code(codes::CHANNELS)) } else { None };
        let kind = o.required("type", |node| node.code(codes::CONTACT_KINDS));
        let detail = o.required("detail", Node::private);
        let contact = Contact { channel, kind: kind.unwrap_or("TEL"), detail: detail? };
        if contact.kind == "TEL" && contact.phone().is_none() {
            let size = contact.detail.reveal().chars().count();
            o.at("detail").warn(format!(
                "a telephone number is + and 5 to 18 digits, this has {size} characters; kept, and not to be dialled"
            ));
        }
        Some(contact)
    })
}

fn name(node: &Node) -> Option<PersonName> {
    node.object(|o| {
        let complete = o.required("complete", Node::private);
        let last = o.optional("lastName", Node::private);
        let first = o.optional("firstName", Node::private);
        Some(PersonName { complete: complete?, last, first })
    })
}

/// The pattern of `patientId`.
pub(super) fn patient_id(node: &Node) -> Option<Private<String>> {
    let expected = "an identifier such as fr.health.samu670.patient.DRFR15….1";
    node.matching(expected, |text| shapes::dotted_around(text, "patient")).map(|id| Private::new(id.to_owned()))
}

pub(super) fn patient(node: &Node) -> Option<IncomingPatient> {
    node.object(|o| {
        let mut patient = IncomingPatient { id: o.required("patientId", patient_id), ..IncomingPatient::default() };
        o.optional("administrativeFile", |node| node.object(|o| administrative_file(o, &mut patient)));
        o.optional("identity", |node| node.object(|o| identity(o, &mut patient)));
        o.optional("detail", |node| node.object(|o| detail(o, &mut patient)));
        patient.diagnoses = o.optional("hypothesis", hypothesis).unwrap_or_default();
        Some(patient)
    })
}

fn administrative_file(o: &Object, patient: &mut IncomingPatient) -> Option<()> {
    patient.external_ids = o.entries("externalId", external_id);
    patient.own_gp = o.optional("generalPractitioner", |node| {
        node.object(|o| {
            let name = o.required("detailedName", name);
            let rpps = o.optional("rppsId", Node::private);
            let contacts = o.entries("contact", |node| contact(node, false));
            Some(OwnGp { name: name?, rpps, contacts })
        })
    });
    Some(())
}

fn external_id(node: &Node) -> Option<(&'static str, Private<String>)> {
    node.object(|o| {
        let source = o.required("source", |node| node.code(codes::PATIENT_ID_SOURCES));
        let value = o.required("value", Node::private);
        let (source, value) = (source?, value?);
        if source == "NIR" && ins::number(value.reveal()).is_err() {
            o.at("value")
                .warn("the key of the social security number does not fit; kept, to be checked with the patient");
        }
        Some((source, value))
    })
}

fn identity(o: &Object, patient: &mut IncomingPatient) -> Option<()> {
    patient.name = o.optional("nonStrictFeatures", name);
    o.optional("strictFeatures", |node| {
        node.object(|o| {
            patient.birth_name = o.optional("birthName", Node::private);
            patient.birth_date = o.optional("birthDate", birth_date).flatten();
            patient.sex = o.optional("sex", |node| node.code(codes::SEXES));
            Some(())
        })
    })
}

/// A date by its characters; a day that no calendar has is left out with a warning.
fn birth_date(node: &Node) -> Option<Option<Private<String>>> {
    let text = node.matching("a date such as 1950-01-31", |text| shapes::like("9999-99-99", text))?;
    if shapes::date(text).is_none() {
        node.warn("no calendar has this day; left out");
        return Some(None);
    }
    Some(Some(Private::new(text.to_owned())))
}

/// An age by its characters; one that nobody reaches is left out with a warning.
fn age(node: &Node) -> Option<Option<Age>> {
    let digits = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    let one_unit = |text: &str| {
        text.strip_prefix('P').and_then(|rest| rest.strip_suffix(['Y', 'M', 'W', 'D'])).is_some_and(digits)
    };
    let text = node.matching("an age as an ISO 8601 duration of one unit such as P65Y, P18M, P3W or P5D", one_unit)?;
    let age = text.parse().ok();
    if age.is_none() {
        node.warn("nobody reaches this age; left out");
    }
    Some(age)
}

fn detail(o: &Object, patient: &mut IncomingPatient) -> Option<()> {
    patient.weight_kg = o.optional("weight", Node::number).map(Private::new);
    patient.height = o.optional("height", Node::number).map(Private::new);
    patient.age = o.optional("age", age).flatten();
    patient.care_level = o.optional("careLevel", |node| node.one(CareLevel::ALL, CareLevel::code));
    patient.history = o.optional("medicalHistory", Node::private);
    patient.treatment = o.optional("treatment", Node::private);
    Some(())
}

fn hypothesis(node: &Node) -> Option<Vec<Private<String>>> {
    let diagnosis = |node: &Node| {
        coded(node, "an ICD-10 code such as R50.9", shapes::diagnosis).map(|d| Private::new(String::from(d.code)))
    };
    node.object(|o| {
        let mut all: Vec<_> = o.optional("mainDiagnosis", diagnosis).into_iter().collect();
        all.extend(o.entries("otherDiagnosis", diagnosis));
        Some(all)
    })
}
