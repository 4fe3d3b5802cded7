//! Actions, visits and notes on the wire.

use crate::{
    domain::{
        case::{Action, ActionState, Owner, sealed::Note},
        ids::Canonical,
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
        action_id: known.id.text(),
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
        Owner::Person(person) => Who::Person(person.text()),
        Owner::Responder(responder) => Who::ResponderId(responder.text()),
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
        visit_id: known.id.text(),
        decision_id: known.decision.text(),
        offer_id: known.offer.text(),
        responder_id: known.responder.text(),
        sector_id: known.sector.text(),
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
        note_id: known.id.text(),
        kind: known.kind.wire(),
        by: known.by.text(),
        at_unix_ms: known.at.unix_ms(),
        visit_id: text(known.visit.as_ref()),
        decision_id: text(known.decision.as_ref()),
        text: known.text.reveal().clone(),
    }
}
