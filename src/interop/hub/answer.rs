//! Notes and decisions in RS-EDA.

use super::{codes, people, place};
use crate::interop::{
    incoming::{IncomingDecision, IncomingNote},
    json::Node,
    shapes,
};

pub(super) fn medical_note(node: &Node) -> Option<IncomingNote> {
    node.object(|o| {
        let patient = o.optional("patientId", people::patient_id);
        let role = o.required("operator", operator);
        o.required("medicalNoteId", |node| {
            node.matching("an identifier such as fr.health.samu670.medicalNote.1", |text| {
                shapes::dotted_around(text, "medicalNote")
            })
        });
        let at = o.optional("creation", Node::hub_date_time);
        let text = o.required("freetext", Node::private);
        Some(IncomingNote { at, role, patient, text: text? })
    })
}

pub(super) fn decision(node: &Node) -> Option<IncomingDecision> {
    node.object(|o| {
        let patient = o.optional("patientId", Node::private);
        let at = o.required("creation", Node::hub_date_time);
        let role = o.required("operator", operator);
        let kind = o.required("decisionType", |node| node.code(codes::DECISIONS));
        let resource = o.optional("resourceType", |node| node.code(codes::RESOURCES));
        let medical_transport = o.optional("medicalTransport", Node::flag);
        let orientation = o.optional("orientationType", |node| node.code(codes::ORIENTATIONS));
        let destination = o.optional("destination", |node| {
            node.object(|o| {
                o.entries("externalLocationId", place::external_location_id);
                Some(o.optional("freetext", Node::private))
            })
        });
        Some(IncomingDecision {
            at: at?,
            role: role?,
            kind: kind?,
            patient,
            resource,
            medical_transport,
            orientation,
            destination: destination.flatten(),
        })
    })
}

/// The writer's role; the `label` may be a name and is not kept.
fn operator(node: &Node) -> Option<&'static str> {
    node.object(|o| {
        o.optional("label", Node::text);
        o.required("role", |node| node.code(codes::ROLES))
    })
}
