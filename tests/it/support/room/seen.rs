//! What a person reads off a case.

use sas_dispatch::grpc::pb::{self, ActionKind, NoteKind, RouteCategory, WhyNot};

/// A case, read.
pub trait Seen {
    /// What is still to be done, in order.
    fn to_do(&self) -> Vec<ActionKind>;
    /// The open action of a kind.
    fn action(&self, kind: ActionKind) -> &pb::Action;
    /// The last decision.
    fn decision(&self) -> &pb::Decision;
    /// The last offer.
    fn offer(&self) -> &pb::Offer;
    /// The last visit.
    fn visit(&self) -> &pb::Visit;
    /// The words of a kind.
    fn notes_of(&self, kind: NoteKind) -> Vec<&str>;
}

impl Seen for pb::CaseView {
    fn to_do(&self) -> Vec<ActionKind> {
        self.actions.iter().filter(|action| action.ended_unix_ms == 0).map(pb::Action::kind).collect()
    }

    #[track_caller]
    fn action(&self, kind: ActionKind) -> &pb::Action {
        let open = |action: &&pb::Action| action.ended_unix_ms == 0 && action.kind() == kind;
        self.actions.iter().rev().find(open).unwrap_or_else(|| panic!("{kind:?} is not among {:?}", self.to_do()))
    }

    #[track_caller]
    fn decision(&self) -> &pb::Decision {
        self.decisions.last().unwrap()
    }

    #[track_caller]
    fn offer(&self) -> &pb::Offer {
        self.offers.last().unwrap()
    }

    #[track_caller]
    fn visit(&self) -> &pb::Visit {
        self.visits.last().unwrap()
    }

    fn notes_of(&self, kind: NoteKind) -> Vec<&str> {
        self.notes.iter().filter(|note| note.kind() == kind).map(|note| note.text.as_str()).collect()
    }
}

/// Where a plan would go, best first: kind and responder.
pub trait Route {
    fn kept(&self) -> Vec<(RouteCategory, &str)>;
    /// Why a kind, or one responder of it, is not taken.
    fn why_not(&self, category: RouteCategory, responder: &str) -> WhyNot;
}

impl Route for pb::Plan {
    fn kept(&self) -> Vec<(RouteCategory, &str)> {
        let kept = self.rows.iter().filter(|row| row.rank > 0);
        kept.map(|row| (row.category(), row.responder_id.as_str())).collect()
    }

    #[track_caller]
    fn why_not(&self, category: RouteCategory, responder: &str) -> WhyNot {
        let row = |row: &&pb::Row| row.rank == 0 && row.category() == category && row.responder_id == responder;
        self.rows.iter().find(row).unwrap_or_else(|| panic!("{category:?} {responder} is no refused row")).why_not()
    }
}
