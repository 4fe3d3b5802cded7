//! What may be done next with a case, and the call that does it.

mod booking;
mod border;
mod chosen;
mod intake;
mod regulation;
mod visits;

use sas_dispatch::{
    domain::actor::Role,
    grpc::pb::{self, VisitStatus},
};

use super::{
    OnDuty,
    call::{Caller, Draft},
};
use crate::site::Ground;

pub(super) use chosen::chosen;

/// One thing somebody could do now.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Qualify,
    Dismiss,
    Claim,
    AcceptHandOver,
    SignNeed(String, u64),
    SignAnswer(String, u64, String, i32),
    Renew(String, u64),
    Release(String, u64),
    Resume(String, u64),
    Reorient(String, u64),
    ForceRelease,
    Advance(String),
    Ring(String),
    Confirm(String),
    RenewHold(String),
    CancelOffer(String),
    CancelAppointment(String),
    Attend(String),
    AcceptVisit(String, OnDuty),
    DeclineVisit(String, OnDuty),
    Progress(String, String, VisitStatus),
    Report(String, String),
    EndAction(String, Role),
    /// To another territory; its holder does it, or the ARM while nobody has it.
    HandOver(Option<(String, u64)>),
    TakeBack,
    /// To a hand-over: it is accepted, or sent back.
    Answer(bool),
    Note,
    Amend,
}

/// Calls `$service.$method` with the request that `$request` makes of the command id.
macro_rules! change {
    ($caller:expr, $draft:expr, $service:ident.$method:ident, |$id:ident| $request:expr) => {{
        let $id = $caller.dice.command();
        let command_id = $id.clone();
        let request = $request;
        let call = |mut clients: sas_dispatch::grpc::client::Clients| {
            let request = request.clone();
            async move { clients.$service.$method(request).await }
        };
        $caller.change($draft, command_id, call).await
    }};
}
pub(super) use change;

/// Does it.
pub(super) async fn perform(caller: &mut Caller, ground: &Ground, case: &str, act: Act) {
    match act {
        Act::Qualify | Act::Dismiss | Act::Note | Act::Amend => intake::perform(caller, ground, case, act).await,
        Act::Claim
        | Act::AcceptHandOver
        | Act::Renew(..)
        | Act::Release(..)
        | Act::Resume(..)
        | Act::Reorient(..)
        | Act::ForceRelease => regulation::claims(caller, case, act).await,
        Act::SignNeed(..) | Act::SignAnswer(..) => regulation::sign(caller, case, act).await,
        Act::HandOver(_) | Act::TakeBack | Act::Answer(_) => border::perform(caller, ground, case, act).await,
        Act::AcceptVisit(..) | Act::DeclineVisit(..) | Act::Progress(..) | Act::Report(..) => {
            visits::perform(caller, case, act).await;
        }
        Act::EndAction(action_id, role) => {
            let draft = by("EndAction", "bilans-1", role, case, None);
            let (case_id, end) = (case.to_owned(), pb::ActionEnd::Done.into());
            change!(caller, draft, regulation.end_action, |id| pb::EndActionRequest {
                command_id: id,
                case_id,
                action_id,
                end,
                note: "Bilan reçu".to_owned(),
                ..Default::default()
            });
        }
        routing => booking::offers(caller, case, routing).await,
    }
}

fn by<'a>(kind: &'static str, person: &'a str, role: Role, case: &'a str, under_claim: Option<u64>) -> Draft<'a> {
    Draft { kind, person, role, case: Some(case), under_claim }
}
