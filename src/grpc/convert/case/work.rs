//! Actions, visits and notes on the wire.

use crate::{
    domain::{
        case::{Action, ActionState, Owner, sealed::Note},
        visits::Visit,
    },
    grpc::pb,
};

use super::{super::codes::Coded, ms, text};

/// Something to be done, or done.
pub fn action(known: &Action) -> pb::Action {
    let (ended, end) = match known.state {
        ActionState::Open { .. } => (None, None),
        ActionState::Ended { at, end } => (Some(at), Some(end)),
    };
    pb::Action {
        action_id: known.id.to_string(),
        kind: known.kind.wire(),
        label: known.kind.label().to_owned(),
        owner: Some(owner(&known.owner)),
        opened_unix_ms: known.opened.unix_ms(),
        deadline_unix_ms: known.deadline.unix_ms(),
        decision_id: text(known.about.decision.as_ref()),
        offer_id: text(known.about.offer.as_ref()),
        visit_id: text(known.about.visit.as_ref()),
        alarmed_unix_ms: ms(known.alarmed()),
        ended_unix_ms: ms(ended),
        end: end.map_or(0, Coded::wire),
    }
}

fn owner(known: &Owner) -> pb::Owner {
    use pb::owner::Who;
    let who = match known {
        Owner::Person(person) => Who::Person(person.to_string()),
        Owner::Responder(responder) => Who::ResponderId(responder.to_string()),
        Owner::Desk(role, stream) => Who::Desk(pb::Desk { role: role.wire(), stream: stream.map_or(0, Coded::wire) }),
    };
    pb::Owner { who: Some(who) }
}

/// A home visit.
pub fn visit(known: &Visit) -> pb::Visit {
    let step = |(status, at): &(crate::domain::visits::VisitStatus, crate::domain::time::Instant)| pb::VisitStep {
        status: status.wire(),
        at_unix_ms: at.unix_ms(),
    };
    pb::Visit {
        visit_id: known.id.to_string(),
        decision_id: known.decision.to_string(),
        offer_id: known.offer.to_string(),
        responder_id: known.responder.to_string(),
        sector_id: known.sector.to_string(),
        due_unix_ms: known.due.unix_ms(),
        status: known.status.wire(),
        doctor: text(known.doctor.as_ref().map(|(doctor, _)| doctor)),
        shift_id: text(known.doctor.as_ref().map(|(_, shift)| shift)),
        history: known.history.iter().map(step).collect(),
    }
}

/// A note.
pub fn note(known: &Note) -> pb::Note {
    pb::Note {
        note_id: known.id.to_string(),
        kind: known.kind.wire(),
        by: known.by.to_string(),
        at_unix_ms: known.at.unix_ms(),
        visit_id: text(known.visit.as_ref()),
        decision_id: text(known.decision.as_ref()),
        text: known.text.reveal().clone(),
    }
}
