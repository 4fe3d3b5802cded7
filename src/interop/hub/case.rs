//! The root of RS-EDA and its qualification.

use super::{answer, codes, people, place};
use crate::{
    domain::{
        person::Private,
        regulation::{
            motives::Motive,
            need::CareLevel,
            qualification::{Priority, Stream},
        },
    },
    interop::{
        incoming::{Coded, IncomingCase, Source},
        json::Node,
        shapes,
    },
};

/// Reads a `createCaseHealth`; every property of the schema is checked, also those that are not kept.
pub(in crate::interop) fn create_case_health(node: &Node) -> Option<IncomingCase> {
    node.object(|o| {
        let case_id = o.required("caseId", |node| {
            node.matching("an identifier such as fr.health.samu670.DRFR15…", |text| shapes::dotted(text, 10))
        });
        let sender_case_id = o.optional("senderCaseId", Node::private);
        let created = o.required("creation", Node::hub_date_time);
        let stream = o.optional("perimeter", |node| node.one(Stream::ALL, Stream::code));
        let intervention = o.optional("interventionType", |node| node.code(codes::INTERVENTIONS));
        let qualification = o.required("qualification", qualification);
        let location = o.required("location", place::location);
        let alert = o.optional("initialAlert", people::alert);
        let owner = o.required("owner", |node| {
            node.matching("an organisation such as fr.health.samu670", |text| shapes::dotted(text, 9))
        });
        let patients = o.entries("patient", people::patient);
        let mut notes = o.entries("medicalNote", answer::medical_note);
        let decisions = o.entries("decision", answer::decision);
        o.optional("additionalInformation", additional_information);

        let location = location.unwrap_or_default();
        let qualification = qualification?;
        let (received, caller, mut all_notes) = match alert {
            Some(alert) => (alert.reception, alert.caller, alert.notes),
            None => (None, None, Vec::new()),
        };
        all_notes.append(&mut notes);
        let fallback = node.fallback();
        let territory = location.commune.map(|commune| commune.territory());
        let created = created.or(fallback.map(|fallback| fallback.now))?;
        Some(IncomingCase {
            source: Source::Hub { exercise: false },
            territory: territory.or(fallback.map(|fallback| fallback.territory.clone()))?,
            case_id: case_id.map(|id| Private::new(id.to_owned())),
            sender_case_id,
            created,
            received: received.unwrap_or(created),
            origin: qualification.origin,
            caller,
            location,
            motive: qualification.motive,
            what_happened: qualification.what_happened,
            location_kind: qualification.location_kind,
            risks: qualification.risks,
            priority: qualification.details.priority,
            care_level: qualification.details.care_level,
            stream,
            intervention,
            status: qualification.details.status,
            attribution: qualification.details.attribution,
            patients,
            notes: all_notes,
            decisions,
            owner: owner.map(Into::into),
            need: None,
            warnings: Vec::new(),
        })
    })
}

struct Qualification {
    origin: Option<&'static str>,
    motive: Option<Motive>,
    what_happened: Option<Coded>,
    location_kind: Option<Coded>,
    risks: Vec<Coded>,
    details: Details,
}

#[derive(Default)]
struct Details {
    status: Option<&'static str>,
    attribution: Option<&'static str>,
    priority: Option<Priority>,
    care_level: Option<CareLevel>,
}

fn qualification(node: &Node) -> Option<Qualification> {
    node.object(|o| {
        Some(Qualification {
            origin: o.optional("origin", |node| node.code(codes::ORIGINS)),
            risks: o.entries("riskThreat", |node| coded(node, "a code such as R12", |text| shapes::like("R99", text))),
            what_happened: o.optional("whatsHappen", |node| three_levels(node, 'C')),
            location_kind: o.optional("locationKind", |node| three_levels(node, 'L')),
            motive: o.optional("healthMotive", health_motive),
            details: o.optional("details", details).unwrap_or_default(),
        })
    })
}

fn details(node: &Node) -> Option<Details> {
    node.object(|o| {
        Some(Details {
            status: o.optional("status", |node| node.code(codes::STATUSES)),
            attribution: o.optional("attribution", |node| node.code(codes::ATTRIBUTIONS)),
            priority: o.optional("priority", |node| node.one(Priority::ALL, Priority::code)),
            care_level: o.optional("careLevel", |node| node.one(CareLevel::ALL, CareLevel::code)),
        })
    })
}

/// `C02.08.05`: a letter and three levels.
fn three_levels(node: &Node, letter: char) -> Option<Coded> {
    let expected = format!("a code such as {letter}02.08.05");
    coded(node, &expected, |text| text.starts_with(letter) && shapes::like("A99.99.99", text))
}

/// A code of its pattern and a label.
pub(super) fn coded(node: &Node, expected: &str, pattern: impl Fn(&str) -> bool) -> Option<Coded> {
    node.object(|o| {
        let code = o.required("code", |node| node.matching(expected, pattern));
        let label = o.required("label", Node::private);
        Some(Coded { code: code?.into(), label: label? })
    })
}

fn health_motive(node: &Node) -> Option<Motive> {
    let pattern = |text: &str| shapes::like("M99.99", text) || shapes::like("M99.99.99", text);
    let motive: Motive = coded(node, "a code such as M03.14 or M03.14.01", pattern)?.code.parse().ok()?;
    Some(kept_if_foreign(node, motive))
}

/// A motive the list lacks is no reason to lose a case: it is kept, and said.
pub(in crate::interop) fn kept_if_foreign(node: &Node, motive: Motive) -> Motive {
    if !motive.is_known() {
        node.warn(format!("motive {motive} is not in the national list (HubSante.motif); kept as given"));
    }
    motive
}

/// Free pairs of the sender, at most three; checked and not kept.
fn additional_information(node: &Node) -> Option<()> {
    node.object(|o| {
        let maps = o.at("customMap");
        let count = o.entries("customMap", |node| {
            node.object(|o| {
                o.required("key", Node::text);
                o.optional("label", Node::text);
                o.required("value", Node::text);
                o.optional("freetext", Node::text);
                Some(())
            })
        });
        if count.len() > 3 {
            maps.fault("a list of at most 3 entries");
        }
        Some(())
    })
}
